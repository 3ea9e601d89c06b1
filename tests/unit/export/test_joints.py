"""Joints with Euler angles: where they are in the world, by Maya's own rule for joints."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from dancers import FILM_FRAMES, Dancer
from pose_server.export.animation import Y_UP
from pose_server.export.joints import JointCurves, person_curves
from pose_server.pipeline.boundary import Motion
from scipy.spatial.transform import Rotation


@pytest.fixture(scope="module")
def motion() -> Motion:
    return Dancer(4, 0, FILM_FRAMES).motion()


def angles(curves: JointCurves, name: str) -> np.ndarray:
    return np.stack([curves.channels[f"{name}/rotate/{axis}"] for axis in "xyz"], -1).astype(np.float64)


def places(curves: JointCurves, name: str) -> np.ndarray:
    return np.stack([curves.channels[f"{name}/translate/{axis}"] for axis in "xyz"], -1)


def turned(curves: JointCurves, name: str, order: str) -> np.ndarray:
    """Matrices of columns: fixed axes one after the other."""
    in_order = angles(curves, name)[:, ["xyz".index(axis) for axis in order]]
    return Rotation.from_euler(order, in_order).as_matrix()


def world_cm(curves: JointCurves) -> np.ndarray:
    """T orient R of every joint, multiplied down from the root."""
    frames, turns = [], []
    for joint in curves.joints:
        local = Rotation.from_euler("xyz", joint.orient_rad).as_matrix() @ turned(
            curves, joint.name, joint.rotation_order
        )
        if joint.parent < 0:
            turns.append(local)
            frames.append(places(curves, joint.name))
        else:
            turns.append(turns[joint.parent] @ local)
            frames.append(frames[joint.parent] + turns[joint.parent] @ np.array(joint.translate_cm))
    return np.stack(frames, axis=1)


@pytest.mark.parametrize("up", ["y", "z"])
def test_joints_are_where_the_motion_has_them(motion: Motion, up: str) -> None:
    wanted = motion.joints_world_m * 100
    if up == "y":
        wanted = wanted @ Y_UP.T
    assert np.abs(world_cm(person_curves(motion, up=up)) - wanted).max() < 0.001


@pytest.mark.parametrize("up", ["y", "z"])
def test_the_camera_sees_the_joints_where_the_film_has_them(motion: Motion, up: str) -> None:
    curves = person_curves(motion, up=up)
    eye = places(curves, "camera")[0]
    pose = turned(curves, "camera", curves.camera_order)[0]
    seen = (world_cm(curves) - eye) @ pose
    x, y, z = (seen / 100).reshape(-1, 3).T
    wanted = motion.joints_camera_m.reshape(-1, 3)
    assert np.abs(np.stack([x, -y, -z], -1) - wanted).max() < 1e-4


def test_angles_go_on_where_they_pass_half_a_turn(motion: Motion) -> None:
    spins = Rotation.from_euler("z", np.linspace(0, 6 * np.pi, len(motion))[:, None]).as_quat(
        scalar_first=True
    )
    local = motion.local_rotations_wxyz.copy()
    local[:, 0] = spins
    curves = person_curves(dataclasses.replace(motion, local_rotations_wxyz=local), up="y")
    steps = np.abs(np.diff(angles(curves, "pelvis"), axis=0))
    assert steps.max() < 0.5
    heading = angles(curves, "pelvis")[:, 0]
    assert abs(heading[-1] - heading[0]) == pytest.approx(6 * np.pi, abs=0.01)


def test_x_runs_along_the_bone_and_elbows_bend_about_z(motion: Motion) -> None:
    joints = {joint.name: joint for joint in person_curves(motion, up="y").joints}
    for name in ("left_elbow", "left_wrist", "right_knee", "right_ankle"):
        x, y, z = joints[name].translate_cm
        assert x > 20
        assert abs(y) < 1e-6
        assert abs(z) < 1e-6
