"""Training learns, is the same again, goes on where it stopped, and gains from films without labels."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from made_room import write_made_set
from pose_server.lift.videopose3d_file import PoseCheckpoint, read_checkpoint
from pose_server.train.chunks import Batch
from pose_server.train.pose_sets import PoseSet, read_pose_set
from pose_server.train.run import TrainingRun
from pose_server.train.screen import projected
from pose_server.train.videopose3d import (
    VideoPose3DOptions,
    _Training,
    bone_pairs,
    projected_pairs,
    train_videopose3d,
)
from pose_shared.errors import InputError
from pose_shared.skeleton import COCO_17, H36M_17
from semi_supervised import compared

SMALL = VideoPose3DOptions(
    filter_widths=(3, 3), channels=32, epochs=3, batch_size=64, dropout=0.0, learning_rate=3e-3
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sets")
    write_made_set(place, {"S1": 60, "S5": 60, "S9": 40})
    write_made_set(place, {"S1": 60, "S5": 60, "S9": 40}, layout="coco", keypoints="coco")
    return place


@pytest.fixture(scope="module")
def data(folder: Path) -> PoseSet:
    return read_pose_set(folder, "h36m", "gt")


def train(
    data: PoseSet,
    options: VideoPose3DOptions,
    folder: Path,
    *,
    unlabelled: bool = False,
    test: bool = True,
    resume: bool = False,
) -> tuple[PoseCheckpoint, list[dict[str, float]]]:
    run = TrainingRun(folder, options.to_dict(), resume=resume, tell=lambda line: None)
    checkpoint = train_videopose3d(
        data,
        options,
        run,
        labelled=data.chosen(["S1"]),
        unlabelled=data.chosen(["S5"]) if unlabelled else (),
        test=data.chosen(["S9"]) if test else (),
        keep_every=2,
    )
    return checkpoint, run._rows


def test_the_loss_falls_below_80_mm_on_its_own_data(data: PoseSet, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    options = dataclasses.replace(SMALL, epochs=40, channels=64, decay=0.96)
    _, rows = train(data, options, tmp_path / "run")
    assert rows[0]["pose_m"] > 0.2
    assert rows[-1]["pose_m"] < 0.08
    assert rows[-1]["test_mm"] < 0.6 * rows[0]["test_mm"]
    assert rows[1]["learning_rate"] == pytest.approx(0.96 * 3e-3)


def test_films_without_labels_add_to_a_tenth_of_the_labels(tmp_path: Path) -> None:
    """The benchmark's first seed: 162.7 against 152.4 mm, other seeds 158.1 and 153.8, 163.2 and 155.9."""
    torch.set_num_threads(1)
    found = compared(tmp_path)
    alone, both = found["labels"], found["labels and films"]
    assert both["mpjpe_mm"] < 0.98 * alone["mpjpe_mm"]
    assert both["p_mpjpe_mm"] < 0.97 * alone["p_mpjpe_mm"]
    assert both["n_mpjpe_mm"] < 0.97 * alone["n_mpjpe_mm"]


def test_what_is_written_is_what_was_trained(data: PoseSet, tmp_path: Path) -> None:
    checkpoint, _ = train(data, dataclasses.replace(SMALL, trajectory=True), tmp_path / "run")
    written = read_checkpoint(tmp_path / "run" / "model.bin")
    assert written.epoch == 3 and written.rate == 50
    assert written.inputs == written.outputs == H36M_17.joints
    assert written.path is not None and checkpoint.path is not None
    clip = torch.randn(1, 20, 17, 2)
    with torch.no_grad():
        assert torch.equal(written.pose(clip), checkpoint.pose(clip))
        assert torch.equal(written.path(clip), checkpoint.path(clip))
    assert read_checkpoint(tmp_path / "run" / "epoch_2.bin").epoch == 2
    assert not (tmp_path / "run" / "epoch_3.bin").exists()


