"""Data sets of VideoPose3D's format: what they hold, what is chosen of them, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_room import as_coco, made_person, write_made_set
from pose_server.train.human36m import JOINTS_OF_32, cameras_of
from pose_server.train.pose_sets import PoseSet, read_pose_set, thinned
from pose_shared.errors import InputError
from pose_shared.skeleton import COCO_17, H36M_17


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sets")
    write_made_set(place, {"S1": 40, "S9": 30}, recordings=3)
    write_made_set(place, {"S1": 40, "S9": 30}, recordings=3, layout="coco", keypoints="coco")
    return place


@pytest.fixture(scope="module")
def data(folder: Path) -> PoseSet:
    return read_pose_set(folder, "h36m", "gt")


def test_a_view_is_one_camera_of_one_recording(data: PoseSet) -> None:
    assert len(data.views) == 2 * 3 * 4
    assert data.rate == 50
    assert data.inputs == data.outputs == H36M_17.joints
    view = data.chosen(["S9"])[5]
    assert (view.subject, view.action, view.camera.name) == ("S9", "Sitting", "55011271")
    assert view.points.shape == (30, 17, 2) and view.points.dtype == np.float32
    camera = cameras_of("S9")[1]
    np.testing.assert_allclose(view.joints_m, camera.seen(made_person(901, 30)), atol=1e-5)
    # x from -1 to 1 over the width.
    plane = view.joints_m[..., :2] / view.joints_m[..., 2:]
    rough = plane * camera.lens[:2] + camera.lens[2:4]
    assert np.abs(view.points - rough).max() < 0.02


def test_layouts_of_others(folder: Path) -> None:
    data = read_pose_set(folder, "h36m", "coco")
    assert data.inputs == COCO_17.joints
    assert [data.mirrors[0][i] for i in (0, 1, 5, 16)] == [0, 2, 6, 15]
    assert data.mirrors[1] == tuple(H36M_17.mirror)


def test_actions_are_chosen_by_how_their_names_begin(data: PoseSet) -> None:
    assert {view.action for view in data.chosen(["S1"], ["Walk"])} == {"Walking", "Walking 1"}
    assert {view.action for view in data.chosen(["S1"], ["Sitting", "Walking 1"])} == {"Sitting", "Walking 1"}
    with pytest.raises(InputError, match=r"no subject 'S5'; choose from S1, S9") as error:
        data.chosen(["S5"])
    assert error.value.reason == "SUBJECT_UNKNOWN"
    with pytest.raises(InputError, match="has no frame of S1 doing Flying; choose other") as error:
        data.chosen(["S1"], ["Flying"])
    assert error.value.reason == "DATASET_EMPTY"
    with pytest.raises(InputError, match="has no frame of nobody"):
        data.chosen([])


def test_a_subset_is_one_run_of_frames_and_the_same_each_time(data: PoseSet) -> None:
    view = data.chosen(["S1"])[0]
    tenth = thinned(view, subset=0.1)
    assert len(tenth) == 4
    start = next(i for i in range(40) if np.array_equal(view.points[i], tenth.points[0]))
    np.testing.assert_array_equal(tenth.joints_m, view.joints_m[start : start + 4])
    np.testing.assert_array_equal(tenth.points, thinned(view, subset=0.1).points)
    other = thinned(data.chosen(["S1"])[4], subset=0.1)
    assert not np.array_equal(other.points[0], data.chosen(["S1"])[4].points[start]) or start == 0
    slow = thinned(view, downsample=5)
    np.testing.assert_array_equal(slow.points, view.points[::5])
    both = thinned(view, subset=0.5, downsample=2)
    assert len(both) == 10
    assert len(thinned(view, subset=0.001)) == 1


def save(folder: Path, name: str, **arrays: Any) -> None:
    np.savez(folder / f"{name}.npz", **arrays)


METADATA = {"layout_name": "h36m", "num_joints": 17, "keypoints_symmetry": [[4, 5], [1, 2]]}


def pair(folder: Path, *, frames_2d: int = 5, frames_3d: int = 5, **changes: Any) -> None:
    joints = np.zeros((frames_3d, 32, 3), np.float32)
    points = [np.ones((frames_2d, 17, 2), np.float32)] * 4
    save(folder, "data_3d_h36m", **{"positions_3d": {"S1": {"Walk": joints}}, **changes.pop("threed", {})})
    save(
        folder,
        "data_2d_h36m_gt",
        **{"positions_2d": {"S1": {"Walk": points}}, "metadata": METADATA, **changes},
    )


def test_films_may_be_longer_than_the_capture(tmp_path: Path) -> None:
    pair(tmp_path, frames_2d=9)
    assert all(len(view) == 5 for view in read_pose_set(tmp_path, "h36m", "gt").views)


@pytest.mark.parametrize(
    ("changes", "reason", "sentence"),
    [
        ({"frames_2d": 4}, "DATASET_LENGTHS", "S1 Walk has 4 frames of keypoints for 5 of joints"),
        ({"frames_2d": 0, "frames_3d": 0}, "DATASET_EMPTY", "it has no frames"),
        ({"positions_2d": {}}, "DATASET_EMPTY", "it has no frames"),
        ({"positions_2d": np.zeros(3)}, "DATASET_KEYS", "it lacks 'positions_2d'"),
        ({"positions_2d": {"S1": [1]}}, "DATASET_KEYS", "its positions_2d is not by subject and action"),
        ({"metadata": {"layout_name": "h36m"}}, "DATASET_KEYS", "its metadata lacks 'num_joints'"),
        ({"metadata": {**METADATA, "num_joints": 3}}, "DATASET_SHAPE", "keypoints_symmetry does not fit 3"),
        ({"metadata": {**METADATA, "keypoints_symmetry": [[1], []]}}, "DATASET_SHAPE", "does not fit"),
        (
            {"positions_2d": {"S1": {"Walk": [np.ones((5, 16, 2))]}}},
            "DATASET_SHAPE",
            r"S1 Walk has an array of \(5, 16, 2\) and not \(frames, 17, 2\)",
        ),
        (
            {"positions_2d": {"S1": {"Walk": [np.ones((5, 17, 2))] * 5}}},
            "DATASET_LENGTHS",
            "S1 Walk has 5 views of 4 cameras",
        ),
        (
            {"positions_2d": {"S1": {"Walk": [np.full((5, 17, 2), np.nan)]}}},
            "DATASET_SHAPE",
            "keypoints that are not finite; fill them first",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path: Path, changes: Any, reason: str, sentence: str) -> None:
    pair(tmp_path, **changes)
    with pytest.raises(InputError, match=f"^data_2d_h36m_gt.npz cannot be used: .*{sentence}.*; ") as error:
        read_pose_set(tmp_path, "h36m", "gt")
    assert error.value.reason == reason


def test_joints_of_another_count_are_one_sentence(tmp_path: Path) -> None:
    pair(tmp_path, threed={"positions_3d": {"S1": {"Walk": np.zeros((5, 25, 3))}}})
    with pytest.raises(InputError, match=r"S1 Walk has an array of \(5, 25, 3\) and not \(frames, 32, 3\)"):
        read_pose_set(tmp_path, "h36m", "gt")
    pair(tmp_path, threed={"positions_3d": np.zeros(2)})
    with pytest.raises(InputError, match=r"^data_3d_h36m.npz cannot be used: it lacks 'positions_3d'"):
        read_pose_set(tmp_path, "h36m", "gt")


def test_files_and_sets_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no file .*data_2d_h36m_cpn.npz"):
        read_pose_set(tmp_path, "h36m", "cpn")
    with pytest.raises(InputError, match="There is no data set 'amass'; choose h36m, humaneva15"):
        read_pose_set(tmp_path, "amass", "gt")
    pair(tmp_path, positions_2d={"S77": {"Walk": [np.ones((5, 17, 2))]}})
    with pytest.raises(InputError, match=r"Human3.6M has no subject 'S77'; choose from S1"):
        read_pose_set(tmp_path, "h36m", "gt")


def test_a_custom_set_needs_films_and_their_sizes_alone(tmp_path: Path) -> None:
    points = as_coco(np.random.default_rng(0).uniform(100, 600, size=(6, 17, 2))).astype(np.float32)
    metadata = {**METADATA, "layout_name": "coco", "video_metadata": {"a.mp4": {"w": 1280, "h": 720}}}
    save(tmp_path, "data_2d_custom_mine", positions_2d={"a.mp4": {"custom": [points]}}, metadata=metadata)
    data = read_pose_set(tmp_path, "custom", "mine")
    (view,) = data.views
    assert (view.subject, view.action, view.joints_m, view.camera.size) == (
        "a.mp4",
        "custom",
        None,
        (1280, 720),
    )
    np.testing.assert_allclose(view.camera.pixels(view.points), points, rtol=1e-5)
    # With joints in the camera it can be learnt from.
    save(tmp_path, "data_3d_custom", positions_3d={"a.mp4": {"custom": np.ones((6, 17, 3), np.float32)}})
    (view,) = read_pose_set(tmp_path, "custom", "mine").views
    np.testing.assert_array_equal(view.joints_m, np.ones((6, 17, 3)))
    del metadata["video_metadata"]
    save(tmp_path, "data_2d_custom_mine", positions_2d={"a.mp4": {"custom": [points]}}, metadata=metadata)
    with pytest.raises(InputError, match=r"its metadata lacks the size of 'a.mp4'"):
        read_pose_set(tmp_path, "custom", "mine")


def test_humaneva_sets_have_their_own_cameras_and_rate(tmp_path: Path) -> None:
    joints = np.random.default_rng(0).normal(size=(5, 15, 3)).astype(np.float32)
    points = [np.ones((5, 15, 2), np.float32)] * 3
    metadata = {"layout_name": "humaneva15", "num_joints": 15, "keypoints_symmetry": [[2, 3], [5, 6]]}
    named = {"Train/S2": {"Jog 1 chunk0": joints}}
    save(tmp_path, "data_3d_humaneva15", positions_3d=named)
    unlabelled = {"Unlabeled/Validate/S4": {"Jog 1": points}}
    save(
        tmp_path,
        "data_2d_humaneva15_gt",
        positions_2d={"Train/S2": {"Jog 1 chunk0": points}, **unlabelled},
        metadata=metadata,
    )
    data = read_pose_set(tmp_path, "humaneva15", "gt")
    assert (data.rate, len(data.views), len(data.outputs)) == (60, 6, 15)
    assert [view.joints_m is None for view in data.views] == [False] * 3 + [True] * 3
    # Going into a camera keeps distances.
    before = np.linalg.norm(joints[:, 1:] - joints[:, :1], axis=2)
    after = np.linalg.norm(data.views[0].joints_m[:, 1:] - data.views[0].joints_m[:, :1], axis=2)
    np.testing.assert_allclose(after, before, atol=1e-5)


def test_the_17_of_the_32_joints_are_those_that_move() -> None:
    assert len(JOINTS_OF_32) == 17 == len(H36M_17)
    assert not set(JOINTS_OF_32) & {4, 5, 9, 10, 11, 16, 20, 21, 22, 23, 24, 28, 29, 30, 31}
