"""Bundle adjustment: the cameras and points that best explain what was seen.

Levenberg's and Marquardt's steps, weights by Geman and McClure.  Points are eliminated (Schur); of
what is left each camera knows only those near it, a band, solved by LAPACK.  The focal length, which
all know, is its border.  Triggs et al. (2000), sections 6 and 7.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_solve_banded, cholesky_banded
from scipy.sparse import bsr_array, csr_array
from scipy.spatial.transform import Rotation

from pose_server.egomotion.background import Tracks
from pose_server.egomotion.scene import Freedom, Scene, away_px, linear, tangents
from pose_server.pipeline.boundary import FloatArray

__all__ = ["NOISE_PX", "Doubt", "adjusted", "cost_of", "doubt", "loose", "resected"]

#: A corner may be off by this much, in the small pictures, before it counts less.
NOISE_PX = 0.5
#: While most are farther off, by this many times their median.
_WIDE = 2.0
#: Where nothing tells, a camera stays near its neighbours: one standard deviation, over the usual step.
_STEP = 3.0
_DAMPING, _LEAST_DAMPING, _MOST_DAMPING, _EASIER = 1e-4, 1e-8, 1e4, 10.0
#: Cameras that turn less than this in a step have arrived, radians.
_STEADY, _PASSES = 1e-5, 20
#: What is known of every point before it is seen, in squares of pixels by radian; next to nothing.
_LOOSEST = 1e-4
_FIXED, _LENS_STEP, _LENS_MOVED = 1e-4, 0.2, 0.003
#: Lenses bend about this much either way, as OpenCV's k1, where nobody corrected it.
_BEND = 0.05
#: Keeps a point that is seen along one ray only from being wild.
_TINY = 1e-9
#: A pass that gains less than this share is the last.
_GAIN = 3e-4


@dataclass(frozen=True)
class Doubt:
    """How well a scene is determined: one standard deviation each."""

    focal: float
    """Relative."""
    places: FloatArray
    """(N, 3) of the cameras that were asked for."""


def cost_of(away: FloatArray, scale: float) -> float:
    """Return the robust cost of (M,) distances, in squares of `scale`; 1 for what is not explained at all."""
    square = (away / scale) ** 2
    return float(np.nan_to_num(square / (1 + square), nan=1.0).sum())


def _weights(away: FloatArray, scale: FloatArray | float) -> FloatArray:
    return np.asarray(np.nan_to_num(1 / (1 + (away / scale) ** 2) ** 2))


def _scale_of(away: FloatArray) -> float:
    known = away[np.isfinite(away)]
    return max(2 * NOISE_PX, _WIDE * float(np.median(known))) if len(known) else 2 * NOISE_PX


class _Prior:
    """What is known before anything is seen: the lens, the size of the scene, that cameras move steadily."""

    def __init__(self, scene: Scene, freedom: Freedom) -> None:
        self.freedom = freedom
        self.step = 0.0
        self.size_at = -1
        if freedom.travels:
            distance = np.linalg.norm(scene.places, axis=1)
            self.size_at = int(np.argmax(distance))
            self.pull = scene.places[self.size_at] / max(distance[self.size_at], 1e-12)
            self.firm = (1e3 * NOISE_PX / max(distance[self.size_at], 1e-12)) ** 2
            self.size = float(distance[self.size_at])
            steps = np.sqrt((np.diff(scene.places, axis=0) ** 2).sum(1).mean()) if len(distance) > 1 else 0
            self.step = (NOISE_PX / (_STEP * float(steps))) ** 2 if steps > 0 else 0.0
        self.lens = (NOISE_PX / np.array([max(freedom.focal_sigma, _FIXED), _BEND])) ** 2

    def lens_away(self, scene: Scene) -> FloatArray:
        return np.array([np.log(scene.focal_px / self.freedom.focal_px), scene.bend])

    def cost(self, scene: Scene) -> float:
        cost = float(self.lens @ self.lens_away(scene) ** 2)
        if self.step:
            cost += self.step * float((np.diff(scene.places, axis=0) ** 2).sum())
            cost += self.firm * float(scene.places[self.size_at] @ self.pull - self.size) ** 2
        return float(cost)


class _Normal:
    """Normal equations, and their solution."""

    def __init__(
        self, scene: Scene, tracks: Tracks, freedom: Freedom, held: NDArray[np.bool_], weight: FloatArray
    ) -> None:
        cameras, points = len(scene.turns), len(scene.points)
        self.size, self.free = freedom.camera, ~held
        self.corner = tracks.corner
        self.ends = np.searchsorted(tracks.frame, np.arange(cameras + 1))
        rows, ones = np.arange(len(weight)), np.ones(len(weight))
        self.of_camera = csr_array((ones, rows, self.ends), shape=(cameras, len(weight)))
        self.of_point = csr_array((ones, (tracks.corner, rows)), shape=(points, len(weight)))

        def summed(of: Any, values: FloatArray) -> FloatArray:
            whole = of @ values.reshape(len(weight), -1)
            return np.asarray(whole).reshape(-1, *values.shape[1:])

        seen = linear(scene, tracks, freedom)
        by_camera = seen.camera * self.free[tracks.frame][:, None, None]
        from_camera = by_camera.transpose(0, 2, 1) * weight[:, None, None]
        from_point = seen.point.transpose(0, 2, 1) * weight[:, None, None]
        away = seen.away[..., None]
        self.cc = summed(self.of_camera, from_camera @ by_camera)
        self.pp = summed(self.of_point, from_point @ seen.point)
        self.cp = from_camera @ seen.point
        self.c = summed(self.of_camera, from_camera @ away)[..., 0]
        self.p = summed(self.of_point, from_point @ away)[..., 0]
        self.cl = summed(self.of_camera, from_camera @ seen.lens)
        self.pl = summed(self.of_point, from_point @ seen.lens)
        from_lens = seen.lens.transpose(0, 2, 1) * weight[:, None, None]
        self.ll = (from_lens @ seen.lens).sum(axis=0)
        self.l = (from_lens @ away)[..., 0].sum(axis=0)
        self.beside = 0.0

    def add(self, prior: _Prior, scene: Scene) -> None:
        """Add what is known before."""
        self.ll += np.diag(prior.lens)
        self.l += prior.lens * prior.lens_away(scene)
        if prior.step:
            own = slice(3, 6)
            steps = np.diff(scene.places, axis=0) * prior.step
            tied = np.zeros(len(scene.places))
            tied[:-1] += prior.step
            tied[1:] += prior.step
            self.cc[:, own, own] += tied[:, None, None] * np.eye(3)
            self.c[1:, own] += steps
            self.c[:-1, own] -= steps
            self.beside = -prior.step
            at, pull = prior.size_at, prior.pull
            self.cc[at, own, own] += prior.firm * np.outer(pull, pull)
            self.c[at, own] += prior.firm * (scene.places[at] @ pull - prior.size) * pull

    def reduce(self, damping: float) -> None:
        """Eliminate the points."""
        eye = np.eye(self.pp.shape[1])
        damped = self.pp * (1 + damping * eye)
        damped += (_TINY + 1e-10 * np.trace(self.pp, axis1=1, axis2=2))[:, None, None] * eye
        self.inverse = np.linalg.inv(damped)
        self.spread = self.cp @ self.inverse[self.corner]
        shape = (len(self.ends) - 1) * self.size, len(self.pp) * self.pp.shape[1]
        left = bsr_array((self.spread, self.corner, self.ends), shape=shape)
        right = bsr_array((self.cp, self.corner, self.ends), shape=shape)
        own = self.cc * (1 + damping * np.eye(self.size))
        own[~self.free] = np.eye(self.size)
        self.band = _banded(own, left @ right.T, self.beside, self.free)
        border = self.cl - self._at_cameras(self.spread @ self.pl[self.corner])
        self.border = (border * self.free[:, None, None]).reshape(-1, 2)
        seen = (self.pl.transpose(0, 2, 1) @ self.inverse @ self.pl).sum(axis=0)
        self.lens = self.ll + damping * np.diag(np.diag(self.ll)) - seen
        self.factor = cholesky_banded(self.band, lower=True, check_finite=False)
        self.along = self.solved(self.border)
        self.lens -= self.border.T @ self.along

    def solved(self, right: FloatArray) -> FloatArray:
        """Return what (K C, N) of the cameras alone mean for them."""
        return np.asarray(cho_solve_banded((self.factor, True), right, check_finite=False))

    def _at_cameras(self, values: FloatArray) -> FloatArray:
        """Return (K, ...) the sums of (M, ...)."""
        return np.asarray(self.of_camera @ values.reshape(len(values), -1)).reshape(-1, *values.shape[1:])

    def steps(self, *, lens_moves: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the steps of cameras (K, C), points (P, Q) and the lens (2,), if it moves."""
        from_points = self._at_cameras((self.spread @ self.p[self.corner][..., None])[..., 0])
        right = ((self.c - from_points) * self.free[:, None]).reshape(-1, 1)
        solved = self.solved(right)
        own = self.l - (self.pl.transpose(0, 2, 1) @ self.inverse @ self.p[..., None]).sum(axis=0)[:, 0]
        lens = -np.linalg.solve(self.lens, own - (self.border.T @ solved)[:, 0])
        lens = lens if lens_moves else np.zeros_like(lens)
        cameras = -(solved[:, 0] + self.along @ lens).reshape(-1, self.size)
        frame = np.repeat(np.arange(len(cameras)), np.diff(self.ends))
        pulled = (self.cp.transpose(0, 2, 1) @ cameras[frame][..., None])[..., 0]
        pulled = self.p + self.pl @ lens + np.asarray(self.of_point @ pulled)
        return cameras, -(self.inverse @ pulled[..., None])[..., 0], lens


