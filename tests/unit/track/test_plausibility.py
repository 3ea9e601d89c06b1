"""What is dropped, and what never is."""

from __future__ import annotations

import pytest
from made_film import Actor, shoot, walk

SOMEBODY = Actor(walk(200, 0.2))


def people(*actors: Actor, seconds: float = 6.0, rate: float = 30.0) -> int:
    return len(shoot(actors, seconds=seconds, rate=rate).tracks())


@pytest.mark.parametrize("rate", [10.0, 30.0, 120.0])
def test_a_flicker_is_dropped_and_half_a_second_is_kept(rate: float) -> None:
    flicker = Actor(walk(900, 0.0), facing=0, hidden=[(0.0, 3.0), (3.4, 9.0)])
    seen = Actor(walk(900, 0.0), facing=0, hidden=[(0.0, 3.0), (3.6, 9.0)])
    assert people(SOMEBODY, flicker, rate=rate) == 1
    assert people(SOMEBODY, seen, rate=rate) == 2


def test_a_third_of_a_short_clip_is_enough() -> None:
    assert people(Actor(walk(900, 0.0), facing=0, hidden=[(0.2, 9.0)]), seconds=0.5) == 1


def test_a_flicker_alone_in_a_long_clip_is_nobody() -> None:
    assert people(Actor(walk(900, 0.0), facing=0, hidden=[(0.0, 3.0), (3.4, 9.0)])) == 0


def test_a_speck_must_be_seen_often() -> None:
    def speck(end_s: float) -> Actor:
        return Actor(walk(900, 0.0), facing=0, height_px=24, hidden=[(end_s, 9.0)])

    assert people(SOMEBODY, speck(1.0)) == 1
    assert people(SOMEBODY, speck(2.0)) == 2


def test_a_ghost_in_the_furniture_is_dropped() -> None:
    table = Actor(walk(900, 0.0), facing=0, height_px=120, shimmer=0.08, shrink=0.6)
    assert people(SOMEBODY, table) == 1


def test_a_child_is_no_ghost() -> None:
    assert people(SOMEBODY, Actor(walk(900, 0.0), facing=0, height_px=120, shrink=0.6)) == 2


def test_a_restless_landmark_makes_no_ghost() -> None:
    assert people(SOMEBODY, Actor(walk(900, 0.0), facing=0, shimmer=0.08)) == 2


def test_a_body_that_is_hardly_seen_is_dropped() -> None:
    film = shoot([SOMEBODY])
    for found in film.detections:
        found.keypoint_confidence[:] = 0.1
    assert film.tracks() == []
