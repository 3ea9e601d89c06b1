"""The light smoothing that lifted joints get where no solve follows."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from pose_server.pipeline.boundary import FloatArray

__all__ = ["SMOOTHING_S", "cleaned"]

#: Standard deviation of the Gaussian: so that filmed mocap keeps nine tenths of its acceleration.
SMOOTHING_S = 0.022


def cleaned(joints_m: FloatArray, rate_hz: float) -> FloatArray:
    """Return (T, J, 3) joints smoothed over time, each stretch of rows without NaN by itself."""
    known = np.isfinite(joints_m).all(axis=(1, 2))
    result = joints_m.copy()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(int)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        result[first:last] = gaussian_filter1d(
            joints_m[first:last], SMOOTHING_S * rate_hz, axis=0, mode="nearest"
        )
    return result
