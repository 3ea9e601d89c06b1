from __future__ import annotations

import numpy as np
import pytest
from pose_server.pipeline.kinematics import joint_positions, same_hemisphere
from scipy.spatial.transform import Rotation


def test_a_bent_chain_lies_where_hand_computation_puts_it() -> None:
    parents = (-1, 0, 1)
    offsets = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0]], dtype=float)
    quarter = Rotation.from_euler("z", 90, degrees=True).as_quat(scalar_first=True)
    still = np.array([1.0, 0, 0, 0])
    local = np.stack([[still, quarter, still], [quarter, quarter, still]])
    positions = joint_positions(local, np.array([[0, 0, 5.0], [1, 1, 1]]), offsets, parents)
    assert positions[0] == pytest.approx(np.array([[0, 0, 5], [1, 0, 5], [1, 2, 5]]))
    assert positions[1] == pytest.approx(np.array([[1, 1, 1], [1, 2, 1], [-1, 2, 1]]))


def test_lengths_never_change() -> None:
    rng = np.random.default_rng(1)
    parents = (-1, 0, 1, 1, 3)
    offsets = rng.normal(size=(5, 3))
    local = Rotation.random(200, rng=rng).as_quat(scalar_first=True).reshape(40, 5, 4)
    positions = joint_positions(local, rng.normal(size=(40, 3)), offsets, parents)
    for joint, parent in enumerate(parents[1:], start=1):
        lengths = np.linalg.norm(positions[:, joint] - positions[:, parent], axis=1)
        assert lengths == pytest.approx(np.full(40, np.linalg.norm(offsets[joint])))


def test_neighbours_share_a_hemisphere_and_rotations_stay() -> None:
    rng = np.random.default_rng(2)
    spin = Rotation.from_rotvec(np.linspace(0, 12, 50)[:, None] * [0, 0, 1]).as_quat(scalar_first=True)
    scrambled = (spin * rng.choice([-1, 1], 50)[:, None])[:, None]
    mended = same_hemisphere(scrambled)
    assert (np.sum(mended[1:] * mended[:-1], axis=-1) > 0).all()
    assert np.abs(np.sum(mended * scrambled, axis=-1)) == pytest.approx(np.ones((50, 1)))