@pytest.mark.parametrize("unlabelled", [False, True])
def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    data: PoseSet, tmp_path: Path, unlabelled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = dataclasses.replace(SMALL, dropout=0.2)
    whole, rows = train(data, options, tmp_path / "whole", unlabelled=unlabelled)
    again, _ = train(data, options, tmp_path / "again", unlabelled=unlabelled)

    epoch = _Training.epoch

    def stopped(self: _Training, number: int) -> dict[str, float]:
        if number == 2:
            raise KeyboardInterrupt
        return epoch(self, number)

    monkeypatch.setattr(_Training, "epoch", stopped)
    with pytest.raises(KeyboardInterrupt):
        train(data, options, tmp_path / "parts", unlabelled=unlabelled)
    monkeypatch.undo()
    parts, rows_of_parts = train(data, options, tmp_path / "parts", unlabelled=unlabelled, resume=True)
    assert rows_of_parts == rows
    for name, value in whole.pose.state_dict().items():
        assert torch.equal(value, again.pose.state_dict()[name])
        assert torch.equal(value, parts.pose.state_dict()[name])


def test_strided_and_dilated_training_agree(data: PoseSet, tmp_path: Path) -> None:
    plain = dataclasses.replace(SMALL, epochs=1, strided=False)
    _, fast_rows = train(data, dataclasses.replace(plain, strided=True), tmp_path / "a")
    _, slow_rows = train(data, plain, tmp_path / "b")
    # Not to the last digit: batch norm also counts what the dilated form computes in vain.
    assert fast_rows[0]["pose_m"] == pytest.approx(slow_rows[0]["pose_m"], rel=1e-2)
    assert fast_rows[0]["test_mm"] == pytest.approx(slow_rows[0]["test_mm"], rel=5e-2)


@pytest.mark.parametrize(
    "change",
    [
        {"stride": 5},
        {"causal": True},
        {"dense": True},
        {"mirror": False},
        {"half": True},
        {"filter_widths": (1, 1)},
    ],
)
def test_every_way_to_train(data: PoseSet, tmp_path: Path, change: dict[str, object]) -> None:
    options = dataclasses.replace(SMALL, epochs=4, **change)
    checkpoint, rows = train(data, options, tmp_path / "run")
    assert rows[-1]["pose_m"] < rows[0]["pose_m"]
    assert checkpoint.pose.form.causal == options.causal
    assert read_checkpoint(tmp_path / "run" / "model.bin").pose.form == checkpoint.pose.form


def test_momentum_of_batch_norm_falls_as_published(data: PoseSet, tmp_path: Path) -> None:
    options = dataclasses.replace(SMALL, epochs=4)
    run = TrainingRun(tmp_path / "run", {}, tell=lambda line: None)
    training = _Training(data, options, run, data.chosen(["S1"]), (), (), "cpu")
    for epoch in range(4):
        training.epoch(epoch)
        expected = 0.1 * np.exp(-epoch / 4 * np.log(0.1 / 0.001))
        assert training.pose.expand_bn.momentum == pytest.approx(expected)
        assert training.pose.layers_bn[1].momentum == pytest.approx(expected)


def test_each_term_of_the_loss_against_plain_loops(data: PoseSet, tmp_path: Path) -> None:
    options = dataclasses.replace(SMALL, warmup=0)
    run = TrainingRun(tmp_path / "run", {}, tell=lambda line: None)
    training = _Training(data, options, run, data.chosen(["S1"]), data.chosen(["S5"]), (), "cpu")
    for model in training.models:
        model.eval()
    seen = training.labelled.batch(torch.arange(3))
    films = training.unlabelled.batch(torch.arange(50, 54))
    with torch.no_grad():
        found = {name: float(value) for name, value in training.losses(seen, films).items()}
        pose = training.pose(torch.cat([seen.points, films.points]))
        path = training.path(torch.cat([seen.points, films.points]))

    errors, roots = [], []
    for b in range(3):
        root = seen.joints_m[b, 0, 0]
        for j in range(17):
            wanted = torch.zeros(3) if j == 0 else seen.joints_m[b, 0, j] - root
            errors.append(float((pose[b, 0, j] - wanted).norm()))
        roots.append(float((path[b, 0, 0] - root).norm() / root[2]))
    assert found["pose_m"] == pytest.approx(np.mean(errors), rel=1e-5)
    assert found["path"] == pytest.approx(np.mean(roots), rel=1e-5)

    misses = []
    for b in range(4):
        place = projected((pose[3 + b] + path[3 + b])[None], films.lens[b : b + 1])[0, 0]
        misses += [float((place[j] - films.points[b, 4, j]).norm()) for j in range(17)]
    assert found["projection"] == pytest.approx(np.mean(misses), rel=1e-4)

    gaps = []
    for joint, parent in bone_pairs(H36M_17.joints):
        lengths = (pose[:, 0, joint] - pose[:, 0, parent]).norm(dim=1)
        gaps.append(float((lengths[:3].mean() - lengths[3:].mean()).abs()))
    assert len(gaps) == 16
    assert found["bones_m"] == pytest.approx(np.mean(gaps), rel=1e-4)


