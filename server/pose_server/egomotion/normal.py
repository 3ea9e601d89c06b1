"""Normal equations of cameras and points: points are eliminated, what is left is a band, and solved.

Triggs et al. (2000), section 6: each camera knows only those near it, that share points with it; the lens,
which all know, is the band's border.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve_banded, cholesky_banded
from scipy.sparse import bsr_array, csr_array

from pose_server.egomotion.background import Tracks
from pose_server.egomotion.scene import Freedom, Scene, linear
from pose_server.pipeline.boundary import FloatArray

__all__ = ["Normal", "summed"]

#: Keeps a point that is seen along one ray only from being wild.
_TINY = 1e-9
#: So many observations are taken in one go: what lies between is large.
_CHUNK = 10_000


def summed(group: NDArray[np.integer[Any]], count: int, values: FloatArray) -> FloatArray:
    """Return (count, ...) the sums of (M, ...) values by their groups."""
    rows = np.arange(len(group))
    of = csr_array((np.ones(len(group)), (group, rows)), shape=(count, len(group)))
    return np.asarray(of @ values.reshape(len(group), -1)).reshape(count, *values.shape[1:])


class Normal:
    """Normal equations, and their solution.

    Attributes
    ----------
    ll, l
        (2, 2) and (2,) what the lens wants, and its right side.
    cc, c
        (K, C, C) and (K, C) of the cameras.
    beside
        What ties the places of neighbours.
    """

    def __init__(
        self,
        scene: Scene,
        tracks: Tracks,
        freedom: Freedom,
        held: NDArray[np.bool_],
        weight: FloatArray,
        check: Callable[[], None],
    ) -> None:
        cameras, points = len(scene.turns), len(scene.points)
        size, point = freedom.camera, freedom.point
        self.size, self.free, self.beside = size, ~held, 0.0
        free = np.flatnonzero(self.free[tracks.frame])
        self.frame, self.corner = tracks.frame[free], tracks.corner[free]
        self.ends = np.searchsorted(self.frame, np.arange(cameras + 1))
        self.cc, self.c = np.zeros((cameras, size, size)), np.zeros((cameras, size))
        self.cl, self.cp = np.zeros((cameras, size, 2)), np.empty((len(free), size, point))
        self.pp, self.p = np.zeros((points, point, point)), np.zeros((points, point))
        self.pl, self.ll, self.l = np.zeros((points, point, 2)), np.zeros((2, 2)), np.zeros(2)
        for start in range(0, len(weight), _CHUNK):
            check()
            self._add(scene, tracks.part(slice(start, start + _CHUNK)), freedom, weight[start:], start, free)

    def _add(
        self,
        scene: Scene,
        tracks: Tracks,
        freedom: Freedom,
        weight: FloatArray,
        start: int,
        free: NDArray[np.integer[Any]],
    ) -> None:
        """Add what was seen in a part that begins at `start`; `free` are those of cameras that may move."""
        seen = linear(scene, tracks, freedom)
        camera, point = slice(self.size), slice(self.size, self.size + freedom.point)
        lens, away = slice(point.stop, point.stop + 2), point.stop + 2
        by = np.concatenate([seen.camera, seen.point, seen.lens, seen.away[..., None]], axis=2)
        by[:, :, camera] *= self.free[tracks.frame][:, None, None]
        products = by.transpose(0, 2, 1) * weight[: len(by), None, None] @ by
        low, high = tracks.frame[0], tracks.frame[-1] + 1
        whole, part = summed(tracks.frame - low, high - low, products[:, camera]), slice(low, high)
        self.cc[part] += whole[:, :, camera]
        self.cl[part] += whole[:, :, lens]
        self.c[part] += whole[:, :, away]
        low, high = tracks.corner.min(), tracks.corner.max() + 1
        whole, part = summed(tracks.corner - low, high - low, products[:, point]), slice(low, high)
        self.pp[part] += whole[:, :, point]
        self.pl[part] += whole[:, :, lens]
        self.p[part] += whole[:, :, away]
        whole = products[:, lens].sum(axis=0)
        self.ll += whole[:, lens]
        self.l += whole[:, away]
        at = slice(*np.searchsorted(free, (start, start + len(by))))
        self.cp[at] = products[free[at] - start, camera, point]

    def reduce(self, damping: float) -> None:
        """Eliminate the points.

        Raises
        ------
        LinAlgError
            Where nothing tells of a camera.
        """
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
        return summed(self.frame, len(self.ends) - 1, values)

    def steps(self, *, lens_moves: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the steps of cameras (K, C), points (P, Q) and the lens (2,), if it moves."""
        from_points = self._at_cameras((self.spread @ self.p[self.corner][..., None])[..., 0])
        right = ((self.c - from_points) * self.free[:, None]).reshape(-1, 1)
        solved = self.solved(right)
        own = self.l - (self.pl.transpose(0, 2, 1) @ self.inverse @ self.p[..., None]).sum(axis=0)[:, 0]
        lens = -np.linalg.solve(self.lens, own - (self.border.T @ solved)[:, 0])
        lens = lens if lens_moves else np.zeros_like(lens)
        cameras = -(solved[:, 0] + self.along @ lens).reshape(-1, self.size)
        pulled = (self.cp.transpose(0, 2, 1) @ cameras[self.frame][..., None])[..., 0]
        pulled = self.p + self.pl @ lens + summed(self.corner, len(self.pp), pulled)
        return cameras, -(self.inverse @ pulled[..., None])[..., 0], lens


def _banded(own: FloatArray, tied: bsr_array, beside: float, free: NDArray[np.bool_]) -> FloatArray:
    """Return the lower band of own (K, C, C) - tied, with `beside` between the places of neighbours."""
    count, size = own.shape[:2]
    row = np.repeat(np.arange(count), np.diff(tied.indptr))
    lower = np.flatnonzero(tied.indices <= row)
    row, column, blocks = row[lower], tied.indices[lower], tied.data[lower]
    apart = (row - column) * size
    band = np.zeros((max(int(apart.max(initial=0)), size if beside else 0) + size, count * size))
    for i in range(size):
        for j in range(size):
            kept = slice(None) if i >= j else apart > 0
            band[(apart + i - j)[kept], (column * size + j)[kept]] = -blocks[kept, i, j]
            if i >= j:
                band[i - j, j::size] += own[:, i, j]
    if beside:
        both = np.flatnonzero(free[1:] & free[:-1]) * size
        for axis in range(3, 6):
            band[size, both + axis] += beside
    return band