def _banded(own: FloatArray, tied: Any, beside: float, free: NDArray[np.bool_]) -> FloatArray:
    """Return the lower band of own (K, C, C) - tied, with `beside` between the places of neighbours."""
    count, size = own.shape[:2]
    tied = tied.tocoo()
    loose = np.repeat(free, size)
    kept = loose[tied.row] & loose[tied.col] & (tied.row >= tied.col)
    row, col, value = tied.row[kept], tied.col[kept], tied.data[kept]
    width = max(int((row - col).max(initial=0)), size if not beside else 2 * size - 1) + 1
    band = np.zeros((width, count * size))
    np.subtract.at(band, (row - col, col), value)
    for i in range(size):
        for j in range(i + 1):
            band[i - j, j::size] += own[:, i, j]
    if beside:
        both = np.flatnonzero(free[1:] & free[:-1]) * size
        for axis in range(3, 6):
            band[size, both + axis] += beside
    return band


def adjusted(
    scene: Scene,
    tracks: Tracks,
    freedom: Freedom,
    *,
    passes: int,
    held: NDArray[np.bool_] | None = None,
) -> Scene:
    """Return the scene that best explains what was seen.

    Parameters
    ----------
    scene
        To begin with; its points are all known.
    tracks
        Of its cameras (rows) and points (corners).
    freedom
        What may change.
    passes
        Steps at most.
    held
        (K,) cameras that stay; the first one when None.
    """
    held = np.arange(len(scene.turns)) == 0 if held is None else held
    prior = _Prior(scene, freedom)
    damping = _DAMPING
    away = away_px(scene, tracks)
    for _ in range(passes):
        scale = _scale_of(away)
        before = scale**2 * cost_of(away, scale) + prior.cost(scene)
        weight = _weights(away, scale)
        normal = _Normal(scene, tracks, freedom, held, weight)
        normal.add(prior, scene)
        while damping < _MOST_DAMPING:
            tried = _stepped(scene, normal, freedom, damping)
            if tried is not None and abs(np.log(tried.focal_px / scene.focal_px)) > _LENS_MOVED:
                # Turns and rays follow the lens but in a curve; let them, or only small steps are good ones.
                again = _Normal(tried, tracks, freedom, held, weight)
                again.add(prior, tried)
                tried = _stepped(tried, again, freedom, damping, lens_moves=False)
            if tried is not None:
                there = away_px(tried, tracks)
                cost = scale**2 * cost_of(there, scale) + prior.cost(tried)
                if cost < before:
                    break
            damping *= _EASIER
        else:
            break
        scene, away = tried, there
        damping = max(damping / _EASIER, _LEAST_DAMPING)
        if before - cost < _GAIN * before:
            break
    return scene


