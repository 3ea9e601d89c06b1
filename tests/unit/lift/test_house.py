from __future__ import annotations

import dataclasses
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pose_server.lift import house
from pose_server.lift.house import HouseLifter, read_weights, write_weights
from pose_server.lift.network import CONTACT_POINTS, LiftNetwork, LiftShape
from pose_server.pipeline.boundary import Camera, Pose3D, Track2D
from pose_shared.errors import InputError, InternalError
from pose_shared.skeleton import BODY_31, COCO_17, mirrored_name
from safetensors.torch import load_file, save_file

Film = Callable[..., tuple[Track2D, np.ndarray, Camera]]
SHAPE = LiftShape(32, (1, 3))


def random_network(shape: LiftShape) -> LiftNetwork:
    torch.manual_seed(3)
    network = LiftNetwork(shape)
    with torch.no_grad():
        for name, value in network.named_buffers():
            if name.endswith("running_mean"):
                value.normal_(0, 0.2)
            elif name.endswith("running_var"):
                value.uniform_(0.3, 2.0)
    return network.eval()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "house.safetensors"
    write_weights(path, random_network(SHAPE), {"seed": "3"})
    return path


@pytest.fixture(scope="module")
def causal_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "causal.safetensors"
    write_weights(path, random_network(dataclasses.replace(SHAPE, causal=True)), {})
    return path


@pytest.fixture(autouse=True)
def _exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """All the bits, whatever the processor: the tests compare sums in another order."""
    monkeypatch.setattr(house, "fast_precision", lambda device: torch.float32)


def rows(track: Track2D, keep: Any) -> Track2D:
    arrays = {
        field.name: getattr(track, field.name)[keep]
        for field in dataclasses.fields(track)
        if field.name != "keypoint_names"
    }
    return dataclasses.replace(track, **arrays)


def lost(track: Track2D, first: int, last: int) -> Track2D:
    """The same with nobody found from `first` to `last`."""
    arrays = {name: getattr(track, name).copy() for name in ("boxes_px", "keypoints_px", "landmarks_m")}
    for array in arrays.values():
        array[first:last] = np.nan
    confidence = track.keypoint_confidence.copy()
    confidence[first:last] = 0
    return dataclasses.replace(track, **arrays, keypoint_confidence=confidence)


def same(first: Pose3D, second: Pose3D, atol: float = 1e-5) -> None:
    for name in ("joints_root_m", "uncertainty_m", "root_camera_m", "contacts"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), atol=atol, rtol=1e-4)


# weights


def test_weights_read_back_in_half_precision(weights: Path) -> None:
    network = random_network(SHAPE)
    read = read_weights(weights)
    assert read.shape == SHAPE and not read.training
    for name, value in network.state_dict().items():
        torch.testing.assert_close(read.state_dict()[name], value, atol=1e-3, rtol=1e-3)
    kept = load_file(weights)
    assert {value.dtype for value in kept.values() if value.is_floating_point()} == {torch.float16}


