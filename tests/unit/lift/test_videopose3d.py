"""Files of the published layout, and the lifter on a figure whose motion is known."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pose_server.lift.registry import create_lifter
from pose_server.lift.temporal import TemporalForm, TemporalModel
from pose_server.lift.videopose3d import VideoPose3DLifter, filled, normalised
from pose_server.lift.videopose3d_file import PoseCheckpoint, read_checkpoint, write_checkpoint
from pose_server.pipeline.boundary import Camera, Track2D
from pose_server.pipeline.camera import camera_of_clip, project
from pose_shared.errors import InputError
from pose_shared.skeleton import COCO_17, H36M_17, HUMANEVA_15

WIDE = (3, 3, 3, 3, 3)


def made(
    joints_in: int = 17,
    features: int = 2,
    joints_out: int = 17,
    widths: tuple[int, ...] = WIDE,
    *,
    causal: bool = False,
    dense: bool = False,
) -> TemporalModel:
    torch.manual_seed(0)
    model = TemporalModel(TemporalForm(joints_in, features, joints_out, widths, 8, causal, dense))
    for norm in (module for module in model.modules() if isinstance(module, torch.nn.BatchNorm1d)):
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
    return model.eval()


def published(
    path: Path, pose: TemporalModel, traj: TemporalModel | None = None, *, old: bool = True
) -> Path:
    """A file as VideoPose3D's training writes it."""
    content = {
        "epoch": 80,
        "lr": 0.00017,
        "random_state": np.random.RandomState(1234),
        "optimizer": torch.optim.Adam(pose.parameters(), amsgrad=True).state_dict(),
        "model_pos": pose.state_dict(),
        "model_traj": traj.state_dict() if traj else None,
        "random_state_semi": np.random.RandomState(4321) if traj else None,
    }
    torch.save(content, path, _use_new_zipfile_serialization=not old)
    return path


@pytest.mark.parametrize("old", [True, False], ids=["before torch 1.6", "zip"])
@pytest.mark.parametrize(
    ("name", "model", "inputs", "outputs"),
    [
        ("pretrained_h36m_detectron_coco.bin", made(), COCO_17, H36M_17),
        ("pretrained_h36m_cpn.bin", made(), H36M_17, H36M_17),
        ("pretrained_humaneva15_detectron.bin", made(joints_out=15, widths=(3, 3, 3)), COCO_17, HUMANEVA_15),
        ("d-pt-243.bin", made(features=3), COCO_17, H36M_17),
        ("cpn-ft-243-dbb-causal.bin", made(causal=True), H36M_17, H36M_17),
    ],
)
def test_published_files(tmp_path: Path, name: str, model: TemporalModel, inputs, outputs, old: bool) -> None:
    found = read_checkpoint(published(tmp_path / name, model, old=old))
    assert found.pose.form == model.form
    assert (found.inputs, found.outputs) == (inputs.joints, outputs.joints)
    assert found.path is None
    assert found.epoch == 80
    clip = torch.randn(1, model.form.receptive_field + 3, 17, model.form.features_in)
    with torch.no_grad():
        assert torch.equal(found.pose(clip), model(clip))


def test_a_path_network_is_read_beside(tmp_path: Path) -> None:
    traj = made(joints_out=1)
    found = read_checkpoint(published(tmp_path / "semi_coco.bin", made(), traj))
    assert found.path is not None
    assert found.path.form.joints_out == 1
    assert torch.equal(found.path.shrink.weight, traj.shrink.weight)


def test_weights_alone_and_those_of_data_parallel(tmp_path: Path) -> None:
    state = made().state_dict()
    torch.save(OrderedDict((f"module.{name}", value) for name, value in state.items()), tmp_path / "w.bin")
    assert read_checkpoint(tmp_path / "w.bin").pose.form.receptive_field == 243


def test_batch_norm_that_did_not_count(tmp_path: Path) -> None:
    state = {name: value for name, value in made().state_dict().items() if "num_batches" not in name}
    torch.save({"model_pos": state}, tmp_path / "w.bin", _use_new_zipfile_serialization=False)
    assert read_checkpoint(tmp_path / "w.bin").pose.form.channels == 8


def test_ours_say_what_theirs_leave_open(tmp_path: Path) -> None:
    pose = made(widths=(3, 3, 3), causal=True, dense=True)
    checkpoint = PoseCheckpoint(
        pose, made(joints_out=1, causal=True), H36M_17.joints, H36M_17.joints, epoch=7, rate=25
    )
    write_checkpoint(tmp_path / "ours.bin", dataclasses.replace(checkpoint, path=None), learning_rate=1e-3)
    found = read_checkpoint(tmp_path / "ours.bin")
    assert found.pose.form == pose.form
    assert (found.inputs, found.outputs, found.epoch, found.rate) == (H36M_17.joints, H36M_17.joints, 7, 25)
    # What VideoPose3D itself looks for.
    theirs = torch.load(tmp_path / "ours.bin", weights_only=True)
    assert {"epoch", "lr", "random_state", "optimizer", "model_pos", "model_traj"} <= set(theirs)


