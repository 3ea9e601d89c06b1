from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_motion import make_motion
from pose_server.export.npz import write_npz
from pose_server.mocap.body import body_points, skeleton_kind
from pose_server.mocap.npz import read_motion
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.kinematics import joint_positions
from pose_server.train.motions import prepare_motions
from pose_shared.errors import PoseError
from pose_shared.skeleton import BODY_31, SKELETON


def turning() -> Motion:
    """Somebody in the rest pose who turns about the world's z."""
    motion = make_motion()
    up, left = {"spine": 0.1, "chest": 0.15, "neck": 0.2, "head": 0.12}, {"hip": 0.1, "shoulder": 0.18}
    offsets = np.zeros((len(SKELETON), 3))
    for joint, name in enumerate(SKELETON.joints):
        side, _, part = name.partition("_")
        offsets[joint, 2] = up.get(name, -0.4 if part in ("knee", "ankle") else 0.0)
        offsets[joint, 0] = left.get(part, 0.0) * (1 if side == "left" else -1)
        offsets[joint, 1] = -0.13 if part == "toe" else 0.0
    rotations = np.zeros_like(motion.local_rotations_wxyz)
    rotations[..., 0] = 1.0
    rotations[:, 0] = motion.local_rotations_wxyz[:, 0]
    joints = joint_positions(rotations, motion.root_world_m, offsets, SKELETON.parents)
    return replace(
        motion,
        rest_offsets_m=offsets,
        local_rotations_wxyz=rotations,
        joints_world_m=joints.astype(np.float32),
    )


def test_a_motion_stands_upright_and_looks_ahead(tmp_path: Path) -> None:
    motion = turning()
    write_npz(tmp_path / "motion.npz", motion)
    recording = read_motion(tmp_path / "motion.npz")
    assert skeleton_kind(recording) == "house" and recording.rate_hz == pytest.approx(float(motion.rate))
    points = dict(zip(BODY_31.joints, body_points(recording).transpose(1, 0, 2), strict=True))
    for name in ("left_hip", "right_wrist", "neck", "head"):
        x, y, z = motion.joints_world_m[:, motion.joint_names.index(name)].T
        np.testing.assert_allclose(points[name], np.stack([x, z, -y], axis=1), atol=1e-6)
    up = points["neck"] - (points["left_hip"] + points["right_hip"]) / 2
    front = np.cross(points["left_hip"] - points["right_hip"], up)
    face = points["nose"] - (points["left_ear"] + points["right_ear"]) / 2
    toes = points["left_big_toe"] - points["left_heel"]
    for forward in (face, toes):
        assert ((forward * front).sum(axis=1) > 0).all()
    assert (points["nose"] - points["neck"])[:, 1].min() > 0.1


def test_motions_train_too(tmp_path: Path) -> None:
    write_npz(tmp_path / "motion.npz", make_motion())
    header = "file,format,subject,fps,head_frames_to_drop\n"
    (tmp_path / "index.csv").write_text(header + "motion.npz,npz,me,30,0\n")
    takes = prepare_motions(tmp_path).takes
    assert {take.subject for take in takes} == {"me"} and np.isfinite(takes[0].points_m).all()


def test_another_npz_is_one_sentence(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(PoseError):
        read_motion(tmp_path / "other.npz")
