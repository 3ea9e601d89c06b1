"""Gravity, floor, contacts and the nudge that keeps feet in place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pose_server.pipeline.boundary import Vertical
from pose_server.solve.contacts import SOLES, clearances, contact_points, resting, supporting
from pose_server.solve.ground import Stance, common_level, floor_height, upright, world_axes
from scipy.spatial.transform import Rotation

UP = np.array([0.0, -1.0, 0.0])


def stance(studio, take, rests=True):
    points = contact_points(take.joints_camera_m, take.rotations_camera, studio.body)
    return Stance(take.joints_camera_m, points, clearances(studio.body), np.full(points.shape[:2], rests))


def degrees(a, b):
    return np.degrees(np.arccos(np.clip(a @ b, -1, 1)))


@pytest.mark.parametrize(("pitch", "roll"), [(0, 0), (25, 0), (40, 0), (10, 20), (25, -20)])
def test_standing_tells_gravity(studio, pitch, roll):
    take = studio.film(studio.posed(30), studio.standing_root(30), pitch_deg=pitch, roll_deg=roll)
    assert degrees(upright([stance(studio, take)]), take.up_camera) < 5


def test_someone_lying_does_not_tip_the_world(studio):
    lying = studio.film(studio.posed(60, pelvis=(0, 90, 0)), studio.standing_root(60) - [0, 0, 0.8])
    assert degrees(upright([stance(studio, lying)]), lying.up_camera) < 12
    standing = studio.film(studio.posed(60), studio.standing_root(60))
    assert degrees(upright([stance(studio, lying), stance(studio, standing)]), standing.up_camera) < 6


def test_where_nobody_stands_trunks_tell_and_where_all_lie_the_picture(studio, walking):
    assert degrees(upright([stance(studio, walking, rests=False)]), walking.up_camera) < 6
    lying = studio.film(studio.posed(60, pelvis=(0, 90, 0)), studio.standing_root(60) - [0, 0, 0.8])
    assert degrees(upright([stance(studio, lying, rests=False)]), UP) < 5


def test_leaning_walker_is_levelled_by_the_steps(studio):
    root = studio.standing_root(80) + np.stack([np.linspace(-1.5, 1.5, 80)] + [np.zeros(80)] * 2, axis=1)
    leaning = studio.film(studio.posed(80, spine=(0, 0, 0), pelvis=(0, 10, 0)), root, pitch_deg=0)
    body = stance(studio, leaning)
    floor = body.points_m.copy()
    floor[:, :SOLES, 1] = floor[:, :SOLES, 1].mean()
    level = upright([replace(body, points_m=floor)])
    assert degrees(level, UP) < 4


@pytest.mark.parametrize(("lean", "sigma", "least", "most"), [(0, 1, 0, 1), (0, 30, 7, 12), (50, 1, 7, 12)])
def test_a_background_is_believed_as_far_as_it_is_sure_and_not_at_odds(studio, lean, sigma, least, most):
    """Whoever leans all the time would tip the room; what is 50 degrees away is no upright at all."""
    take = studio.film(studio.posed(60, pelvis=(0, 12, 0)), studio.standing_root(60))
    body = stance(studio, take, rests=False)
    alone = upright([body])
    away = degrees(alone, take.up_camera)
    assert 7 < away < 12
    side = np.cross(alone, take.up_camera)
    turn = Rotation.from_rotvec(np.radians(lean) * side / np.linalg.norm(side))
    seen = Vertical(turn.apply(take.up_camera), np.radians(sigma))
    assert least <= degrees(upright([body], seen), take.up_camera) < most
    if lean:
        np.testing.assert_array_equal(upright([body], seen), alone)


def test_floor_is_the_middle_of_the_lowest_level():
    heights = np.concatenate([np.random.default_rng(0).normal(0.0, 0.02, (50, 4)), np.full((50, 4), 0.5)])
    assert floor_height(heights, np.ones((100, 4))) == pytest.approx(0.0, abs=0.01)
    assert floor_height(heights, np.zeros((100, 4))) < 0


def test_world_axes_are_right_handed_even_looking_down():
    for up in (UP, np.array([0.0, -0.6, -0.8]), np.array([0.0, 0.0, -1.0])):
        turn = world_axes(up)
        assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-12)
        assert np.linalg.det(turn) == pytest.approx(1)
        assert turn @ up == pytest.approx([0, 0, 1], abs=1e-12)
        assert (turn @ [0, 0, 1])[1] >= -1e-12


@pytest.mark.parametrize("rate_hz", [10.0, 30.0, 120.0])
def test_rest_is_told_from_motion_at_any_rate(rate_hz):
    """A foot stands for a second, swings forward at 1.5 m/s for half a second, and stands again."""
    t = np.arange(0, 2.5, 1 / rate_hz)
    x = np.interp(t, [0, 1, 1.5, 2.5], [0, 0, 0.75, 0.75])
    points = np.stack([x, np.zeros_like(t), np.full_like(t, 4.0)], axis=1)[:, None]
    rests = resting(points, np.ones((len(t), 1)), None, rate_hz=rate_hz)[:, 0]
    assert rests[t < 0.85].all()
    assert rests[t > 1.65].all()
    assert not rests[(t > 1.1) & (t < 1.4)].any()


def test_trembling_depth_is_no_motion_and_blindness_no_rest():
    depth = 4 + 0.05 * np.random.default_rng(0).normal(size=60)
    points = np.stack([np.zeros(60), np.zeros(60), depth], axis=1)[:, None]
    trust = np.ones((60, 1))
    trust[30:50] = 0
    rests = resting(points, trust, None, rate_hz=30)[:, 0]
    assert rests[:30].all()
    assert not rests[35:45].any()


def test_foot_held_in_the_air_is_no_support():
    rests = np.ones((30, 4), dtype=bool)
    heights = np.tile([0.0, 0.0, 0.3, 0.3], (30, 1))
    carried = supporting(rests, heights, 0.0, "auto", rate_hz=30)
    assert carried.mean(axis=0) == pytest.approx([1, 1, 0, 0])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("auto", [1, 0, 0, 0]), ("always", [1, 1, 1, 1]), ("never", [0, 0, 0, 0]), ("ground", [1, 1, 0, 0])],
)
def test_contacts_are_told_as_asked(mode, expected):
    rests = np.tile([True, False, False, True], (30, 1))
    heights = np.tile([1.0, 1.02, 1.1, 1.5], (30, 1))
    assert supporting(rests, heights, 1.0, mode, rate_hz=30).mean(axis=0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("auto", [1, 0, 0]), ("always", [1, 0, 0]), ("never", [0, 0, 0]), ("ground", [1, 0, 1])],
)
def test_hands_and_knees_carry_on_the_floor_only(mode, expected):
    """A hand that rests on the floor, one that rests on a hip, a knee that skims the floor."""
    rests = np.tile([True] * 4 + [True, True, False, False], (30, 1))
    heights = np.tile([1.0] * 4 + [1.04, 1.9, 1.04, 1.5], (30, 1))
    carried = supporting(rests, heights, 1.0, mode, rate_hz=30).mean(axis=0)
    assert carried[4:7] == pytest.approx(expected) and carried[7] == 0


def test_people_on_one_floor_get_sizes_that_let_them_stand_on_it():
    floors = np.array([-1.5, -1.6, -1.52])
    grown = floors * common_level(floors)
    assert np.ptp(grown) < 0.3 * np.ptp(floors)
    assert np.abs(np.log(common_level(floors))).max() < 0.08


def test_who_stands_on_a_stage_or_alone_keeps_the_size():
    assert common_level([-1.5]) == [1.0]
    first, second, high = common_level([-1.5, -1.5, -0.8])
    assert high == 1.0 and first == pytest.approx(1) and second == pytest.approx(1)
    # As far apart as two people on a deck and beside it, and as one who is taller than five others.
    assert common_level([-1.5, -1.25]) == [1.0, 1.0]
    assert common_level([-1.5] * 5 + [-1.35])[-1] > 1.05
    assert common_level([-1.5] * 5 + [-1.28])[-1] == 1.0
    # A camera on the floor sees nothing of sizes in it.
    assert common_level([-0.01, -1.0]) == [1.0, 1.0]


def test_a_flat_floor_has_no_stage():
    """Whoever seemed to stand elsewhere is nearer, or further, and smaller or larger for it."""
    floors = np.array([-1.5, -1.51, -1.2])
    level = floors * common_level(floors, flat=True)
    assert level == pytest.approx(level[0])
    assert level[0] == pytest.approx(-1.505, abs=0.01)
    assert common_level([0.4, -1.0], flat=True) == [1.0, 1.0]


def test_the_lifter_decides_where_speed_says_little():
    """A slowly creeping foot is one that stands if the lifter says so, and none if it does not."""
    x = np.linspace(0, 0.3 * 1.0, 30)
    points = np.stack([x, np.zeros(30), np.full(30, 4.0)], axis=1)[:, None].repeat(2, axis=1)
    trust = np.ones((30, 2))
    for told, expected in ((0.9, True), (0.08, False)):
        rests = resting(points, trust, np.full((30, 2), told), rate_hz=30)
        assert (rests == expected).all()
    # One doubtful frame between sure ones does not lift the foot.
    told = np.full((30, 2), 0.9)
    told[15] = 0.45
    assert resting(points, trust, told, rate_hz=30).all()


def told_feet(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Four soles that stand still, and what is told of them: nothing."""
    return np.tile([0.0, 0.0, 4.0], (frames, 4, 1)), np.zeros((frames, 4))


