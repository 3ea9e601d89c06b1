"""Short gaps in the traces of points, bridged by what the point did before and after."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pose_server.pipeline.boundary import FloatArray

__all__ = ["bridged"]

#: A detector's usual error of a point that it is sure of.
_NOISE_M = 0.015
#: What is bridged is so much less sure than the less sure end of the gap.
_BRIDGED_CONFIDENCE = 0.2
#: Confidence that a measured point has at least, or its error would be without bounds.
_LEAST_CONFIDENCE = 0.05
#: How fast points of a body are, and how long they keep a velocity.
_SPEED_M_S = 3.0
_MEMORY_S = 0.4


def bridged(
    places_m: FloatArray,
    confidence: FloatArray,
    times_s: FloatArray,
    rows: NDArray[np.bool_],
    *,
    how: str,
    limit_s: float,
) -> tuple[FloatArray, FloatArray]:
    """Return traces with their short gaps filled, and with what confidence.

    Parameters
    ----------
    places_m
        (T, K, C), about the size of metres; NaN where missing.
    confidence
        (T, K) 0..1.
    times_s
        (T,) growing.
    rows
        (T,) where to fill; what is missing elsewhere stays so.
    how
        ``rts``: the smoothed estimate of a Kalman filter in which sure points weigh more; ``linear``: the
        straight line; ``hold``: the value before.
    limit_s
        From the last row before a gap to the first behind it; all of a longer gap stays missing, and so
        does what lies before the first value and behind the last.

    Notes
    -----
    The filter's point keeps its velocity for a while and loses it (an Ornstein-Uhlenbeck process, Uhlenbeck
    and Ornstein, 1930, integrated), so that it does not overshoot in a gap as one does that moves on
    with its velocity; its smoother is Rauch's, Tung's and Striebel's (1965).
    """
    before, after = _neighbours(np.isfinite(places_m).all(axis=2))
    inside = (before >= 0) & (after < len(places_m)) & (before != after)
    before, after = np.maximum(before, 0), np.minimum(after, len(places_m) - 1)
    short = times_s[after] - times_s[before] <= limit_s * (1 + 1e-9)
    gaps = inside & short & rows[:, None]
    columns = np.flatnonzero(gaps.any(axis=0))
    places, sure = places_m.copy(), confidence.copy()
    if len(columns):
        estimate = _WAYS[how](places_m[:, columns], confidence[:, columns], times_s)
        places[:, columns] = np.where(gaps[:, columns, None], estimate, places_m[:, columns])
        ends = [np.take_along_axis(confidence, end, axis=0) for end in (before, after)]
        sure = np.where(gaps, _BRIDGED_CONFIDENCE * np.minimum(*ends), confidence)
    return places, sure


def _neighbours(seen: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return (T, K) the last seen row up to each, -1 for none, and the next, T for none."""
    rows = np.arange(len(seen))[:, None]
    before = np.maximum.accumulate(np.where(seen, rows, -1), axis=0)
    after = np.minimum.accumulate(np.where(seen, rows, len(seen))[::-1], axis=0)[::-1]
    return before, after


def _held(places_m: FloatArray, confidence: FloatArray, times_s: FloatArray) -> FloatArray:
    before, _ = _neighbours(np.isfinite(places_m).all(axis=2))
    return np.asarray(np.take_along_axis(places_m, np.maximum(before, 0)[..., None], axis=0))


def _straight(places_m: FloatArray, confidence: FloatArray, times_s: FloatArray) -> FloatArray:
    before, after = _neighbours(np.isfinite(places_m).all(axis=2))
    before, after = np.maximum(before, 0), np.minimum(after, len(places_m) - 1)
    span_s = np.maximum(times_s[after] - times_s[before], 1e-9)
    share = ((times_s[:, None] - times_s[before]) / span_s)[..., None]
    start = np.take_along_axis(places_m, before[..., None], axis=0)
    end = np.take_along_axis(places_m, after[..., None], axis=0)
    return np.asarray(start + share * (end - start))


def _smoothed(places_m: FloatArray, confidence: FloatArray, times_s: FloatArray) -> FloatArray:
    rows, points, axes = places_m.shape
    seen = np.isfinite(places_m).all(axis=2)
    variance = (_NOISE_M / np.clip(confidence, _LEAST_CONFIDENCE, 1.0)) ** 2
    first = np.take_along_axis(places_m, seen.argmax(axis=0)[None, :, None], axis=0)[0]
    state = np.stack([first, np.zeros_like(first)], axis=1)  # (K, 2, C): place and velocity
    spread = np.tile(np.diag([100.0, _SPEED_M_S**2]), (points, 1, 1))
    states, ahead = np.empty((2, rows, points, 2, axes))
    spreads, spreads_ahead = np.empty((2, rows, points, 2, 2))
    moves = np.empty((rows, 2, 2))
    for row in range(rows):
        if row:
            moves[row], drift = _motion(float(times_s[row] - times_s[row - 1]))
            state, spread = moves[row] @ state, moves[row] @ spread @ moves[row].T + drift
        ahead[row], spreads_ahead[row] = state, spread
        gain = np.where(seen[row, :, None], spread[:, :, 0] / (spread[:, 0, 0] + variance[row])[:, None], 0.0)
        miss = np.where(seen[row, :, None], places_m[row] - state[:, 0], 0.0)
        state = state + gain[:, :, None] * miss[:, None]
        spread = spread - gain[:, :, None] * spread[:, None, 0]
        states[row], spreads[row] = state, spread
    for row in range(rows - 2, -1, -1):
        back = np.linalg.solve(spreads_ahead[row + 1], moves[row + 1] @ spreads[row])
        states[row] += back.transpose(0, 2, 1) @ (states[row + 1] - ahead[row + 1])
    return np.asarray(states[:, :, 0])


def _motion(step_s: float) -> tuple[FloatArray, FloatArray]:
    """Return what a step in time makes of place and velocity, and the covariance that it adds."""
    kept = np.exp(-step_s / _MEMORY_S)
    move = np.array([[1.0, _MEMORY_S * (1 - kept)], [0.0, kept]])
    place = _MEMORY_S**2 * (2 * step_s / _MEMORY_S - 3 + 4 * kept - kept**2)
    both = _MEMORY_S * (1 - kept) ** 2
    return move, _SPEED_M_S**2 * np.array([[place, both], [both, 1 - kept**2]])


_WAYS: dict[str, Callable[[FloatArray, FloatArray, FloatArray], FloatArray]] = {
    "rts": _smoothed,
    "linear": _straight,
    "hold": _held,
}
