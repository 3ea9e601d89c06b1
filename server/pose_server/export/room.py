"""A view of the world that everybody in a clip shares: floor, shadows, paths, people."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from pose_server.export.figure import FRACTION_BITS, Colour, Figure, Picture, draw_figure, fixed_point, mixed
from pose_server.pipeline.boundary import FloatArray

__all__ = ["RoomView"]

_TOP: Colour = (30, 33, 40)
_BOTTOM: Colour = (52, 56, 64)
_GRID: Colour = (94, 100, 112)
_SHADOW: Colour = (24, 26, 31)
_FIELD_OF_VIEW_DEG = 32.0
_ELEVATION_DEG = 16.0
_AZIMUTHS_DEG = (35.0, -35.0)
_FILLED = 0.84
_MARGIN_M = 1.0
_BONE_M = 0.05
_NEAREST_M = 0.1
_MOST_CELLS = 24
_CURVE_ROWS = 2000


class RoomView:
    """A fixed three-quarter view that holds everybody's path.

    It looks down a little and from one side of the film's own view, from that side which shows
    people larger.

    Parameters
    ----------
    figures
        Everybody in the clip.
    width, height
        Of the picture.
    """

    def __init__(self, figures: Sequence[Figure], width: int, height: int) -> None:
        self._size = width, height
        self._focal_px = height / 2 / math.tan(math.radians(_FIELD_OF_VIEW_DEG) / 2)
        places = _places(figures)
        fits = [self._fit(places, azimuth) for azimuth in _AZIMUTHS_DEG]
        _, self._rotation, self._centre = min(fits, key=lambda fit: fit[0])
        _, depths = self.project(places)
        self._clear_m, self._hazy_m = float(depths.min()), float(depths.max()) + 0.5
        self._floor = self._empty_floor(places)
        self._last_roots: dict[int, FloatArray] = {}

    def draw(self, present: Sequence[tuple[Figure, FloatArray]]) -> Picture:
        """Return the picture with these people and their points (P, 3) in the world; their paths stay."""
        for figure, points in present:
            root = points[:1] * (1, 1, 0)
            last = self._last_roots.get(figure.number, root)
            self._lines(
                self._floor, np.concatenate([last, root]), [(0, 1)], mixed(figure.colour, _BOTTOM, 0.35), 2
            )
            self._last_roots[figure.number] = root
        picture = self._floor.copy()
        for figure, points in present:
            self._lines(picture, points * (1, 1, 0), [(a, b) for a, b, _ in figure.bones], _SHADOW, 2)
        for figure, points in sorted(present, key=lambda pair: -self.project(pair[1][:1])[1][0]):
            pixels, depths = self.project(points)
            draw_figure(
                picture,
                figure,
                pixels,
                depths,
                focal_px=self._focal_px,
                bone_m=_BONE_M,
                haze=_TOP,
                clear_m=self._clear_m,
                hazy_m=self._hazy_m,
            )
        return picture

    def project(self, points_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (P, 2) pixels and (P,) depths of (P, 3) points in the world."""
        seen = points_m @ self._rotation.T - self._centre
        depths = seen[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            pixels = self._focal_px * seen[:, :2] / depths[:, None] + np.divide(self._size, 2)
        return pixels, depths

    def _fit(self, places: FloatArray, azimuth_deg: float) -> tuple[float, FloatArray, FloatArray]:
        """Return how far away, how turned and where a camera stands that just sees all places.

        Notes
        -----
        In camera axes x <= cx + k (z + d) and -x <= -cx + k (z + d) must hold for all points, k being
        half the picture over the focal length; so does the same for y, and the larger d counts.
        """
        azimuth, elevation = math.radians(azimuth_deg), math.radians(_ELEVATION_DEG)
        forward = np.array(
            [
                math.sin(azimuth) * math.cos(elevation),
                math.cos(azimuth) * math.cos(elevation),
                -math.sin(elevation),
            ]
        )
        right = np.array([math.cos(azimuth), -math.sin(azimuth), 0.0])
        rotation = np.stack([right, np.cross(forward, right), forward])
        seen = places @ rotation.T
        centre, distance = np.zeros(3), 0.0
        for axis, pixels in enumerate(self._size):
            k = _FILLED * pixels / 2 / self._focal_px
            above = float((seen[:, axis] - k * seen[:, 2]).max())
            below = float((-seen[:, axis] - k * seen[:, 2]).max())
            centre[axis] = (above - below) / 2
            distance = max(distance, (above + below) / 2 / k)
        # `distance` is how far behind the world's origin the camera stands, along its own view.
        centre[2] = -distance
        return distance + float(seen[:, 2].mean()), rotation, centre

    def _empty_floor(self, places: FloatArray) -> Picture:
        """Return the background: a grid of whole metres that fades with the distance from the people."""
        width, height = self._size
        shade = np.linspace(0, 1, height)[:, None, None]
        picture = np.ascontiguousarray(
            np.broadcast_to(np.multiply(_TOP, 1 - shade) + np.multiply(_BOTTOM, shade), (height, width, 3))
        ).astype(np.uint8)
        low = places[:, :2].min(axis=0) - _MARGIN_M
        high = places[:, :2].max(axis=0) + _MARGIN_M
        span = float((high - low).max())
        step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 1000, 10**9) if span / s <= _MOST_CELLS)
        reach = 0.5 * span + _MARGIN_M
        middle = (low + high) / 2
        first = np.floor((middle - 2 * reach) / step).astype(int)
        last = np.ceil((middle + 2 * reach) / step).astype(int)
        for axis in (0, 1):
            for line in range(first[axis], last[axis] + 1):
                for cell in range(first[1 - axis], last[1 - axis]):
                    ends = np.zeros((2, 3))
                    ends[:, axis] = line * step
                    ends[:, 1 - axis] = cell * step, (cell + 1) * step
                    away = float(np.hypot(*(ends.mean(axis=0)[:2] - middle))) / (2 * reach)
                    if away < 1:
                        self._lines(picture, ends, [(0, 1)], mixed(_BOTTOM, _GRID, 1 - away**1.5), 1)
        return picture

    def _lines(
        self,
        picture: Picture,
        points_m: FloatArray,
        pairs: Sequence[tuple[int, int]],
        colour: Colour,
        width: int,
    ) -> None:
        pixels, depths = self.project(points_m)
        places = fixed_point(pixels)
        for a, b in pairs:
            if depths[a] > _NEAREST_M and depths[b] > _NEAREST_M:
                cv2.line(picture, places[a], places[b], colour, width, cv2.LINE_AA, FRACTION_BITS)


def _places(figures: Sequence[Figure]) -> FloatArray:
    """Return (N, 3) points that the view must hold: where people are, without their worst outliers."""
    parts = [np.array([[-1.0, -1.0, 0.0], [1.0, 1.0, 1.8]])] if not figures else []
    for figure in figures:
        step = max(1, len(figure.times_s) // _CURVE_ROWS)
        points = figure.points_world_m[::step].reshape(-1, 3)
        points = points[np.isfinite(points).all(axis=1)]
        points = np.clip(points, *np.percentile(points, (1, 99), axis=0))
        parts += [points, points * (1, 1, 0)]
    return np.concatenate(parts)
