"""The published protocols on a network whose answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from made_room import write_made_set
from pose_server.evaluate.videopose3d import Evaluation, write_joints
from pose_server.lift.temporal import TemporalForm, TemporalModel
from pose_server.lift.videopose3d_file import PoseCheckpoint
from pose_server.train.pose_sets import PoseSet, read_pose_set
from pose_shared.errors import InputError
from pose_shared.skeleton import H36M_17


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PoseSet:
    place = tmp_path_factory.mktemp("sets")
    write_made_set(place, {"S9": 30, "S11": 20}, recordings=3)
    return read_pose_set(place, "h36m", "gt")


def constant(pose: np.ndarray, *, joints_in: int = 17, features: int = 2) -> TemporalModel:
    """A network that gives the same joints whatever it sees."""
    model = TemporalModel(TemporalForm(joints_in, features, len(pose), (3, 3), 4)).eval()
    with torch.no_grad():
        model.shrink.weight.zero_()
        model.shrink.bias.copy_(torch.from_numpy(pose.astype(np.float32)).flatten())
    return model


def checkpoint(pose: TemporalModel, path: TemporalModel | None = None) -> PoseCheckpoint:
    return PoseCheckpoint(pose, path, H36M_17.joints, H36M_17.joints)


POSE = np.random.default_rng(0).normal(size=(17, 3)) * 0.4


def slow_protocols(truth: np.ndarray) -> dict[str, float]:
    """P1, P2, P3 and velocity of `POSE` against (T, 17, 3), frame by frame as the papers define them."""
    truth = truth.astype(float) - truth[:, :1]
    p1, p2, p3 = [], [], []
    for frame in truth:
        p1.append(np.linalg.norm(POSE - frame, axis=1).mean())
        p3.append(np.linalg.norm(POSE * (POSE * frame).sum() / (POSE**2).sum() - frame, axis=1).mean())
        x, y = frame - frame.mean(axis=0), POSE - POSE.mean(axis=0)
        nx, ny = np.linalg.norm(x), np.linalg.norm(y)
        u, s, vt = np.linalg.svd((x / nx).T @ (y / ny))
        v = vt.T
        if np.linalg.det(v @ u.T) < 0:
            v[:, -1] *= -1
            s[-1] *= -1
        fitted = s.sum() * nx / ny * y @ (v @ u.T) + frame.mean(axis=0)
        p2.append(np.linalg.norm(fitted - frame, axis=1).mean())
    velocity = np.linalg.norm(np.diff(truth, axis=0), axis=2).mean()
    values = {"mpjpe_mm": p1, "p_mpjpe_mm": p2, "n_mpjpe_mm": p3, "mpjve_mm_frame": velocity}
    return {name: float(np.mean(value)) * 1000 for name, value in values.items()}


def test_the_protocols_by_action_averaged_as_published(data: PoseSet) -> None:
    tables = Evaluation(checkpoint(constant(POSE)), data, flip=False).tables(data.views, by_subject=True)
    assert [table.title for table in tables] == ["By action", "By subject", "S9 by action", "S11 by action"]
    by_action = {row["action"]: row for row in tables[0].rows}
    assert list(by_action) == ["Walking", "Sitting", "average"]
    expected: dict[str, dict[str, float]] = {}
    for action in ("Walking", "Sitting"):
        views = [view for view in data.views if view.action.split(" ")[0] == action]
        frames = sum(len(view) for view in views)
        sums: dict[str, float] = {}
        for view in views:
            for name, value in slow_protocols(view.joints_m).items():
                sums[name] = sums.get(name, 0.0) + value * len(view) / frames
        expected[action] = sums
        assert by_action[action]["frames"] == frames
    for name in expected["Walking"]:
        for action in expected:
            assert by_action[action][name] == pytest.approx(expected[action][name], rel=1e-4)
        mean = (expected["Walking"][name] + expected["Sitting"][name]) / 2
        assert by_action["average"][name] == pytest.approx(mean, rel=1e-4)
    assert {row["subject"] for row in tables[1].rows} == {"S9", "S11", "average"}
    assert sum(row["frames"] for row in tables[2].rows[:-1]) == 30 * 3 * 4


def test_a_perfect_network_has_no_error_and_knows_the_path(data: PoseSet) -> None:
    view = data.views[0].rows(slice(0, 1))
    truth = view.joints_m[0]
    path = constant(truth[:1])
    evaluation = Evaluation(checkpoint(constant(truth - truth[:1]), path), data, flip=False)
    row = evaluation.tables([view])[0].rows[0]
    assert row["mpjpe_mm"] < 1e-3 and row["p_mpjpe_mm"] < 1e-3
    assert row["root_absolute_m"] < 1e-5 and row["root_relative_depth"] < 1e-5


def test_mirror_images_are_averaged(data: PoseSet) -> None:
    view = data.views[0]
    evaluation = Evaluation(checkpoint(constant(POSE), constant(POSE[:1])), data)
    _, joints, root = next(evaluation.predictions([view]))
    mirrored = POSE[list(H36M_17.mirror)] * [-1, 1, 1]
    np.testing.assert_allclose(joints, np.tile((POSE + mirrored) / 2, (len(view), 1, 1)), atol=1e-6)
    assert root is not None
    np.testing.assert_allclose(root, np.tile(POSE[0] * [0, 1, 1], (len(view), 1)), atol=1e-6)


def test_a_checkpoint_of_other_joints_is_one_sentence(data: PoseSet) -> None:
    with pytest.raises(InputError, match=r"takes 17 points of 3 numbers and gives 17 joints, .* has 17 of 2"):
        Evaluation(checkpoint(constant(POSE, features=3)), data)


def test_joints_are_written_without_pickles(data: PoseSet, tmp_path: Path) -> None:
    evaluation = Evaluation(checkpoint(constant(POSE), constant(POSE[:1])), data)
    count = write_joints(tmp_path / "out.npz", evaluation.predictions(data.views[:2]), H36M_17.joints)
    assert count == 2
    with np.load(tmp_path / "out.npz", allow_pickle=False) as found:
        assert found["S9|Walking|54138969"].shape == (30, 17, 3)
        assert found["S9|Walking|55011271|root"].shape == (30, 3)
        assert tuple(found["joint_names"]) == H36M_17.joints
