"""RTMPose and RTMO: people's boxes and their points, or both at once, each frame by itself.

Why onnxruntime and not rtmlib, whose models and settings these are: rtmlib 0.0.16 requires opencv-python,
which cannot stand beside mediapipe's opencv-contrib-python; it downloads what it lacks without asking or
checking; it runs one network call per frame and another per person; it prints; and it shows RTMPose its
colours in another order than MMPose trained it on.  What is left of it is a few pages of arithmetic, which
are in `person_boxes`, `simcc` and `rtmo`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InputError
from pose_shared.skeleton import COCO_17, HALPE_26
from pose_shared.transfer import file_sha256

from pose_server.detect.cores import usable_cores
from pose_server.detect.onnx_network import OnnxNetwork, computing_place, needs_onnxruntime
from pose_server.detect.person_boxes import PersonBoxes, kept
from pose_server.detect.rtmo import OneStage
from pose_server.detect.simcc import PosePoints
from pose_server.pipeline.boundary import ClipInfo, Detections, FrameBatch
from pose_server.weights.registry import weights_named
from pose_server.weights.store import checked_weights, weights_store

__all__ = ["RTMPOSE_MODELS", "RtmPose", "RtmPoseSession"]

FloatArray = NDArray[np.floating[Any]]

#: Raise it whenever the same frames could give other numbers.
VERSION = 1

#: The models by name, the usual one first, and the weights that each needs: the person detector and the
#: points, or both in one.  RTMDet-m is the detector that MMPose itself pairs with RTMPose.
RTMPOSE_MODELS: dict[str, tuple[str, ...]] = {
    "halpe26-m": ("rtmdet-m", "rtmpose-halpe26-m"),
    "body17-l": ("rtmdet-m", "rtmpose-body17-l"),
    "body17-m": ("rtmdet-m", "rtmpose-body17-m"),
    "body17-s": ("rtmdet-nano", "rtmpose-body17-s"),
    "rtmo-l": ("rtmo-l",),
    "rtmo-m": ("rtmo-m",),
    "rtmo-s": ("rtmo-s",),
}

#: MMPose's threshold for people, and from where on they are reported, to go on with a track.
_SURE, _LOW = 0.3, 0.1
#: A point of less confidence says nothing of a person; MMPose's value.
_SEEN = 0.2
#: Input of files that take any size.
_DETECTOR_SIZE, _POSE_SIZE = (640, 640), (192, 256)
#: Frames that may be at work: two portions as `pipeline.detection` gives them.
_LAG = 16
#: Followed crops: the box of the last points grows by this, and those that share more are one person's.
_FOLLOWED_GROWN, _FOLLOWED_SAME = 1.25, 0.8


class RtmPose:
    """A person detector and RTMPose, or RTMO.

    Parameters
    ----------
    model
        A name from `RTMPOSE_MODELS`, the first whose weights are here when None, or files of the user's: the
        person detector and RTMPose with a comma between them, or RTMO alone.
    device
        ``cpu`` or ``cuda:N``, where this onnxruntime can.
    score
        A person's least score.
    redetect_every
        Look for people in every so many frames only; in those between, each person's crop is where their
        points were last.  Faster, but whoever enters is found later, and who is lost stays lost until then.
    people_limit
        How many people to read in a frame; the surest win.
    threads
        Cores to use; all when None.

    Raises
    ------
    MissingExtraError
        onnxruntime is not installed.
    InputError
        There is no such model (``DETECTOR_MODEL_UNKNOWN``) or file (``FILE_MISSING``), or a file is another
        network (``NETWORK_UNSUITABLE``, ``NETWORK_UNREADABLE``).
    NotFoundError
        The weights are not here (``WEIGHTS_MISSING``).
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        device: str = "cpu",
        score: float | None = None,
        redetect_every: int = 1,
        people_limit: int = 20,
        threads: int | None = None,
    ) -> None:
        needs_onnxruntime()
        store = weights_store()
        here = (
            name for name, parts in RTMPOSE_MODELS.items() if all(map(store.find, map(weights_named, parts)))
        )
        self.model = model or next(here, next(iter(RTMPOSE_MODELS)))
        self.sure_score = _SURE if score is None else score
        self.low_score = min(_LOW, self.sure_score)
        self.redetect_every = redetect_every
        self.people_limit = people_limit
        self._device = device
        self._threads = threads or usable_cores()
        self._weights = RTMPOSE_MODELS.get(self.model)
        if self._weights is not None:
            store.require(*map(weights_named, self._weights))
            self.keypoint_names = (HALPE_26 if "halpe26" in self.model else COCO_17).joints
            self.name = f"rtmpose:{self.model}"
        else:
            self._files = _files_of(self.model)
            self.name = f"rtmpose:{','.join(path.name for path in self._files)}"  # reports travel
            self.keypoint_names = self.networks.points.joints.joints

    @property
    def fingerprint(self) -> str:
        """Version, settings, weights and what computes."""
        settings = f"{self.low_score:g}-{self.redetect_every}-{self.people_limit}"
        digests = "-".join(digest for _, digest in self._checked)
        return f"rtmpose-{VERSION}-{settings}-{digests}-{computing_place(self._device)}"

    def session(self, clip: ClipInfo) -> RtmPoseSession:
        """Begin a clip; sessions share the networks."""
        return RtmPoseSession(self)

    @cached_property
    def _checked(self) -> list[tuple[Path, str]]:
        """The files and their digests, read once."""
        if self._weights is None:
            return [(path, file_sha256(path)) for path in self._files]
        found = [checked_weights(name) for name in self._weights]
        return [(weights.path, weights.sha256) for weights in found]

    @cached_property
    def networks(self) -> _Networks:
        """The networks, built when first needed."""
        paths = [path for path, _ in self._checked]

        def opened(path: Path, size: tuple[int, int]) -> OnnxNetwork:
            return OnnxNetwork(path, device=self._device, threads=self._threads, usual_size=size)

        if len(paths) == 1:
            return _Networks(None, OneStage(opened(paths[0], _DETECTOR_SIZE)))
        return _Networks(
            PersonBoxes(opened(paths[0], _DETECTOR_SIZE)), PosePoints(opened(paths[1], _POSE_SIZE))
        )


