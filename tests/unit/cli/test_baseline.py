"""`train baseline` and `evaluate baseline` from the outside: files in, files out, sentences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_pose_set import write_pose_set
from pose_server.cli.main import app
from typer.testing import CliRunner, Result

SMALL = ["--linear-size", "16", "--num-layers", "1", "--epochs", "2", "--device", "cpu"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    write_pose_set(folder)
    return folder


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "baseline"
    subjects = ("--subjects-train", "S1", "--subjects-test", "S9")
    done = run("train", "baseline", "--data", data, "--out", out, *subjects, *SMALL)
    assert done.exit_code == 0, done.output
    assert "480 frames to train on, 480 to test" in done.output
    assert f"Weights: {out / 'baseline.npz'}" in done.output
    return out


def test_a_run_holds_options_curves_and_weights(trained: Path) -> None:
    options = json.loads((trained / "options.json").read_text())
    assert options["subjects_train"] == ["S1"]
    assert options["linear_size"] == 16
    assert len((trained / "curves.csv").read_text().splitlines()) == 3
    assert (trained / "baseline.npz").is_file()


def test_a_run_is_neither_overwritten_nor_continued_by_another(data: Path, trained: Path) -> None:
    arguments = ("train", "baseline", "--data", data, "--out", trained, "--subjects-train", "S1")
    done = run(*arguments, "--subjects-test", "S9", *SMALL)
    assert done.exit_code == 2
    assert "continue it with --resume" in done.output
    done = run(*arguments, "--subjects-test", "S9", *SMALL, "--resume", "--num-layers", "2")
    assert done.exit_code == 2
    assert "begun with other options" in done.output


def test_tables_are_shown_and_written(data: Path, trained: Path, tmp_path: Path) -> None:
    done = run(
        *("evaluate", "baseline", trained / "baseline.npz", "--data", data, "--subjects", "S9"),
        *("--median", "--hold", "--device", "cpu", "--write", tmp_path / "scores"),
    )
    assert done.exit_code == 0, done.output
    assert "h36m, gt: S9. Points after median, hold." in done.output
    tables = json.loads((tmp_path / "scores.json").read_text())["tables"]
    assert [table["title"] for table in tables] == ["By action", "By subject", "By joint"]
    assert [row["action"] for row in tables[0]["rows"]] == ["Sitting", "SittingDown", "average"]
    assert len(tables[2]["rows"]) == 17


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "baseline", "--out", "x"], "Give either --data, a folder of data sets, or --motions"),
        (["train", "baseline", "--out", "x", "--data", "d", "--motions", "m"], "Give either --data"),
        (["train", "baseline", "--out", "x", "--motions", "m", "--room-frame"], "in the axes of cameras"),
        (["train", "baseline", "--out", "x", "--data", "d", "--joints", "15"], "choose 14, 16 or 17"),
        (["train", "baseline", "--out", "x", "--data", "d", "--points", "lsp"], "no 16 points called 'lsp'"),
        (
            ["train", "baseline", "--out", "x", "--data", "DATA", "--dropout-keep", "0"],
            "dropout-keep 0 is not",
        ),
        (["train", "baseline", "--out", "x", "--data", "DATA", "--subjects-train", "S2"], "no subject 'S2'"),
        (["train", "baseline", "--out", "x", "--data", "d", "--device", "gpu"], "no device 'gpu'"),
        (["evaluate", "baseline", "none.npz", "--data", "DATA"], "There is no file none.npz"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_options_end_in_a_sentence(arguments: list[str], says: str, data: Path, tmp_path: Path) -> None:
    given = [{"DATA": str(data), "x": str(tmp_path / "x")}.get(a, a) for a in arguments]
    done = run(*given)
    assert done.exit_code == 2, done.output
    assert says in done.output
    assert "Traceback" not in done.output
    assert not (tmp_path / "x").exists()