def test_terms_can_be_left_out_and_wait_for_the_warm_up(data: PoseSet, tmp_path: Path) -> None:
    options = dataclasses.replace(SMALL, warmup=2, bone_length=False)
    _, rows = train(data, options, tmp_path / "a", unlabelled=True)
    assert ["projection" in row for row in rows] == [False, False, True]
    assert all("path" in row and "bones_m" not in row for row in rows)
    _, rows = train(
        data, dataclasses.replace(SMALL, warmup=0, projection=False), tmp_path / "b", unlabelled=True
    )
    assert "bones_m" in rows[0] and "projection" not in rows[0]


def test_a_perfect_pose_projects_onto_its_points_in_either_order(folder: Path, tmp_path: Path) -> None:
    """With COCO's points the joints are matched by name, where VideoPose3D compares ear with knee."""
    for keypoints, count in (("gt", 17), ("coco", 12)):
        data = read_pose_set(folder, "h36m", keypoints)
        pairs = projected_pairs(data)
        assert len(pairs) == count
        assert all(data.outputs[a] == data.inputs[b] for a, b in pairs)
        run = TrainingRun(tmp_path / keypoints, {}, tell=lambda line: None)
        views = data.chosen(["S5"])
        training = _Training(data, SMALL, run, data.chosen(["S1"]), views, (), "cpu")
        batch: Batch = training.unlabelled.batch(torch.arange(70, 700))
        truth = batch.joints_m
        place = projected(truth, batch.lens)
        joints, points = training.pairs
        error = (place[:, :, joints] - batch.points[:, 4:5, points]).norm(dim=-1)
        assert float(error.max()) < 1e-4
        wrong = (place - batch.points[:, 4:5]).norm(dim=-1)
        assert (float(wrong.mean()) > 0.1) == (keypoints == "coco")
    assert COCO_17.index("nose") not in {b for _, b in pairs}


def test_without_labels_to_learn_from(data: PoseSet, tmp_path: Path) -> None:
    bare = [dataclasses.replace(view, joints_m=None) for view in data.chosen(["S1"])]
    run = TrainingRun(tmp_path / "run", {}, tell=lambda line: None)
    with pytest.raises(InputError, match="views without 3D joints among those to learn from") as error:
        train_videopose3d(data, SMALL, run, labelled=bare)
    assert error.value.reason == "DATASET_UNLABELLED"
    blind = [
        dataclasses.replace(view, camera=dataclasses.replace(view.camera, lens=None))
        for view in data.chosen(["S5"])
    ]
    with pytest.raises(InputError, match=r"lenses of .* are not known, .* or with --no-proj") as error:
        train_videopose3d(data, SMALL, run, labelled=data.chosen(["S1"]), unlabelled=blind)
    assert error.value.reason == "LENS_UNKNOWN"


def test_a_training_that_diverges_says_so(data: PoseSet, tmp_path: Path) -> None:
    broken = [dataclasses.replace(v, joints_m=v.joints_m * np.float32(np.nan)) for v in data.chosen(["S1"])]
    run = TrainingRun(tmp_path / "run", {}, tell=lambda line: None)
    with pytest.raises(InputError, match="not finite; give a smaller --learning-rate"):
        train_videopose3d(data, SMALL, run, labelled=broken)


@pytest.mark.parametrize(
    "change",
    [{"stride": 0}, {"epochs": 0}, {"batch_size": 1}, {"dropout": 1.0}, {"decay": 0.0}, {"warmup": -1}],
)
def test_options_out_of_range(change: dict[str, float]) -> None:
    (name,) = change
    with pytest.raises(InputError, match=f"^{name.replace('_', '-')} .* is not possible; give ") as error:
        dataclasses.replace(SMALL, **change)
    assert error.value.reason == "OPTION_INVALID"
