"""Two people in one place."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from pose_server.pipeline.progress import SilentProgress
from pose_server.solve.clip import fit_people
from pose_server.solve.company import apart

UP = np.array([0.0, -1.0, 0.0])
ROOM_M = 0.13 * 1.7


@pytest.fixture(scope="module")
def alone(studio):
    take = studio.film(studio.posed(90), studio.standing_root(90))
    (person,) = fit_people([take.track], [take.pose], take.camera, rate=take.rate, progress=SilentProgress())
    return person


def beside(alone, *, right_m=0.0, behind_m=0.0):
    """Return the same person elsewhere; both may be (T,)."""
    away = np.zeros((len(alone.root_m), 3))
    away[:, 0], away[:, 2] = right_m, behind_m
    return alone.standing_at(alone.root_m + away)


def between(one, other):
    return np.linalg.norm((other.root_m - one.root_m)[:, [0, 2]], axis=1)


def test_who_stands_in_another_is_moved_along_the_view(alone):
    pair = [alone, beside(alone, right_m=0.05, behind_m=0.1)]
    one, other = apart(pair, UP, rate_hz=30)
    assert between(one, other).min() > 0.9 * ROOM_M > between(*pair).max()
    for before, after in zip(pair, (one, other), strict=True):
        where = [p.root_m[:, :2] / p.root_m[:, 2:] for p in (before, after)]
        np.testing.assert_allclose(*where, atol=1e-9)
    assert other.root_m[0, 2] > pair[1].root_m[0, 2] and one.root_m[0, 2] < alone.root_m[0, 2]


def test_who_has_room_is_left_alone(alone):
    for place in ({"right_m": 0.4}, {"behind_m": 0.4}, {"right_m": -0.2, "behind_m": -0.2}):
        pair = [alone, beside(alone, **place)]
        for before, after in zip(pair, apart(pair, UP, rate_hz=30), strict=True):
            assert after is before


def test_the_order_stays_where_depth_trembles(alone):
    """Behind by 5 cm on the whole, but before the other in every third frame."""
    depth = np.where(np.arange(90) % 3 == 0, -0.02, 0.08)
    one, other = apart([alone, beside(alone, behind_m=depth)], UP, rate_hz=30)
    assert (other.root_m - one.root_m)[:, 2].min() > 0.9 * ROOM_M


def test_the_move_is_eased_and_ends(alone):
    depth = np.where((np.arange(90) > 40) & (np.arange(90) < 50), 0.1, 1.0)
    pair = [alone, beside(alone, behind_m=depth)]
    one, _ = apart(pair, UP, rate_hz=30)
    moved = alone.root_m[:, 2] - one.root_m[:, 2]
    assert moved[45] > 0.9 * (ROOM_M - 0.1) / 2
    assert np.abs(np.diff(moved)).max() < 0.015 and (moved[[0, -1]] == 0).all()


def test_people_who_never_meet_in_time(alone):
    late = dataclasses.replace(
        alone, track=dataclasses.replace(alone.track, indices=alone.track.indices + 500)
    )
    one, other = apart([alone, late], UP, rate_hz=30)
    assert one is alone and other is late
