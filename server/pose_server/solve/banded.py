"""Least squares over a whole clip whose frames know only their neighbours."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded
from threadpoolctl import ThreadpoolController

from pose_server.pipeline.boundary import FloatArray

__all__ = ["Normal"]


class Normal:
    """Normal equations of (T, D) unknowns; terms are added, then solved by banded Cholesky (LAPACK).

    Attributes
    ----------
    own
        (T, D, D) what a frame wants.
    right
        (T, D) its right side.
    beside
        (T - 1, D, D) what ties each frame (rows) to the next (columns).
    """

    def __init__(self, frames: int, count: int) -> None:
        self.own = np.zeros((frames, count, count))
        self.right = np.zeros((frames, count))
        self.beside = np.zeros((max(frames - 1, 0), count, count))
        self._bend: FloatArray = np.zeros((max(frames - 2, 0), count))

    def add(self, jacobian: FloatArray, error: FloatArray, weight: FloatArray) -> None:
        """Add residuals (T, N, C) with derivatives (T, N, D, C) and weights (T, N)."""
        frames, _, count, _ = jacobian.shape
        root = np.sqrt(weight)
        rows = (jacobian * root[..., None, None]).transpose(0, 1, 3, 2).reshape(frames, -1, count)
        turned = rows.transpose(0, 2, 1)
        self.own += turned @ rows
        self.right += (turned @ (error * root[..., None]).reshape(frames, -1, 1))[..., 0]

    def add_difference(self, jacobian: FloatArray, step: FloatArray, weight: FloatArray) -> None:
        """Add residuals between neighbours: points (T, N, C) that shall not move by `step` (T - 1, N, C).

        `jacobian` is (T, N, D, C), `weight` (T - 1, N).
        """
        frames, _, count, _ = jacobian.shape
        rows = jacobian.transpose(0, 1, 3, 2)
        root = np.sqrt(weight)[..., None]
        before = (rows[:-1] * root[..., None]).reshape(frames - 1, -1, count).transpose(0, 2, 1)
        after = (rows[1:] * root[..., None]).reshape(frames - 1, -1, count).transpose(0, 2, 1)
        off = (step * root).reshape(frames - 1, -1, 1)
        self.own[:-1] += before @ before.transpose(0, 2, 1)
        self.own[1:] += after @ after.transpose(0, 2, 1)
        self.beside -= before @ after.transpose(0, 2, 1)
        self.right[:-1] += (before @ off)[..., 0]
        self.right[1:] -= (after @ off)[..., 0]

    def add_bending(self, bend: FloatArray, weight: FloatArray) -> None:
        """Add that second differences (T - 2, C) of the first C unknowns be none; weights alike or (C,)."""
        if len(bend) == 0:
            return
        weight = np.broadcast_to(weight, bend.shape)
        kernel = (1.0, -2.0, 1.0)
        rows = len(bend)
        place = np.arange(bend.shape[1])
        for first, one in enumerate(kernel):
            self.right[first : first + rows, place] -= one * weight * bend
            self.own[first : first + rows, place, place] += one * one * weight
        self.beside[:rows, place, place] += kernel[0] * kernel[1] * weight
        self.beside[1 : 1 + rows, place, place] += kernel[1] * kernel[2] * weight
        self._bend[:, place] += kernel[0] * kernel[2] * weight

    def solved(self) -> FloatArray:
        """Return the (T, D) unknowns."""
        return self._solved(self.right.reshape(-1, 1)).reshape(self.right.shape)

    def shared(self, count: int) -> tuple[FloatArray, FloatArray]:
        """Return (K, K) equations and their (K,) right side of the last K unknowns, the same in all frames.

        All others follow freely: what is left when they are eliminated is the Schur complement.
        """
        kept = self.right.shape[1] - count
        frames = Normal(len(self.right), kept)
        frames.own, frames.beside = self.own[:, :kept, :kept], self.beside[:, :kept, :kept]
        frames._bend = self._bend[:, :kept]
        border = self.own[:, :kept, kept:].reshape(-1, count)
        found = frames._solved(np.column_stack([border, self.right[:, :kept].ravel()]))
        equations = self.own[:, kept:, kept:].sum(axis=0) - border.T @ found[:, :-1]
        return equations, self.right[:, kept:].sum(axis=0) - border.T @ found[:, -1]

    def _solved(self, right: FloatArray) -> FloatArray:
        """Return the (T * D, N) unknowns for N right sides."""
        frames, count = self.right.shape
        size = frames * count
        bands = np.zeros((min(3 * count, size), size))
        start = np.arange(frames) * count
        row, column = np.tril_indices(count)
        bands[row - column, start[:, None] + column] = self.own[:, row, column]
        if frames > 1:
            # Below the diagonal stand the next frame's rows: transposed.
            after, before = np.divmod(np.arange(count * count), count)
            bands[count + after - before, start[:-1, None] + before] = self.beside[:, before, after]
        if frames > 2:
            place = np.arange(count)
            bands[2 * count, start[:-2, None] + place] = self._bend
        # A second thread gains nothing here, and where cores are taken it is waited for without end.
        with _libraries().limit(limits=1, user_api="blas"):
            factor = cholesky_banded(bands, lower=True, overwrite_ab=True, check_finite=False)
            return np.asarray(cho_solve_banded((factor, True), right, check_finite=False))


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()
