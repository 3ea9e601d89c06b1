from __future__ import annotations

import numpy as np
import pytest
from pose_server.evaluate.angles import bone_error_deg, bone_steps_deg, rotation_steps_deg
from scipy.spatial.transform import Rotation


def test_angles_between_bones_are_those_that_were_turned() -> None:
    rng = np.random.default_rng(1)
    joints = rng.normal(size=(6, 3, 3))
    bones = [(0, 1), (1, 2)]
    along = joints[:, [1, 2]] - joints[:, [0, 1]]
    axes = np.cross(along, rng.normal(size=along.shape))
    axes /= np.linalg.norm(axes, axis=-1, keepdims=True)
    angles = rng.uniform(0.001, 179, size=(6, 2))
    turned = np.empty_like(along)
    for t in range(6):
        for b in range(2):
            turned[t, b] = Rotation.from_rotvec(np.radians(angles[t, b]) * axes[t, b]).apply(along[t, b])
    other = np.stack([np.zeros((6, 3)), turned[:, 0] * 2, turned[:, 0] * 2 + turned[:, 1]], axis=1)
    np.testing.assert_allclose(bone_error_deg(other, joints, bones), angles, atol=1e-6)  # whatever its length
    missing = other.copy()
    missing[2, 1] = np.nan
    assert np.isnan(bone_error_deg(missing, joints, bones)[2]).all()


def test_steps_are_between_neighbours_in_time() -> None:
    at = np.radians([0.0, 10.0, 5.0])
    joints = np.stack([np.zeros((3, 3)), np.stack([np.cos(at), np.sin(at), 0 * at], axis=1)], axis=1)
    np.testing.assert_allclose(bone_steps_deg(joints, [(0, 1)])[:, 0], [10, 5])


def test_the_sign_of_a_quaternion_is_no_turn() -> None:
    turns = Rotation.from_rotvec(np.outer([0, 30, 190, 185], [0, 1, 0]), degrees=True)
    quaternions = turns.as_quat(scalar_first=True)[:, None]
    quaternions[1::2] *= -1
    np.testing.assert_allclose(rotation_steps_deg(quaternions)[:, 0], [30, 160, 5], atol=1e-6)
    assert rotation_steps_deg(quaternions[:1]).shape == (0, 1)
    assert rotation_steps_deg(quaternions).max() == pytest.approx(160)
