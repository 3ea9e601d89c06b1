from __future__ import annotations

import numpy as np
from pose_server.pipeline.kinematics import global_rotations, joint_positions
from pose_server.solve.freedom import Freedom
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation

FREEDOM = Freedom(("pelvis", "left_hip", "left_ankle"), {"left_knee": (1.0, 0.0, 0.0)})
CARRIER = SKELETON.index("left_ankle")


def test_points_move_as_their_derivatives_say():
    rng = np.random.default_rng(3)
    local = Rotation.random(2 * len(SKELETON), random_state=3).as_quat(scalar_first=True)
    local = local.reshape(2, len(SKELETON), 4)
    root, offsets = rng.normal(size=(2, 3)), rng.normal(size=(len(SKELETON), 3))
    at = np.array([0.1, -0.2, 0.05])

    def point(local, root):
        joints = joint_positions(local, root, offsets, SKELETON.parents)
        return joints[:, CARRIER] + global_rotations(local, SKELETON.parents)[:, CARRIER] @ at

    joints = joint_positions(local, root, offsets, SKELETON.parents)
    slope = FREEDOM.derivatives(local, joints, point(local, root)[:, None], [CARRIER])[:, 0]
    for column in range(FREEDOM.count):
        step = np.zeros((2, FREEDOM.count))
        step[:, column] = 1e-6
        moved = point(*FREEDOM.moved(local, root, step))
        np.testing.assert_allclose((moved - point(local, root)) / 1e-6, slope[:, column], atol=1e-5)


def test_a_joint_is_not_moved_by_what_hangs_on_it():
    local = np.tile([1.0, 0, 0, 0], (1, len(SKELETON), 1))
    joints = np.zeros((1, len(SKELETON), 3))
    knee = SKELETON.parents[SKELETON.index("left_knee")]  # carried by the hip
    slope = FREEDOM.derivatives(local, joints, np.ones((1, 1, 3)), [knee])[0, 0]
    assert np.abs(slope[FREEDOM.columns("left_knee")]).max() == 0
    assert np.abs(slope[FREEDOM.columns("left_ankle")]).max() == 0
    assert np.abs(slope[FREEDOM.columns("left_hip")]).max() > 0