def test_a_lifter_is_known_by_its_weights(weights: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    write_weights(other, random_network(LiftShape(16, (1,))), {})
    same_again = tmp_path / "again.safetensors"
    same_again.write_bytes(weights.read_bytes())
    prints = [HouseLifter(path).fingerprint for path in (weights, other, same_again)]
    assert prints[0] == prints[2] != prints[1]


def corrupted(kind: str, good: Path, path: Path) -> None:
    state = {name: value.clone() for name, value in load_file(good).items()}
    card = {"shape": json.dumps(SHAPE.to_dict())}
    if kind in ("cut", "cut in the head", "text", "empty"):
        content = good.read_bytes()
        path.write_bytes(
            {"cut": content[:-100], "cut in the head": content[:50], "text": b"weights\n" * 9, "empty": b""}[
                kind
            ]
        )
    elif kind == "pickle":
        path.write_bytes(pickle.dumps(_Trap()))
    elif kind == "torch":
        torch.save(state, path)
    elif kind == "no card":
        save_file(state, path)
    elif kind == "wrong card":
        save_file(state, path, {"shape": "{"})
    elif kind == "negative":
        save_file(state, path, {"shape": json.dumps({**SHAPE.to_dict(), "channels": -3})})
    elif kind == "enormous":
        save_file(state, path, {"shape": json.dumps({**SHAPE.to_dict(), "channels": 10**9})})
    elif kind == "half a dilation":
        save_file(state, path, {"shape": json.dumps({**SHAPE.to_dict(), "dilations": [0.5, 1]})})
    elif kind == "other shape":
        save_file(state, path, {"shape": json.dumps({**SHAPE.to_dict(), "channels": 48})})
    elif kind == "a tensor less":
        del state["joints.weight"]
        save_file(state, path, card)
    else:
        state["joints.weight"][0, 0] = {"nan": np.nan, "infinite": np.inf}[kind]
        save_file(state, path, card)


class _Trap:
    def __reduce__(self) -> Any:
        return pytest.fail, ("code of a weights file was run",)


@pytest.mark.parametrize(
    "kind",
    [
        *("cut", "cut in the head", "text", "empty", "pickle", "torch", "no card", "wrong card"),
        *("negative", "enormous", "half a dilation", "other shape", "a tensor less", "nan", "infinite"),
    ],
)
def test_bad_weights_are_one_sentence(weights: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "bad.safetensors"
    corrupted(kind, weights, path)
    refused(path)


def test_weights_that_are_not_there_are_one_sentence(tmp_path: Path) -> None:
    refused(tmp_path / "none.safetensors")
    refused(tmp_path)


def refused(path: Path) -> None:
    with pytest.raises(InputError, match="holds no weights of the house lifter") as caught:
        HouseLifter(path)
    assert caught.value.reason == "WEIGHTS_UNREADABLE"
    assert "\n" not in caught.value.message and caught.value.message.endswith(".")


# lifting


def test_a_pose_has_every_part(weights: Path, filmed: Film) -> None:
    track, _, camera = filmed(30.0)
    pose = HouseLifter(weights).lift(track, camera)
    assert pose.joint_names == BODY_31.joints and len(pose) == len(track)
    assert np.isfinite(pose.joints_root_m).all() and (pose.uncertainty_m > 0).all()
    assert (pose.root_camera_m[:, 2] > 0).all()
    assert pose.contacts is not None and pose.contacts.shape == (len(track), len(CONTACT_POINTS))
    assert pose.contacts.min() >= 0 and pose.contacts.max() <= 1
    again = HouseLifter(weights).lift(track, camera)
    np.testing.assert_array_equal(pose.joints_root_m, again.joints_root_m)


@pytest.mark.parametrize("fps", [5, 12, 15, 24, 25, 30, 50, 60, 120])
def test_every_rate_is_lifted_and_means_the_same_motion(weights: Path, filmed: Film, fps: int) -> None:
    lifter = HouseLifter(weights)
    track, _, camera = filmed(float(fps), seconds=2.0, noise=0.0)
    pose = lifter.lift(track, camera)
    assert np.isfinite(pose.joints_root_m).all() and len(pose) == 2 * fps
    # The same moments, seen at 30 Hz. The receptive field is as long in time only about.
    usual = lifter.lift(*filmed(30.0, seconds=2.0, noise=0.0)[::2])
    for second in (0.4, 0.8, 1.0, 1.4):
        ours = pose.joints_root_m[round(second * fps)]
        theirs = usual.joints_root_m[round(second * 30)]
        motion = np.linalg.norm(usual.joints_root_m[12:48] - theirs, axis=-1).mean()
        assert np.linalg.norm(ours - theirs, axis=-1).mean() < 0.5 * motion


@pytest.mark.parametrize("times", [2, 4])
def test_frames_shown_several_times_are_lifted_as_if_once(weights: Path, filmed: Film, times: int) -> None:
    track, _, camera = filmed(30.0, seconds=2.0, noise=0.0)
    often = rows(track, np.repeat(np.arange(len(track)), times))
    often = dataclasses.replace(
        often, indices=np.arange(len(often)), times_s=np.arange(len(often)) / (30.0 * times)
    )
    lifter = HouseLifter(weights)
    once = lifter.lift(track, camera).joints_root_m
    # The view alone is steadied a little otherwise.
    error_m = np.linalg.norm(lifter.lift(often, camera).joints_root_m[::times] - once, axis=-1)
    assert error_m.mean() < 4e-3  # 7 and 11 mm if every frame were a neighbour


def test_variable_times_are_lifted(weights: Path, filmed: Film) -> None:
    track, _, camera = filmed(60.0)
    keep = np.sort(np.random.default_rng(1).choice(len(track), len(track) * 2 // 3, replace=False))
    uneven = rows(track, keep)
    pose = HouseLifter(weights).lift(uneven, camera)
    assert np.isfinite(pose.joints_root_m).all() and len(pose) == len(keep)
    np.testing.assert_array_equal(pose.times_s, uneven.times_s)


def test_times_that_do_not_grow_are_a_defect(weights: Path, filmed: Film) -> None:
    track, _, camera = filmed(30.0)
    with pytest.raises(InternalError, match="do not grow"):
        HouseLifter(weights).lift(dataclasses.replace(track, times_s=track.times_s * 0), camera)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_tracks_of_a_few_frames_are_lifted(
    weights: Path, causal_weights: Path, filmed: Film, frames: int
) -> None:
    track, _, camera = filmed(30.0)
    for path in (weights, causal_weights):
        pose = HouseLifter(path).lift(rows(track, slice(frames)), camera)
        assert len(pose) == frames and np.isfinite(pose.joints_root_m).all()


@pytest.mark.parametrize("fps", [10.0, 30.0, 60.0])
def test_passes_over_stretches_equal_one_pass(
    weights: Path, causal_weights: Path, filmed: Film, monkeypatch: pytest.MonkeyPatch, fps: float
) -> None:
    track, _, camera = filmed(fps)
    for path in (weights, causal_weights):
        lifter = HouseLifter(path)
        whole = lifter.lift(track, camera)
        for frames in (1, 7, 16):
            monkeypatch.setattr(house, "_PASS_FRAMES", frames)
            same(lifter.lift(track, camera), whole)
        monkeypatch.undo()
        monkeypatch.setattr(house, "fast_precision", lambda device: torch.float32)


def test_a_mirrored_track_gives_the_mirrored_pose(weights: Path, filmed: Film) -> None:
    track, _, camera = filmed(30.0)
    order = [track.keypoint_names.index(mirrored_name(name)) for name in track.keypoint_names]
    flipped = track.keypoints_px[:, order].copy()
    flipped[..., 0] = 2 * camera.matrix[0, 2] - flipped[..., 0]
    mirrored = dataclasses.replace(
        track,
        keypoints_px=flipped,
        keypoint_confidence=track.keypoint_confidence[:, order],
        landmarks_m=track.landmarks_m[:, order] * [-1, 1, 1],
    )
    lifter = HouseLifter(weights)
    pose, other = lifter.lift(track, camera), lifter.lift(mirrored, camera)
    swap = list(BODY_31.mirror)
    feet = [CONTACT_POINTS.index(mirrored_name(name)) for name in CONTACT_POINTS]
    np.testing.assert_allclose(other.joints_root_m[:, swap] * [-1, 1, 1], pose.joints_root_m, atol=1e-5)
    np.testing.assert_allclose(other.root_camera_m * [-1, 1, 1], pose.root_camera_m, atol=1e-4)
    np.testing.assert_allclose(other.uncertainty_m[:, swap], pose.uncertainty_m, rtol=1e-4)
    assert pose.contacts is not None and other.contacts is not None
    np.testing.assert_allclose(other.contacts[:, feet], pose.contacts, atol=1e-5)


def test_the_size_of_the_picture_means_nothing(weights: Path, filmed: Film) -> None:
    track, _, camera = filmed(30.0)
    scale = np.diag([3.0, 3.0, 1.0])
    larger = dataclasses.replace(camera, matrix=scale @ camera.matrix, image_size=(3840, 2160))
    magnified = dataclasses.replace(track, keypoints_px=track.keypoints_px * 3, boxes_px=track.boxes_px * 3)
    lifter = HouseLifter(weights)
    same(lifter.lift(magnified, larger), lifter.lift(track, camera))


def test_a_longer_lens_is_a_greater_distance(weights: Path, filmed: Film) -> None:
    track, _, camera = filmed(30.0)
    longer = dataclasses.replace(camera, matrix=np.diag([1.5, 1.5, 1.0]) @ camera.matrix)
    longer.matrix[:2, 2] = camera.matrix[:2, 2]
    lifter = HouseLifter(weights)
    near, far = lifter.lift(track, camera), lifter.lift(track, longer)
    # A network of random weights reads the size as it likes; the part that is decoded scales with it.
    ratio = far.root_camera_m[:, 2] / near.root_camera_m[:, 2]
    assert 1.2 < np.median(ratio) < 1.8


def test_frames_without_the_person_are_nan_and_harm_no_others(
    weights: Path, causal_weights: Path, filmed: Film
) -> None:
    track, _, camera = filmed(30.0)
    for path in (weights, causal_weights):
        lifter = HouseLifter(path)
        for first, last in ((20, 30), (0, 5), (85, 90)):
            pose = lifter.lift(lost(track, first, last), camera)
            gone = np.zeros(len(track), bool)
            gone[first:last] = True
            for part in (pose.joints_root_m, pose.uncertainty_m, pose.root_camera_m):
                assert np.isnan(part[gone]).all() and np.isfinite(part[~gone]).all()
            assert pose.contacts is not None and (pose.contacts[gone] == 0).all()
        nobody = lifter.lift(lost(track, 0, len(track)), camera)
        assert np.isnan(nobody.joints_root_m).all()


def test_somebody_who_is_gone_for_seconds_is_lifted_before_and_after(weights: Path, filmed: Film) -> None:
    track, _, camera = filmed(30.0, seconds=12.0, turn_deg_s=0.0)
    lifter = HouseLifter(weights)
    whole, parted = lifter.lift(track, camera), lifter.lift(lost(track, 60, 300), camera)
    # Away from the gap by more than the network and the view reach.
    for part in (slice(0, 35), slice(325, 360)):
        np.testing.assert_allclose(parted.joints_root_m[part], whole.joints_root_m[part], atol=2e-3)


def test_a_box_without_points_is_still_a_pose(weights: Path, causal_weights: Path, filmed: Film) -> None:
    track, _, camera = filmed(30.0)
    confidence = track.keypoint_confidence.copy()
    confidence[:10] = 0
    for path in (weights, causal_weights):
        pose = HouseLifter(path).lift(dataclasses.replace(track, keypoint_confidence=confidence), camera)
        assert np.isfinite(pose.joints_root_m).all() and np.isfinite(pose.uncertainty_m).all()


def test_what_the_detector_does_not_trust_at_all_is_not_used(weights: Path, filmed: Film) -> None:
    track, _, camera = filmed(30.0)
    wrist = track.keypoint_names.index("left_wrist")
    confidence, keypoints = track.keypoint_confidence.copy(), track.keypoints_px.copy()
    confidence[:, wrist] = 0
    unsure = dataclasses.replace(track, keypoint_confidence=confidence)
    keypoints[:, wrist] = np.nan
    lifter = HouseLifter(weights)
    missing = dataclasses.replace(unsure, keypoints_px=keypoints)
    same(lifter.lift(unsure, camera), lifter.lift(missing, camera))
    assert np.isfinite(lifter.lift(missing, camera).joints_root_m).all()


def test_seventeen_points_without_landmarks_are_enough(weights: Path, filmed: Film) -> None:
    track, _, camera = filmed(30.0)
    columns = [track.keypoint_names.index(name) for name in COCO_17.joints]
    coco = dataclasses.replace(
        track,
        keypoint_names=COCO_17.joints,
        keypoints_px=track.keypoints_px[:, columns],
        keypoint_confidence=track.keypoint_confidence[:, columns],
        landmarks_m=np.full((len(track), 17, 3), np.nan),
    )
    lifter = HouseLifter(weights)
    pose = lifter.lift(coco, camera)
    assert np.isfinite(pose.joints_root_m).all()
    # Their order is nothing that matters.
    order = np.random.default_rng(2).permutation(17)
    shuffled = dataclasses.replace(
        coco,
        keypoint_names=tuple(COCO_17.joints[i] for i in order),
        keypoints_px=coco.keypoints_px[:, order],
        keypoint_confidence=coco.keypoint_confidence[:, order],
    )
    same(lifter.lift(shuffled, camera), pose)


def test_too_few_points_are_one_sentence(weights: Path, filmed: Film) -> None:
    track, _, camera = filmed(30.0)
    face = dataclasses.replace(
        track,
        keypoint_names=(*(f"point_{i}" for i in range(30)), "nose", "left_eye", "right_eye"),
    )
    with pytest.raises(InputError, match="too few of the body's joints") as caught:
        HouseLifter(weights).lift(face, camera)
    assert caught.value.reason == "KEYPOINTS_TOO_FEW"


def test_landmarks_are_looked_at(weights: Path, filmed: Film) -> None:
    track, _, camera = filmed(30.0)
    lifter = HouseLifter(weights)
    without = dataclasses.replace(track, landmarks_m=np.full_like(track.landmarks_m, np.nan))
    some = track.landmarks_m.copy()
    some[:45] = np.nan
    poses = [
        lifter.lift(t, camera).joints_root_m
        for t in (track, without, dataclasses.replace(track, landmarks_m=some))
    ]
    assert np.abs(poses[0] - poses[1]).max() > 1e-3
    np.testing.assert_allclose(poses[2][:40], poses[1][:40], atol=1e-5)
    np.testing.assert_allclose(poses[2][50:], poses[0][50:], atol=1e-5)


def test_the_causal_lifter_needs_no_later_frame(causal_weights: Path, filmed: Film) -> None:
    track, _, camera = filmed(30.0)
    lifter = HouseLifter(causal_weights)
    whole = lifter.lift(track, camera)
    for frames in (10, 50):
        early = lifter.lift(rows(track, slice(frames)), camera)
        np.testing.assert_allclose(early.joints_root_m, whole.joints_root_m[:frames], atol=1e-5)
        np.testing.assert_allclose(early.root_camera_m, whole.root_camera_m[:frames], atol=1e-4)