def test_steps_of_a_runner_of_whom_the_lifter_is_never_sure():
    points, told = told_feet(60)
    told[:, :2] = 0.01
    told[10:18, :2] = told[40:48, :2] = [0.3, 0.35]
    told[20:28, 2:] = 0.06  # too unsure to be a step
    speed = np.where(told > 0.02, 0.0, 4.0)
    points[:, :, 0] = np.cumsum(speed, axis=0) / 30
    rests = resting(points, np.ones((60, 4)), told, rate_hz=30)
    assert rests[12:16, :2].all() and rests[42:46, :2].all()
    assert not rests[22:36].any() and not rests[:, 2:].any()


def test_a_sure_step_makes_no_unsure_moment_beside_it_one():
    points, told = told_feet(40)
    told[:20, :2], told[20:26, :2] = 0.95, 0.2
    points[20:, :2, 0] = np.arange(20)[:, None] / 30 * 0.5
    rests = resting(points, np.ones((40, 4)), told, rate_hz=30)
    assert rests[:18, :2].all() and not rests[23:26, :2].any()


def test_a_foot_that_is_missed_for_a_moment_goes_on_standing():
    points, told = told_feet(40)
    told[:, :2] = 0.95
    trust = np.ones((40, 4))
    trust[15:18, :2] = told[15:18, :2] = 0
    trust[25:34, :2] = told[25:34, :2] = 0
    rests = resting(points, trust, told, rate_hz=30)
    assert rests[:25, :2].all() and not rests[29:30, :2].any()
