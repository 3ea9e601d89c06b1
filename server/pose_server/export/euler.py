"""Rotations as three angles that go on from row to row."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray

__all__ = ["continuous_euler_deg"]


def continuous_euler_deg(wxyz: FloatArray, order: str) -> FloatArray:
    """Return (T, 3) angles in the order of the channels of (T, 4), each as near as can be to the last one's.

    Notes
    -----
    A rotation has two triples of Euler angles, (a, b, c) and (a + 180, 180 - b, c + 180), and each
    angle may gain full turns.  From either triple of a row the way to the next row's triple of the same
    kind is as long as from the other to the other's, so that only whether to change kind matters.
    """
    first = Rotation.from_quat(wxyz, scalar_first=True).as_euler(order, degrees=True, suppress_warnings=True)
    second = np.stack([first[:, 0] + 180, 180 - first[:, 1], first[:, 2] + 180], axis=1)
    change = _way_deg(first[:-1], second[1:]) < _way_deg(first[:-1], first[1:])
    kind = np.concatenate([[0], np.cumsum(change) % 2])
    return np.asarray(np.unwrap(np.where(kind[:, None] == 1, second, first), axis=0, period=360))


def _way_deg(begin: FloatArray, end: FloatArray) -> FloatArray:
    """Return (N,) how far three angles turn altogether, full turns aside."""
    turn = end - begin
    return np.asarray(np.abs(turn - 360 * np.round(turn / 360)).sum(axis=1))
