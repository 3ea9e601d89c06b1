"""Classic filters of curves over time, by name. None of them lags.

Sources: Butterworth forth and back, its cutoff corrected for two passes, as in Winter, Biomechanics
and Motor Control of Human Movement, 2009, 3.4.4; Savitzky and Golay, 1964; Casiez, Roussel, Vogel,
1 € Filter, CHI 2012; Rauch, Tung, Striebel, 1965, on a body that moves on with its velocity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter
from scipy.signal import butter, savgol_filter, sosfiltfilt

from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.filter_options import NamedFilter
from pose_server.pipeline.kinematics import same_hemisphere

__all__ = ["curves_filtered"]

_ORDER = 2
#: Two passes of second order: where each must be cut for both together to be halved in power at the cutoff.
_TWO_PASSES = (math.sqrt(2) - 1) ** (1 / (2 * _ORDER))
_ONE_EURO_SPEED_HZ = 1.0
#: How many numbers a turn has, and a place has not.
_QUATERNION = 4


def curves_filtered(values: FloatArray, how: NamedFilter, rate_hz: float) -> FloatArray:
    """Return (T, J, C) curves filtered; those in four dimensions are taken for unit quaternions.

    All but the median work on a quaternion as on any curve, neighbours in one hemisphere: an axis that
    stays, stays, and the result turns with the world it is seen from.  The median of turns is one of them.
    The caller brings filtered quaternions back to unit length.
    """
    if values.shape[-1] == _QUATERNION:
        values = same_hemisphere(values)
    return _WAYS[how.name](values, rate_hz, **how.settings)


def _butterworth(values: FloatArray, rate_hz: float, *, cutoff_hz: float) -> FloatArray:
    frames, half = len(values), rate_hz / 2
    if frames < 3 or cutoff_hz >= half:
        return values.copy()
    sections = butter(_ORDER, min(cutoff_hz / _TWO_PASSES, 0.99 * half), fs=rate_hz, output="sos")
    # Long enough for the filter to forget the end that it was given.
    pad = min(frames - 1, max(6, math.ceil(rate_hz / cutoff_hz)))
    return np.asarray(sosfiltfilt(sections, values, axis=0, padlen=pad))


def _gaussian(values: FloatArray, rate_hz: float, *, sigma_s: float) -> FloatArray:
    frames, sigma = len(values), sigma_s * rate_hz
    if frames < 3:
        return values.copy()
    pad = min(frames - 1, math.ceil(4 * sigma))
    longer = np.pad(values, ((pad, pad), (0, 0), (0, 0)), mode="reflect", reflect_type="odd")
    return np.asarray(gaussian_filter1d(longer, sigma, axis=0, mode="nearest")[pad : pad + frames])


def _median(values: FloatArray, rate_hz: float, *, window_s: float) -> FloatArray:
    window = min(_odd(window_s * rate_hz), _odd(len(values)))
    if values.shape[-1] != _QUATERNION:
        return np.asarray(median_filter(values, size=(window, 1, 1), mode="nearest"))
    # Of turns the one in the window from which the others are least far.
    half, frames = window // 2, len(values)
    padded = np.pad(values, ((half, half), (0, 0), (0, 0)), mode="edge")
    sums = np.zeros((window, frames, values.shape[1]))
    for lag in range(1, window):
        dots = np.abs(np.sum(padded[lag:] * padded[:-lag], axis=-1))
        angles = np.arccos(np.minimum(dots, 1))
        for first in range(window - lag):
            between = angles[first : first + frames]
            sums[first] += between
            sums[first + lag] += between
    best = np.argmin(sums, axis=0)
    rows, joints = np.indices(best.shape)
    return same_hemisphere(padded[rows + best, joints])


def _savitzky_golay(values: FloatArray, rate_hz: float, *, window_s: float, degree: float) -> FloatArray:
    window = min(_odd(window_s * rate_hz), _odd(len(values)))
    if window <= degree + 1:
        return values.copy()
    return np.asarray(savgol_filter(values, window, round(degree), axis=0, mode="interp"))


def _one_euro(values: FloatArray, rate_hz: float, *, min_cutoff_hz: float, beta: float) -> FloatArray:
    """Filter forth and back; `beta` is in hertz per metre, or per radian, a second."""
    passes = (slice(None), slice(None, None, -1))
    for order in passes:
        values = _one_euro_pass(values[order], rate_hz, min_cutoff_hz, beta)[order]
    return values


def _one_euro_pass(values: FloatArray, rate_hz: float, min_cutoff_hz: float, beta: float) -> FloatArray:
    def weight(cutoff_hz: FloatArray | float) -> FloatArray:
        return np.asarray(1 / (1 + rate_hz / (2 * np.pi * cutoff_hz)))

    turning = values.shape[-1] == _QUATERNION
    scale = 2.0 if turning else 1.0  # an angle moves twice as far as its quaternion
    result = values.copy()
    speed = np.zeros_like(values[0])
    for row in range(1, len(values)):
        step = (values[row] - result[row - 1]) * rate_hz
        speed = speed + weight(_ONE_EURO_SPEED_HZ) * (step - speed)
        fast = scale * np.linalg.norm(speed, axis=-1, keepdims=True)
        share = weight(min_cutoff_hz + beta * fast)
        result[row] = result[row - 1] + share * (values[row] - result[row - 1])
        if turning:
            result[row] /= np.linalg.norm(result[row], axis=-1, keepdims=True)
    return result


def _rts(values: FloatArray, rate_hz: float, *, cutoff_hz: float) -> FloatArray:
    """Kalman filter of constant velocity and its smoother.

    Together they are a smoothing spline; a steady oscillation at the cutoff is halved where the
    acceleration's spectral density over that of the noise is the fourth power of its frequency.
    """
    frames, dt = len(values), 1 / rate_hz
    if frames < 3:
        return values.copy()
    density = dt * (2 * np.pi * cutoff_hz) ** 4
    move = np.array([[1.0, dt], [0.0, 1.0]])
    drift = density * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
    flat = values.reshape(frames, -1)
    states = np.empty((frames, 2, flat.shape[1]))
    spreads = np.empty((frames, 2, 2))
    state = np.stack([flat[0], np.zeros_like(flat[0])])
    # The noise has a variance of 1; nothing is known of the start.
    spread = np.diag([1.0, 1e6 * rate_hz**2])
    for row in range(frames):
        if row:
            state, spread = move @ state, move @ spread @ move.T + drift
            gain = spread[:, :1] / (spread[0, 0] + 1)
            state = state + gain * (flat[row] - state[:1])
            spread = spread - gain * spread[:1]
        states[row], spreads[row] = state, spread
    for row in range(frames - 2, -1, -1):
        ahead = move @ spreads[row] @ move.T + drift
        gain = np.linalg.solve(ahead, move @ spreads[row]).T
        states[row] += gain @ (states[row + 1] - move @ states[row])
    return np.asarray(states[:, 0].reshape(values.shape))


def _odd(rows: float) -> int:
    """Return the odd number of rows nearest below, at least one."""
    return max(1, 2 * math.floor((rows - 1) / 2 + 1e-9) + 1)


_WAYS: Mapping[str, Callable[..., FloatArray]] = {
    "butterworth": _butterworth,
    "gaussian": _gaussian,
    "median": _median,
    "one_euro": _one_euro,
    "rts": _rts,
    "savitzky_golay": _savitzky_golay,
}
