"""Curves that change as little and as calmly as they can while they keep to what is asked of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import solveh_banded

from pose_server.pipeline.boundary import FloatArray

__all__ = ["LeastChange", "Term"]

#: A share of one curve, some frames on: frames, which curve, factor.
Term = tuple[int, int, float]


class LeastChange:
    """Linear least squares for some curves of T frames at once, by the banded normal equations.

    Each thing that is asked is a sum of curves, each some frames on, that should be near a number.

    Parameters
    ----------
    frames, curves
        How many.
    reach
        The most frames that one thing that is asked spans beyond its first.
    """

    def __init__(self, frames: int, curves: int, reach: int = 2) -> None:
        self._frames, self._curves, self._reach = frames, curves, reach
        self._bands = np.zeros(((reach + 1) * curves, frames * curves))
        self._right = np.zeros(frames * curves)

    def copy(self) -> LeastChange:
        """Return the same, to ask more of it."""
        other = LeastChange(self._frames, self._curves, self._reach)
        other._bands[:], other._right[:] = self._bands, self._right
        return other

    def ask(
        self, terms: Sequence[Term], weights: FloatArray | float, wanted: FloatArray | float = 0.0
    ) -> None:
        """Ask that a sum be near what is wanted, in each frame in which all of its terms are.

        Parameters
        ----------
        terms
            Of the sum.
        weights
            () or (T - span,) what its squared distance counts.
        wanted
            () or (T - span,).
        """
        rows = self._frames - max(after for after, _, _ in terms)
        if rows <= 0:
            return
        n = self._curves
        weights = np.broadcast_to(np.asarray(weights, dtype=np.float64), (rows,))
        asked = weights * wanted
        for after, curve, factor in terms:
            first = after * n + curve
            self._right[first : first + rows * n : n] += factor * asked
            for other_after, other_curve, other_factor in terms:
                place = other_after * n + other_curve
                if place >= first:
                    columns = slice(first, first + rows * n, n)
                    self._bands[place - first, columns] += factor * other_factor * weights

    def answer(self) -> FloatArray:
        """Return (T, C) the curves."""
        found = solveh_banded(self._bands, self._right, lower=True, check_finite=False)
        return np.asarray(found.reshape(self._frames, self._curves))
