"""The baseline as a lifter: the same body wherever it stands, whatever the picture, whoever looks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from made_people import MATRIX, made_clips, made_joints, projected
from pose_server.lift.baseline import BaselineLifter, cleaned
from pose_server.lift.baseline_file import write_baseline
from pose_server.lift.baseline_model import BaselineModel
from pose_server.lift.lifter import Lifter
from pose_server.lift.points import HUMAN36M_INPUTS, network_points
from pose_server.lift.registry import create_lifter
from pose_server.pipeline.boundary import Camera, Track2D
from pose_server.train.baseline import BaselineOptions, fresh_model, train_baseline
from pose_server.train.run import TrainingRun
from pose_shared.errors import InputError
from pose_shared.skeleton import COCO_17, H36M_17
from scipy.spatial.transform import Rotation


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> BaselineModel:
    """Trained for some seconds on made-up people."""
    options = BaselineOptions(linear_size=128, epochs=12, dropout_keep=1.0)
    run = TrainingRun(tmp_path_factory.mktemp("run"), options.to_dict(), tell=lambda _: None)
    return train_baseline(made_clips(1, 150, 20), options, run)


def camera_of(matrix: np.ndarray, size: tuple[int, int] = (1000, 1000)) -> Camera:
    return Camera(matrix=matrix, distortion=np.zeros(5), image_size=size, focal_source="given")


def track_of(points_px: np.ndarray, names: tuple[str, ...] = H36M_17.joints) -> Track2D:
    frames, count = points_px.shape[:2]
    found = np.isfinite(points_px).all(axis=2).any(axis=1)
    boxes = np.full((frames, 4), np.nan)
    boxes[found] = np.concatenate([f(points_px[found], axis=1) for f in (np.nanmin, np.nanmax)], axis=1)
    return Track2D(
        keypoint_names=names,
        indices=np.arange(frames),
        times_s=np.arange(frames) / 50,
        boxes_px=boxes,
        keypoints_px=points_px,
        keypoint_confidence=np.isfinite(points_px).all(axis=2).astype(float),
        landmarks_m=np.full((frames, count, 3), np.nan),
    )


@pytest.fixture(scope="module")
def body() -> np.ndarray:
    return made_joints(np.random.default_rng(77), 40)


def raw(model: BaselineModel) -> BaselineLifter:
    return BaselineLifter(model, median=False, hold=False)


def test_it_lifts_people_it_has_not_seen(model: BaselineModel) -> None:
    errors, depths = [], []
    for seed in range(8):
        body = made_joints(np.random.default_rng(500 + seed), 40)
        pose = raw(model).lift(track_of(projected(body)), camera_of(MATRIX))
        about = body - body[:, :1]
        columns = [H36M_17.index(name) for name in pose.joint_names]
        errors.append(np.linalg.norm(pose.joints_root_m - about[:, columns], axis=2).mean())
        depths.append(np.abs(pose.root_camera_m[:, 2] / body[:, 0, 2] - 1).mean())
    assert np.mean(errors) < 0.15, "the mean pose alone is 0.25 m off"
    assert np.mean(depths) < 0.1


def test_the_picture_and_the_lens_do_not_matter(model: BaselineModel, body: np.ndarray) -> None:
    reference = raw(model).lift(track_of(projected(body)), camera_of(MATRIX))
    other = np.array([[300.0, 0, 960], [0, 320.0, 200], [0, 0, 1]])
    found = raw(model).lift(track_of(projected(body, other)), camera_of(other, (1920, 400)))
    np.testing.assert_allclose(found.joints_root_m, reference.joints_root_m, atol=1e-6)
    np.testing.assert_allclose(found.root_camera_m, reference.root_camera_m, atol=1e-4)


def test_where_in_the_picture_the_person_stands_does_not_matter(
    model: BaselineModel, body: np.ndarray
) -> None:
    """A camera turned aside sees the same body, turned; but for the roll that no two rays tell."""
    reference = raw(model).lift(track_of(projected(body)), camera_of(MATRIX))
    pelvis = body[:, 0].mean(axis=0)
    axis = np.cross(pelvis, [0, -1.0, 0])
    aside = Rotation.from_rotvec(0.4 * axis / np.linalg.norm(axis))
    turned = aside.apply(body.reshape(-1, 3)).reshape(body.shape)
    found = raw(model).lift(track_of(projected(turned)), camera_of(MATRIX))
    expected = aside.apply(reference.joints_root_m.reshape(-1, 3)).reshape(found.joints_root_m.shape)
    assert np.linalg.norm(found.joints_root_m - expected, axis=2).mean() < 0.03


def test_distance_does_not_matter(model: BaselineModel, body: np.ndarray) -> None:
    reference = raw(model).lift(track_of(projected(body)), camera_of(MATRIX))
    far = body + 3 * body[:, :1]
    found = raw(model).lift(track_of(projected(far)), camera_of(MATRIX))
    assert np.linalg.norm(found.joints_root_m - reference.joints_root_m, axis=2).mean() < 0.06
    assert np.median(found.root_camera_m[:, 2] / reference.root_camera_m[:, 2]) == pytest.approx(4, rel=0.1)


def test_any_detector_will_do(model: BaselineModel, body: np.ndarray) -> None:
    names = COCO_17.joints
    points = np.full((len(body), len(names), 2), np.nan)
    flat = projected(body)
    for i, name in enumerate(names):
        source = {"left_ear": "nose", "right_ear": "nose"}.get(name, name)
        if source in H36M_17.joints:
            points[:, i] = flat[:, H36M_17.index(source)]
    pose = raw(model).lift(track_of(points, names), camera_of(MATRIX))
    assert pose.joint_names == ("pelvis", *model.outputs)
    assert np.isfinite(pose.joints_root_m).all()
    about = body - body[:, :1]
    columns = [H36M_17.index(name) for name in pose.joint_names]
    assert np.linalg.norm(pose.joints_root_m - about[:, columns], axis=2).mean() < 0.2


def test_hips_are_the_middle_and_root_projects_onto_them(model: BaselineModel, body: np.ndarray) -> None:
    pose = raw(model).lift(track_of(projected(body)), camera_of(MATRIX))
    hips = [pose.joint_names.index(side + "_hip") for side in ("left", "right")]
    np.testing.assert_allclose(pose.joints_root_m[:, hips].mean(axis=1), 0, atol=1e-9)
    np.testing.assert_array_equal(pose.joints_root_m[:, 0], 0)
    off = projected(pose.root_camera_m) - projected(body[:, 0])
    assert np.abs(off).mean() < 20
    assert (pose.uncertainty_m == pytest.approx(0.06)) is True


def holed(body: np.ndarray, rows: list[int], joint: int) -> np.ndarray:
    points = projected(body)
    points[rows, joint] = np.nan
    return points


@pytest.mark.parametrize(
    ("clean", "lost"),
    [
        (lambda m: BaselineLifter(m, median=False, hold=False), [5, 6, 7]),
        (lambda m: BaselineLifter(m, median=False, hold=True), []),
        (lambda m: BaselineLifter(m, median=True, hold=False), []),
        (lambda m: BaselineLifter(m, spline=True), []),
    ],
    ids=["raw", "hold", "median", "all"],
)
def test_a_missing_point(
    model: BaselineModel, body: np.ndarray, clean: Callable[[BaselineModel], BaselineLifter], lost: list[int]
) -> None:
    pose = clean(model).lift(track_of(holed(body, [5, 6, 7], 16)), camera_of(MATRIX))
    missing = np.isnan(pose.joints_root_m).all(axis=(1, 2))
    assert np.flatnonzero(missing).tolist() == lost
    assert np.isnan(pose.uncertainty_m[missing]).all()
    assert np.isnan(pose.root_camera_m[missing]).all()
    if not lost:
        wrist = pose.joint_names.index("right_wrist")
        assert (pose.uncertainty_m[[5, 6, 7], wrist] > pose.uncertainty_m[0, wrist]).all()


def test_a_frame_without_the_person_stays_empty(model: BaselineModel, body: np.ndarray) -> None:
    points = projected(body)
    points[10:20] = np.nan
    pose = BaselineLifter(model).lift(track_of(points), camera_of(MATRIX))
    assert np.flatnonzero(np.isnan(pose.joints_root_m).any(axis=(1, 2))).tolist() == [*range(10, 20)]


def test_nobody_and_a_single_picture(model: BaselineModel, body: np.ndarray) -> None:
    nobody = BaselineLifter(model).lift(track_of(np.full((5, 17, 2), np.nan)), camera_of(MATRIX))
    assert np.isnan(nobody.joints_root_m).all()
    one = BaselineLifter(model).lift(track_of(projected(body[:1])), camera_of(MATRIX))
    assert np.isfinite(one.joints_root_m).all()


def test_giants_are_no_answer(model: BaselineModel, body: np.ndarray) -> None:
    """What `cache_on_fail` was for: a point far off makes the network answer far off."""
    points = projected(body)
    points[20, [3, 6]] += 4000
    pose = raw(model).lift(track_of(points), camera_of(MATRIX))
    assert np.isnan(pose.joints_root_m[20]).all()


def test_it_is_a_lifter_whose_fingerprint_tells_networks_and_options_apart(
    model: BaselineModel, tmp_path: Path
) -> None:
    lifter: Lifter = BaselineLifter(model)
    assert lifter.name == "baseline"
    write_baseline(tmp_path / "b.npz", model)
    assert BaselineLifter.from_file(tmp_path / "b.npz").fingerprint == lifter.fingerprint
    assert create_lifter(str(tmp_path / "b.npz"), "cpu").fingerprint == lifter.fingerprint
    assert BaselineLifter(model, hold=False).fingerprint != lifter.fingerprint
    torch.manual_seed(1)
    other = fresh_model(made_clips(1, 150, 20), BaselineOptions(linear_size=128))
    assert BaselineLifter(other).fingerprint != lifter.fingerprint


def test_a_network_of_a_room_is_refused(model: BaselineModel) -> None:
    with pytest.raises(InputError, match="train one in camera axes"):
        BaselineLifter(dataclasses.replace(model, camera_frame=False))


def test_clean_ups_can_be_had_alone() -> None:
    points = np.random.default_rng(0).normal(size=(20, 3, 2))
    kept = points.copy()
    found = cleaned(points, median=False, hold=False, spline=False)
    np.testing.assert_array_equal(found, kept)
    found[:] = 0
    np.testing.assert_array_equal(points, kept)


def test_the_points_are_the_networks_own() -> None:
    """Whoever has the seventeen joints of Human3.6M hands over sixteen of them, untouched."""
    points = np.random.default_rng(0).normal(size=(2, 17, 2))
    found = network_points(points, H36M_17.joints, HUMAN36M_INPUTS)
    np.testing.assert_array_equal(found, np.delete(points, H36M_17.index("nose"), axis=1))
