"""A view of the world that everybody in a clip shares: floor, shadows, paths, people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pose_server.export.figure import FRACTION_BITS, Colour, Figure, Picture, draw_figure, fixed_point, mixed
from pose_server.pipeline.boundary import FloatArray

__all__ = ["Look", "RoomView"]

_TOP: Colour = (30, 33, 40)
_BOTTOM: Colour = (52, 56, 64)
_GRID: Colour = (94, 100, 112)
_SHADOW: Colour = (24, 26, 31)
_CARRYING: Colour = (70, 220, 110)
_FIELD_OF_VIEW_DEG = 32.0
_AZIMUTHS_DEG = (35.0, -35.0)
_FILLED = 0.84
_MARGIN_M = 1.0
_BONE_M = 0.05
_NEAREST_M = 0.1
_MOST_CELLS = 24
_SHADES = 8
_CURVE_ROWS = 2000
#: Of a view that goes round, when what it must hold is looked for.
_STEPS_ROUND, _LEVELS = 24, 32
#: How calmly a view follows: one standard deviation.
_FOLLOW_S = 0.5
_DOT_PX = 4


@dataclass(frozen=True)
class Look:
    """From where a room is seen, and what of it."""

    azimuth_deg: float | None = None
    """How far to the left of the film's own camera it is seen from; the better one of two when None."""
    elevation_deg: float = 16.0
    """How far from above."""
    turn_deg_s: float = 0.0
    """How fast the view goes round."""
    follow: bool = False
    """Whether the view goes along with the first person."""
    ground: bool = True
    """Whether the floor and shadows on it are drawn."""
    path: bool = True
    """Whether people's ways are drawn."""


