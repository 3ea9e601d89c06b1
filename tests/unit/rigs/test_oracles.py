"""Rotations against another project's frozen numbers, through our own readers and kinematics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pose_server.export.quaternions import matrices, quaternions
from pose_server.retarget.reach import shortest_turns, steps_rad
from pose_server.rigs.motion_capture import read_bvh_rig

pytestmark = pytest.mark.reference


def cases(reference_data: Path, name: str) -> dict[str, np.ndarray]:
    with np.load(reference_data / "bvh_cases" / "pybvh_fixtures" / f"{name}.npz") as arrays:
        return {key: arrays[key] for key in arrays.files}


def test_euler_angles_of_a_bvh_turn_as_theirs(reference_data: Path, tmp_path: Path) -> None:
    known = cases(reference_data, "euler_zyx_to_rotmat")
    rows = "\n".join(
        "0 90 0 " + " ".join(f"{v!r}" for v in row) for row in np.degrees(known["euler"]).tolist()
    )
    path = tmp_path / "take.bvh"
    path.write_text(
        "HIERARCHY\nROOT hips\n{\nOFFSET 0 0 0\n"
        "CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation\n"
        "End Site\n{\nOFFSET 0 90 0\n}\n}\n"
        f"MOTION\nFrames: {len(known['euler'])}\nFrame Time: 0.01\n{rows}\n"
    )
    found = read_bvh_rig(path)
    # Turns are told away from rest, which is the file's own or its first frame.
    rest = np.array(found.rig.bones[0].rest).reshape(4, 4)[:3, :3]
    np.testing.assert_allclose(found.turns[:, 0] @ rest, known["rotmat"], atol=1e-9)


def test_quaternions_are_theirs(reference_data: Path) -> None:
    known = cases(reference_data, "rotmat_to_quat")
    found = quaternions(known["rotmat"])
    found = found * np.sign(np.where(found[:, :1] == 0, 1, found[:, :1]))
    np.testing.assert_allclose(found, known["quat_wxyz"], atol=1e-9)
    np.testing.assert_allclose(matrices(known["quat_wxyz"]), known["rotmat"], atol=1e-9)


def test_axes_and_angles_are_theirs(reference_data: Path) -> None:
    """A vector across the axis is turned by the angle, the shortest way, as the shortest turn has it."""
    known = cases(reference_data, "rotmat_to_axisangle")
    angle = np.linalg.norm(known["rotvec"], axis=1)
    some = (angle > 1e-3) & (angle < 3.0)
    axis = known["rotvec"][some] / angle[some, None]
    across = np.cross(axis, [0.3, -0.5, 0.8])
    turned = np.einsum("nij,nj->ni", known["rotmat"][some], across)
    np.testing.assert_allclose(shortest_turns(across, turned), known["rotmat"][some], atol=1e-6)


def test_angles_between_rotations_are_theirs(reference_data: Path) -> None:
    known = cases(reference_data, "rotation_geodesic")
    found = [steps_rad(np.stack(pair))[0] for pair in zip(known["rotmat_a"], known["rotmat_b"], strict=True)]
    np.testing.assert_allclose(found, known["angle"], atol=1e-7)