def broken(path: Path, change: Any) -> Path:
    state = OrderedDict(made().state_dict())
    change(state)
    torch.save({"model_pos": state, "model_traj": None}, path)
    return path


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("drop shrink.weight", "shrink.weight is missing"),
        ("drop layers_bn.3.bias", "layers_bn.3.bias is missing"),
        ("expand_conv.weight 8 34 4", r"it has filters \[4, 3, 3, 3, 3\] wide"),
        ("layers_bn.0.weight 9", r"layers_bn.0.weight has the shape \(9,\) and not \(8,\)"),
        ("expand_conv.weight 8 34", "its filters are not of one dimension"),
        ("shrink.weight 50 8 1", "it takes 34 numbers per frame and gives 50"),
        ("fc.weight 2", "it has fc.weight, which that network has not"),
        ("text", "its model_pos is no table of weights"),
        ("nothing", "expand_conv.weight is missing"),
    ],
)
def test_other_shapes_are_one_sentence(tmp_path: Path, change: str, sentence: str) -> None:
    def change_state(state: dict[str, Any]) -> None:
        match change.split():
            case ["nothing"]:
                state.clear()
            case ["text"]:
                state["fc"] = "text"
            case ["drop", name]:
                del state[name]
            case [name, *shape]:
                state[name] = torch.zeros([int(size) for size in shape])

    file = broken(tmp_path / "x.bin", change_state)
    with pytest.raises(InputError, match=f"^x.bin is no checkpoint of VideoPose3D: {sentence}; ch") as error:
        read_checkpoint(file)
    assert error.value.reason == "CHECKPOINT_SHAPE"


def test_weights_that_are_not_finite(tmp_path: Path) -> None:
    for value in (float("nan"), float("inf")):
        file = broken(tmp_path / "x.bin", lambda s, v=value: s["layers_conv.2.weight"].view(-1)[5].fill_(v))
        with pytest.raises(InputError, match=r"not finite \(layers_conv.2.weight\); its") as error:
            read_checkpoint(file)
        assert error.value.reason == "CHECKPOINT_NOT_FINITE"


def test_a_list_is_no_checkpoint(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "x.bin")
    with pytest.raises(InputError, match="it holds no dictionary"):
        read_checkpoint(tmp_path / "x.bin")


def test_the_order_of_the_points_can_be_given(tmp_path: Path) -> None:
    file = published(tmp_path / "mine.bin", made())
    assert read_checkpoint(file).inputs == COCO_17.joints
    assert read_checkpoint(file, inputs="h36m_17").inputs == H36M_17.joints
    with pytest.raises(InputError, match="takes 17 joints, which mpii_16 has not; choose coco_17 or h36m_17"):
        read_checkpoint(file, inputs="mpii_16")


def test_normalised_as_published() -> None:
    corners = np.array([[0.0, 0.0], [1000.0, 1002.0], [500.0, 501.0]])
    found = normalised(corners, (1000, 1002))
    np.testing.assert_allclose(found, [[-1, -1.002], [1, 1.002], [0, 0]], atol=1e-12)
    assert normalised(np.array([0.0, 1920.0]), (1080, 1920))[1] > 1.7


def test_gaps_are_filled_in_both_ways() -> None:
    points = np.full((6, 2, 2), np.nan)
    points[1, 0], points[4, 0] = (0, 10), (3, 40)
    linear = filled(points, "linear")
    np.testing.assert_allclose(linear[:, 0], [[0, 10], [0, 10], [1, 20], [2, 30], [3, 40], [3, 40]])
    np.testing.assert_allclose(linear[:, 1], linear[:, 0], err_msg="a point never seen goes to the middle")
    np.testing.assert_allclose(filled(points, "hold")[:, 0, 0], [0, 0, 0, 0, 3, 3])


def walk(fps: float, seconds: float = 2.0) -> tuple[Track2D, Camera]:
    """COCO points of somebody who sways, as smooth functions of time."""
    times = 0.5 + np.arange(round(fps * seconds)) / fps
    rng = np.random.default_rng(3)
    rest = rng.uniform([500, 200], [780, 680], size=(17, 2))
    phase = rng.uniform(0, 6, size=(17, 2))
    points = rest + 25 * np.sin(3 * times[:, None, None] + phase)
    track = Track2D(
        keypoint_names=COCO_17.joints,
        indices=np.arange(len(times)),
        times_s=times,
        boxes_px=np.tile([480.0, 180.0, 800.0, 700.0], (len(times), 1)),
        keypoints_px=points,
        keypoint_confidence=np.full((len(times), 17), 0.9),
        landmarks_m=np.full((len(times), 17, 3), np.nan),
    )
    return track, camera_of_clip((1280, 720), fov_deg=47)


