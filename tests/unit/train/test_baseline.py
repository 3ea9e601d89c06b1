"""The baseline learns, stops and goes on, and says in a sentence what it cannot work with."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from made_people import made_clips
from pose_server.lift.baseline_file import read_baseline
from pose_server.lift.points import HUMAN36M_INPUTS_17
from pose_server.train.baseline import (
    OUTPUTS_14,
    OUTPUTS_16,
    BaselineOptions,
    PoseClip,
    fresh_model,
    train_baseline,
)
from pose_server.train.run import TrainingRun
from pose_shared.errors import InputError, InternalError
from pose_shared.skeleton import H36M_17

SMALL = {"linear_size": 32, "num_layers": 1}


def curves(folder: Path) -> list[dict[str, float]]:
    with (folder / "curves.csv").open() as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def run_in(folder: Path, options: BaselineOptions, *, resume: bool = False) -> TrainingRun:
    return TrainingRun(folder, options.to_dict(), resume=resume, tell=lambda _: None)


def test_it_learns(tmp_path: Path) -> None:
    """From 1, which the mean pose scores, to below 0.25; on people it never saw, below 0.75."""
    options = BaselineOptions(linear_size=128, epochs=12, dropout_keep=1.0)
    run = run_in(tmp_path / "run", options)
    train_baseline(made_clips(1, 150, 20), options, run, test_clips=made_clips(2, 20, 20))
    rows = curves(tmp_path / "run")
    assert len(rows) == 12
    assert rows[-1]["loss"] < 0.25
    assert rows[-1]["test_loss"] < 0.75
    assert rows[-1]["test_mpjpe_mm"] < 0.85 * rows[0]["test_mpjpe_mm"]


def test_it_is_kept_as_it_was_trained(tmp_path: Path) -> None:
    options = BaselineOptions(**SMALL, epochs=2, inputs=HUMAN36M_INPUTS_17, focal_px=(900.0, 901.0))
    clips = made_clips(1, 10, 20, inputs=HUMAN36M_INPUTS_17)
    trained = train_baseline(clips, options, run_in(tmp_path / "run", options))
    kept = read_baseline(tmp_path / "run" / "baseline.npz")
    assert (kept.inputs, kept.outputs, kept.focal_px) == (HUMAN36M_INPUTS_17, OUTPUTS_16, (900.0, 901.0))
    np.testing.assert_array_equal(kept.lifted_mm(clips[0].points_px), trained.lifted_mm(clips[0].points_px))


@pytest.mark.parametrize("half", [False, True], ids=["float32", "bfloat16"])
def test_the_measured_error_is_that_of_the_written_file(tmp_path: Path, half: bool) -> None:
    options = BaselineOptions(**SMALL, epochs=3, half=half)
    tests = made_clips(2, 3, 20)
    run = run_in(tmp_path / "run", options)
    train_baseline(made_clips(1, 20, 20), options, run, test_clips=tests)
    model = read_baseline(tmp_path / "run" / "baseline.npz")
    errors = [
        np.linalg.norm(model.lifted_mm(clip.points_px) - clip.joints_mm(model.outputs), axis=2)
        for clip in tests
    ]
    seventeen = np.mean(errors) * 16 / 17  # the pelvis counts, and is right
    assert curves(tmp_path / "run")[-1]["test_mpjpe_mm"] == pytest.approx(seventeen, rel=1e-4)


def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    clips = made_clips(1, 10, 30)
    options = BaselineOptions(**SMALL, epochs=4)
    whole = train_baseline(clips, options, run_in(tmp_path / "whole", options))

    class StopError(Exception):
        pass

    class Stopped(TrainingRun):
        def save(self, step: int, state: dict) -> None:  # type: ignore[type-arg, override]
            super().save(step, state)
            if step == 2:
                raise StopError

    with pytest.raises(StopError):
        train_baseline(clips, options, Stopped(tmp_path / "cut", options.to_dict()))
    again = train_baseline(clips, options, run_in(tmp_path / "cut", options, resume=True))
    for name, values in whole.network.state_dict().items():
        assert torch.equal(values, again.network.state_dict()[name]), name
    assert [row["step"] for row in curves(tmp_path / "cut")] == [1, 2, 3, 4]
    assert curves(tmp_path / "cut") == curves(tmp_path / "whole")


def test_another_seed_is_another_network(tmp_path: Path) -> None:
    clips = made_clips(1, 10, 30)
    found = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        options = BaselineOptions(**SMALL, epochs=1, seed=seed)
        model = train_baseline(clips, options, run_in(tmp_path / name, options))
        found.append(model.lifted_mm(clips[0].points_px))
    np.testing.assert_array_equal(found[0], found[1])
    assert np.abs(found[0] - found[2]).max() > 1


def test_the_rate_falls_smoothly_by_steps(tmp_path: Path) -> None:
    """300 frames are 4 batches of 64: after 3 epochs the last step is number 11."""
    options = BaselineOptions(**SMALL, epochs=3, decay=0.5, decay_steps=10)
    train_baseline(made_clips(1, 10, 30), options, run_in(tmp_path / "run", options))
    rates = [row["learning_rate"] for row in curves(tmp_path / "run")]
    assert rates == pytest.approx([1e-3 * 0.5 ** (step / 10) for step in (3, 7, 11)])


def test_the_normalisation_is_that_of_the_data() -> None:
    clips = made_clips(1, 10, 30)
    model = fresh_model(clips, BaselineOptions(**SMALL))
    given = np.concatenate([model.normalised_2d(clip.points_px) for clip in clips])
    wanted = np.concatenate([model.normalised_3d(clip.joints_mm(model.outputs)) for clip in clips])
    for values in (given, wanted):
        np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-3)
        np.testing.assert_allclose(values.std(axis=0), 1, atol=1e-3)
    assert 300 < model.mean_2d_px.mean() < 700, "pixels"
    assert 100 < np.abs(model.mean_3d_mm).max() < 1500, "millimetres"


def test_a_number_that_never_changes_is_not_scaled() -> None:
    clips = made_clips(1, 3, 30)
    for clip in clips:
        clip.points_px[:, 2, 0] = 500.0
    model = fresh_model(clips, BaselineOptions(**SMALL))
    assert (model.mean_2d_px[2, 0], model.std_2d_px[2, 0]) == (500, 1)


def test_joints_are_about_the_pelvis() -> None:
    clip = made_clips(1, 1, 5)[0]
    joints = clip.joints_mm(OUTPUTS_14)
    assert joints.shape == (5, 14, 3)
    knee = clip.joints_m[:, H36M_17.index("left_knee")] - clip.joints_m[:, 0]
    np.testing.assert_allclose(joints[:, OUTPUTS_14.index("left_knee")], 1e3 * knee)


@pytest.mark.parametrize("predict_14", [False, True])
def test_how_many_joints(predict_14: bool) -> None:
    model = fresh_model(made_clips(1, 3, 30), BaselineOptions(**SMALL, predict_14=predict_14))
    assert model.outputs == (OUTPUTS_14 if predict_14 else OUTPUTS_16)
    assert {"spine", "nose"}.isdisjoint(model.outputs) == predict_14
    assert model.lifted_mm(made_clips(2, 1, 4)[0].points_px).shape == (4, len(model.outputs), 3)


def test_frames_with_holes_are_left_out() -> None:
    clips = made_clips(1, 3, 60)
    reference = fresh_model(clips[1:], BaselineOptions(**SMALL))
    clips[0].points_px[:30, 3] = np.nan
    clips[0].joints_m[30:, 5] = np.nan
    found = fresh_model(clips, BaselineOptions(**SMALL))
    np.testing.assert_array_equal(found.mean_2d_px, reference.mean_2d_px)
    np.testing.assert_array_equal(found.std_3d_mm, reference.std_3d_mm)


@pytest.mark.parametrize("clips", [0, 1])
def test_too_few_frames_are_refused(clips: int) -> None:
    with pytest.raises(InputError, match=f"hold {clips * 63} whole frames, fewer than one batch of 64"):
        fresh_model(made_clips(1, clips, 63), BaselineOptions(**SMALL))


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("batch_size", 1, "batch-size 1 is not possible; give 2 to"),
        ("dropout_keep", 0.0, "dropout-keep 0 is not possible"),
        ("learning_rate", float("nan"), "learning-rate nan is not possible"),
        ("epochs", 0, "epochs 0 is not possible"),
    ],
)
def test_impossible_options(option: str, value: float, says: str) -> None:
    with pytest.raises(InputError, match=says):
        BaselineOptions(**{option: value})


def test_a_clip_whose_sides_differ_is_refused() -> None:
    with pytest.raises(InternalError, match=r"expected \(4, 17, 3\), got \(5, 17, 3\)"):
        PoseClip("S1", "Walking", np.zeros((4, 16, 2)), np.zeros((5, 17, 3)))
