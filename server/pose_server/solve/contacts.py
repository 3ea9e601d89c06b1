"""When a heel or the ball of a foot stands on something."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pose_shared.skeleton import SKELETON
from scipy.ndimage import label, maximum_filter1d, uniform_filter1d

from pose_server.pipeline.boundary import FloatArray
from pose_server.solve.proportions import Proportions

__all__ = ["CONTACT_NAMES", "sole_points", "still", "supporting"]

CONTACT_NAMES = ("left_heel", "left_toe", "right_heel", "right_toe")
#: A point begins to rest below the first speed and goes on below the second.
_ON_M_S = 0.20
_OFF_M_S = 0.35
_WINDOW_S = 0.08
_SHORTEST_S = 0.08
#: A foot held still in the air is no support while the other stands this much lower.
_LOWEST_M = 0.12
_RAMP_S = 0.05
#: A foot that is missed for less on both sides goes on doing what it did.
_MISSED_S = 0.1


def sole_points(joints_m: FloatArray, rotations: FloatArray, person: Proportions) -> FloatArray:
    """Return the (T, 4, 3) points of `CONTACT_NAMES` under the soles.

    Parameters
    ----------
    joints_m
        (T, J, 3) of `SKELETON`.
    rotations
        (T, J, 3, 3) of the joints in the same axes.
    person
        Whose soles they are.
    """
    ankles = [SKELETON.index(name) for name in ("left_ankle", "right_ankle")]
    return np.stack(
        [
            joints_m[:, ankle] + rotations[:, ankle] @ offset
            for ankle in ankles
            for offset in (person.heel_m, person.ball_m)
        ],
        axis=1,
    )


def still(points_camera_m: FloatArray, trust: FloatArray, *, rate_hz: float) -> NDArray[np.bool_]:
    """Return (T, C) whether (T, C, 3) points rest, seen across the view: depth is too noisy to ask.

    Where trust (T, C) is 0 for longer than a moment, nothing is known to rest.
    """
    if len(points_camera_m) < 2:
        return np.zeros(points_camera_m.shape[:2], dtype=bool)
    velocity = np.gradient(points_camera_m, 1 / rate_hz, axis=0)
    sight = points_camera_m / np.linalg.norm(points_camera_m, axis=2, keepdims=True)
    velocity -= np.sum(velocity * sight, axis=2, keepdims=True) * sight
    window = max(1, round(_WINDOW_S * rate_hz))
    speed = np.linalg.norm(uniform_filter1d(velocity, window, axis=0, mode="nearest"), axis=2)
    shortest = max(1, round(_SHORTEST_S * rate_hz))
    reach = 2 * round(_MISSED_S * rate_hz) + 1
    seen = maximum_filter1d(trust, reach, axis=0, mode="nearest") > 0
    rests = np.zeros(speed.shape, dtype=bool)
    for point in range(speed.shape[1]):
        slow = (speed[:, point] < _OFF_M_S) & seen[:, point]
        spans, count = label(slow)
        calm = np.bincount(spans[slow & (speed[:, point] < _ON_M_S)], minlength=count + 1)
        long = np.bincount(spans, minlength=count + 1) >= shortest
        keep = (calm > 0) & long
        keep[0] = False
        rests[:, point] = keep[spans]
    return rests


def supporting(rests: NDArray[np.bool_], heights_m: FloatArray, *, rate_hz: float) -> FloatArray:
    """Return (T, C) 0..1: which resting points carry, given the (T, C) heights of all; soft at the ends."""
    low = heights_m - heights_m.min(axis=1, keepdims=True) < _LOWEST_M
    ramp = 2 * round(_RAMP_S * rate_hz / 2) + 1
    return np.asarray(uniform_filter1d((rests & low).astype(float), ramp, axis=0, mode="nearest"))
