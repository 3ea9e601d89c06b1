from __future__ import annotations

import numpy as np
import pytest
from pose_server.pipeline.kinematics import global_rotations, joint_positions
from pose_server.solve import feet
from pose_server.solve.contacts import sole_points
from pose_server.solve.feet import planted
from pose_server.solve.proportions import proportions
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation

UP = np.array([0.0, -1.0, 0.0])
BODY = proportions((), np.empty((0, 0, 3)), np.empty((0, 0)))
#: The rest pose faces -y with z up; the camera has y down and looks along z.
UPRIGHT = Rotation.from_matrix([[-1.0, 0, 0], [0, 0, -1], [0, -1, 0]])


def standing(root_m):
    local = np.tile([1.0, 0.0, 0.0, 0.0], (len(root_m), len(SKELETON), 1))
    local[:, 0] = UPRIGHT.as_quat(scalar_first=True)
    return local


def soles(local, root_m):
    joints = joint_positions(local, root_m, BODY.rest_offsets_m, SKELETON.parents)
    return sole_points(joints, global_rotations(local, SKELETON.parents), BODY)


def test_feet_that_slide_stand_and_the_lock_comes_and_goes_gently():
    drift = np.tile([0.0, 0.0, 4.0], (90, 1))
    drift[:, 0] += np.linspace(0, 0.06, 90)
    local = standing(drift)
    floor_m = float((soles(local, drift) @ UP).min())
    contacts = np.zeros((90, 4))
    contacts[30:60] = 1
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
    held, root = planted(local, root_m, BODY, np.zeros((20, 4)), UP, None, level=False, rate_hz=30)
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
    held, root = planted(local, root_m, BODY, np.ones((40, 4)), UP, floor_m, level=level, rate_hz=30)
    height = soles(held, root) @ UP - floor_m
    assert lowest_m - 1e-6 < height.min() <= height.max() < highest_m + 1e-6


def test_nothing_sinks_into_the_floor():
    root_m = np.tile([0.0, 0.0, 4.0], (40, 1))
    local = standing(root_m)
    floor_m = float((soles(local, root_m) @ UP).min()) + 0.04
    held, root = planted(local, root_m, BODY, np.zeros((40, 4)), UP, floor_m, level=False, rate_hz=30)
    assert (soles(held, root) @ UP - floor_m).min() > -0.01


@pytest.mark.parametrize("frames", [1, 2, 3, 700])
def test_any_length(frames):
    root_m = np.tile([0.0, 0.0, 4.0], (frames, 1)) + np.linspace(0, 0.5, frames)[:, None] * [1.0, 0, 0]
    held, root = planted(
        standing(root_m), root_m, BODY, np.zeros((frames, 4)), UP, None, level=False, rate_hz=30
    )
    assert held.shape == (frames, len(SKELETON), 4) and np.isfinite(root).all()


def test_pieces_of_a_long_clip_meet(monkeypatch):
    drift = np.tile([0.0, 0.0, 4.0], (200, 1))
    drift[:, 0] += np.linspace(0, 0.15, 200)
    local = standing(drift)
    contacts = np.ones((200, 4))
    whole = planted(local, drift, BODY, contacts, UP, None, level=False, rate_hz=30)
    monkeypatch.setattr(feet, "_CHUNK", 70)
    pieces = planted(local, drift, BODY, contacts, UP, None, level=False, rate_hz=30)
    for one, other in zip(whole, pieces, strict=True):
        np.testing.assert_allclose(np.diff(one, 2, axis=0), np.diff(other, 2, axis=0), atol=1e-3)
