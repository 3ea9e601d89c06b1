"""How the picture shifts while the camera moves: enough to know where people would be, had it stood still.

This is looked at while frames are decoded, for the tracking of people, and costs little; the true way of
the camera is followed later (`following`), with everybody masked.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_server.pipeline.boundary import FloatArray

__all__ = ["Shifts"]

_CORNERS, _QUALITY, _APART_PX = 48, 0.02, 8.0
#: New corners are looked for when fewer than this share of the last ones are left, and after so many frames.
_LEFT, _OLD = 0.7, 15
#: People reach this much beyond their boxes.
_AROUND = 0.1
#: So many corners must agree, to within so many pixels of the small picture.
_FEWEST, _AGREE_PX = 8, 0.75
#: A picture that moved by less than this since its corners were found stands still.
_STILL_PX = 0.4
#: Nor does a camera turn or magnify the picture by more than this meanwhile: that is a cut.
_MOST_SCALE, _MOST_TURN = 1.5, 0.6
_STAY = np.eye(3)


class Shifts:
    """Looks at small grey pictures, in their order, and later hears where people were in them."""

    def __init__(self) -> None:
        self._before: Any = None
        self._found: Any = _NO_CORNERS
        self._now: Any = _NO_CORNERS
        self._begun = self._age = 0
        #: Where corners were when they were found, where they are, and whether others are looked for next.
        self._waiting: deque[tuple[Any, Any, bool]] = deque()
        self._base, self._last = _STAY, _STAY
        self._corner_px = np.ones((3, 4))
        self._steady: list[FloatArray] = []

    def look(self, grey: NDArray[np.uint8]) -> None:
        """See where the corners are in the next picture."""
        if self._before is not None and len(self._now):
            there, kept = _followed(self._before, grey, self._now)
            self._found, self._now = self._found[kept], there[kept]
        else:
            height, width = grey.shape
            self._corner_px[:2] = (0, width, width, 0), (0, 0, height, height)
        self._age += 1
        fresh = self._age >= _OLD or len(self._now) < max(_LEFT * self._begun, _FEWEST)
        self._waiting.append((self._found[:, 0], self._now[:, 0], fresh))
        if fresh:
            self._found = self._now = _corners(grey)
            self._begun, self._age = len(self._now), 0
        self._before = grey

    def settle(self, boxes: FloatArray) -> None:
        """Hear of the (P, 4) boxes of people in the oldest picture that was not settled."""
        found, now, fresh = self._waiting.popleft()
        shift = _shift(found, now, boxes)
        if shift is not None:
            moved = np.linalg.norm((shift @ self._corner_px - self._corner_px)[:2], axis=0).max()
            self._last = self._base if moved < _STILL_PX else self._base @ np.linalg.inv(shift)
        self._steady.append(self._last)
        if fresh:
            self._base = self._last

    def steady(self, scale: float) -> FloatArray:
        """Return (F, 2, 3) from each frame into one in which the background stands still.

        `scale` is the size of the small pictures over that of the frames.
        """
        steady = np.array(self._steady).reshape(-1, 3, 3)[:, :2].copy()
        steady[:, :, 2] /= scale
        return steady


_NO_CORNERS = np.empty((0, 1, 2), np.float32)


def _corners(grey: Any) -> Any:
    import cv2

    found = cv2.goodFeaturesToTrack(grey, _CORNERS, _QUALITY, _APART_PX)
    return _NO_CORNERS if found is None else found


def _followed(before: Any, grey: Any, points: Any) -> tuple[Any, NDArray[np.bool_]]:
    import cv2

    # Not back and forth as in `corners`: whatever goes astray does not agree with the others.
    there, kept, _ = cv2.calcOpticalFlowPyrLK(
        before, grey, points, np.empty_like(points), winSize=(13, 13), maxLevel=3
    )
    return there, kept[:, 0] > 0


def _shift(before: Any, now: Any, boxes: FloatArray) -> FloatArray | None:
    """Return the (3, 3) similarity by which most corners beside people went, None if they do not agree."""
    import cv2

    known = boxes[np.isfinite(boxes).all(axis=1)]
    grown = known + _AROUND * (known[:, [2, 3, 2, 3]] - known[:, [0, 1, 0, 1]]) * np.array([-1, -1, 1, 1])
    inside = ((now[:, None] > grown[:, :2]) & (now[:, None] < grown[:, 2:])).all(axis=2).any(axis=1)
    before, now = before[~inside], now[~inside]
    if len(before) < _FEWEST:
        return None
    shift, agree = cv2.estimateAffinePartial2D(before, now, ransacReprojThreshold=_AGREE_PX)
    if shift is None or agree.sum() < max(_FEWEST, len(before) / 2):
        return None
    scale, turn = np.hypot(*shift[:, 0]), np.arctan2(shift[1, 0], shift[0, 0])
    if max(scale, 1 / scale) > _MOST_SCALE or abs(turn) > _MOST_TURN:
        return None
    return np.asarray(np.vstack([shift, (0.0, 0.0, 1.0)]))