def _stepped(
    scene: Scene, normal: _Normal, freedom: Freedom, damping: float, *, lens_moves: bool = True
) -> Scene | None:
    try:
        normal.reduce(damping)
        cameras, points, lens = normal.steps(lens_moves=lens_moves)
    except LinAlgError:
        return None
    if not all(np.isfinite(steps).all() for steps in (cameras, points, lens)):
        return None
    moved = scene.points + (tangents(scene.points, freedom.point) @ points[..., None])[..., 0]
    return replace(
        _moved(scene, cameras, freedom),
        points=moved / np.linalg.norm(moved, axis=1, keepdims=True),
        focal_px=scene.focal_px * float(np.exp(np.clip(lens[0], -_LENS_STEP, _LENS_STEP))),
        bend=scene.bend + float(np.clip(lens[1], -_LENS_STEP, _LENS_STEP)),
    )


def _moved(scene: Scene, steps: FloatArray, freedom: Freedom) -> Scene:
    """Return the scene with cameras moved by (K, C)."""
    return replace(
        scene,
        turns=Rotation.from_rotvec(steps[:, :3]).as_matrix() @ scene.turns,
        places=scene.places + steps[:, 3:6] if freedom.travels else scene.places,
        zooms=scene.zooms + steps[:, -1] if freedom.zooms else scene.zooms,
    )


