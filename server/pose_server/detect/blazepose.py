"""BlazePose for several people: tracked crops, tiles for newcomers, and a look back for each of them."""

from __future__ import annotations

import math
from collections import deque
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.skeleton import BLAZEPOSE_33

from pose_server.detect.cores import usable_cores
from pose_server.detect.networks import LandmarkNetwork, PersonNetwork, weights_sha256
from pose_server.detect.people import TRIAL_FRAMES, Moment, People
from pose_server.detect.pose import Pose, PoseReader
from pose_server.detect.roi import Picture
from pose_server.detect.scanner import Scanner, tiles
from pose_server.pipeline.boundary import ClipInfo, Detections, FrameBatch

__all__ = ["BlazePose", "BlazePoseSession"]

FloatArray = NDArray[np.floating[Any]]

#: Raise it whenever the same frames could give other numbers.
VERSION = 1

#: The detector looks at every tile once in this time, within these bounds of frames.
_CYCLE_S, _CYCLE_FRAMES = 0.8, (12, 36)
#: A newcomer is followed back by this: a cycle, and the frames it takes to be sure of them.
_LOOK_BACK_S, _LOOK_BACK_FRAMES = 1.2, (20, 48)
#: Longest side and bytes of the frames that are kept to look back at.
_KEPT_SIDE = 2048
_KEPT_BYTES = 256 << 20
#: Frames to look back for each new frame, and how many new ones the oldest frame waits for that at most.
_STEPS_BACK, _LONGEST_WAIT = 2, 16
#: Time after which a person who is not seen is given up.
_PATIENCE_S = 0.3
_CANDIDATE_SCORE = 0.3
_BOX_CONFIDENCE = 0.3
_BOX_MARGIN = 0.05


class BlazePose:
    """MediaPipe's BlazePose (full) as a detector of several people.

    Parameters
    ----------
    people_limit
        How many people to follow at once; the largest win.
    mirrored
        Also read each crop mirrored: half the speed, for calmer and less biased points.
    small_tiles
        Look for newcomers on tiles, too, not on the whole picture alone.
    look_back
        Follow a newcomer backwards to where they became visible; results then lag by about a second.
    threads
        Cores to use; all when None.  Does not change the numbers.

    Raises
    ------
    MissingExtraError
        mediapipe is not installed, or carries no weights.
    """

    name = "blazepose"
    keypoint_names = BLAZEPOSE_33.joints
    #: Whoever is reported has stood a trial, and half a person has half a score.
    sure_score = 0.0

    def __init__(
        self,
        *,
        people_limit: int = 8,
        mirrored: bool = True,
        small_tiles: bool = True,
        look_back: bool = True,
        threads: int | None = None,
    ) -> None:
        self.people_limit = people_limit
        self.mirrored = mirrored
        self.small_tiles = small_tiles
        self.look_back = look_back
        self.threads = threads or usable_cores()
        self._weights = weights_sha256()

    @property
    def fingerprint(self) -> str:
        """Version, settings and weights."""
        settings = self.people_limit, self.mirrored, self.small_tiles, self.look_back
        return f"blazepose-{VERSION}-{'-'.join(str(int(s)) for s in settings)}-{self._weights}"

    def session(self, clip: ClipInfo) -> BlazePoseSession:
        """Begin a clip; the session holds the networks, so that sessions can run side by side."""
        return BlazePoseSession(self, clip)


class BlazePoseSession:
    """BlazePose at work on one clip."""

    def __init__(self, detector: BlazePose, clip: ClipInfo) -> None:
        rate = float(clip.rate)
        threads_each = min(4, max(1, detector.threads // 2))
        copies = max(1, detector.threads // threads_each)
        self._landmarks = LandmarkNetwork(copies=copies, threads=threads_each)
        self._persons = PersonNetwork(threads=threads_each, min_score=_CANDIDATE_SCORE)
        squares = tiles(clip.width, clip.height, small=detector.small_tiles)
        cycle = min(max(_CYCLE_FRAMES[0], int(_CYCLE_S * rate)), _CYCLE_FRAMES[1])
        self._scanner = Scanner(self._persons, squares, cycle)
        self._people = People(
            PoseReader(self._landmarks, mirrored=detector.mirrored),
            limit=detector.people_limit,
            patience=max(1, round(_PATIENCE_S * rate)),
        )
        self._look_back = detector.look_back
        self._lag = _lag(clip) if detector.look_back else TRIAL_FRAMES
        self._moments: deque[Moment] = deque()
        self._frames = 0

    def __enter__(self) -> BlazePoseSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._moments.clear()
        self._landmarks.close()
        self._persons.close()

    def detect(self, batch: FrameBatch) -> list[Detections]:
        """Take the next frames; return those that nothing can change any more."""
        settled = []
        for frame, index, time_s in zip(batch.frames, batch.indices, batch.times_s, strict=True):
            self._take(Moment(int(index), float(time_s), Picture(frame)))
            while len(self._moments) > self._lag and not self._people.looking_back:
                settled.append(_detections(self._moments.popleft()))
        return settled

    def finish(self) -> list[Detections]:
        """Return the frames that are still open."""
        self._people.finish(self._frames)
        self._people.look_back()
        settled = [_detections(moment) for moment in self._moments]
        self._moments.clear()
        return settled

    def _take(self, moment: Moment) -> None:
        self._moments.append(moment)
        self._scanner.start(moment.picture, self._people.doubtful())
        self._people.follow(moment)
        self._people.welcome(self._scanner.finish(), moment)
        self._people.settle(self._moments, look_back=self._look_back)
        overdue = len(self._moments) > self._lag + _LONGEST_WAIT
        self._people.look_back(None if overdue else _STEPS_BACK)
        self._frames += 1
        moment.picture = moment.picture.kept(_KEPT_SIDE)


def _lag(clip: ClipInfo) -> int:
    """Return how many frames to keep open."""
    halvings = max(0, math.ceil(math.log2(max(clip.width, clip.height) / _KEPT_SIDE)))
    kept_bytes = (3 * clip.width * clip.height) >> (2 * halvings)
    fewest, most = _LOOK_BACK_FRAMES
    most = min(most, max(fewest, _KEPT_BYTES // max(1, kept_bytes)))
    return min(most, max(fewest, math.ceil(_LOOK_BACK_S * clip.rate)))


def _detections(moment: Moment) -> Detections:
    poses = [pose for person, pose in moment.seen if person.known and not person.dismissed]

    def stacked(arrays: list[FloatArray], *shape: int) -> FloatArray:
        return np.array(arrays, np.float32).reshape(len(poses), *shape)

    picture = moment.picture
    return Detections(
        moment.index,
        moment.time_s,
        boxes_px=stacked([_box(pose, picture) for pose in poses], 4),
        scores=np.array([pose.score for pose in poses], np.float32),
        keypoints_px=stacked([pose.keypoints_px for pose in poses], len(BLAZEPOSE_33), 2),
        keypoint_confidence=stacked([pose.confidence for pose in poses], len(BLAZEPOSE_33)),
        landmarks_m=stacked([pose.landmarks_m for pose in poses], len(BLAZEPOSE_33), 3),
    )


def _box(pose: Pose, picture: Picture) -> FloatArray:
    sure = pose.confidence >= _BOX_CONFIDENCE
    points_px = pose.keypoints_px[sure] if sure.sum() >= 4 else pose.keypoints_px
    low, high = points_px.min(axis=0), points_px.max(axis=0)
    margin = _BOX_MARGIN * (high - low).max()
    size = picture.width, picture.height
    return np.concatenate((np.clip(low - margin, 0, size), np.clip(high + margin, 0, size)))
