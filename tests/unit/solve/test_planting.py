from __future__ import annotations

import numpy as np
import pytest
from pose_server.pipeline.kinematics import global_rotations, joint_positions
from pose_server.pipeline.solve_options import CONTACT_POINTS
from pose_server.solve import planting
from pose_server.solve.contacts import SOLES, clearances, contact_points
from pose_server.solve.planting import planted
from pose_server.solve.proportions import proportions
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation

UP = np.array([0.0, -1.0, 0.0])
FEET = np.arange(8) < SOLES
BODY = proportions((), np.empty((0, 0, 3)), np.empty((0, 0)))
#: The rest pose faces -y with z up; the camera has y down and looks along z.
UPRIGHT = Rotation.from_matrix([[-1.0, 0, 0], [0, 0, -1], [0, -1, 0]])


def standing(root_m):
    local = np.tile([1.0, 0.0, 0.0, 0.0], (len(root_m), len(SKELETON), 1))
    local[:, 0] = UPRIGHT.as_quat(scalar_first=True)
    return local


def points(local, root_m):
    joints = joint_positions(local, root_m, BODY.rest_offsets_m, SKELETON.parents)
    return contact_points(joints, global_rotations(local, SKELETON.parents), BODY)


def soles(local, root_m):
    return points(local, root_m)[:, :SOLES]


def test_feet_that_slide_stand_and_the_lock_comes_and_goes_gently():
    drift = np.tile([0.0, 0.0, 4.0], (90, 1))
    drift[:, 0] += np.linspace(0, 0.06, 90)
    local = standing(drift)
    floor_m = float((soles(local, drift) @ UP).min())
    contacts = np.zeros((90, 8))
    contacts[30:60, :SOLES] = 1
    held, root = planted(local, drift, BODY, contacts, UP, floor_m, level=False, rate_hz=30)
    moved = np.linalg.norm(np.diff(soles(held, root), axis=0), axis=2)
    assert moved[31:58].max() < 3e-4 < moved[:5].min()
    # The 10 mm to the place it is held at are not taken in one frame.
    assert np.linalg.norm(np.diff(soles(held, root), 2, axis=0), axis=2).max() < 6e-3
    # The body goes on: it is the legs that give way.
    assert root[-1, 0] - root[0, 0] > 0.05


def test_without_contacts_and_floor_nothing_changes():
    root_m = np.tile([0.3, 0.1, 5.0], (20, 1))
    local = standing(root_m)
    held, root = planted(local, root_m, BODY, np.zeros((20, 8)), UP, None, level=False, rate_hz=30)
    np.testing.assert_allclose(held, local, atol=1e-9)
    np.testing.assert_allclose(root, root_m, atol=1e-9)


@pytest.mark.parametrize(
    ("rise_m", "level", "lowest_m", "highest_m"),
    [(0.05, False, 0, 0.03), (0.2, False, 0.2, 0.2), (0.2, True, 0, 0.17)],
)
def test_a_foot_on_a_step_stays_there_unless_the_floor_is_flat(rise_m, level, lowest_m, highest_m):
    root_m = np.tile([0.0, 0.0, 4.0], (40, 1))
    local = standing(root_m)
    floor_m = float((soles(local, root_m) @ UP).min()) - rise_m
    held, root = planted(local, root_m, BODY, np.ones((40, 8)) * FEET, UP, floor_m, level=level, rate_hz=30)
    height = soles(held, root) @ UP - floor_m
    assert lowest_m - 1e-6 < height.min() <= height.max() < highest_m + 1e-6


def test_a_hand_that_carries_stays_and_the_arm_gives_way():
    drift = np.tile([0.0, 0.0, 4.0], (60, 1))
    drift[:, 1] += np.linspace(0, 0.06, 60)
    local = standing(drift)
    hand = np.arange(8) == CONTACT_POINTS.index("left_hand")
    held, root = planted(local, drift, BODY, np.ones((60, 8)) * hand, UP, None, level=False, rate_hz=30)
    place = points(held, root)[:, hand][:, 0]
    assert np.linalg.norm(np.diff(place, axis=0), axis=1).max() < 3e-4
    assert root[-1, 1] - root[0, 1] > 0.03
    elbow, knee = SKELETON.index("left_elbow"), SKELETON.index("left_knee")
    assert (
        np.abs(held[:, elbow] - local[:, elbow]).max() > 0.01 > np.abs(held[:, knee] - local[:, knee]).max()
    )


def test_hands_and_knees_do_not_sink_into_the_floor_either():
    root_m = np.tile([0.0, 0.0, 4.0], (40, 1))
    kneeling = standing(root_m)
    kneeling[:, SKELETON.index("left_knee")] = kneeling[:, SKELETON.index("right_knee")] = (
        Rotation.from_euler("x", 90, degrees=True).as_quat(scalar_first=True)
    )
    knees = points(kneeling, root_m)[0, 6:] @ UP - clearances(BODY)[6:]
    held, root = planted(
        kneeling, root_m, BODY, np.zeros((40, 8)), UP, float(knees.min()) + 0.04, level=False, rate_hz=30
    )
    assert (points(held, root) @ UP - clearances(BODY)).min() - knees.min() - 0.04 > -0.02


def test_nothing_sinks_into_the_floor():
    root_m = np.tile([0.0, 0.0, 4.0], (40, 1))
    local = standing(root_m)
    floor_m = float((soles(local, root_m) @ UP).min()) + 0.04
    held, root = planted(local, root_m, BODY, np.zeros((40, 8)), UP, floor_m, level=False, rate_hz=30)
    assert (soles(held, root) @ UP - floor_m).min() > -0.01


@pytest.mark.parametrize("frames", [1, 2, 3, 700])
def test_any_length(frames):
    root_m = np.tile([0.0, 0.0, 4.0], (frames, 1)) + np.linspace(0, 0.5, frames)[:, None] * [1.0, 0, 0]
    held, root = planted(
        standing(root_m), root_m, BODY, np.zeros((frames, 8)), UP, None, level=False, rate_hz=30
    )
    assert held.shape == (frames, len(SKELETON), 4) and np.isfinite(root).all()


def test_pieces_of_a_long_clip_meet(monkeypatch):
    drift = np.tile([0.0, 0.0, 4.0], (200, 1))
    drift[:, 0] += np.linspace(0, 0.15, 200)
    local = standing(drift)
    contacts = np.ones((200, 8)) * FEET
    whole = planted(local, drift, BODY, contacts, UP, None, level=False, rate_hz=30)
    monkeypatch.setattr(planting, "_CHUNK", 70)
    pieces = planted(local, drift, BODY, contacts, UP, None, level=False, rate_hz=30)
    for one, other in zip(whole, pieces, strict=True):
        np.testing.assert_allclose(np.diff(one, 2, axis=0), np.diff(other, 2, axis=0), atol=1e-3)
