"""The baseline's protocols against a slow count, joint by joint."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from made_people import made_clips
from pose_server.evaluate.baseline import evaluate_baseline
from pose_server.evaluate.table import Table
from pose_server.lift.baseline_model import BaselineModel
from pose_server.train.baseline import BaselineOptions, fresh_model
from pose_shared.skeleton import H36M_17


def untrained(**options: object) -> BaselineModel:
    torch.manual_seed(0)
    return fresh_model(made_clips(1, 10, 20), BaselineOptions(linear_size=16, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("predict_14", [False, True])
def test_by_action_as_published(predict_14: bool) -> None:
    model = untrained(predict_14=predict_14)
    clips = [*made_clips(3, 2, 30), *made_clips(4, 1, 90)]
    errors: dict[str, list[float]] = {"Sitting": [], "Walking": []}
    for clip in clips:
        lifted = model.lifted_mm(clip.points_px)
        for t in range(len(lifted)):
            if not predict_14:
                errors[clip.action].append(0.0)
            for j, name in enumerate(model.outputs):
                truth = 1e3 * (clip.joints_m[t, H36M_17.index(name)] - clip.joints_m[t, 0])
                errors[clip.action].append(math.dist(lifted[t, j], truth))
    scores = evaluate_baseline(model, clips)
    rows = {row["action"]: row for row in scores.tally.rows("action")}
    means = {action: np.mean(values) for action, values in errors.items()}
    for action, mean in means.items():
        assert rows[action]["mpjpe_mm"] == pytest.approx(mean)
    assert rows["average"]["mpjpe_mm"] == pytest.approx(np.mean(list(means.values())))
    assert rows["Sitting"]["frames"] == 120
    assert np.mean(list(scores.joint_mm.values())) == pytest.approx(
        np.average(list(means.values()), weights=[120, 30])
    )
    assert len(scores.joint_mm) == (14 if predict_14 else 17)


def test_subjects_and_joints_have_tables_of_their_own() -> None:
    scores = evaluate_baseline(untrained(), made_clips(3, 2, 30))
    actions, subjects, joints = scores.tables(note="Made-up people.")
    assert [row["subject"] for row in subjects.rows] == ["S30", "S31", "average"]
    assert "| pelvis | 0.0 |" in joints.to_markdown()
    assert "Made-up people." in actions.to_markdown()
    for table in (actions, subjects, joints):
        assert isinstance(table, Table)
    assert "Reference acceleration" in actions.to_markdown()


def test_a_missing_point_costs_coverage_and_hold_gives_it_back() -> None:
    model, clip = untrained(), made_clips(3, 1, 30)[0]
    clip.points_px[10:15, 4] = np.nan
    plain = evaluate_baseline(model, [clip]).tally.rows("action")[0]
    filled = evaluate_baseline(model, [clip], hold=True).tally.rows("action")[0]
    assert plain["coverage"] == pytest.approx(25 / 30)
    assert filled["coverage"] == 1
    assert math.isfinite(float(plain["mpjpe_mm"]))


def error(row: dict[str, str | float | int]) -> float:
    return float(row["acceleration_error_mm_frame2"])


def test_the_median_calms_a_trembling_detector() -> None:
    model, clip = untrained(), made_clips(3, 1, 200)[0]
    noise = np.random.default_rng(0).normal(size=clip.points_px.shape) * 8
    noisy = dataclasses.replace(clip, points_px=clip.points_px + noise)
    raw, calm, spline = (
        evaluate_baseline(model, [noisy], **options).tally.rows("action")[0]
        for options in ({}, {"median": True}, {"spline": True})
    )
    for cleaned in (calm, spline):
        assert error(cleaned) < 0.8 * error(raw)


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    evaluate_baseline(untrained(), made_clips(3, 2, 30), tell=lambda *args: told.append(args))
    assert told == [(1, 2), (2, 2)]
