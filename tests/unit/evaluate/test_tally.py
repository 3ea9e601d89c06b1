"""Means by action weigh frames inside an action and actions alike."""

from __future__ import annotations

import math

import pytest
from pose_server.evaluate.tally import Tally


def tally() -> Tally:
    made = Tally()
    made.add(frames=10, measures={"e": 1.0}, action="Walk", subject="S9")
    made.add(frames=30, measures={"e": 5.0}, action="Walk", subject="S11")
    made.add(frames=1000, measures={"e": 10.0, "v": 2.0}, action="Sit", subject="S9")
    return made


def test_frames_weigh_within_a_group_and_groups_are_equal() -> None:
    walk, sit, average = tally().rows("action")
    assert walk == {"action": "Walk", "frames": 40, "e": 4.0}
    assert sit == {"action": "Sit", "frames": 1000, "e": 10.0, "v": 2.0}
    assert average == {"action": "average", "frames": 1040, "e": 7.0, "v": 2.0}


def test_another_label_groups_otherwise() -> None:
    nine, eleven = tally().rows("subject", average="")
    assert nine["e"] == pytest.approx(10010 / 1010)
    assert eleven["e"] == 5


def test_a_clip_without_a_number_does_not_count() -> None:
    made = tally()
    made.add(frames=50, measures={"e": math.nan}, action="Walk", subject="S1")
    made.add(frames=50, measures={"e": math.nan}, action="Eat", subject="S1")
    walk, _, eat, average = made.rows("action")
    assert walk["e"] == 4
    assert math.isnan(float(eat["e"]))
    assert average["e"] == 7


def test_no_clips_no_rows() -> None:
    assert Tally().rows("action") == []
