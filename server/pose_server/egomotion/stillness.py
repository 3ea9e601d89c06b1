"""Whether a camera may have moved at all: a cheap look at a frame now and then.

Whoever stands on a tripod need not be followed.  Corners of the first frame that has some are looked for
in later ones; a camera is still while most of them are where they were.  People are not masked out: who
fills the picture makes the camera look as if it moved, and it is followed for nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_server.egomotion.corners import back_and_forth, corners, grey_of

__all__ = ["Stillness"]

#: In pictures of the length that `corners` works in.
_STILL_PX = 0.6
_MOST = 0.5


class Stillness:
    """Looks at frames of one clip, in their order; frames between them may be left out."""

    def __init__(self) -> None:
        self._first: Any = None
        self._points: Any = None
        self.moved = False
        """Whether the camera may have moved."""

    def look(self, frame: NDArray[np.uint8]) -> None:
        """Compare an RGB frame with the first one."""
        if self.moved:
            return
        grey = grey_of(frame)
        if self._first is None or not len(self._points):  # a film may begin in the dark
            self._first, self._points = grey, corners(grey)
            return
        there, kept = back_and_forth(self._first, grey, self._points)
        still = np.linalg.norm(there - self._points, axis=(1, 2)) < _STILL_PX
        self.moved = bool((kept & still).mean() < _MOST)