def doubt(scene: Scene, tracks: Tracks, freedom: Freedom, cameras: NDArray[np.integer[Any]]) -> Doubt:
    """Return how well the focal length and the places of some cameras are determined by what was seen.

    From the curvature at the solution, and the distances that are left for each unknown.
    """
    away = away_px(scene, tracks)
    weight = _weights(away, _scale_of(away))
    held = np.arange(len(scene.turns)) == 0
    normal = _Normal(scene, tracks, freedom, held, weight)
    prior = _Prior(scene, freedom)
    normal.add(prior, scene)
    normal.reduce(0.0)
    unknowns = len(scene.turns) * freedom.camera + len(scene.points) * freedom.point
    left = max(2 * float(weight.sum()) - unknowns, 1.0)
    variance = float((weight * np.nan_to_num(away) ** 2).sum()) / left
    # What is known before was weighed against the usual noise; here it is this one.
    lens = np.linalg.inv(normal.lens + np.diag(prior.lens * (variance / NOISE_PX**2 - 1)))
    places = np.zeros((len(cameras), 3))
    if freedom.travels:
        at = (np.asarray(cameras)[:, None] * freedom.camera + np.arange(3, 6)).ravel()
        ask = np.zeros((len(normal.border), len(at)))
        ask[at, np.arange(len(at))] = 1
        own = normal.solved(ask)[at, np.arange(len(at))]
        own += np.einsum("ni,ij,nj->n", normal.along[at], lens, normal.along[at])
        places = np.sqrt(variance * own).reshape(-1, 3)
    return Doubt(float(np.sqrt(variance * lens[0, 0])), places)