class RoomView:
    """A view that holds everybody's path, or goes along with the first of them.

    Unless told otherwise it stands still, looks down a little and from one side of the film's own view,
    from that side which shows people larger.

    Parameters
    ----------
    figures
        Everybody in the clip.
    width, height
        Of the picture.
    look
        From where, and what is drawn.
    """

    def __init__(self, figures: Sequence[Figure], width: int, height: int, look: Look | None = None) -> None:
        self._look = look or Look()
        self._size = width, height
        self._focal_px = min(width, height) / 2 / math.tan(math.radians(_FIELD_OF_VIEW_DEG) / 2)
        self._leader = _Leader(figures[0]) if self._look.follow and figures else None
        places = _places(figures if self._leader is None else figures[:1], self._leader)
        flat = places * (1, 1, 0)
        self._pivot = (flat.min(axis=0) + flat.max(axis=0)) / 2
        self._reach_m = 0.5 * float(np.ptp(flat, axis=0).max()) + 2 * _MARGIN_M
        self._spin, self._along = np.eye(3), np.zeros(3)
        if self._look.turn_deg_s:
            angles = np.arange(_STEPS_ROUND) * 2 * math.pi / _STEPS_ROUND
            outer = _outermost(places - self._pivot)
            places = np.concatenate([outer @ _spun(angle).T for angle in angles]) + self._pivot
        azimuths = _AZIMUTHS_DEG if self._look.azimuth_deg is None else (self._look.azimuth_deg,)
        fits = [self._fit(places, azimuth) for azimuth in azimuths]
        _, self._rotation, self._centre = min(fits, key=lambda fit: fit[0])
        _, depths = self.project(places)
        self._clear_m, self._hazy_m = float(depths.min()), float(depths.max()) + 0.5
        self._ground = _gradient(width, height)
        self._moves = bool(self._look.turn_deg_s) or self._leader is not None
        self._floor = self._ground if self._moves else self._empty_floor()
        self._ways: dict[int, FloatArray] = {}
        self._paths = {id(figure): _Path(figure) for figure in figures} if self._moves else {}

    @property
    def grid_m(self) -> int | None:
        """The width of the floor's cells; None where no floor is drawn."""
        span_m = 2 * (self._reach_m - _MARGIN_M)
        steps = (1, 2, 5, 10, 20, 50, 100, 1000, 10**9)
        return next(s for s in steps if span_m / s <= _MOST_CELLS) if self._look.ground else None

    def draw(
        self,
        present: Sequence[tuple[Figure, FloatArray]],
        time_s: float = 0.0,
        carrying_m: FloatArray | None = None,
    ) -> Picture:
        """Return the picture with some people; their paths stay.

        Parameters
        ----------
        present
            People and their points (P, 3) in the world.
        time_s
            When, for a view that moves.
        carrying_m
            (C, 3) what touches the ground, to be marked.
        """
        if self._moves:
            self._spin = _spun(math.radians(self._look.turn_deg_s * time_s))
            self._along = np.zeros(3) if self._leader is None else self._leader.at(time_s)
            picture = self._empty_floor()
            for path in self._paths.values() if self._look.path else ():
                self._polyline(picture, path.until(time_s), _path_colour(path.figure))
        else:
            for figure, points in present if self._look.path else ():
                root = points[:1] * (1, 1, 0)
                last = self._ways.get(figure.number, root)
                self._lines(self._floor, np.concatenate([last, root]), [(0, 1)], _path_colour(figure), 2)
                self._ways[figure.number] = root
            picture = self._floor.copy()
        for figure, points in present if self._look.ground else ():
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
        if carrying_m is not None:
            pixels, depths = self.project(carrying_m)
            for place, depth in zip(fixed_point(pixels), depths, strict=True):
                if depth > _NEAREST_M:
                    radius = _DOT_PX * 2**FRACTION_BITS
                    cv2.circle(picture, place, radius, _CARRYING, -1, cv2.LINE_AA, FRACTION_BITS)
        return picture

    def project(self, points_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (P, 2) pixels and (P,) depths of (P, 3) points in the world, as the view stands now."""
        turned = (points_m - self._along - self._pivot) @ self._spin.T + self._pivot
        seen = turned @ self._rotation.T - self._centre
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
        azimuth, elevation = math.radians(azimuth_deg), math.radians(self._look.elevation_deg)
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

    def _empty_floor(self) -> Picture:
        """Return the background: a grid of whole metres that fades with the distance from the people."""
        picture = self._ground.copy()
        if self.grid_m is None:
            return picture
        segments, away = _grid((self._pivot + self._along)[:2], 2 * self._reach_m, self.grid_m)
        pixels, depths = self.project(segments.reshape(-1, 3))
        places = np.array(fixed_point(pixels), np.int32).reshape(-1, 2, 2)
        seen = (depths.reshape(-1, 2) > _NEAREST_M).all(axis=1)
        shades = np.minimum((away * _SHADES).astype(int), _SHADES - 1)
        for shade in range(_SHADES):
            share = 1 - ((shade + 0.5) / _SHADES) ** 1.5
            lines = list(places[seen & (shades == shade)])
            colour = mixed(_BOTTOM, _GRID, share)
            cv2.polylines(picture, lines, False, colour, 1, cv2.LINE_AA, FRACTION_BITS)
        return picture

    def _polyline(self, picture: Picture, points_m: FloatArray, colour: Colour) -> None:
        pixels, depths = self.project(points_m)
        places = np.array(fixed_point(pixels), np.int32).reshape(-1, 2)
        lines = [places[run] for run in _runs(depths > _NEAREST_M)]
        cv2.polylines(picture, lines, False, colour, 2, cv2.LINE_AA, FRACTION_BITS)

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


class _Leader:
    """Where the person goes whom a view follows: calmly, over gaps too."""

    def __init__(self, figure: Figure) -> None:
        self._times_s = figure.times_s
        root = figure.points_world_m[:, 0] * (1, 1, 0)
        known = np.isfinite(root).all(axis=1)
        rows = np.arange(len(root))
        filled = [
            np.interp(rows, rows[known], root[known, axis]) if known.any() else 0 * rows for axis in range(3)
        ]
        self._root = gaussian_filter1d(
            np.stack(filled, axis=1), _FOLLOW_S / figure.row_s, axis=0, mode="nearest"
        )

    def at(self, time_s: float) -> FloatArray:
        return np.array([np.interp(time_s, self._times_s, self._root[:, axis]) for axis in range(3)])


class _Path:
    """The way of a person's hips on the floor, in no more points than can be seen."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        step = max(1, len(figure.times_s) // _CURVE_ROWS)
        self._times_s = figure.times_s[::step]
        self._root = figure.points_world_m[::step, 0] * (1, 1, 0)

    def until(self, time_s: float) -> FloatArray:
        """Return (N, 3) the way to where the person is now."""
        way = self._root[: np.searchsorted(self._times_s, time_s, side="right")]
        now = self.figure.at(time_s)
        return way if now is None else np.concatenate([way, now[0][:1] * (1, 1, 0)])


def _path_colour(figure: Figure) -> Colour:
    return mixed(figure.colour, _BOTTOM, 0.35)


def _spun(angle: float) -> FloatArray:
    """Return the turn of the world, about its upright axis, that a view going round sees."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _gradient(width: int, height: int) -> Picture:
    shade = np.linspace(0, 1, height)[:, None, None]
    wide = np.broadcast_to(np.multiply(_TOP, 1 - shade) + np.multiply(_BOTTOM, shade), (height, width, 3))
    return np.ascontiguousarray(wide).astype(np.uint8)


def _grid(middle: FloatArray, reach_m: float, step: int) -> tuple[FloatArray, FloatArray]:
    """Return (S, 2, 3) sides of cells around a place, and (S,) how far they are, 1 being the reach."""
    first = np.floor((middle - reach_m) / step).astype(int)
    last = np.ceil((middle + reach_m) / step).astype(int)
    sides = []
    for axis in (0, 1):
        lines, cells = np.meshgrid(
            np.arange(first[axis], last[axis] + 1), np.arange(first[1 - axis], last[1 - axis]), indexing="ij"
        )
        ends = np.zeros((lines.size, 2, 3))
        ends[:, :, axis] = lines.reshape(-1, 1)
        ends[:, 0, 1 - axis], ends[:, 1, 1 - axis] = cells.ravel(), cells.ravel() + 1
        sides.append(ends * step)
    segments = np.concatenate(sides)
    away = np.linalg.norm(segments.mean(axis=1)[:, :2] - middle, axis=1) / reach_m
    return segments[away < 1], away[away < 1]


def _runs(mask: NDArray[np.bool_]) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [slice(a, b) for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)]


def _outermost(points_m: FloatArray) -> FloatArray:
    """Return those of (N, 3) points that are farthest from the upright axis, of each height."""
    radii, heights = np.hypot(points_m[:, 0], points_m[:, 1]), points_m[:, 2]
    levels = np.digitize(heights, np.linspace(heights.min(), heights.max(), _LEVELS))
    order = np.lexsort((radii, levels))
    last = np.flatnonzero(np.diff(levels[order], append=-1))
    return points_m[[*order[last], heights.argmin(), heights.argmax()]]


def _places(figures: Sequence[Figure], leader: _Leader | None) -> FloatArray:
    """Return (N, 3) points that the view must hold: where people are, without their worst outliers."""
    nobody = np.array([[-1.0, -1.0, 0.0], [1.0, 1.0, 1.8]])
    parts = []
    for figure in figures:
        step = max(1, len(figure.times_s) // _CURVE_ROWS)
        points = figure.points_world_m[::step]
        if leader is not None:
            points = points - np.array([leader.at(time_s) for time_s in figure.times_s[::step]])[:, None]
        points = points.reshape(-1, 3)
        points = points[np.isfinite(points).all(axis=1)]
        if len(points):
            points = np.clip(points, *np.percentile(points, (1, 99), axis=0))
            parts += [points, points * (1, 1, 0)]
    return np.concatenate(parts or [nobody])
