"""Made-up films of walking people, with a detector's noise and misses, that know who is who."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from pose_server.pipeline.boundary import Detections, FloatArray, Track2D
from pose_server.pipeline.progress import SilentProgress
from pose_server.track.tracker import track_people
from pose_shared.skeleton import BLAZEPOSE_33

NAMES = BLAZEPOSE_33.joints
IMAGE_SIZE = (1280, 720)
Place = Callable[[float], tuple[float, float]]


def walk(x_px: float, speed: float, *, at_s: float = 0.0, height_px: float = 300.0) -> Place:
    """Walk sideways at `speed` body heights per second, and be at `x_px` at `at_s`."""
    return lambda t: (x_px + speed * height_px * (t - at_s), 400.0)


@dataclass(frozen=True)
class Actor:
    """Somebody who moves through the film."""

    place: Place
    """Where the middle of the torso is, in pixels, at a time in seconds."""
    height_px: float = 300.0
    facing: float = 1.0
    """1 looks right, -1 left, 0 into the camera."""
    phase: float = 0.0
    """Of the stride, 0 to 1."""
    hidden: Sequence[tuple[float, float]] = ()
    """Spans (s, end exclusive) in which the detector does not see the actor."""
    score: float = 0.9
    shimmer: float = 0.0
    """Standard deviation of the landmarks (m), as of what a detector sees in furniture."""
    shrink: float = 1.0
    """Length of the landmarks' bones over a person's."""
    plays: int | None = None
    """Whose detections these are, if not this actor's own."""

    def is_visible(self, t: float) -> bool:
        x, y = self.place(t)
        inside = (
            abs(x - IMAGE_SIZE[0] / 2) < IMAGE_SIZE[0] / 2 + 0.1 * self.height_px and 0 < y < IMAGE_SIZE[1]
        )
        return inside and not any(start <= t < end for start, end in self.hidden)

    def detected(self, t: float, jitter: FloatArray, noise: float) -> tuple[FloatArray, FloatArray, float]:
        """Keypoints (33, 2) in pixels, landmarks (33, 3) in metres, score."""
        body = self._body_m(t)
        scale = self.height_px / 1.7
        torso = np.add(self.place(t), (0.0, 0.25 * scale))
        keypoints = torso + body[:, :2] * scale + jitter[:, :2] * noise * self.height_px
        return keypoints, self.shrink * (body + jitter * max(0.01, self.shimmer)), self.score

    def _body_m(self, t: float) -> FloatArray:
        """A striding body about 1.7 m long, about its hips: x right, y down, z away."""
        swing = np.sin(2 * np.pi * (t + self.phase))
        body = []
        for name in NAMES:
            side = {"left": 1.0, "right": -1.0}.get(name.split("_")[0], 0.0)
            part = name.removeprefix("left_").removeprefix("right_")
            across, forward, up = _PARTS[part]
            body.append((across * side, forward + swing * side * _SWING.get(part, 0.0), up))
        across, forward, up = np.array(body).T
        frontal = np.sqrt(1 - self.facing**2)
        x = forward * self.facing + across * (frontal + 0.3 * abs(self.facing))
        return np.stack([x, -up, across * self.facing - forward * frontal], axis=1)


# across, forward, up from the hips, in metres
_PARTS = {
    "nose": (0.0, 0.10, 0.72),
    "eye_inner": (0.02, 0.08, 0.75),
    "eye": (0.03, 0.08, 0.75),
    "eye_outer": (0.04, 0.07, 0.75),
    "ear": (0.07, 0.0, 0.73),
    "mouth": (0.03, 0.08, 0.68),
    "shoulder": (0.17, 0.0, 0.50),
    "elbow": (0.20, 0.0, 0.24),
    "wrist": (0.20, 0.08, 0.02),
    "pinky": (0.20, 0.10, -0.05),
    "index": (0.20, 0.12, -0.05),
    "thumb": (0.18, 0.12, -0.02),
    "hip": (0.10, 0.0, 0.0),
    "knee": (0.10, 0.02, -0.42),
    "ankle": (0.10, 0.0, -0.84),
    "heel": (0.10, -0.05, -0.88),
    "big_toe": (0.10, 0.14, -0.90),
}
_SWING = {"knee": 0.18, "ankle": 0.34, "heel": 0.34, "big_toe": 0.34}
_SWING |= {"elbow": -0.10, "wrist": -0.24, "pinky": -0.27, "index": -0.27, "thumb": -0.25}


@dataclass(frozen=True)
class Film:
    """Detections of a made-up film, and who is who in them."""

    detections: list[Detections]
    truth: dict[tuple[int, float], int]
    """The number of the actor, by frame and the left side of the box; -1 for what is nobody."""

    def tracks(self) -> list[Track2D]:
        return track_people(
            self.detections, keypoint_names=NAMES, image_size=IMAGE_SIZE, progress=SilentProgress()
        )

    def cast(self, tracks: Sequence[Track2D] | None = None) -> list[tuple[set[int], float]]:
        """For each track: the actors in it, and the share of its main actor's detections that it has."""
        total = Counter(self.truth.values())
        cast = []
        for track in self.tracks() if tracks is None else tracks:
            seen = zip(track.indices[track.found], track.boxes_px[track.found], strict=True)
            actors = Counter(self.truth[int(index), float(box[0])] for index, box in seen)
            main, rows = actors.most_common(1)[0]
            cast.append((set(actors), rows / total[main]))
        return cast


def shoot(
    actors: Sequence[Actor],
    *,
    rate: float = 30.0,
    seconds: float = 4.0,
    times_s: Sequence[float] | None = None,
    noise: float = 0.01,
    miss: float = 0.0,
    seed: int = 0,
) -> Film:
    """Detect `actors` in every frame, in an order that means nothing.

    Parameters
    ----------
    actors
        Who plays.
    rate, seconds
        Frames per second, and how long.
    times_s
        In their place: when each frame was taken.
    noise
        Standard deviation of a keypoint, in body heights.
    miss
        Chance that the detector overlooks somebody in a frame.
    seed
        Of all chance.
    """
    random = np.random.default_rng(seed)
    moments = np.arange(round(seconds * rate)) / rate if times_s is None else np.asarray(times_s)
    detections, truth = [], {}
    for index, t in enumerate(moments.tolist()):
        seen = []
        for number, actor in enumerate(actors):
            lost = random.random() < miss
            jitter = random.normal(0, 1, (len(NAMES), 3))
            if not lost and actor.is_visible(t):
                seen.append((number, *actor.detected(t, jitter, noise)))
        random.shuffle(seen)
        frame = _frame(index, t, seen)
        detections.append(frame)
        for (number, *_), box in zip(seen, frame.boxes_px, strict=True):
            truth[index, float(box[0])] = actors[number].plays if actors[number].plays is not None else number
    return Film(detections, truth)


def _frame(index: int, t: float, seen: Sequence[tuple[int, FloatArray, FloatArray, float]]) -> Detections:
    people, joints = len(seen), len(NAMES)
    keypoints = np.array([points for _, points, _, _ in seen]).reshape(people, joints, 2)
    boxes = np.zeros((people, 4))
    if people:
        boxes = np.concatenate([keypoints.min(axis=1), keypoints.max(axis=1)], axis=1)
    return Detections(
        index=index,
        time_s=t,
        boxes_px=boxes,
        scores=np.array([score for _, _, _, score in seen], dtype=np.float64),
        keypoints_px=keypoints,
        keypoint_confidence=np.full((people, joints), 0.9),
        landmarks_m=np.array([landmarks for _, _, landmarks, _ in seen]).reshape(people, joints, 3),
    )
