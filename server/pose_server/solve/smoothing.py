"""Zero-phase smoothing that knows what to trust: values, rotations, gaps.

Whittaker's smoother (Eilers, 2003): the curve that minimises its weighted distance from the data
plus its squared second differences.  With equal weights its response is that of a second-order
Butterworth filter run forth and back; a row with little weight follows its neighbours.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded
from scipy.spatial.transform import Rotation, Slerp

from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.kinematics import same_hemisphere

__all__ = [
    "accented",
    "bridged",
    "bridged_rotations",
    "smoothed",
    "smoothed_rotations",
    "unsnapped",
]

_TREMBLING_HZ = 4.0
#: Wrists and shoulders of athletes reach two thirds of it.
_SNAP_RAD_S = math.radians(1500)
_SNAP_PASSES = 50


def smoothed(
    values: FloatArray,
    *,
    rate_hz: float,
    cutoff_hz: float,
    weights: FloatArray | None = None,
    hold: FloatArray | None = None,
) -> FloatArray:
    """Smooth (T, ...) finite values along the first axis.

    Parameters
    ----------
    values
        (T, ...), a row per frame.
    rate_hz
        Rows per second.
    cutoff_hz
        Where a steady oscillation is halved; more than half the rate smooths next to nothing.
    weights
        (T,) trust in each row, 1 where it is fully trusted.
    hold
        (T,) share of the stiffness that holds around each row, 1 everywhere when None.
    """
    frames = len(values)
    if frames < 3:
        return values.copy()
    share = cutoff_hz / rate_hz
    # Beyond half the rate there is nothing to cut off, and the stiffness fades away.
    stiffness = (2 * (math.sin(math.pi * share) if share < 0.5 else 2 * share)) ** -4
    stiff = stiffness * (np.ones(frames) if hold is None else hold)[1:-1]
    trust = np.ones(frames) if weights is None else np.maximum(weights, 1e-6)
    bands = np.zeros((3, frames))
    bands[2] = trust
    for row, kernel in enumerate(((1.0, 4.0, 1.0), (-2.0, -2.0), (1.0,))):
        for offset, value in enumerate(kernel):
            start = row + offset
            bands[2 - row, start : start + frames - 2] += stiff * value
    flat = values.reshape(frames, -1)
    result: FloatArray = solveh_banded(bands, trust[:, None] * flat)
    return result.reshape(values.shape)


def accented(
    values: FloatArray,
    *,
    rate_hz: float,
    cutoff_hz: float,
    accent: float,
    weights: FloatArray | None = None,
) -> FloatArray:
    """Smooth (T, C) values, but give way where they accelerate, so that calm keeps its accents.

    `accent` is the acceleration, in units of the values per second squared, at which half of the
    stiffness is left; it is measured after a filter that only takes the trembling away.
    """
    if len(values) < 3:
        return values.copy()
    first = smoothed(values, rate_hz=rate_hz, cutoff_hz=max(cutoff_hz, _TREMBLING_HZ), weights=weights)
    pull = np.linalg.norm(np.diff(first, 2, axis=0), axis=1) * rate_hz**2
    hold = 1 / (1 + (np.pad(pull, 1, mode="edge") / accent) ** 2)
    return smoothed(values, rate_hz=rate_hz, cutoff_hz=cutoff_hz, weights=weights, hold=hold)


def smoothed_rotations(
    quaternions_wxyz: FloatArray,
    *,
    rate_hz: float,
    cutoff_hz: float,
    accent_rad_s2: float = math.inf,
    weights: FloatArray | None = None,
) -> FloatArray:
    """Smooth (T, 4) unit quaternions; turns about one axis keep that axis."""
    values = accented(
        same_hemisphere(quaternions_wxyz),
        rate_hz=rate_hz,
        cutoff_hz=cutoff_hz,
        # A quaternion moves half as far as the angle.
        accent=accent_rad_s2 / 2,
        weights=weights,
    )
    return np.asarray(values / np.linalg.norm(values, axis=-1, keepdims=True))


def unsnapped(quaternions_wxyz: FloatArray, *, rate_hz: float) -> FloatArray:
    """Return (T, 4) in which no turn between two frames is faster than a body turns.

    What snaps is spread over its neighbours; everything else stays as it is.
    """
    limit = _SNAP_RAD_S / rate_hz
    if limit >= math.pi or len(quaternions_wxyz) < 3:
        return quaternions_wxyz
    values = same_hemisphere(quaternions_wxyz)
    for _ in range(_SNAP_PASSES):
        dots = np.abs(np.sum(values[1:] * values[:-1], axis=1))
        snaps = np.flatnonzero(2 * np.arccos(np.clip(dots, 0, 1)) > limit)
        if not len(snaps):
            break
        rows = np.unique(np.clip(snaps[:, None] + np.arange(-1, 3), 1, len(values) - 2))
        blend = values[rows - 1] + 2 * values[rows] + values[rows + 1]
        values[rows] = blend / np.linalg.norm(blend, axis=1, keepdims=True)
    return values


def bridged(values: FloatArray, known: NDArray[np.bool_]) -> FloatArray:
    """Fill unknown rows of (T, C) values linearly, holding the first and the last; zero if none is known."""
    if not known.any():
        return np.zeros_like(values)
    rows, places = np.arange(len(values)), np.flatnonzero(known)
    columns = [np.interp(rows, places, column[places]) for column in values.T]
    return np.stack(columns, axis=1)


def bridged_rotations(quaternions_wxyz: FloatArray, known: NDArray[np.bool_]) -> FloatArray:
    """Fill unknown rows of (T, 4) by the shortest turn between known ones; identity if none is known."""
    places = np.flatnonzero(known)
    if len(places) == 0:
        return np.tile([1.0, 0.0, 0.0, 0.0], (len(known), 1))
    if len(places) == len(known):
        return quaternions_wxyz
    rows = np.clip(np.arange(len(known)), places[0], places[-1])
    if len(places) == 1:
        return np.repeat(quaternions_wxyz[places], len(known), axis=0)
    turns = Rotation.from_quat(quaternions_wxyz[places], scalar_first=True)
    return np.asarray(Slerp(places, turns)(rows).as_quat(scalar_first=True))
