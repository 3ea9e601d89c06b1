"""The description that all writers take: against matrices multiplied one by one."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from other_readers import pose_matrices, rotation_matrix, y_up
from pose_server.export import animation as module
from pose_server.export.animation import Y_UP, Animation, animation_of
from pose_server.pipeline.boundary import Motion
from pose_shared.errors import InternalError


def test_a_motion_is_described_truly(make_motion) -> None:
    motion = make_motion(first=45)
    animation = animation_of(motion, "somebody")
    assert np.abs(animation.positions_m() - motion.joints_world_m).max() < 1e-5
    assert (animation.name, animation.rate, len(animation)) == ("somebody", Fraction(30000, 1001), 60)
    assert animation.first_frame == 45
    assert animation.times_s == pytest.approx(motion.times_s, abs=1e-9)
    places, axes = animation.rest_world()
    assert np.array_equal(axes, np.tile(np.eye(3), (23, 1, 1)))
    left, right = (motion.joint_names.index(f"{side}_wrist") for side in ("left", "right"))
    assert places[left, 0] > 0.5 and places[right, 0] < -0.5, "a T-pose, left is +x"
    assert places[left, 2] == pytest.approx(places[right, 2])
    assert min(places[:, 2].min(), (places + animation.tips_m)[:, 2].min()) == pytest.approx(0, abs=1e-6)


def test_positions_are_those_of_multiplied_matrices(rig: Animation, monkeypatch) -> None:
    expected = [pose_matrices(rig, row)[:, :3, 3] for row in range(len(rig))]
    assert np.abs(rig.positions_m() - expected).max() < 1e-6
    monkeypatch.setattr(module, "_BLOCK", 12 * 7)
    assert len(list(rig.blocks())) == 5
    assert np.abs(rig.positions_m() - expected).max() < 1e-6


def test_rest_rotations_can_be_taken_away(rig: Animation) -> None:
    plain = rig.unrotated()
    assert not plain.rest_rotations_wxyz[:, 1:].any()
    rest, rest_plain = pose_matrices(rig, None), pose_matrices(plain, None)
    assert np.abs(rest_plain[:, :3, 3] - rest[:, :3, 3]).max() < 1e-9
    assert np.abs(plain.tips_m - np.einsum("jik,jk->ji", rest[:, :3, :3], rig.tips_m)).max() < 1e-9
    for row in (0, 11, 29):
        there, here = pose_matrices(rig, row), pose_matrices(plain, row)
        assert np.abs(there[:, :3, 3] - here[:, :3, 3]).max() < 1e-9
        # A turn away from rest is the same turn.
        away = there[:, :3, :3] @ rest[:, :3, :3].transpose(0, 2, 1)
        assert np.abs(away - here[:, :3, :3]).max() < 1e-9


def test_another_world_shows_the_same(rig: Animation, motion: Motion) -> None:
    turned = rig.in_axes(Y_UP)
    for row in (None, 13):
        assert (
            np.abs(pose_matrices(turned, row)[:, :3, 3] - y_up(pose_matrices(rig, row)[:, :3, 3])).max()
            < 1e-9
        )
    person = animation_of(motion)
    up = person.in_axes(Y_UP)
    assert not up.rest_rotations_wxyz[:, 1:].any()
    assert up.mesh is not None and person.mesh is not None and up.camera is not None
    assert np.abs(up.mesh.points_m - y_up(person.mesh.points_m)).max() < 1e-9
    # The camera sees the same.
    point = motion.joints_world_m[5, 3].astype(float)
    seen = up.camera.world_to_camera @ [*y_up(point), 1]
    assert seen[:3] == pytest.approx(motion.joints_camera_m[5, 3], abs=1e-4)


def test_the_oracle_turns_as_scipy_does(rig: Animation) -> None:
    from scipy.spatial.transform import Rotation

    quat = rig.rest_rotations_wxyz[4]
    assert rotation_matrix(quat) == pytest.approx(Rotation.from_quat(quat, scalar_first=True).as_matrix())


@pytest.mark.parametrize(
    "wrong",
    [
        {"parents": np.array([-1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])},
        {"parents": np.array([-1, -1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])},
        {"tips_m": np.zeros((3, 3))},
        {"joint_names": ("a", "b")},
        {"translations_m": {0: np.zeros((4, 3))}},
    ],
)
def test_what_does_not_fit_is_refused(rig: Animation, wrong: dict) -> None:
    with pytest.raises(InternalError, match="Animation"):
        dataclasses.replace(rig, **wrong)
