"""`pose-server evaluate motion` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from made_takes import walk
from pose_server.cli.evaluate import evaluate
from pose_server.lift.house import write_weights
from pose_server.lift.network import LiftNetwork, LiftShape
from pose_server.train.motions import MotionSet, write_motions
from typer.testing import CliRunner, Result


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("motion")
    takes = tuple(walk(1.5, seed=i, name=f"16_{i:02d}.1", subject=str(i)) for i in (1, 11))
    write_motions(folder / "set.npz", MotionSet(takes, "0" * 64))
    torch.manual_seed(1)
    write_weights(folder / "small.safetensors", LiftNetwork(LiftShape(8, (1,))), {})
    options = ["--lifter", str(folder / "small.safetensors"), "--held-out", "1", "--count", "1"]
    return ["motion", str(folder / "set.npz"), *options]


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(evaluate, [str(word) for word in words])


def test_tables_are_shown_and_written(command: list[str], tmp_path: Path) -> None:
    done = run(*command, "--write", tmp_path / "motion")
    assert done.exit_code == 0, done.output
    assert "| solved |" in done.stdout and "## Worst scenes, solved" in done.stdout
    assert "Every scene" not in done.stdout and "1/1 16_01.1 #0 (jump)" in done.stderr
    tables = json.loads((tmp_path / "motion.json").read_text())["tables"]
    assert tables[-1]["title"] == "Every scene" and len(tables[-1]["rows"]) == 3 * 4


def test_json_is_all_that_is_printed(command: list[str], tmp_path: Path) -> None:
    done = run(
        *command, "--json", "--lens", "guessed", "--rate", "24", "--outliers", "0", "--write", tmp_path / "m"
    )
    assert done.exit_code == 0, done.output
    tables = json.loads(done.stdout)
    assert "at 24 Hz" in tables[0]["note"] and "focal length guessed" in tables[0]["note"]
    assert len(tables[-1]["rows"]) == 3 * 4 and (tmp_path / "m.md").is_file()


def test_what_cannot_be_is_one_sentence(command: list[str]) -> None:
    for words, sentence in (
        (["--held-out", "9"], "Nobody in the set is called '9'"),
        (["--lifter", "none"], "There is no lifter 'none'"),
    ):
        done = run(*command, *words)
        assert done.exit_code and sentence in done.stderr and "Traceback" not in done.output
    assert run(*command, "--outliers", "0.9").exit_code == 2
    assert run(*command, "--lens", "some").exit_code == 2
