"""What lifted joints get where no solve follows: a light smoothing, or the usual filter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, sosfiltfilt

from pose_server.pipeline.boundary import FloatArray

__all__ = ["CUTOFF_HZ", "SMOOTHING_S", "cleaned", "filtered"]

#: Standard deviation of the Gaussian: so that filmed mocap keeps nine tenths of its acceleration.
SMOOTHING_S = 0.022
#: Of the filter that gait laboratories give their markers (Winter, 2009).
CUTOFF_HZ = 6.0
_ORDER = 2


def cleaned(joints_m: FloatArray, rate_hz: float) -> FloatArray:
    """Return (T, J, 3) joints smoothed over time, each stretch of rows without NaN by itself."""
    return _by_stretch(
        joints_m, lambda part: gaussian_filter1d(part, SMOOTHING_S * rate_hz, axis=0, mode="nearest")
    )


def filtered(joints_m: FloatArray, rate_hz: float, cutoff_hz: float = CUTOFF_HZ) -> FloatArray:
    """Return (T, J, 3) joints after a Butterworth filter forth and back, stretch by stretch."""
    sections = butter(_ORDER, cutoff_hz, fs=rate_hz, output="sos")
    padding = 3 * (2 * len(sections) + 1)
    return _by_stretch(
        joints_m, lambda part: sosfiltfilt(sections, part, axis=0, padlen=min(padding, len(part) - 1))
    )


def _by_stretch(joints_m: FloatArray, smooth: Callable[[FloatArray], FloatArray]) -> FloatArray:
    known = np.isfinite(joints_m).all(axis=(1, 2))
    result = joints_m.copy()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(int)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        result[first:last] = smooth(joints_m[first:last])
    return result