@dataclass(frozen=True)
class _Networks:
    persons: PersonBoxes | None
    points: PosePoints | OneStage


class RtmPoseSession:
    """RTMPose at work on one clip: the pictures of one portion are prepared while another is computed."""

    def __init__(self, detector: RtmPose) -> None:
        self._detector = detector
        self._networks = detector.networks
        # Who follows crops needs the frame before.
        self._workers = ThreadPoolExecutor(2 if detector.redetect_every == 1 else 1)
        self._at_work: deque[Future[list[Detections]]] = deque()
        self._ready: deque[Detections] = deque()
        self._given = self._returned = self._frames = 0
        self._followed: tuple[FloatArray, FloatArray] = np.zeros((0, 4)), np.zeros(0)

    def __enter__(self) -> RtmPoseSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workers.shutdown(cancel_futures=True)

    def detect(self, batch: FrameBatch) -> list[Detections]:
        """Take the next frames; return everybody, down to the low score, in those that are done."""
        self._at_work.append(self._workers.submit(self._find, batch))
        self._given += len(batch)
        return self._settle(self._given - _LAG)

    def finish(self) -> list[Detections]:
        """Return the frames that are still at work."""
        return self._settle(self._given)

    def _settle(self, upto: int) -> list[Detections]:
        settled = []
        while self._returned < upto:
            if not self._ready:
                self._ready.extend(self._at_work.popleft().result())
            else:
                settled.append(self._ready.popleft())
                self._returned += 1
        return settled

    def _find(self, batch: FrameBatch) -> list[Detections]:
        low, limit = self._detector.low_score, self._detector.people_limit
        persons, points = self._networks.persons, self._networks.points
        frames = list(batch.frames)
        if isinstance(points, OneStage):
            everybody = points.find(frames, low)
            found = [(b[:limit], s[:limit], p[:limit], c[:limit]) for b, s, p, c in everybody]
        elif persons is not None and self._detector.redetect_every == 1:
            boxes = [(b[:limit], s[:limit]) for b, s in persons.find(frames, low)]
            found = self._read(points, frames, boxes)
        else:
            assert persons is not None
            found = [self._follow(persons, points, frame) for frame in frames]
        return [
            _detections(int(index), float(time_s), *people)
            for index, time_s, people in zip(batch.indices, batch.times_s, found, strict=True)
        ]

    def _read(
        self,
        points: PosePoints,
        frames: Sequence[NDArray[np.uint8]],
        boxes: Sequence[tuple[FloatArray, FloatArray]],
    ) -> list[tuple[FloatArray, FloatArray, FloatArray, FloatArray]]:
        """Read everybody in all frames at once: boxes, box scores, points, confidences per frame."""
        counts = [len(some) for some, _ in boxes]
        pictures = [frame for frame, count in zip(frames, counts, strict=True) for _ in range(count)]
        everybody = np.concatenate([some for some, _ in boxes]) if boxes else np.zeros((0, 4))
        keypoints, confidence = points.read(pictures, list(everybody))
        ends = np.cumsum(counts)
        return [
            (
                some,
                scores * _sureness(confidence[end - count : end]),
                keypoints[end - count : end],
                confidence[end - count : end],
            )
            for (some, scores), count, end in zip(boxes, counts, ends, strict=True)
        ]

    def _follow(
        self, persons: PersonBoxes, points: PosePoints, frame: NDArray[np.uint8]
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Read one frame, where everybody was last or where they are found anew."""
        low, limit = self._detector.low_score, self._detector.people_limit
        anew = self._frames % self._detector.redetect_every == 0
        self._frames += 1
        boxes, scores = persons.find([frame], low)[0] if anew else self._followed
        boxes, scores = boxes[:limit], scores[:limit]
        ((_, rescored, keypoints, confidence),) = self._read(points, [frame], [(boxes, scores)])
        around = np.array([_around(*person) for person in zip(keypoints, confidence, strict=True)])
        around = around.reshape(-1, 4)
        seen = np.flatnonzero((rescored >= low) & np.isfinite(around).all(axis=1))
        stay = seen[kept(around[seen], rescored[seen], _FOLLOWED_SAME)]
        self._followed = around[stay], scores[stay]
        return (boxes if anew else around)[stay], rescored[stay], keypoints[stay], confidence[stay]


def _files_of(model: str) -> list[Path]:
    paths = [Path(part) for part in model.split(",")]
    if len(paths) > 2 or not all(path.suffix == ".onnx" for path in paths):
        raise InputError(
            f"The detector rtmpose has no model '{model}'; choose from {', '.join(RTMPOSE_MODELS)}, or give "
            "files of your own: rtmpose:DETECTOR.onnx,RTMPOSE.onnx or rtmpose:RTMO.onnx.",
            reason="DETECTOR_MODEL_UNKNOWN",
            value=model,
        )
    for path in paths:
        if not path.is_file():
            raise InputError(f"There is no file {path}; check its name.", reason="FILE_MISSING", path=path)
    return paths


def _sureness(confidence: FloatArray) -> FloatArray:
    """Return (P,) means of the points that are seen, of (P, K) confidences.

    Times the score of the box it is the score of a person, as MMPose counts it (``bbox_keypoint``).
    """
    seen = confidence > _SEEN
    return np.asarray(np.where(seen, confidence, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1))


def _around(points: FloatArray, confidence: FloatArray) -> FloatArray:
    """Return the (4,) box to look for a person in next, by (K, 2) points that were seen; NaN by too few."""
    seen = points[confidence > _SEEN]
    if len(seen) < 3:
        return np.full(4, np.nan)
    low, high = seen.min(axis=0), seen.max(axis=0)
    grown = np.maximum((high - low) / 2 * _FOLLOWED_GROWN, 1.0)
    return np.concatenate(((low + high) / 2 - grown, (low + high) / 2 + grown))


def _detections(
    index: int,
    time_s: float,
    boxes: FloatArray,
    scores: FloatArray,
    points: FloatArray,
    confidence: FloatArray,
) -> Detections:
    return Detections(
        index,
        time_s,
        boxes_px=boxes.astype(np.float32).reshape(-1, 4),
        scores=scores.astype(np.float32),
        keypoints_px=points.astype(np.float32),
        keypoint_confidence=confidence.astype(np.float32),
        landmarks_m=np.full((*points.shape[:2], 3), np.nan, np.float32),
    )
