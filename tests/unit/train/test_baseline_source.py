"""Clips from data sets and from motion capture, by subject and action, in the frames they are asked in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_pose_set import ACTIONS, write_pose_set
from pose_server.lift.points import HUMAN36M_INPUTS, HUMAN36M_INPUTS_17, MPII_INPUTS
from pose_server.train.baseline_source import MotionSource, PoseSetSource, chosen_inputs
from pose_server.train.human36m import cameras_of
from pose_server.train.motions import MotionSet, Take, write_motions
from pose_server.train.pose_sets import write_keypoints, write_positions
from pose_shared.errors import InputError
from pose_shared.skeleton import BODY_31, H36M_17


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sets")
    write_pose_set(path)
    return path


@pytest.fixture
def motions(tmp_path: Path) -> Path:
    body = np.random.default_rng(0).normal(size=(60, 31, 3)).astype(np.float32) * 0.3
    body[:, BODY_31.index("left_hip")] = body[:, BODY_31.index("right_hip")] + 0.2
    takes = (Take("07_01.1", "07", body), Take("07_02.1", "07", body), Take("10_01.1", "10", body))
    write_motions(tmp_path / "set.npz", MotionSet(takes, "0" * 64))
    return tmp_path / "set.npz"


def test_a_recording_is_seen_by_four_cameras_in_pixels(folder: Path) -> None:
    source = PoseSetSource(folder, "h36m", "gt")
    clips = source.clips(["S9"], HUMAN36M_INPUTS)
    assert [clip.action for clip in clips] == ["Sitting"] * 8 + ["SittingDown"] * 4
    assert {clip.subject for clip in clips} == {"S9"}
    wrist = H36M_17.index("left_wrist")
    for clip, camera in zip(clips[:4], cameras_of("S9"), strict=True):
        assert (clip.fps, clip.points_px.shape) == (50.0, (40, 16, 2))
        joint = clip.joints_m[:, wrist]
        assert camera.lens is not None
        focal = camera.lens[:2] * camera.size[0] / 2
        expected = joint[:, :2] / joint[:, 2:] * focal + camera.pixels(camera.lens[2:4])
        np.testing.assert_allclose(
            clip.points_px[:, HUMAN36M_INPUTS.index("left_wrist")], expected, atol=0.05
        )


def test_the_cameras_mean_is_human36ms(folder: Path) -> None:
    source = PoseSetSource(folder, "h36m", "gt")
    assert source.focal_px == pytest.approx((1147.344, 1146.236), abs=0.01)
    assert source.centre_px == pytest.approx((514.044, 506.700), abs=0.01)


def test_the_room_is_the_same_from_every_camera(folder: Path) -> None:
    clips = PoseSetSource(folder, "h36m", "gt", room_frame=True).clips(["S9"], HUMAN36M_INPUTS)
    for clip in clips[1:4]:
        np.testing.assert_allclose(clip.joints_m, clips[0].joints_m, atol=1e-5)
    seen = PoseSetSource(folder, "h36m", "gt").clips(["S9"], HUMAN36M_INPUTS)
    assert np.abs(seen[1].joints_m - seen[0].joints_m).max() > 1


def test_sitting_is_not_sitting_down(folder: Path) -> None:
    source = PoseSetSource(folder, "h36m", "gt")
    assert {c.action for c in source.clips(["S9"], HUMAN36M_INPUTS, actions=["Sitting"])} == {"Sitting"}
    with pytest.raises(InputError, match="nobody doing Flying; choose from Sitting, SittingDown"):
        source.clips(["S9"], HUMAN36M_INPUTS, actions=["Flying"])
    with pytest.raises(InputError, match="no subject 'S7'; choose from S1, S9"):
        source.clips(["S7"], HUMAN36M_INPUTS)


def test_detections_of_coco_become_points_of_human36m(tmp_path: Path) -> None:
    write_pose_set(tmp_path, subjects=("S1",), frames=5)
    points = np.random.default_rng(0).uniform(0, 1000, (5, 17, 2)).astype(np.float32)
    write_keypoints(
        tmp_path / "data_2d_h36m_coco.npz", {"S1": {a: [points] * 4 for a in ACTIONS}}, layout="coco"
    )
    clip = PoseSetSource(tmp_path, "h36m", "coco").clips(["S1"], HUMAN36M_INPUTS)[0]
    hips = points[:, 11:13].mean(axis=1)
    np.testing.assert_allclose(clip.points_px[:, 0], hips, atol=0.01)


def test_other_skeletons_and_rooms_are_refused(tmp_path: Path) -> None:
    joints = np.full((4, 15, 3), 4, np.float32)
    pixels = np.full((4, 17, 2), 100, np.float32)
    write_positions(tmp_path / "data_3d_custom_x.npz", {"a.mp4": {"custom": joints}})
    sizes = {"a.mp4": (640, 480)}
    keypoints = tmp_path / "data_2d_custom_x_k.npz"
    write_keypoints(keypoints, {"a.mp4": {"custom": [pixels]}}, layout="coco", sizes=sizes)
    with pytest.raises(InputError, match=r"comes without the 17 joints of Human3\.6M"):
        PoseSetSource(tmp_path, "custom_x", "k")
    seventeen = np.random.default_rng(0).normal(size=(4, 17, 3)) * 0.3 + [0, 0, 4]
    write_positions(tmp_path / "data_3d_custom_x.npz", {"a.mp4": {"custom": seventeen.astype(np.float32)}})
    source = PoseSetSource(tmp_path, "custom_x", "k")
    assert source.focal_px == (1147.344, 1146.236), "unknown lenses are taken for Human3.6M's"
    assert len(source.clips(["a.mp4"], HUMAN36M_INPUTS)) == 1
    with pytest.raises(InputError, match="does not say where its cameras stand"):
        PoseSetSource(tmp_path, "custom_x", "k", room_frame=True)


def test_a_motion_set_is_filmed(motions: Path) -> None:
    source = MotionSource(motions)
    assert (source.train_subjects, source.test_subjects) == (("07",), ("10",))
    clips = source.clips(source.train_subjects, MPII_INPUTS)
    assert [clip.action for clip in clips] == ["07_01.1"] * 4 + ["07_02.1"] * 4
    assert len(source.clips(["07"], MPII_INPUTS, actions=["07_02.1"])) == 4
    again = MotionSource(motions).clips(["07"], MPII_INPUTS)
    np.testing.assert_array_equal(again[0].points_px, clips[0].points_px)
    other = MotionSource(motions, seed=1).clips(["07"], MPII_INPUTS)
    assert np.abs(other[0].points_px - clips[0].points_px).max() > 1


def test_what_a_motion_set_lacks_is_said(motions: Path) -> None:
    with pytest.raises(InputError, match="no subject '11'; choose from 07, 10"):
        MotionSource(motions).clips(["11"], HUMAN36M_INPUTS)
    with pytest.raises(InputError, match="no take of 07 called 07_09"):
        MotionSource(motions).clips(["07"], HUMAN36M_INPUTS, actions=["07_09"])


def test_points_by_name() -> None:
    assert chosen_inputs("human36m", nose=False) == HUMAN36M_INPUTS
    assert chosen_inputs("human36m", nose=True) == HUMAN36M_INPUTS_17
    assert chosen_inputs("mpii", nose=False) == MPII_INPUTS
    with pytest.raises(InputError, match="no 17 points called 'mpii'"):
        chosen_inputs("mpii", nose=True)
