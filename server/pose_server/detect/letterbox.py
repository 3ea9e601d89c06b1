"""A whole picture in a network's input: shrunk or grown to fit the upper left, grey around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Letterbox"]

FloatArray = NDArray[np.floating[Any]]

#: What YOLOX, RTMDet and RTMO were trained to see beyond the picture.
_GREY = 114


@dataclass(frozen=True)
class Letterbox:
    """Where a picture lies in a network's input.

    Both count pixels from the corner of the first one, which is what `cv2.resize` keeps in place.
    """

    width: int
    """Of the input."""
    height: int
    scale_x: float
    """Pixels of the input for one of the picture; the two differ by the rounding to whole pixels."""
    scale_y: float

    @classmethod
    def around(cls, picture: tuple[int, int], width: int, height: int) -> Letterbox:
        """Return how a picture of a width and height fits."""
        scale = min(width / picture[0], height / picture[1])
        fitting = [max(1, int(side * scale)) for side in picture]
        return cls(width, height, fitting[0] / picture[0], fitting[1] / picture[1])

    def filled(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the (height, width, 3) input with the (H, W, 3) picture in it."""
        import cv2

        size = round(frame.shape[1] * self.scale_x), round(frame.shape[0] * self.scale_y)
        canvas = np.full((self.height, self.width, 3), _GREY, np.uint8)
        canvas[: size[1], : size[0]] = cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR)
        return canvas

    def to_px(self, points: FloatArray) -> FloatArray:
        """Return (..., 2) pixels of the picture of (..., 2) pixels of the input."""
        return np.asarray(points / np.array([self.scale_x, self.scale_y]))