def lifter(tmp_path: Path, *models: TemporalModel, name: str = "detectron_coco.bin", **options: Any):
    return VideoPose3DLifter.from_file(published(tmp_path / name, *models), exact=True, **options)


def test_the_lifter_is_the_network_on_normalised_points_with_its_mirror_image(tmp_path: Path) -> None:
    model = made()
    track, camera = walk(50)
    pose = lifter(tmp_path, model).lift(track, camera)
    assert pose.joint_names == H36M_17.joints

    def run(points: np.ndarray) -> np.ndarray:
        padded = np.concatenate([points[:1].repeat(121, 0), points, points[-1:].repeat(121, 0)])
        with torch.no_grad():
            return model(torch.from_numpy(padded.astype(np.float32))[None])[0].numpy()

    points = track.keypoints_px / 1280 * 2 - [1, 720 / 1280]
    left, right = [1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]
    image = points * [-1, 1]
    image[:, left + right] = image[:, right + left]
    back = run(image) * [-1, 1, 1]
    out_left, out_right = [4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]
    back[:, out_left + out_right] = back[:, out_right + out_left]
    expected = (run(points) + back) / 2
    expected -= (expected[:, 1:2] + expected[:, 4:5]) / 2
    np.testing.assert_allclose(pose.joints_root_m, expected, atol=1e-5)

    plain = lifter(tmp_path, model, flip=False).lift(track, camera).joints_root_m
    once = run(points)
    np.testing.assert_allclose(plain, once - (once[:, 1:2] + once[:, 4:5]) / 2, atol=1e-5)


@pytest.mark.parametrize("fps", [24, 25, 30, 60, 120])
def test_any_rate_gives_the_same_motion_at_its_own_times(tmp_path: Path, fps: float) -> None:
    ours = lifter(tmp_path, made(widths=(3, 3, 3)))
    track, camera = walk(fps)
    reference, _ = walk(50)
    found = ours.lift(track, camera)
    expected = ours.lift(reference, camera)
    np.testing.assert_array_equal(found.times_s, track.times_s)
    assert len(found) == len(track)
    inner = (track.times_s > 0.9) & (track.times_s < 2.1)
    size = np.abs(expected.joints_root_m).max()
    for joint in (3, 10, 16):
        for axis in range(3):
            wanted = np.interp(
                track.times_s[inner], reference.times_s, expected.joints_root_m[:, joint, axis]
            )
            size = np.abs(expected.joints_root_m).max()
            np.testing.assert_allclose(
                found.joints_root_m[inner, joint, axis] / size, wanted / size, atol=4e-3
            )


def test_a_long_clip_at_a_television_rate_does_not_drift(tmp_path: Path) -> None:
    ours = lifter(tmp_path, made(widths=(3, 3, 3)))
    whole, camera = walk(30000 / 1001, seconds=300)
    end = slice(-300, None)
    parts = {name: value[end] for name, value in vars(whole).items() if isinstance(value, np.ndarray)}
    alone = ours.lift(dataclasses.replace(whole, **parts), camera)
    found = ours.lift(whole, camera)
    np.testing.assert_array_equal(found.times_s, whole.times_s)
    inner = slice(60, -60)
    # After 9,000 frames the same motion as where the clip begins ten seconds before its end.
    size = np.abs(alone.joints_root_m[inner]).max()
    np.testing.assert_allclose(
        found.joints_root_m[end][inner] / size, alone.joints_root_m[inner] / size, atol=4e-3
    )


def test_frames_without_the_person_are_bridged_and_left_out_of_the_pose(
    tmp_path: Path,
) -> None:
    track, camera = walk(50)
    ours = lifter(tmp_path, made(widths=(3, 3, 3)))
    whole = ours.lift(track, camera)
    lost = slice(40, 44)
    for field in (track.boxes_px, track.keypoints_px):
        field[lost] = np.nan
    track.keypoint_confidence[lost] = 0
    found = ours.lift(track, camera)
    assert np.isnan(found.joints_root_m[lost]).all() and np.isnan(found.uncertainty_m[lost]).all()
    assert np.isnan(found.root_camera_m[lost]).all()
    rest = np.r_[0:40, 44:100]
    assert np.isfinite(found.joints_root_m[rest]).all()
    size = np.abs(whole.joints_root_m).max()
    assert np.abs(found.joints_root_m[rest] - whole.joints_root_m[rest]).max() < 0.02 * size


