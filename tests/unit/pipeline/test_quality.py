from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from made_motion import make_motion
from made_result import FRAMES, write_result
from pose_server.export.npz import read_npz
from pose_server.pipeline.boundary import Motion, Pose3D
from pose_server.pipeline.kinematics import global_rotations, joint_positions
from pose_server.pipeline.quality import bone_fit_percent, contact_points_m, contact_slide_mm
from pose_server.pipeline.solve_options import CONTACT_POINTS
from pose_server.solve.contacts import contact_points
from pose_server.solve.proportions import proportions
from pose_shared.skeleton import SKELETON


@pytest.fixture
def gliding() -> Motion:
    """Somebody who does not move but for 3 mm a frame along x, and 5 up."""
    full = make_motion()
    rows = 50
    local = np.zeros((rows, len(SKELETON), 4))
    local[..., 0] = 1
    root = np.outer(np.arange(rows), [0.003, 0, 0.005])
    joints = joint_positions(local, root, full.rest_offsets_m, SKELETON.parents)
    contacts = np.zeros((rows, 4))
    contacts[10:20, 1] = 1
    cut = {
        field.name: getattr(full, field.name)[:rows]
        for field in dataclasses.fields(full)
        if isinstance(getattr(full, field.name), np.ndarray) and len(getattr(full, field.name)) == len(full)
    }
    cut |= {
        "local_rotations_wxyz": local,
        "root_world_m": root,
        "joints_world_m": joints,
        "contacts": contacts,
    }
    return dataclasses.replace(
        full, **cut, contact_names=("left_heel", "left_toe", "right_heel", "right_toe")
    )


def test_contact_points_are_those_of_the_solve(gliding: Motion) -> None:
    body = proportions((), np.empty((1, 0, 3)), np.empty((1, 0)))
    local = np.random.default_rng(1).normal(size=(10, len(SKELETON), 4))
    local /= np.linalg.norm(local, axis=2, keepdims=True)
    joints = joint_positions(local, np.zeros((10, 3)), body.rest_offsets_m, SKELETON.parents)
    motion = dataclasses.replace(
        gliding,
        **{
            field.name: getattr(gliding, field.name)[:10]
            for field in dataclasses.fields(gliding)
            if len(np.atleast_1d(getattr(gliding, field.name))) == 50
        },
    )
    motion = dataclasses.replace(
        motion,
        rest_offsets_m=body.rest_offsets_m,
        local_rotations_wxyz=local,
        joints_world_m=joints,
        contact_names=CONTACT_POINTS,
        contacts=np.ones((10, len(CONTACT_POINTS))),
    )
    expected = contact_points(joints, global_rotations(local, SKELETON.parents), body)
    np.testing.assert_allclose(contact_points_m(motion), expected, atol=1e-9)


def test_soles_slide_where_they_carry(gliding: Motion) -> None:
    assert contact_slide_mm(gliding) == pytest.approx(3.0, abs=1e-3)
    assert contact_slide_mm(dataclasses.replace(gliding, contacts=np.zeros((50, 4)))) is None
    lonely = np.zeros((50, 4))
    lonely[::2] = 1  # never in two frames together
    assert contact_slide_mm(dataclasses.replace(gliding, contacts=lonely)) is None


def test_a_heel_slides_when_the_foot_turns_on_its_ball(gliding: Motion) -> None:
    """The ankle is placed so that the ball stays, whatever the foot does."""
    local = gliding.local_rotations_wxyz.copy()
    ankle = SKELETON.index("left_ankle")
    angle = np.linspace(0, 0.5, 50)
    local[:, ankle, 0], local[:, ankle, 3] = np.cos(angle / 2), np.sin(angle / 2)
    still = np.zeros((50, 3))
    joints = joint_positions(local, still, gliding.rest_offsets_m, SKELETON.parents)
    joints = joints - (joints[:, [SKELETON.index("left_toe")]] - joints[0, SKELETON.index("left_toe")])
    turned = dataclasses.replace(gliding, local_rotations_wxyz=local, joints_world_m=joints)
    both = np.ones((50, 4)) * [1, 0, 0, 0], np.ones((50, 4)) * [0, 1, 0, 0]
    heel, ball = (contact_slide_mm(dataclasses.replace(turned, contacts=contacts)) for contacts in both)
    assert heel is not None and ball is not None
    assert ball == pytest.approx(0, abs=1e-3)
    assert heel > 0.5


def test_limbs_of_other_lengths_do_not_fit(gliding: Motion) -> None:
    names = ("left_hip", "left_knee", "left_ankle", "right_hip", "right_knee", "right_ankle")
    columns = [SKELETON.index(name) for name in names]
    joints = gliding.joints_world_m[:, columns] - gliding.root_world_m[:, None]
    indices = np.arange(50)

    def pose(points: np.ndarray, names: tuple[str, ...] = names) -> Pose3D:
        return Pose3D(names, indices, indices / 30, points, np.ones(points.shape[:2]), np.zeros((50, 3)))

    assert bone_fit_percent(gliding, pose(joints)) == pytest.approx(0, abs=1e-3)
    # Who is seen larger all over is only nearer.
    assert bone_fit_percent(gliding, pose(1.3 * joints)) == pytest.approx(0, abs=1e-3)
    longer = joints.copy()
    longer[:, [2, 5]] += 0.2 * (longer[:, [2, 5]] - longer[:, [1, 4]])
    assert bone_fit_percent(gliding, pose(longer)) == pytest.approx(9, abs=1)  # shins are 20 % longer
    assert bone_fit_percent(gliding, pose(joints[:, :1], ("nose",))) is None
    assert bone_fit_percent(gliding, pose(np.full_like(joints, np.nan))) is None


def test_a_report_says_them_of_everybody(tmp_path: Path) -> None:
    for person in write_result(tmp_path / "result").people:
        motion = read_npz(tmp_path / "result" / person.folder / "motion.npz")
        slide = contact_slide_mm(motion)
        assert person.contact_slide_mm == (slide and pytest.approx(slide, abs=0.01))
        assert person.bone_fit_percent is not None and person.bone_fit_percent < 10
        # Fingers are no points of this detector.
        (span,) = person.weak_spans
        assert (span.first_frame, span.last_frame, span.why) == (0, FRAMES - 1, "gap")
        assert all(joint.endswith(("_wrist", "_hand")) for joint in span.joints)
