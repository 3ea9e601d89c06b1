"""People beside each other: two bodies have no room in one place.

How far away somebody stands is the least certain of all.  Where two trunks would stand in each other, one
goes back and the other forth along the view, so that both stay where the picture shows them; who of them
is the nearer does not change while one hides the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from pose_shared.skeleton import SKELETON
from scipy.ndimage import gaussian_filter1d, label, maximum_filter1d

from pose_server.pipeline.boundary import FloatArray, IntArray
from pose_server.pipeline.kinematics import joint_positions
from pose_server.solve.frames import across, unit
from pose_server.solve.person import Person

__all__ = ["apart"]

#: Between the middles of two trunks that touch, as a share of the mean stature: belly to belly.
_TRUNKS = 0.13
_EASED_S = 0.15


def apart(people: Sequence[Person], up: FloatArray, *, rate_hz: float) -> list[Person]:
    """Return people moved along the view until no two trunks are in each other.

    Parameters
    ----------
    people
        On one clock, in the axes of one camera; anybody may come later and go earlier.
    up
        (3,) which way is up: only distances along the ground count.
    rate_hz
        Frames per second.
    """
    result = list(people)
    for one, other in combinations(range(len(people)), 2):
        first, second = result[one], result[other]
        _, here, there = np.intersect1d(first.track.indices, second.track.indices, return_indices=True)
        if not len(here):
            continue
        near, far = _middle(first)[here], _middle(second)[there]
        room_m = _TRUNKS * (first.body.stature_m + second.body.stature_m) / 2
        sight = unit(across((near + far) / 2 - first.eye_m[here], up))
        between = across(far - near, up)
        depth_m = np.sum(between * sight, axis=1)
        beside_m = np.linalg.norm(across(between, sight), axis=1)
        wanted_m = np.sqrt(np.maximum(room_m**2 - beside_m**2, 0.0))
        behind = _order(depth_m, wanted_m > 0)
        short_m = _eased(behind * np.maximum(wanted_m - behind * depth_m, 0.0), rate_hz)
        result[one] = _moved(first, here, -short_m / 2)
        result[other] = _moved(second, there, short_m / 2)
    return result


def _middle(person: Person) -> FloatArray:
    """Return (T, 3) the middle of the trunk."""
    joints = joint_positions(person.local_wxyz, person.root_m, person.body.rest_offsets_m, SKELETON.parents)
    return np.asarray((joints[:, 0] + joints[:, SKELETON.index("neck")]) / 2)


def _order(depth_m: FloatArray, overlap: NDArray[np.bool_]) -> FloatArray:
    """Return (T,) 1 where the second is behind, -1 where before the first, 0 where they do not overlap.

    Nobody passes through another: one answer for as long as one hides the other.
    """
    order = np.zeros(len(depth_m))
    spans, count = label(overlap)
    for span in range(1, count + 1):
        rows = spans == span
        order[rows] = 1.0 if depth_m[rows].mean() >= 0 else -1.0
    return order


def _eased(short_m: FloatArray, rate_hz: float) -> FloatArray:
    """Return (T,) as far either way as is wanted at least, without haste."""
    sigma = _EASED_S * rate_hz
    reach = 2 * math.ceil(2 * sigma) + 1
    more, less = (maximum_filter1d(np.maximum(way, 0.0), reach) for way in (short_m, -short_m))
    return np.asarray(gaussian_filter1d(more - less, sigma, truncate=2.0))


def _moved(person: Person, rows: IntArray, along_m: FloatArray) -> Person:
    """Return somebody moved away from the camera in some rows."""
    if not along_m.any():
        return person
    root = person.root_m.copy()
    root[rows] += along_m[:, None] * unit(person.root_camera_m[rows])
    return person.standing_at(root)
