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

__all__ = ["bridged", "bridged_rotations", "smoothed", "smoothed_rotations"]


def smoothed(
    values: FloatArray, *, rate_hz: float, cutoff_hz: float, weights: FloatArray | None = None
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
    """
    frames = len(values)
    if frames < 3:
        return values.copy()
    share = cutoff_hz / rate_hz
    # Beyond half the rate there is nothing to cut off, and the stiffness fades away.
    stiffness = (2 * (math.sin(math.pi * share) if share < 0.5 else 2 * share)) ** -4
    trust = np.ones(frames) if weights is None else np.maximum(weights, 1e-6)
    bands = np.zeros((3, frames))
    bands[2] = trust
    for row, kernel in enumerate(((1.0, 4.0, 1.0), (-2.0, -2.0), (1.0,))):
        for offset, value in enumerate(kernel):
            start = row + offset
            bands[2 - row, start : start + frames - 2] += stiffness * value
    flat = values.reshape(frames, -1)
    result: FloatArray = solveh_banded(bands, trust[:, None] * flat)
    return result.reshape(values.shape)


def smoothed_rotations(
    quaternions_wxyz: FloatArray, *, rate_hz: float, cutoff_hz: float, weights: FloatArray | None = None
) -> FloatArray:
    """Smooth (T, 4) unit quaternions; the same turn about the same axis keeps its axis."""
    values = smoothed(
        same_hemisphere(quaternions_wxyz), rate_hz=rate_hz, cutoff_hz=cutoff_hz, weights=weights
    )
    return np.asarray(values / np.linalg.norm(values, axis=-1, keepdims=True))


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
