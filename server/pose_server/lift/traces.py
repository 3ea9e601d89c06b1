"""Clean-up of points over time, as 3d-pose-baseline does it before it lifts: median, hold, spline.

Each takes an array whose first axis is time and in which missing is NaN, and treats every other
number as a trace of its own.  Frames are taken to be evenly spaced.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InputError
from scipy.interpolate import UnivariateSpline

__all__ = ["held", "median_filtered", "spline_resampled"]

FloatArray = NDArray[np.floating[Any]]

#: Frames that the median looks at on each side, and at each end of the clip those that it looks
#: at on one side alone.
_REACH = 3
_ENDS = 4
#: 3d-pose-baseline refuses shorter clips; a median of them says little.
_FEWEST_FRAMES = 9
_SPLINE_DEGREE = 3


def median_filtered(values: FloatArray) -> FloatArray:
    """Return each trace's median over the frames -3 to +3; the first and last four look one way.

    A value that is missing in most of its window stays missing, for `held` to fill; one that is
    missing in fewer is the median of those seen.  A clip of fewer than nine frames, a single
    picture too, is returned as it is.

    Notes
    -----
    3d-pose-baseline writes a missing value as zero and lets it into the median: it agrees with
    this where a window is complete or mostly missing, and in between its result is dragged towards
    the smallest value seen.
    """
    frames = len(values)
    if frames < _FEWEST_FRAMES:
        return values.copy()
    both_ways = np.arange(-_REACH, _REACH + 1)
    forward, back = both_ways[_REACH:], both_ways[: _REACH + 1]
    result = np.empty_like(values)
    for rows, window in (
        (np.arange(_ENDS), forward),
        (np.arange(_ENDS, frames - _ENDS), both_ways),
        (np.arange(frames - _ENDS, frames), back),
    ):
        result[rows] = _median(values[rows[:, None] + window])
    return result


def held(values: FloatArray) -> FloatArray:
    """Return traces in which a missing value is the one before it; the first one seen goes back too.

    A trace that is never seen stays missing.
    """
    seen = np.isfinite(values)
    frames = np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1))
    last = np.maximum.accumulate(np.where(seen, frames, -1), axis=0)
    first = np.argmax(seen, axis=0)
    return np.asarray(np.take_along_axis(values, np.where(last < 0, first, last), axis=0))


def spline_resampled(
    values: FloatArray, *, multiplier: float = 0.1, smoothing: float = 125.0
) -> tuple[FloatArray, FloatArray]:
    """Return traces as smoothing cubic splines, read every `multiplier` frames.

    Parameters
    ----------
    values
        (T, ...) traces in pixels.
    multiplier
        Step in frames: 0.1 gives ten frames for one, 1 smooths and keeps the frames.
    smoothing
        The spline may leave the points by a sum of squares of this times the trace's range, so that
        a limb that travels far is smoothed more; 0 goes through every point.

    Returns
    -------
    tuple
        (S,) where it was read, in frames from 0 to T - 1, and the (S, ...) values.  A trace is NaN
        before it is first and after it is last seen, and where it is seen fewer than four times.

    Raises
    ------
    InputError
        The step is not above 0 (``MULTIPLIER_INVALID``).

    Notes
    -----
    3d-pose-baseline reads on past the last frame by what the spline happens to do there; here it
    ends with the last frame.
    """
    if not multiplier > 0:
        raise InputError(
            f"A spline cannot be read every {multiplier:g} frames; give a step above 0, such as 0.1.",
            reason="MULTIPLIER_INVALID",
            value=multiplier,
        )
    frames = np.arange(len(values), dtype=np.float64)
    # A hair beyond the end, or rounding would lose the last frame.
    places = np.arange(0, len(values) - 1 + 1e-9, multiplier) if len(values) else frames
    flat = values.reshape(len(values), -1)
    result = np.full((len(places), flat.shape[1]), np.nan)
    for column in range(flat.shape[1]):
        seen = np.isfinite(flat[:, column])
        if seen.sum() <= _SPLINE_DEGREE:
            continue
        at, trace = frames[seen], flat[seen, column]
        spline = UnivariateSpline(at, trace, k=_SPLINE_DEGREE, s=smoothing * np.ptp(trace))
        inside = (places >= at[0]) & (places <= at[-1])
        result[inside, column] = spline(places[inside])
    return places, result.reshape(len(places), *values.shape[1:])


def _median(windows: FloatArray) -> FloatArray:
    """Median over axis 1 of what is seen; NaN where more than half is not."""
    width = windows.shape[1]
    ordered = np.sort(windows, axis=1)
    count = np.isfinite(ordered).sum(axis=1, keepdims=True)
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, width - 1)
    middle = (np.take_along_axis(ordered, low, axis=1) + np.take_along_axis(ordered, high, axis=1)) / 2
    return np.asarray(np.where(2 * count >= width, middle, np.nan)[:, 0])
