from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pose_server.lift import registry
from pose_server.lift.house import write_weights
from pose_server.lift.network import LiftNetwork, LiftShape
from pose_server.lift.registry import available_lifters, create_lifter
from pose_server.pipeline.options import LIFTERS
from pose_shared.errors import InputError


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "mine.safetensors"
    torch.manual_seed(1)
    write_weights(path, LiftNetwork(LiftShape(8, (1,))), {})
    return path


def test_a_checkpoint_is_chosen_by_its_path(weights: Path) -> None:
    assert create_lifter(str(weights), "cpu").name == "house"


def test_every_name_that_options_offer_is_there(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "shipped_weights", lambda name: weights)
    assert {name: create_lifter(name, "cpu").name for name in LIFTERS} == {
        "auto": "house",
        "house": "house",
        "house_causal": "house",  # the same file stands for all
        "landmarks": "landmarks",
    }


@pytest.mark.parametrize("choice", ["", "hous", "House", "none.safetensors", "none/house.npz", "/", "."])
def test_an_unknown_name_is_one_sentence(choice: str) -> None:
    with pytest.raises(InputError, match=r"choose from auto, house.*landmarks.*\.safetensors") as caught:
        create_lifter(choice, "cpu")
    assert caught.value.reason == "LIFTER_UNKNOWN" and caught.value.metadata["value"] == choice
    assert "\n" not in caught.value.message


def test_a_file_of_another_kind_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"film")
    with pytest.raises(InputError, match="There is no lifter"):
        create_lifter(str(tmp_path / "film.mp4"), "cpu")
    np.savez(tmp_path / "motions.npz", a=np.zeros(3))
    with pytest.raises(InputError) as caught:
        create_lifter(str(tmp_path / "motions.npz"), "cpu")
    assert "\n" not in caught.value.message


def test_every_lifter_of_the_options_is_there_and_can_run() -> None:
    statuses = available_lifters()
    assert ("auto", *(status.name for status in statuses)) == LIFTERS
    assert all(status.usable and status.advice for status in statuses)
