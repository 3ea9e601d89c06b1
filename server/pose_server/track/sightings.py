"""All detections of a clip as a few long arrays, with what tells one body from another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_server.pipeline.boundary import Detections, FloatArray, IntArray
from pose_server.pipeline.progress import Progress
from pose_server.track.appearance import APPEARANCE_SIZE
from pose_server.track.footage import Footage

__all__ = ["BODY_M", "BONES", "Sightings", "gather", "likeness", "order_of"]

#: Distances between people are counted in *bodies*: the pixels that 1.7 m make at the person.
BODY_M = 1.7
#: Pairs of joints whose distance in `landmarks_m` hardly changes while a person moves.
BONES = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (
        ("shoulder", "hip"),
        ("hip", "knee"),
        ("knee", "ankle"),
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
    )
)
_TORSO = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
_LIKENESS_SIGMA = 0.06  # bodies; COCO's keypoint sigmas for limbs lie around it
_MIN_SPREAD_M = 0.05
_MIN_SIZE_PX = 1.0


@dataclass(frozen=True)
class Sightings:
    """Detections of all frames, in the order of time, within a frame from left to right.

    N sightings, F frames of the clip, K keypoints.
    """

    frame_indices: IntArray
    """(F,) source frame numbers."""
    frame_times_s: FloatArray
    """(F,)."""
    rows: IntArray
    """(N,) which of the F frames."""
    times_s: FloatArray
    """(N,)."""
    boxes_px: FloatArray
    """(N, 4)."""
    scores: FloatArray
    """(N,)."""
    keypoints_px: FloatArray
    """(N, K, 2)."""
    confidence: FloatArray
    """(N, K), 0 where a keypoint is missing."""
    landmarks_m: FloatArray
    """(N, K, 3)."""
    centres_px: FloatArray
    """(N, 2) middle of shoulders and hips, of the box where one of them is missing."""
    sizes_px: FloatArray
    """(N,) how long a body is here, whatever its pose."""
    steady_centres_px: FloatArray
    """(N, 2) the same centres in a picture in which the background stands still; equal without a footage."""
    steady_sizes_px: FloatArray
    """(N,) the same sizes there."""
    bones_m: FloatArray
    """(N, 10) lengths of `BONES`; NaN from a detector without landmarks."""
    appearance: NDArray[np.float16]
    """(N, `APPEARANCE_SIZE`) as `Footage` has it; NaN without one."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def frame_s(self) -> float:
        """Typical time between two frames; 0 in a single picture."""
        steps_s = np.diff(self.frame_times_s)
        return float(np.median(steps_s)) if len(steps_s) else 0.0

    def shapes(self, which: IntArray) -> FloatArray:
        """Return (n, K, 2) keypoints about the body's centre, in bodies; 0 where missing."""
        about = self.keypoints_px[which] - self.centres_px[which, None]
        return np.asarray(np.nan_to_num(about / self.sizes_px[which, None, None]))


def gather(
    detections: Iterable[Detections],
    *,
    keypoint_names: Sequence[str],
    progress: Progress,
    footage: Footage | None = None,
) -> Sightings:
    """Read a clip's detections, frame by frame, and measure each body.

    The order of people inside a frame is replaced by one that depends on their boxes alone.
    """
    frames: list[tuple[int, float]] = []
    people: list[int] = []
    parts: list[Detections] = []
    orders: list[IntArray] = []
    for found in detections:
        if len(frames) % 256 == 0:
            progress.check()
        frames.append((found.index, found.time_s))
        people.append(len(found))
        if len(found):
            parts.append(found)
            orders.append(order_of(found))
    joints = len(keypoint_names)

    def joined(field: str, *shape: int) -> FloatArray:
        if not parts:
            return np.zeros((0, *shape))
        return np.concatenate([getattr(p, field)[order] for p, order in zip(parts, orders, strict=True)])

    boxes = joined("boxes_px", 4)
    keypoints = joined("keypoints_px", joints, 2)
    landmarks = joined("landmarks_m", joints, 3)
    confidence = np.where(
        np.isfinite(keypoints).all(axis=-1), np.nan_to_num(joined("keypoint_confidence", joints)), 0.0
    )
    times = np.array([time_s for _, time_s in frames], dtype=np.float64)
    rows = np.repeat(np.arange(len(frames)), people)
    centres = _centres(boxes, keypoints, confidence, keypoint_names)
    sizes = _sizes(boxes, keypoints, confidence, landmarks)
    looks = np.full((len(rows), APPEARANCE_SIZE), np.nan, dtype=np.float16)
    steady_centres, steady_sizes = centres, sizes
    if footage is not None and len(rows):
        firsts = np.cumsum([0, *(len(order) for order in orders[:-1])])
        looks = footage.appearance[
            np.concatenate([first + order for first, order in zip(firsts, orders, strict=True)])
        ]
        turn, place = footage.steady[rows, :, :2], footage.steady[rows, :, 2]
        steady_centres = np.einsum("nij,nj->ni", turn, centres) + place
        steady_sizes = sizes * np.sqrt(np.abs(np.linalg.det(turn)))
    return Sightings(
        frame_indices=np.array([index for index, _ in frames], dtype=np.int64),
        frame_times_s=times,
        rows=rows,
        times_s=times[rows],
        boxes_px=boxes,
        scores=joined("scores"),
        keypoints_px=keypoints,
        confidence=confidence,
        landmarks_m=landmarks,
        centres_px=centres,
        sizes_px=sizes,
        steady_centres_px=steady_centres,
        steady_sizes_px=steady_sizes,
        bones_m=_bones(landmarks, keypoint_names),
        appearance=looks,
    )


