"""Zero-phase smoothing with trust."""

from __future__ import annotations

import numpy as np
import pytest
from pose_server.solve.smoothing import (
    bridged,
    bridged_rotations,
    smoothed,
    smoothed_rotations,
    unsnapped,
)
from scipy.spatial.transform import Rotation


@pytest.mark.parametrize("rate_hz", [24.0, 60.0, 120.0])
def test_cutoff_halves_and_keeps_the_phase(rate_hz):
    t = np.arange(int(8 * rate_hz)) / rate_hz
    wave = np.sin(2 * np.pi * 4.0 * t)
    calm = smoothed(wave, rate_hz=rate_hz, cutoff_hz=4.0)
    middle = slice(len(t) // 4, -len(t) // 4)
    assert np.allclose(calm[middle], wave[middle] / 2, atol=0.01)


def test_straight_lines_pass_unchanged():
    line = np.outer(np.arange(50.0), [1, -2, 3])
    assert np.allclose(smoothed(line, rate_hz=30, cutoff_hz=1.0), line)


def test_cutoff_beyond_the_rate_changes_next_to_nothing():
    noise = np.random.default_rng(0).normal(size=(40, 2))
    assert np.abs(smoothed(noise, rate_hz=5, cutoff_hz=15) - noise).max() < 0.01
    few = noise[:2]
    assert (smoothed(few, rate_hz=30, cutoff_hz=1) == few).all()


def test_untrusted_rows_follow_their_neighbours():
    values = np.zeros(41)
    values[20] = 100.0
    weights = np.ones(41)
    weights[20] = 0.0
    assert np.abs(smoothed(values, rate_hz=30, cutoff_hz=5, weights=weights)).max() < 1e-2


def test_smoothed_hinge_keeps_its_axis():
    axis = np.array([0.6, 0.0, 0.8])
    angles = np.random.default_rng(1).normal(1.0, 0.3, size=(80, 1))
    calm = smoothed_rotations(
        Rotation.from_rotvec(axis * angles).as_quat(scalar_first=True), rate_hz=60, cutoff_hz=5
    )
    turned = Rotation.from_quat(calm, scalar_first=True).as_rotvec()
    assert np.allclose(np.cross(turned, axis), 0, atol=1e-9)
    assert np.std(turned @ axis) < 0.5 * np.std(angles)


def test_signs_of_quaternions_do_not_matter():
    turns = Rotation.from_euler("y", np.linspace(0, 300, 60)[:, None], degrees=True).as_quat(
        scalar_first=True
    )
    signs = np.where(np.random.default_rng(2).random(60) < 0.5, -1, 1)[:, None]
    calm = smoothed_rotations(turns * signs, rate_hz=60, cutoff_hz=10)
    error = Rotation.from_quat(calm, scalar_first=True).inv() * Rotation.from_quat(turns, scalar_first=True)
    assert np.degrees(error.magnitude()).max() < 1


def test_gaps_are_bridged_and_ends_held():
    known = np.array([False, True, False, False, True, False])
    values = np.array([9.0, 1.0, 9.0, 9.0, 4.0, 9.0])[:, None]
    assert bridged(values, known)[:, 0] == pytest.approx([1, 1, 2, 3, 4, 4])
    assert (bridged(values, np.zeros(6, dtype=bool)) == 0).all()
    turns = Rotation.from_euler("x", values * 10, degrees=True).as_quat(scalar_first=True)
    angles = Rotation.from_quat(bridged_rotations(turns, known), scalar_first=True).magnitude()
    assert np.degrees(angles) == pytest.approx([10, 10, 20, 30, 40, 40])
    assert (bridged_rotations(turns, np.zeros(6, dtype=bool)) == [1, 0, 0, 0]).all()


def test_a_snap_is_spread_and_nothing_else_moves():
    angles = np.zeros(60)
    angles[30:] = 2.5
    slow = 0.02 * np.arange(60)
    turns = Rotation.from_euler("xy", np.stack([angles, slow], axis=1)).as_quat(scalar_first=True)
    calm = unsnapped(turns, rate_hz=30)
    steps = 2 * np.arccos(np.clip(np.abs(np.sum(calm[1:] * calm[:-1], axis=1)), 0, 1))
    assert np.degrees(steps.max()) < 52
    np.testing.assert_allclose(np.abs(np.sum(calm * turns, axis=1))[[0, 15, 20, 40, 59]], 1, atol=1e-9)
    np.testing.assert_array_equal(unsnapped(turns[:30], rate_hz=30), turns[:30])


def test_at_slow_rates_any_turn_is_possible():
    turns = Rotation.random(20, random_state=0).as_quat(scalar_first=True)
    np.testing.assert_array_equal(unsnapped(turns, rate_hz=5), turns)
