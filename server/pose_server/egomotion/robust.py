"""How little what seems wrong counts: weights by Geman and McClure."""

from __future__ import annotations

import numpy as np

from pose_server.pipeline.boundary import FloatArray

__all__ = ["NOISE_PX", "WIDE", "cost_of", "scale_of", "weights"]

#: A corner may be off by this much, in the small pictures, before it counts less.
NOISE_PX = 0.5
#: While most are farther off, by this many times their median.
WIDE = 2.0


def cost_of(away: FloatArray, scale: float) -> float:
    """Return the robust cost of (M,) distances, in squares of `scale`; 1 for what is not explained at all."""
    square = (away / scale) ** 2
    return float(np.nan_to_num(square / (1 + square), nan=1.0).sum())


def weights(away: FloatArray, scale: FloatArray | float) -> FloatArray:
    """Return the (M,) weights of distances."""
    return np.asarray(np.nan_to_num(1 / (1 + (away / scale) ** 2) ** 2))


def scale_of(away: FloatArray) -> float:
    """Return how far off what is right may be."""
    known = away[np.isfinite(away)]
    return max(2 * NOISE_PX, WIDE * float(np.median(known))) if len(known) else 2 * NOISE_PX
