"""Archives of Human3.6M and HumanEva, and detections, as generated files of the same layout."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pose_server.train.detections import read_detections
from pose_server.train.human36m import cameras_of, detected_points, human36m_recordings, true_points
from pose_server.train.humaneva import humaneva_recordings
from pose_server.train.pose_sets import read_pose_set, write_keypoints, write_positions
from pose_shared.errors import InputError, MissingExtraError
from scipy.io import savemat


def joints_mm(frames: int = 6) -> np.ndarray:
    return np.random.default_rng(0).uniform([-800, -800, 100], [800, 800, 1700], size=(frames, 32, 3))


def mat_folder(place: Path) -> Path:
    """What convert_cdf_to_mat.m leaves: a cell around a (T, 96) array."""
    for subject, action in (
        ("S1", "Directions 1"),
        ("S1", "TakingPhoto"),
        ("S11", "Directions"),
        ("S2", "Eating"),
    ):
        file = place / subject / "MyPoseFeatures" / "D3_Positions" / f"{action}.cdf.mat"
        file.parent.mkdir(parents=True, exist_ok=True)
        cell = np.empty((1, 1), dtype=object)
        cell[0, 0] = joints_mm().reshape(6, 96)
        savemat(file, {"data": cell})
    return place


def test_a_folder_of_mat_files(tmp_path: Path) -> None:
    found = human36m_recordings(mat_folder(tmp_path))
    # The damaged film and a subject without public joints are left out, names made the same.
    assert {subject: set(actions) for subject, actions in found.items()} == {"S1": {"Directions 1", "Photo"}}
    np.testing.assert_allclose(found["S1"]["Photo"], joints_mm() / 1000, atol=1e-6)
    assert found["S1"]["Photo"].dtype == np.float32


def test_the_prepared_set_reads_back(tmp_path: Path) -> None:
    found = human36m_recordings(mat_folder(tmp_path / "source"))
    write_positions(tmp_path / "data_3d_h36m.npz", found)
    write_keypoints(tmp_path / "data_2d_h36m_gt.npz", true_points(found), layout="h36m")
    view = read_pose_set(tmp_path, "h36m", "gt").views[0]
    camera = cameras_of("S1")[0]
    hip = camera.seen(joints_mm()[0, 0] / 1000)
    rough = hip[:2] / hip[2] * camera.lens[:2] + camera.lens[2:4]
    assert np.abs(view.points[0, 0] - rough).max() < 0.03
    assert camera.pixels(view.points[0, 0]).max() < 1000


def test_martinez_archive(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="needs the extra 'datasets'")
    archive = tmp_path / "h36m.zip"
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["3D_positions"] = joints_mm().reshape(6, 96).T
    with zipfile.ZipFile(archive, "w") as target:
        target.write(tmp_path / "x.h5", "h36m/S9/MyPoses/3D_positions/WalkingDog 1.h5")
        target.write(tmp_path / "x.h5", "h36m/S9/StackedHourglass/WalkingDog_1.54138969.h5")
    found = human36m_recordings(archive)
    np.testing.assert_allclose(found["S9"]["WalkDog 1"], joints_mm() / 1000, atol=1e-6)


def test_cdf_files(tmp_path: Path) -> None:
    cdflib = pytest.importorskip("cdflib", reason="needs the extra 'datasets'")
    place = tmp_path / "S5" / "MyPoseFeatures" / "D3_Positions"
    place.mkdir(parents=True)
    from cdflib.cdfwrite import CDF

    assert cdflib
    with_file = CDF(str(place / "Eating"), cdf_spec={"Majority": "row_major"})
    with_file.write_var(
        {
            "Variable": "Pose",
            "Data_Type": 45,
            "Num_Elements": 1,
            "Rec_Vary": True,
            "Dim_Sizes": [6, 96],
        },
        var_data=joints_mm().reshape(1, 6, 96),
    )
    with_file.close()
    np.testing.assert_allclose(human36m_recordings(tmp_path)["S5"]["Eating"], joints_mm() / 1000, atol=1e-6)


def test_a_missing_package_names_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("h5py", "cdflib"):
        monkeypatch.setitem(__import__("sys").modules, package, None)
    with zipfile.ZipFile(tmp_path / "h36m.zip", "w") as target:
        target.writestr("h36m/S9/MyPoses/3D_positions/Eating.h5", b"")
    with pytest.raises(MissingExtraError, match=r'h36m.zip needs h5py; .*"pose-server\[datasets\]"'):
        human36m_recordings(tmp_path / "h36m.zip")
    place = tmp_path / "S5" / "D3_Positions"
    place.mkdir(parents=True)
    (place / "Eating.cdf").write_bytes(b"")
    with pytest.raises(MissingExtraError, match=r"\.cdf files needs cdflib"):
        human36m_recordings(tmp_path)


def test_archives_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no recording of Human3.6M; give h36m.zip") as error:
        human36m_recordings(tmp_path)
    assert error.value.reason == "DATASET_EMPTY"
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(InputError, match=r"cut.zip is no whole zip archive"):
        human36m_recordings(tmp_path / "cut.zip")
    with pytest.raises(InputError, match="There is no file"):
        human36m_recordings(tmp_path / "none.zip")
    file = tmp_path / "S1" / "D3_Positions" / "Eating.mat"
    file.parent.mkdir(parents=True)
    savemat(file, {"data": np.zeros((4, 60))})
    with pytest.raises(InputError, match=r"holds an array of \(4, 60\) and not 96 numbers per frame"):
        human36m_recordings(tmp_path)
    file.write_bytes(b"MATLAB 5.0 MAT-file" * 20)
    with pytest.raises(
        InputError, match=r"'S1/D3_Positions/Eating.mat' is damaged .*; get the archive"
    ) as error:
        human36m_recordings(tmp_path)
    assert error.value.reason == "DATASET_DAMAGED"
    with pytest.raises(InputError, match="holds no recording of HumanEva; give the folder converted_15j"):
        humaneva_recordings(tmp_path)


def test_humaneva_is_cut_where_joints_were_lost(tmp_path: Path) -> None:
    positions = np.random.default_rng(0).normal(size=(9, 15, 3)) * 300
    points = np.random.default_rng(1).uniform(0, 400, size=(3, 9, 15, 2))
    broken = positions.copy()
    broken[3:5, 7] = np.nan
    file = tmp_path / "Train" / "S1" / "Walking_1.mat"
    file.parent.mkdir(parents=True)
    savemat(file, {"poses_3d": broken, "poses_2d": points})
    found = humaneva_recordings(tmp_path)
    pieces = found.joints_m["Train/S1"]
    assert list(pieces) == ["Walking 1 chunk0", "Walking 1 chunk2"]
    np.testing.assert_allclose(pieces["Walking 1 chunk2"], positions[5:] / 1000, atol=1e-6)
    np.testing.assert_allclose(found.points_px["Train/S1"]["Walking 1 chunk0"][2], points[2, :3], atol=1e-4)
    write_positions(tmp_path / "data_3d_humaneva15.npz", found.joints_m)
    write_keypoints(tmp_path / "data_2d_humaneva15_gt.npz", found.points_px, layout="humaneva15")
    assert len(read_pose_set(tmp_path, "humaneva15", "gt").views) == 6

    savemat(file, {"poses_3d": positions})
    with pytest.raises(InputError, match=r"Walking_1.mat lacks poses_3d .* and poses_2d"):
        humaneva_recordings(tmp_path)
    file.write_bytes(b"none")
    with pytest.raises(InputError, match=r"Walking_1.mat is damaged or no .mat file"):
        humaneva_recordings(tmp_path)


def test_twenty_joints_of_humaneva(tmp_path: Path) -> None:
    points = {"Train/S1": {"Box 1 chunk0": [np.ones((4, 20, 2), np.float32)] * 3}}
    write_positions(
        tmp_path / "data_3d_humaneva20.npz", {"Train/S1": {"Box 1 chunk0": np.ones((4, 20, 3), np.float32)}}
    )
    write_keypoints(tmp_path / "data_2d_humaneva20_gt.npz", points, layout="humaneva20")
    data = read_pose_set(tmp_path, "humaneva20", "gt")
    assert data.mirrors[0] == data.mirrors[1]
    assert [data.mirrors[1][i] for i in (0, 3, 7, 14, 18, 19)] == [0, 7, 3, 18, 14, 19]


def detections(path: Path, people: list[list[tuple[float, float]]], **changes: Any) -> Path:
    """A file of infer_video_d2: per frame, (score, x of every keypoint) of each person."""
    boxes, keypoints = (np.empty(len(people), dtype=object) for _ in range(2))
    for i, frame in enumerate(people):
        boxes[i] = [[], np.array([[0, 0, 1, 1, score] for score, _ in frame])]
        points = np.zeros((len(frame), 4, 17))
        for j, (_, x) in enumerate(frame):
            points[j, 0], points[j, 1] = x, np.arange(17)
        keypoints[i] = [[], points]
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {"boxes": boxes, "keypoints": keypoints, "metadata": {"w": 640, "h": 480}, **changes}
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def test_the_likeliest_person_of_each_frame_gaps_filled(tmp_path: Path) -> None:
    people = [[(0.8, 10.0), (0.9, 20.0)], [], [(0.7, 40.0)], []]
    found = read_detections(detections(tmp_path / "a.mp4.npz", people))
    assert found.size == (640, 480)
    np.testing.assert_allclose(found.points_px[:, 3, 0], [20, 30, 40, 40])
    np.testing.assert_allclose(found.points_px[0, :, 1], np.arange(17))


def test_detections_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a.npz cannot be used: nobody is in the film; run the") as error:
        read_detections(detections(tmp_path / "a.npz", [[], []]))
    assert error.value.reason == "DATASET_EMPTY"
    with pytest.raises(InputError, match="it lacks boxes, keypoints or the film's size"):
        read_detections(detections(tmp_path / "a.npz", [[(1.0, 2.0)]], metadata=None))
    short = np.empty(1, dtype=object)
    short[0] = [[], np.zeros((1, 4, 16))]
    with pytest.raises(InputError, match="frame 0 holds no people of 17 keypoints"):
        read_detections(detections(tmp_path / "a.npz", [[(1.0, 2.0)]], keypoints=short))


def test_detections_of_human36ms_films(tmp_path: Path) -> None:
    for camera in cameras_of("S1"):
        detections(tmp_path / "S1" / f"WalkingDog 1.{camera.name}.mp4.npz", [[(1.0, float(camera.name[:2]))]])
    found = detected_points(tmp_path)
    assert [float(view[0, 0, 0]) for view in found["S1"]["WalkDog 1"]] == [54, 55, 58, 60]
    (tmp_path / "S1" / "WalkingDog 1.58860488.mp4.npz").unlink()
    with pytest.raises(InputError, match="detections of S1 WalkDog 1 lack camera 58860488"):
        detected_points(tmp_path)
    with pytest.raises(InputError, match="holds no detections"):
        detected_points(tmp_path / "S1")
