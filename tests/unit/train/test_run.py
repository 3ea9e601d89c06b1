from __future__ import annotations

import csv
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from made_takes import walks
from pose_server.lift.network import LiftShape
from pose_server.train.house import HouseOptions, train_house
from pose_server.train.run import TrainingRun
from pose_shared.errors import InputError

OPTIONS = HouseOptions(steps=12, batch=4, frames=12, held_out=("2",), shape=LiftShape(16, (1, 2)))
#: Trains with those options, says what is kept, and waits to be killed once step 4 is.
CHILD = """
import sys, time
from pathlib import Path
from test_run import train
from pose_server.train.run import TrainingRun

save = TrainingRun.save
def told(self, step, state):
    save(self, step, state)
    print("kept", step, flush=True)

TrainingRun.save = told
def log(self, step, log=TrainingRun.log, **values):
    log(self, step, **values)
    if step > 4:
        print("ahead", step, flush=True)
        time.sleep(60)

TrainingRun.log = log
train(Path(sys.argv[1]))
"""


def train(folder: Path, *, resume: bool = False, options: HouseOptions = OPTIONS) -> Any:
    return train_house(walks(2, 3.0), options, folder, resume=resume, measure_every=2, tell=lambda line: None)


def curves(folder: Path) -> list[dict[str, str]]:
    with (folder / "curves.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_killed_run_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    whole = train(tmp_path / "whole")
    places = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "killed")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": places},
    )
    assert child.stdout is not None
    said = [child.stdout.readline().split() for _ in range(3)]
    assert said == [["kept", "2"], ["kept", "4"], ["ahead", "6"]]
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    # It died between a row of the curves and the checkpoint that belongs to it.
    assert [row["step"] for row in curves(tmp_path / "killed")] == ["2", "4", "6"]

    resumed = train(tmp_path / "killed", resume=True)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    assert curves(tmp_path / "killed") == curves(tmp_path / "whole")
    assert [row["step"] for row in curves(tmp_path / "whole")] == ["2", "4", "6", "8", "10", "12"]
    assert all(row["loss_joints"] and row["mpjpe_mm"] for row in curves(tmp_path / "whole"))
    # One that is complete has nothing left to do.
    again = train(tmp_path / "killed", resume=True)
    assert torch.equal(again.joints.weight, whole.joints.weight)


def test_a_run_is_neither_overwritten_nor_continued_with_other_options(tmp_path: Path) -> None:
    TrainingRun(tmp_path / "run", {"seed": 1})
    with pytest.raises(InputError, match="--resume") as caught:
        TrainingRun(tmp_path / "run", {"seed": 1})
    assert caught.value.reason == "RUN_EXISTS"
    with pytest.raises(InputError, match="other options") as caught:
        TrainingRun(tmp_path / "run", {"seed": 2}, resume=True)
    assert caught.value.reason == "RUN_DIFFERS"
    # Resuming what never was begins it.
    assert TrainingRun(tmp_path / "new", {"seed": 1}, resume=True).restore() is None


@pytest.mark.parametrize("kind", ["cut", "text", "empty", "tensor", "without step", "lacking", "code"])
def test_a_damaged_checkpoint_is_one_sentence(tmp_path: Path, kind: str) -> None:
    run = TrainingRun(tmp_path, {"seed": 1})
    run.save(3, {"weights": torch.zeros(100)})
    path = tmp_path / "last.pt"
    if kind == "tensor":
        torch.save(torch.zeros(3), path)
    elif kind == "without step":
        torch.save({"weights": torch.zeros(3)}, path)
    elif kind == "lacking":
        torch.save({"step": 3}, path)
    elif kind == "code":
        torch.save({"step": 3, "weights": _Trap()}, path)
    else:
        path.write_bytes({"cut": path.read_bytes()[:-300], "text": b"hello", "empty": b""}[kind])
    with pytest.raises(InputError, match="remove it to begin the run anew") as caught:
        TrainingRun(tmp_path, {"seed": 1}, resume=True).restore("weights")
    assert caught.value.reason == "RUN_UNREADABLE" and "\n" not in caught.value.message


class _Trap:
    def __reduce__(self) -> Any:
        return pytest.fail, ("code of a checkpoint was run",)


def test_a_checkpoint_gives_back_what_it_was_given(tmp_path: Path) -> None:
    run = TrainingRun(tmp_path, {"seed": 1})
    state = {"weights": torch.arange(4.0), "rates": [0.5, 1], "inner": {"count": 7}}
    run.save(3, state)
    run.save(5, state)
    kept = TrainingRun(tmp_path, {"seed": 1}, resume=True).restore("weights", "inner")
    assert kept is not None and kept["step"] == 5 and kept["rates"] == [0.5, 1]
    assert torch.equal(kept["weights"], state["weights"]) and kept["inner"] == {"count": 7}


def test_curves_may_gain_columns_and_lose_what_came_after_the_checkpoint(tmp_path: Path) -> None:
    run = TrainingRun(tmp_path, {})
    run.log(1, loss=2.0)
    run.save(1, {})
    run.log(2, loss=1.0, error_mm=50.0)
    assert curves(tmp_path) == [
        {"step": "1", "loss": "2.0", "error_mm": ""},
        {"step": "2", "loss": "1.0", "error_mm": "50.0"},
    ]
    again = TrainingRun(tmp_path, {}, resume=True)
    again.restore()
    again.log(2, loss=1.5)
    assert curves(tmp_path) == [{"step": "1", "loss": "2.0"}, {"step": "2", "loss": "1.5"}]


def test_progress_says_how_far_and_how_long(tmp_path: Path) -> None:
    said: list[str] = []
    run = TrainingRun(tmp_path, {}, tell=said.append)
    for step in run.steps(90, 100, every_s=0.0):
        if step == 95:
            run.log(95, loss=0.25)
    assert len(said) == 10
    assert said[0].startswith("step 91/100") and "left" in said[0] and "loss" not in said[0]
    assert said[-1].startswith("step 100/100") and "0:00 left" in said[-1] and "loss 0.25" in said[-1]
    assert list(run.steps(100, 100)) == []


@pytest.mark.skipif(
    importlib.util.find_spec("tensorboard") is None, reason="tensorboard is not installed (extra 'train')"
)
def test_tensorboard_finds_the_curves(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = TrainingRun(tmp_path, {})
    run.log(10, loss=2.0)
    run.log(20, loss=1.0)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(10, 2.0), (20, 1.0)]


def test_without_tensorboard_the_curves_are_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    TrainingRun(tmp_path, {}).log(1, loss=1.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curves.csv", "options.json"]
