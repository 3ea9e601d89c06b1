from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from made_takes import walks
from pose_server.lift.house import HouseLifter, write_weights
from pose_server.lift.network import LiftNetwork, LiftShape
from pose_server.train.cameras import CameraModel
from pose_server.train.house import HELD_OUT, HouseOptions, train_house
from pose_server.train.run import seed_everything
from pose_server.train.sightings import SightModel
from pose_server.train.windows import BodyModel
from pose_shared.errors import InputError

TINY = HouseOptions(steps=3, batch=4, frames=12, held_out=("2",), shape=LiftShape(16, (1, 2)))


def train(folder: Path, options: HouseOptions = TINY, *, every: int = 1000, people: int = 2) -> LiftNetwork:
    return train_house(walks(people, 3.0), options, folder, measure_every=every, tell=lambda line: None)


def test_training_learns(tmp_path: Path) -> None:
    """Two walkers, captured calmly; the third, who is measured, is never trained on."""
    options = replace(
        TINY,
        steps=300,
        batch=8,
        rate=6e-3,
        average=0.98,
        held_out=("3",),
        shape=LiftShape(64, (1, 3)),
        bodies=BodyModel(0, 0, 0, 0, 0, 0, 0, (30.0, 30.0)),
        cameras=CameraModel(free_share=0, rolled_share=0, moving_share=0, guessed_share=0),
        sights=SightModel(strength=0.2, losses=0, landmarks_share=0.5),
    )
    train(tmp_path, options, every=75, people=3)
    with (tmp_path / "curves.csv").open(newline="") as file:
        first, *_, last = ({k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file))
    assert last["loss_joints"] < 0.13 and last["loss_velocity"] < 0.045 and last["loss_root"] < 0.03
    assert last["loss_contacts"] < 0.05 and last["loss_spread"] < 0.01
    assert last["mpjpe_mm"] < 85 and last["p_mpjpe_mm"] < 55
    assert last["mpjpe_mm_plain"] < 105 and last["root_relative_depth_plain"] < 0.11
    assert all(last[name] < first[name] for name in ("loss_joints", "loss_velocity", "mpjpe_mm"))


def test_a_seed_decides_everything(tmp_path: Path) -> None:
    first, again, other = (
        train(tmp_path / name, replace(TINY, seed=seed)) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    assert not torch.equal(first.joints.weight, other.joints.weight)


@pytest.mark.parametrize("causal", [False, True])
def test_what_was_trained_can_be_kept_and_used(tmp_path: Path, causal: bool) -> None:
    options = replace(TINY, batch=32, shape=LiftShape(16, (1, 2), causal))  # some windows begin unseen
    network = train(tmp_path, options)
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())
    assert not network.training
    write_weights(tmp_path / "house.safetensors", network, {})
    assert HouseLifter(tmp_path / "house.safetensors").name == ("house_causal" if causal else "house")


def test_the_averaged_weights_follow_the_last_ones(tmp_path: Path) -> None:
    averaged = train(tmp_path).joints.weight
    state = torch.load(tmp_path / "last.pt", weights_only=True)
    assert torch.equal(state["averaged"]["joints.weight"], averaged)
    seed_everything(TINY.seed)
    first, last = LiftNetwork(TINY.shape).joints.weight, state["network"]["joints.weight"]
    # At first the average reaches back over few steps, or it would be that of the beginning.
    assert 0 < (averaged - last).norm() < 0.5 * (averaged - first).norm()


def test_options_are_kept_as_json_with_the_data(tmp_path: Path) -> None:
    train(tmp_path)
    kept = json.loads((tmp_path / "options.json").read_text())
    assert kept == json.loads(json.dumps({**TINY.to_dict(), "motions_sha256": "0" * 64}))
    assert kept["shape"]["dilations"] == [1, 2] and kept["sights"]["losses"] == 1.0


def test_subjects_that_are_held_out_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hold out some of 1, 2"):
        train(tmp_path / "run", replace(TINY, held_out=HELD_OUT))
    assert not (tmp_path / "run").exists()
