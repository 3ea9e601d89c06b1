"""`train videopose3d`, `evaluate videopose3d` and the preparation of data sets, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made_room import write_made_set
from pose_server.cli.evaluate import evaluate
from pose_server.cli.train import train
from scipy.io import savemat
from typer.testing import CliRunner

runner = CliRunner()
#: Every training flag of VideoPose3D's run.py that trains, at values that take a second.
QUICK = [
    *("-arc", "3,3", "-ch", "16", "-e", "2", "-b", "64", "-drop", "0.1", "-lr", "0.003", "-lrd", "0.9"),
    *("-s", "1", "-str", "S1", "-ste", "S9", "-d", "h36m", "-k", "gt", "--checkpoint-frequency", "1"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sets")
    write_made_set(place, {"S1": 40, "S5": 40, "S9": 30})
    return place


def test_train_then_evaluate(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = runner.invoke(train, ["videopose3d", "--data", str(folder), "-c", str(out), *QUICK])
    assert done.exit_code == 0, done.output
    assert "320 frames to learn from, 0 unlabelled, 240 to test" in done.output
    assert {"model.bin", "epoch_1.bin", "epoch_2.bin", "curves.csv"} <= {p.name for p in out.iterdir()}
    done = runner.invoke(
        evaluate,
        [
            *("videopose3d", str(out / "model.bin"), "--data", str(folder), "-k", "gt", "-ste", "S9"),
            *("--by-subject", "-a", "Walk", "--write", str(tmp_path / "table")),
            *("--export", str(tmp_path / "joints.npz")),
        ],
    )
    assert done.exit_code == 0, done.output
    assert "MPJPE mm" in done.output and "S9 by action" in done.output
    tables = json.loads((tmp_path / "table.json").read_text())["tables"]
    assert [row["action"] for row in tables[0]["rows"]] == ["Walking", "average"]
    with np.load(tmp_path / "joints.npz", allow_pickle=False) as joints:
        assert joints["S9|Walking|54138969"].shape == (30, 17, 3)


def test_semi_supervised_with_every_switch(folder: Path, tmp_path: Path) -> None:
    switches = [
        *("-sun", "S5", "--warmup", "0", "--linear-projection", "--subset", "0.5", "--downsample", "2"),
        *("--no-eval", "-no-da", "--causal", "--disable-optimizations", "--seed", "3"),
    ]
    command = ["videopose3d", "--data", str(folder), "-c", str(tmp_path / "run"), *QUICK, *switches]
    done = runner.invoke(train, command)
    assert done.exit_code == 0, done.output
    assert "80 frames to learn from, 160 unlabelled, 0 to test" in done.output
    header = (tmp_path / "run" / "curves.csv").read_text().splitlines()[0]
    assert header == "step,learning_rate,pose_m,path,projection,bones_m"
    done = runner.invoke(train, command)
    assert done.exit_code == 2 and "already holds a run; continue it with --resume" in done.output
    assert runner.invoke(train, [*command, "-r"]).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-arc", "3,x"], "--architecture 3,x is not possible; give odd filter widths"),
        (["-arc", "3,4"], "give odd filter widths such as 3,3,3,3,3"),
        (["--subset", "0"], "--subset 0 with --downsample 1 is not possible"),
        (["-str", "S77"], "has no subject 'S77'; choose from S1, S5, S9"),
        (["-k", "cpn"], "There is no file"),
        (["-d", "amass"], "There is no data set 'amass'"),
        (["-a", "Fly"], "has no frame of S1 doing Fly"),
    ],
)
def test_one_sentence_and_exit_code_2(
    folder: Path, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    command = ["videopose3d", "--data", str(folder), "-c", str(tmp_path / "run"), *QUICK, *arguments]
    done = runner.invoke(train, command)
    assert done.exit_code == 2
    assert sentence in done.output and "Traceback" not in done.output
    assert not (tmp_path / "run").exists()


def test_preparing_human36m(tmp_path: Path) -> None:
    file = tmp_path / "S1" / "MyPoseFeatures" / "D3_Positions" / "Eating.cdf.mat"
    file.parent.mkdir(parents=True)
    savemat(file, {"data": np.random.default_rng(0).uniform(0, 900, size=(5, 96))})
    done = runner.invoke(train, ["prepare-human36m", str(tmp_path), "-o", str(tmp_path / "sets")])
    assert done.exit_code == 0, done.output
    assert "1 recordings of 1 subjects" in done.output
    assert {p.name for p in (tmp_path / "sets").iterdir()} == {"data_3d_h36m.npz", "data_2d_h36m_gt.npz"}


def test_preparing_humaneva(tmp_path: Path) -> None:
    file = tmp_path / "Validate" / "S2" / "Jog_1.mat"
    file.parent.mkdir(parents=True)
    savemat(file, {"poses_3d": np.ones((4, 15, 3)), "poses_2d": np.ones((3, 4, 15, 2))})
    done = runner.invoke(train, ["prepare-humaneva", str(tmp_path), "-o", str(tmp_path / "sets")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "sets" / "data_3d_humaneva15.npz").exists()


def test_preparing_films_and_lifting_them(folder: Path, tmp_path: Path) -> None:
    boxes, keypoints = (np.empty(6, dtype=object) for _ in range(2))
    rng = np.random.default_rng(0)
    for i in range(6):
        boxes[i] = [[], np.array([[0, 0, 9, 9, 0.9]])]
        keypoints[i] = [[], rng.uniform(0, 480, size=(1, 4, 17))]
    np.savez(tmp_path / "a.mp4.npz", boxes=boxes, keypoints=keypoints, metadata={"w": 640, "h": 480})
    sets = tmp_path / "sets"
    done = runner.invoke(train, ["prepare-custom", str(tmp_path), "-o", str(sets), "--name", "mine"])
    assert done.exit_code == 0, done.output
    run = tmp_path / "run"
    assert runner.invoke(train, ["videopose3d", "--data", str(folder), "-c", str(run), *QUICK]).exit_code == 0
    command = ["videopose3d", str(run / "model.bin"), "--data", str(sets), "-d", "custom", "-k", "mine"]
    done = runner.invoke(evaluate, command)
    assert done.exit_code == 2 and "has no 3D joints to compare with" in done.output
    done = runner.invoke(evaluate, [*command, "--export", str(tmp_path / "out.npz")])
    assert done.exit_code == 0, done.output
    with np.load(tmp_path / "out.npz", allow_pickle=False) as joints:
        assert joints["a.mp4|custom|a.mp4"].shape == (6, 17, 3)
    done = runner.invoke(train, ["prepare-custom", str(folder / "none"), "-o", str(sets)])
    assert done.exit_code == 2 and "holds no .npz file with detections" in done.output