def test_nobody_at_all(tmp_path: Path) -> None:
    track, camera = walk(50)
    empty = dataclasses.replace(
        track,
        boxes_px=track.boxes_px * np.nan,
        keypoints_px=track.keypoints_px * np.nan,
        keypoint_confidence=track.keypoint_confidence * 0,
    )
    for models in ((made(),), (made(), made(joints_out=1))):
        pose = lifter(tmp_path, *models).lift(empty, camera)
        assert np.isnan(pose.joints_root_m).all() and np.isnan(pose.root_camera_m).all()


def test_a_single_frame(tmp_path: Path) -> None:
    track, camera = walk(50, seconds=0.02)
    assert len(track) == 1
    assert np.isfinite(lifter(tmp_path, made()).lift(track, camera).joints_root_m).all()


def constant_path(place: tuple[float, float, float]) -> TemporalModel:
    traj = made(joints_out=1)
    with torch.no_grad():
        traj.shrink.weight.zero_()
        traj.shrink.bias.copy_(torch.tensor(place))
    return traj


def test_the_path_is_brought_from_human36ms_lens_to_the_clips(tmp_path: Path) -> None:
    track, _ = walk(50)
    ours = lifter(tmp_path, made(), constant_path((0.0, 0.2, 5.0)), flip=False)
    for fov in (30.0, 47.1, 90.0):
        camera = camera_of_clip((1280, 720), fov_deg=fov)
        root = ours.lift(track, camera).root_camera_m
        focal = camera.matrix[0, 0] / 640
        np.testing.assert_allclose(root[:, 2], 5.0 * focal / 2.294, rtol=1e-4)
        # It projects to where the training camera saw it.
        np.testing.assert_allclose(
            project(root, camera.matrix)[0], [640, 360 + 2.294 * 640 * 0.2 / 5], rtol=1e-4
        )


def test_the_mirror_image_walks_the_mirrored_path(tmp_path: Path) -> None:
    track, camera = walk(50)
    root = lifter(tmp_path, made(), constant_path((0.7, 0.0, 4.0))).lift(track, camera).root_camera_m
    np.testing.assert_allclose(root[:, 0], 0, atol=1e-4)


def test_without_a_path_the_body_is_placed_where_it_projects(tmp_path: Path) -> None:
    """A network that answers one pose, whatever it sees; the keypoints are that pose at 4.2 m."""
    rng = np.random.default_rng(0)
    body = rng.uniform([-0.4, -0.8, -0.2], [0.4, 0.9, 0.2], size=(17, 3))
    body -= (body[1] + body[4]) / 2
    model = made()
    with torch.no_grad():
        model.shrink.weight.zero_()
        model.shrink.bias.copy_(torch.from_numpy(body.astype(np.float32)).flatten())
    track, camera = walk(50, seconds=0.2)
    true_root = np.array([0.3, -0.1, 4.2])
    seen = project(body + true_root, camera.matrix)
    for k, name in enumerate(COCO_17.joints):
        if name in H36M_17.joints:
            track.keypoints_px[:, k] = seen[H36M_17.index(name)]
    pose = lifter(tmp_path, model, flip=False).lift(track, camera)
    np.testing.assert_allclose(pose.root_camera_m, np.tile(true_root, (len(track), 1)), atol=2e-3)


def test_scores_are_a_third_feature(tmp_path: Path) -> None:
    track, camera = walk(50)
    ours = lifter(tmp_path, made(features=3), name="d-pt-243.bin")
    before = ours.lift(track, camera).joints_root_m
    track.keypoint_confidence[:, 9] = 0.1
    assert np.abs(ours.lift(track, camera).joints_root_m - before).max() > 1e-3


def test_what_changes_the_numbers_changes_the_fingerprint(tmp_path: Path) -> None:
    file = published(tmp_path / "coco.bin", made(), made(joints_out=1))
    choices = ({}, {"flip": False}, {"fill": "hold"}, {"inputs": "h36m_17"}, {"causal": True})
    prints = {VideoPose3DLifter.from_file(file, **choice).fingerprint for choice in choices}
    assert len(prints) == len(choices)
    assert VideoPose3DLifter.from_file(file).fingerprint in prints
    other = published(tmp_path / "other_coco.bin", made())
    assert VideoPose3DLifter.from_file(other).fingerprint not in prints


def test_joints_without_names_cannot_be_lifted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="have no names here; choose one for 17 or 15 joints"):
        lifter(tmp_path, made(joints_in=20, joints_out=20))


def test_a_checkpoint_is_a_lifter_by_its_path(tmp_path: Path) -> None:
    file = published(tmp_path / "pretrained_h36m_detectron_coco.bin", made())
    found = create_lifter(str(file), "cpu")
    assert isinstance(found, VideoPose3DLifter)
    track, camera = walk(30)
    assert np.isfinite(found.lift(track, camera).joints_root_m).all()
