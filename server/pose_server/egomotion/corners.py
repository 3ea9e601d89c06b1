"""Corners of a picture and where they went: Shi and Tomasi, Lucas and Kanade, by OpenCV."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["back_and_forth", "corners", "grey_of", "scale_of"]

#: Corners are followed in pictures of this length: enough for a hundredth of a degree.
_LENGTH_PX = 640
_CORNERS, _QUALITY, _APART_PX = 400, 0.01, 8.0
#: A corner that does not come back from where it went is lost.
_BACK_PX = 0.7


def scale_of(width: int, height: int) -> float:
    """Return how much smaller than the frame the picture is that corners are followed in."""
    return min(1.0, _LENGTH_PX / max(width, height))


def grey_of(frame: NDArray[np.uint8]) -> Any:
    """Return the small grey picture of an RGB frame."""
    import cv2

    height, width = frame.shape[:2]
    scale = scale_of(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)


def corners(grey: Any, free: NDArray[np.uint8] | None = None) -> Any:
    """Return (N, 1, 2) float32 corners, as OpenCV has them, where `free` is not 0."""
    import cv2

    found = cv2.goodFeaturesToTrack(grey, _CORNERS, _QUALITY, _APART_PX, mask=free)
    return np.empty((0, 1, 2), np.float32) if found is None else found


def back_and_forth(before: Any, now: Any, points: Any) -> tuple[Any, NDArray[np.bool_]]:
    """Return where points (N, 1, 2) of one picture are in another, and which are found again from there."""
    import cv2

    there, found, _ = cv2.calcOpticalFlowPyrLK(before, now, points, np.empty_like(points))
    back, returned, _ = cv2.calcOpticalFlowPyrLK(now, before, there, np.empty_like(points))
    near = np.linalg.norm(back - points, axis=(1, 2)) < _BACK_PX
    return there, (found[:, 0] > 0) & (returned[:, 0] > 0) & near
