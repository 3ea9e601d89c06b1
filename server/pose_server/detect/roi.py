"""Where a person is in the picture: a turned square, and how a network's input is cut out by it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Picture", "Roi"]

FloatArray = NDArray[np.floating[Any]]

#: MediaPipe's margin: the network was trained on crops this much larger than the body's circle.
MARGIN = 1.25


class Picture:
    """One frame and its halves, made when first needed.

    A crop samples the level that is less than twice too fine, because a bilinear crop of a much
    larger picture flickers: it reads a few pixels of each neighbourhood and skips the others.

    Parameters
    ----------
    frame
        (H, W, 3) uint8; kept, not copied.
    """

    def __init__(self, frame: NDArray[np.uint8]) -> None:
        self._levels = [frame]
        self.height, self.width = frame.shape[:2]

    def level(self, wanted_scale: float) -> tuple[NDArray[np.uint8], float, float]:
        """Return the picture halved until one pixel of it is just below `wanted_scale` of the frame's.

        Parameters
        ----------
        wanted_scale
            Frame pixels for each pixel of the crop to be made.

        Returns
        -------
        tuple
            The halved picture and its scale in x and in y, at most 1.
        """
        import cv2

        depth = 0 if wanted_scale < 2 else int(math.log2(wanted_scale))
        while len(self._levels) <= depth:
            finest = self._levels[-1]
            size = max(1, finest.shape[1] // 2), max(1, finest.shape[0] // 2)
            halved = cv2.resize(finest, size, interpolation=cv2.INTER_AREA)
            self._levels.append(np.asarray(halved, np.uint8))
        chosen = self._levels[depth]
        return chosen, chosen.shape[1] / self.width, chosen.shape[0] / self.height

    def kept(self, longest_side: int) -> Picture:
        """Return the picture to look back at: no more than `longest_side` if halving can reach that.

        Points found in it are in the pixels of the whole frame all the same.
        """
        depth = 0
        while max(self.width, self.height) / 2**depth > longest_side:
            depth += 1
        self.level(2.0**depth)
        smaller = Picture(self._levels[depth])
        smaller.height, smaller.width = self.height, self.width
        return smaller


@dataclass(frozen=True)
class Roi:
    """A square around a person, turned so that they stand upright in it.

    Pixels have the centre of the first one at (0.5, 0.5).
    """

    x: float
    """Centre, pixels: the middle of the hips."""
    y: float
    side: float
    """Pixels."""
    angle: float
    """Radians that the person leans clockwise as seen in the picture, 0 upright."""

    @classmethod
    def from_points(cls, hips_px: FloatArray, rim_px: FloatArray) -> Roi:
        """Return the square from BlazePose's two alignment points.

        Parameters
        ----------
        hips_px
            (2,) middle of the hips.
        rim_px
            (2,) point of the body's circle straight above the hips, as the person stands.

        Notes
        -----
        Both networks give these two points; the rule is that of MediaPipe's
        ``AlignmentPointsRectsCalculator`` and ``RectTransformationCalculator``.
        """
        dx, dy = float(rim_px[0] - hips_px[0]), float(rim_px[1] - hips_px[1])
        side = 2.0 * MARGIN * math.hypot(dx, dy)
        return cls(float(hips_px[0]), float(hips_px[1]), side, math.atan2(dx, -dy))

    @property
    def axes(self) -> FloatArray:
        """(2, 2) turns the upright crop's directions into the picture's."""
        c, s = math.cos(self.angle), math.sin(self.angle)
        return np.array([[c, -s], [s, c]])

    def to_px(self, points: FloatArray) -> FloatArray:
        """Return (K, 2) picture pixels of (K, 2) points that run from 0 to 1 across the crop."""
        return (points - 0.5) * self.side @ self.axes.T + (self.x, self.y)

    def crop(self, picture: Picture, pixels: int, *, edge_repeated: bool = False) -> NDArray[np.uint8]:
        """Return (pixels, pixels, 3) upright crop; beyond the picture black, or its edge repeated."""
        import cv2

        scale = self.side / pixels
        source, scale_x, scale_y = picture.level(scale)
        linear = self.axes * scale
        offset = np.array([self.x, self.y]) - linear @ np.full(2, pixels / 2)
        shrink = np.array([scale_x, scale_y])
        linear, offset = linear * shrink[:, None], offset * shrink
        # OpenCV counts from the centre of the first pixel, we from its corner.
        offset = offset + linear @ np.full(2, 0.5) - 0.5
        matrix = np.column_stack((linear, offset))
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        border = cv2.BORDER_REPLICATE if edge_repeated else cv2.BORDER_CONSTANT
        crop = cv2.warpAffine(source, matrix, (pixels, pixels), flags=flags, borderMode=border)
        return np.asarray(crop, np.uint8)

    def shifted(self, dx: float, dy: float) -> Roi:
        """Return the square moved by pixels."""
        return Roi(self.x + dx, self.y + dy, self.side, self.angle)

    def blended(self, newer: Roi, place_weight: float, shape_weight: float) -> Roi:
        """Return a square whose centre, and whose size and lean, went so far towards the newer one's."""
        return Roi(
            self.x + place_weight * (newer.x - self.x),
            self.y + place_weight * (newer.y - self.y),
            self.side * (newer.side / self.side) ** shape_weight,
            self.angle + shape_weight * self.turn_to(newer),
        )

    def turn_to(self, other: Roi) -> float:
        """Radians from our lean to the other's, -pi to pi."""
        return math.remainder(other.angle - self.angle, math.tau)

    def distance(self, other: Roi) -> float:
        """Distance of the centres in units of the larger side."""
        return math.hypot(other.x - self.x, other.y - self.y) / max(self.side, other.side, 1e-9)

    def ratio(self, other: Roi) -> float:
        """How many times larger one is than the other, 1 or more."""
        small, large = sorted((max(self.side, 1e-9), max(other.side, 1e-9)))
        return large / small