def loose(scene: Scene, tracks: Tracks, freedom: Freedom) -> FloatArray:
    """Return (P, Q, Q) how far points may be off along their tangents, as covariances, for these cameras."""
    away = away_px(scene, tracks)
    seen = linear(scene, tracks, freedom)
    weighted = seen.point.transpose(0, 2, 1) * _weights(away, _scale_of(away))[:, None, None]
    rows = np.arange(len(away))
    of_point = csr_array((np.ones(len(away)), (tracks.corner, rows)), shape=(len(scene.points), len(away)))
    size = freedom.point
    told = (of_point @ (weighted @ seen.point).reshape(-1, size**2)).reshape(-1, size, size)
    return np.asarray(NOISE_PX**2 * np.linalg.inv(told + _LOOSEST * np.eye(size)))


def resected(
    scene: Scene, tracks: Tracks, freedom: Freedom, points: FloatArray, *, off: FloatArray | None = None
) -> tuple[Scene, NDArray[np.int_]]:
    """Return the scene with each camera moved to where it sees the points as it did, and how many it does.

    Each camera by itself, robustly.

    Parameters
    ----------
    scene
        Its cameras are where to begin; all points are known.
    tracks
        What these cameras saw.
    freedom
        Whether they travel.
    points
        (P, Q, Q) how well the points are known, as `loose` has it: one whose distance is not known tells
        how a camera turned, but nothing of where it stood.
    off
        (K,) a camera is not farther from where it begins, one standard deviation, unless it sees that it is.
    """
    count, size = len(scene.turns), freedom.camera
    ends = np.searchsorted(tracks.frame, np.arange(count + 1))
    rows = np.arange(len(tracks.frame))
    of_camera = csr_array((np.ones(len(rows)), rows, ends), shape=(count, len(rows)))
    begun, at_least = scene.places, 2 * NOISE_PX
    for _ in range(_PASSES):
        seen = linear(scene, tracks, freedom)
        unsure = seen.point @ points[tracks.corner] @ seen.point.transpose(0, 2, 1)
        certain = np.linalg.inv(unsure / NOISE_PX**2 + np.eye(2))
        away = np.sqrt(np.einsum("mi,mij,mj->m", seen.away, certain, seen.away))
        scale = np.maximum(at_least, _WIDE * _medians(away, tracks.frame, count))
        weight = _weights(away, scale[tracks.frame]) * np.any(seen.camera, axis=(1, 2))
        weighted = seen.camera.transpose(0, 2, 1) @ (certain * weight[:, None, None])
        own = (of_camera @ (weighted @ seen.camera).reshape(-1, size**2)).reshape(-1, size, size)
        right = of_camera @ (weighted @ seen.away[..., None])[..., 0]
        if off is not None and freedom.travels:
            tied = (NOISE_PX / np.maximum(off, 1e-12)) ** 2
            own[:, 3:6, 3:6] += tied[:, None, None] * np.eye(3)
            right[:, 3:6] += tied[:, None] * (scene.places - begun)
        firm = (1e-6 * np.trace(own, axis1=1, axis2=2) / size + _TINY)[:, None, None] * np.eye(size)
        steps = -np.linalg.solve(own + firm, right[..., None])[..., 0]
        scene = _moved(scene, steps, freedom)
        if np.abs(steps[:, :3]).max(initial=0.0) < _STEADY:
            break
    close = (away < 2 * at_least) & (weight > 0)
    return scene, np.bincount(tracks.frame[close], minlength=count)


def _medians(values: FloatArray, group: NDArray[np.integer[Any]], count: int) -> FloatArray:
    """Return (count,) the median of each group's values; 0 of an empty one."""
    values = np.nan_to_num(values, nan=1e6)
    order = np.lexsort((values, group))
    ends = np.searchsorted(group, np.arange(count + 1))
    middle = np.minimum((ends[:-1] + ends[1:]) // 2, max(len(values) - 1, 0))
    return np.where(np.diff(ends) > 0, values[order][middle] if len(values) else 0.0, 0.0)
