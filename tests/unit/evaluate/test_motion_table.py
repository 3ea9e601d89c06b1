from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_takes import walk
from pose_server.evaluate.motion import METHODS
from pose_server.evaluate.motion_table import cameras_table, motion_tables, settings_table
from pose_server.evaluate.shooting import Shooting
from pose_server.lift.house import write_weights
from pose_server.lift.network import LiftNetwork, LiftShape
from pose_server.train.motions import MotionSet, write_motions
from pose_shared.errors import InputError

SHORT = Shooting(count=2, longest_s=1.5)


@pytest.fixture(scope="module")
def lifter(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    torch.manual_seed(1)
    write_weights(path, LiftNetwork(LiftShape(16, (1, 2))), {})
    return str(path)


@pytest.fixture(scope="module")
def motions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Who is held out walks and jumps, who is not dances."""
    takes = [("16_01.1", "16"), ("16_11.1", "16"), ("05_02.1", "05"), ("02_01.1", "02")]
    path = tmp_path_factory.mktemp("motions") / "set.npz"
    write_motions(
        path,
        MotionSet(tuple(walk(2.0, seed=i, name=n, subject=s) for i, (n, s) in enumerate(takes)), "0" * 64),
    )
    return path


def test_methods_kinds_and_scenes_are_tables(motions: Path, lifter: str) -> None:
    said: list[str] = []
    tables = motion_tables(motions, lifter, SHORT, held_out=["16"], tell=said.append)
    pose, rotations, feet, calm, kinds, seen, worst, scenes = tables
    for table in (pose, rotations, feet, calm):
        assert tuple(row["method"] for row in table.rows) == METHODS
    assert "Gravity error °" in pose.to_markdown() and "Contact F1" in feet.to_markdown()
    assert "Forearms °" in rotations.to_markdown()
    assert "2 stretches of up to 1.5 s at 30 Hz" in pose.note and "5 %" in pose.note
    groups = [(row["group"], row["scenes"]) for row in kinds.rows[::3]]
    assert groups == [(kind, 1) for kind in ("crawl †", "dance *", "jump", "lie †", "stairs †", "walk")]
    assert "trained on" in kinds.note and "Keyed by hand" in kinds.note
    assert sum(int(row["scenes"] or 0) for row in seen.rows[::3]) == 2  # who is known does not count
    named = [str(row["scene"]) for row in scenes.rows[::3]]
    assert named[:3] == ["16_01.1 #0", "16_11.1 #1", "05_02.1 #0"] and len(named) == 6
    solved = [float(row["p_mpjpe_mm"] or 0) for row in scenes.rows if row["method"] == "solved"]
    assert pose.rows[2]["p_mpjpe_mm"] == pytest.approx(np.mean(solved[:2]))
    assert [row["p_mpjpe_mm"] for row in worst.rows] == sorted(solved, reverse=True)[:5]
    assert len(said) == 6 and said[0].startswith("1/2 16_01.1 #0 (jump): P-MPJPE ")


def test_settings_change_one_thing_at_a_time(motions: Path, lifter: str) -> None:
    table = settings_table(motions, lifter, replace(SHORT, count=1, outliers=0.2), held_out=["16"])
    assert [row["setting"] for row in table.rows] == [
        "24 Hz",
        "30 Hz",
        "60 Hz",
        "focal length guessed",
        "nobody else in any frame",
        "perfect 2D",
    ]
    assert len({row["p_mpjpe_mm"] for row in table.rows}) == 6


def test_what_cannot_be_measured_is_one_sentence(motions: Path, lifter: str) -> None:
    with pytest.raises(InputError, match="Nobody in the set is called '10'"):
        motion_tables(motions, lifter, SHORT)
    with pytest.raises(InputError, match="There is no lifter 'none'"):
        motion_tables(motions, "none", SHORT, held_out=["16"])


def test_cameras_that_travel_stand_beside_the_still_one(motions: Path, lifter: str) -> None:
    said: list[str] = []
    table = cameras_table(motions, lifter, replace(SHORT, count=1), held_out=["16"], tell=said.append)
    named = [(row["camera"], row["known"]) for row in table.rows]
    assert named[:3] == [("still", "–"), ("turning", "–"), ("handheld", "metres")] and len(named) == 14
    assert named[-2:] == [("beside", "up to a factor"), ("beside", "turns only")]
    ways = {name: row["way_error"] for name, row in zip(named, table.rows, strict=True)}
    assert ways["dolly", "metres"] == pytest.approx(0, abs=1e-3)
    assert ways["dolly", "turns only"] == pytest.approx(1)
    assert "Camera's way error %" in table.to_markdown() and len(said) == 14
