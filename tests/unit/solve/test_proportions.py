"""Bone lengths and the T-pose."""

from __future__ import annotations

import numpy as np
import pytest
from pose_server.solve.proportions import proportions
from pose_shared.skeleton import SKELETON, mirrored_name


def offset(body, joint):
    return body.rest_offsets_m[SKELETON.index(joint)]


def test_t_pose_is_symmetric_and_faces_minus_y(studio):
    body = studio.body
    for joint in SKELETON.joints:
        assert offset(body, mirrored_name(joint)) == pytest.approx(offset(body, joint) * [-1, 1, 1])
    assert offset(body, "left_elbow")[0] > 0
    assert offset(body, "left_toe")[1] < 0
    assert offset(body, "left_knee")[2] < 0
    assert offset(body, "pelvis") == pytest.approx([0, 0, 0])


def test_nobody_seen_is_an_adult():
    body = proportions((), np.zeros((3, 0, 3)), np.zeros((3, 0)))
    assert body.stature_m == pytest.approx(1.7)
    height = sum(offset(body, joint)[2] for joint in ("spine", "chest", "neck", "head"))
    legs = -sum(offset(body, joint)[2] for joint in ("left_knee", "left_ankle"))
    assert 1.45 < height + legs - body.heel_m[2] < 1.65


def test_measuring_an_average_person_gives_the_average(studio, walking):
    body = proportions(
        walking.pose.joint_names, walking.pose.joints_root_m, walking.track.keypoint_confidence
    )
    assert body.stature_m == pytest.approx(1.7, rel=2e-3)
    assert offset(body, "left_ankle") == pytest.approx(offset(studio.body, "left_ankle"), rel=2e-3)


def test_size_is_pulled_towards_an_adult(walking):
    body = proportions(
        walking.pose.joint_names, 0.64 * walking.pose.joints_root_m, walking.track.keypoint_confidence
    )
    share = 0.64**0.75
    assert body.stature_m == pytest.approx(share * 1.7, rel=2e-3)
    assert body.seen_stature_m == pytest.approx(0.64 * 1.7, rel=2e-3)
    assert offset(body, "left_knee")[2] == pytest.approx(share * -0.2425 * 1.7, rel=2e-3)


def test_both_sides_get_the_same_length_and_outliers_do_not_count(walking):
    points = walking.pose.joints_root_m.copy()
    names = walking.pose.joint_names
    points[:20, names.index("left_knee")] += 3.0
    points[20:25, names.index("right_ankle")] = np.nan
    body = proportions(names, points, walking.track.keypoint_confidence)
    assert offset(body, "left_knee")[2] == offset(body, "right_knee")[2]
    assert -0.44 < offset(body, "left_knee")[2] < -0.39


def test_doubtful_frames_are_not_measured(walking):
    points, confidence = walking.pose.joints_root_m.copy(), walking.track.keypoint_confidence.copy()
    points[:40] *= 0.5
    confidence[:40] = 0.1
    body = proportions(walking.pose.joint_names, points, confidence)
    assert body.stature_m == pytest.approx(1.7, rel=2e-3)


def test_a_point_in_the_wrong_place_makes_no_cripple(walking):
    points = walking.pose.joints_root_m.copy()
    points[:, walking.pose.joint_names.index("left_wrist")] = points[
        :, walking.pose.joint_names.index("left_elbow")
    ]
    points[:, walking.pose.joint_names.index("right_wrist")] = points[
        :, walking.pose.joint_names.index("right_elbow")
    ]
    body = proportions(walking.pose.joint_names, points, walking.track.keypoint_confidence)
    assert np.linalg.norm(offset(body, "left_wrist")) > 0.6 * 0.1545 * 1.7


def test_another_size_keeps_the_proportions(walking):
    body = proportions(
        walking.pose.joint_names, walking.pose.joints_root_m, walking.track.keypoint_confidence
    )
    tall = body.scaled(1.1)
    np.testing.assert_allclose(tall.rest_offsets_m, 1.1 * body.rest_offsets_m)
    np.testing.assert_allclose(tall.heel_m, 1.1 * body.heel_m)
    assert tall.stature_m == pytest.approx(1.1 * body.stature_m)
