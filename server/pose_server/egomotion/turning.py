"""How a camera on a tripod or in a hand turned, from what stands still behind the people.

Corners of the background are followed from frame to frame, with people masked out.  Between a key
frame and each later one the rotation that brings the corners' rays together is found robustly; when
too few of them are left, the frame becomes the next key.  Only turning is followed: what a camera that
travels sees of a near background is taken for a turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_server.egomotion.corners import back_and_forth, corners, grey_of, scale_of
from pose_server.pipeline.boundary import Camera, CameraPath, Detections, FloatArray
from pose_server.pipeline.camera import rays
from pose_server.pipeline.progress import Progress
from pose_server.video.prefetch import prefetch
from pose_server.video.source import FrameSource

__all__ = ["FOLLOW_VERSION", "followed"]

#: Raised when the same frames give other numbers.
FOLLOW_VERSION = 2

#: Masks of people reach this much beyond their boxes.
_AROUND = 0.1
#: Fewer corners than this tell nothing; a key with fewer left than this share is given up.
_FEWEST, _LEFT = 12, 0.5
_INLIER_PX = 1.5
_PASSES = 6
#: A camera that never turned by more stood still: compression trembles, too.
_STILL_DEG = 0.25
_BATCH_FRAMES, _PREFETCH_BATCHES = 8, 4


def followed(
    source: FrameSource, found: Sequence[Detections], camera: Camera, progress: Progress
) -> CameraPath | None:
    """Return how the camera turned since the first frame; None for one that stood still.

    Parameters
    ----------
    source
        The clip, decoded once more.
    found
        Everybody in each of its frames; they do not stand still.
    camera
        Its lens; one that is guessed wrong scales the angles.
    progress
        Told of the frames; may cancel.
    """
    total = len(found)
    follower = _Follower(camera)
    turns: list[FloatArray] = []
    with prefetch(source.batches(_BATCH_FRAMES), _PREFETCH_BATCHES) as batches:
        for batch in batches:
            rest = found[len(turns) : len(turns) + len(batch)]
            turns += [
                follower.turn(frame, seen.boxes_px) for frame, seen in zip(batch.frames, rest, strict=True)
            ]
            progress.report("camera", len(turns), total)
    indices = np.array([frame.index for frame in found[: len(turns)]], dtype=np.int64)
    path = CameraPath(indices, np.array(turns).reshape(-1, 3, 3))
    return path if path.widest_deg > _STILL_DEG else None


class _Follower:
    """Follows corners through frames that are given one by one."""

    def __init__(self, camera: Camera) -> None:
        self._scale = scale_of(*camera.image_size)
        self._matrix = camera.matrix * np.array([[self._scale], [self._scale], [1.0]])
        self._before: Any = None
        self._points: Any = np.empty((0, 1, 2), dtype=np.float32)  # as OpenCV has them
        self._rays = np.empty((0, 3))
        self._count = 0
        self._key = self._turn = np.eye(3)

    def turn(self, frame: NDArray[np.uint8], boxes_px: FloatArray) -> FloatArray:
        """Return the (3, 3) rotation from the first frame's axes into this one's."""
        grey = grey_of(frame)
        free = self._mask(grey.shape, boxes_px)
        if self._before is not None and len(self._points):
            self._follow(self._before, grey, free)
        if len(self._points) >= _FEWEST:
            self._turn = _turned(self._rays, self._seen(), _INLIER_PX / self._matrix[0, 0]) @ self._key
        if len(self._points) < max(_FEWEST, _LEFT * self._count):
            self._key = self._turn
            self._points = corners(grey, free)
            self._count = len(self._points)
            self._rays = self._seen()
        self._before = grey
        return self._turn

    def _follow(self, before: Any, now: Any, free: NDArray[np.uint8]) -> None:
        there, kept = back_and_forth(before, now, self._points)
        at = np.rint(there[:, 0]).astype(int)
        inside = ((at >= 0) & (at < now.shape[::-1])).all(axis=1)
        clear = np.zeros(len(at), dtype=bool)
        clear[inside] = free[at[inside, 1], at[inside, 0]] > 0
        kept &= clear
        self._points, self._rays = there[kept], self._rays[kept]

    def _seen(self) -> FloatArray:
        directions = rays(self._points[:, 0].astype(float), self._matrix)
        return np.asarray(directions / np.linalg.norm(directions, axis=1, keepdims=True))

    def _mask(self, shape: tuple[int, ...], boxes_px: FloatArray) -> NDArray[np.uint8]:
        free = np.full(shape, 255, dtype=np.uint8)
        for left, top, right, bottom in boxes_px[np.isfinite(boxes_px).all(axis=1)] * self._scale:
            wide, high = _AROUND * (right - left), _AROUND * (bottom - top)
            rows = slice(max(0, int(top - high)), max(0, int(bottom + high)))
            free[rows, max(0, int(left - wide)) : max(0, int(right + wide))] = 0
        return free


def _turned(before: FloatArray, now: FloatArray, expected_rad: float) -> FloatArray:
    """Return the (3, 3) rotation of (N, 3) rays onto others: Kabsch, robust as Geman and McClure."""
    weight = np.ones(len(before))
    turn = np.eye(3)
    for _ in range(_PASSES):
        u, _s, vt = np.linalg.svd((now * weight[:, None]).T @ before)
        turn = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
        away = np.linalg.norm(now - before @ turn.T, axis=1)
        # First what most agree on, however far off; then what agrees closely.
        spread = max(expected_rad, float(np.median(away)))
        weight = 1 / (1 + (away / spread) ** 2) ** 2
    return np.asarray(turn)