def order_of(found: Detections) -> IntArray:
    """Return (P,) the people of a frame from left to right, however the detector listed them."""
    return np.asarray(np.lexsort((found.scores, *found.boxes_px.T[::-1])))


def likeness(a: FloatArray, b: FloatArray, confidence: FloatArray, size_px: FloatArray) -> FloatArray:
    """Return how far two sets of keypoints lie on one body, 0 to 1.

    Parameters
    ----------
    a, b
        (..., K, 2) pixels; may hold NaN where `confidence` is 0.
    confidence
        (..., K) of both together.
    size_px
        (...) of the body.

    Notes
    -----
    The object keypoint similarity of the COCO evaluation, with one sigma for all keypoints, the
    body's length for the root of its area, and the confidence in place of the visible flag.
    """
    squared = np.nan_to_num(((a - b) ** 2).sum(axis=-1)) / size_px[..., None] ** 2
    near = np.exp(-squared / (2 * _LIKENESS_SIGMA**2))
    total = confidence.sum(axis=-1)
    return np.asarray((near * confidence).sum(axis=-1) / np.maximum(total, 1e-6))


def _centres(
    boxes: FloatArray, keypoints: FloatArray, confidence: FloatArray, names: Sequence[str]
) -> FloatArray:
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    if not set(_TORSO) <= set(names):
        return middle
    torso = [names.index(joint) for joint in _TORSO]
    known = (confidence[:, torso] > 0).all(axis=1)
    return np.where(known[:, None], keypoints[:, torso].mean(axis=1), middle)


def _sizes(
    boxes: FloatArray, keypoints: FloatArray, confidence: FloatArray, landmarks: FloatArray
) -> FloatArray:
    """Length of a body in pixels: from the scale of its landmarks, else the longer side of its box."""
    longer = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    known = confidence * np.isfinite(landmarks).all(axis=-1)
    spread_m = _spread(np.nan_to_num(landmarks[..., :2]), known)
    spread_px = _spread(np.nan_to_num(keypoints), known)
    usable = spread_m > _MIN_SPREAD_M
    scaled = BODY_M * spread_px / np.where(usable, spread_m, 1.0)
    return np.maximum(np.where(usable, scaled, longer), _MIN_SIZE_PX)


def _spread(points: FloatArray, weights: FloatArray) -> FloatArray:
    total = np.maximum(weights.sum(axis=1), 1e-6)
    mean = (points * weights[..., None]).sum(axis=1) / total[:, None]
    squared = ((points - mean[:, None]) ** 2).sum(axis=-1)
    return np.asarray(np.sqrt((squared * weights).sum(axis=1) / total))


def _bones(landmarks: FloatArray, names: Sequence[str]) -> NDArray[np.float64]:
    lengths = np.full((len(landmarks), len(BONES)), np.nan)
    for column, (start, end) in enumerate(BONES):
        if start in names and end in names:
            bone = landmarks[:, names.index(start)] - landmarks[:, names.index(end)]
            lengths[:, column] = np.linalg.norm(bone, axis=1)
    return lengths
