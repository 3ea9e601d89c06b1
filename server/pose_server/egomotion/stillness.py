"""Whether a camera may have moved at all: a cheap look at a frame now and then.

Whoever stands on a tripod need not be followed.  Corners of the first frame that has some are looked for
in later ones; a camera is still while most of those that no person hides are where they were.  Where people
fill the picture theirs count, too, and make the camera look as if it moved: it is followed for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_server.egomotion.corners import back_and_forth, corners, grey_of, scale_of
from pose_server.pipeline.boundary import Detections, FloatArray

__all__ = ["Stillness"]

#: In pictures of the length that `corners` works in.
_STILL_PX = 0.6
_MOST = 0.5
#: People reach this much beyond their boxes; fewer corners beside them tell nothing.
_AROUND, _FEWEST = 0.1, 12


class Stillness:
    """Looks at frames of one clip, in their order; frames between them may be left out."""

    def __init__(self) -> None:
        self._first: Any = None
        self._points: Any = None
        self._begun, self._scale = -1, 1.0
        self._looks: list[tuple[int, NDArray[np.bool_]]] = []

    def look(self, index: int, frame: NDArray[np.uint8]) -> None:
        """Compare an RGB frame with the first one."""
        grey = grey_of(frame)
        if self._first is None or not len(self._points):  # a film may begin in the dark
            self._first, self._points, self._begun = grey, corners(grey), index
            self._scale = scale_of(frame.shape[1], frame.shape[0])
            return
        there, kept = back_and_forth(self._first, grey, self._points)
        still = np.linalg.norm(there - self._points, axis=(1, 2)) < _STILL_PX
        self._looks.append((index, kept & still))

    def moved(self, found: Sequence[Detections]) -> bool:
        """Return whether the camera may have moved, given everybody in the frames of the clip."""
        boxes = {frame.index: frame.boxes_px * self._scale for frame in found}
        nobody = np.zeros((0, 4))

        def moved(index: int, still: NDArray[np.bool_]) -> bool:
            people = np.concatenate([boxes.get(i, nobody) for i in (self._begun, index)])
            free = ~self._hidden(people)
            return bool(still[free if free.sum() >= _FEWEST else slice(None)].mean() < _MOST)

        return any(moved(index, still) for index, still in self._looks)

    def _hidden(self, boxes: FloatArray) -> NDArray[np.bool_]:
        """Return (N,) which corners lie in (P, 4) boxes."""
        grown = boxes + _AROUND * (boxes[:, [2, 3, 2, 3]] - boxes[:, [0, 1, 0, 1]]) * np.array([-1, -1, 1, 1])
        at = self._points[:, 0][:, None]
        return np.asarray(((at > grown[:, :2]) & (at < grown[:, 2:])).all(axis=2).any(axis=1))
