"""Who comes back: known again by looks and build, and only if nobody else is meant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_film import IMAGE_SIZE, NAMES, Actor, Film, shoot, walk
from pose_server.pipeline.progress import SilentProgress
from pose_server.track.appearance import APPEARANCE_SIZE, PARTS
from pose_server.track.footage import Footage
from pose_server.track.tracker import track_people

#: Who walks through the picture from the left to the right is in it for about 4 s.
CROSSES = 1.2
_BINS = APPEARANCE_SIZE // len(PARTS)


def clothes(number: int, *, mixed_with: int | None = None, share: float = 0.0) -> np.ndarray:
    """Colours of somebody, each part mostly of one bin."""
    random = np.random.default_rng(number)
    looks = np.full((len(PARTS), _BINS), 0.01)
    looks[np.arange(len(PARTS)), random.integers(0, _BINS, len(PARTS))] = 1.0
    looks = (looks / looks.sum(axis=1, keepdims=True)).ravel()
    return looks if mixed_with is None else (1 - share) * looks + share * clothes(mixed_with)


def footage(film: Film, wardrobe: dict[int, np.ndarray], noise: float = 0.02) -> Footage:
    random, looks = np.random.default_rng(3), []
    for found in film.detections:
        for box in found.boxes_px:
            own = wardrobe[film.truth[found.index, float(box[0])]]
            spread = np.abs(own + random.normal(0, noise, own.shape)).reshape(len(PARTS), -1)
            looks.append((spread / spread.sum(axis=1, keepdims=True)).ravel())
    return Footage(
        appearance=np.array(looks).reshape(-1, APPEARANCE_SIZE).astype(np.float16),
        sharpness=np.ones(len(looks)),
        steady=np.repeat(np.eye(2, 3)[None], len(film.detections), axis=0),
    )


def cast(film: Film, wardrobe: dict[int, np.ndarray], **settings: bool) -> list[list[int]]:
    """Return the actors in each track."""
    tracks = track_people(
        film.detections,
        keypoint_names=NAMES,
        image_size=IMAGE_SIZE,
        progress=SilentProgress(),
        footage=footage(film, wardrobe),
        **settings,
    )
    return sorted(sorted(actors) for actors, _ in film.cast(tracks))


def crossing(at_s: float, **changes: object) -> Actor:
    return replace(Actor(walk(640, CROSSES, at_s=at_s)), **changes)


#: The first actor comes twice, the second once between.
IN_TURN = [crossing(2), crossing(8), crossing(14, plays=0)]


def test_who_comes_back_is_the_same_and_who_is_dressed_otherwise_is_not() -> None:
    film = shoot(IN_TURN, seconds=17)
    assert cast(film, {0: clothes(1), 1: clothes(2)}) == [[0], [1]]


def test_nobody_is_known_again_if_nobody_should_be() -> None:
    film = shoot(IN_TURN, seconds=17)
    assert cast(film, {0: clothes(1), 1: clothes(2)}, reidentify=False) == [[0], [0], [1]]


def test_without_looks_nobody_is_known_again() -> None:
    film = shoot(IN_TURN, seconds=17)
    unseen = np.full(APPEARANCE_SIZE, np.nan)
    assert cast(film, {0: unseen, 1: unseen}) == [[0], [0], [1]]


def test_somebody_nearly_as_like_puts_it_in_doubt() -> None:
    """The first and the third are as like as one person may be; the second is hardly less like them."""
    film = shoot([crossing(2), crossing(8), crossing(14)], seconds=17)
    first, third = clothes(1), clothes(1, mixed_with=3, share=0.1)
    assert cast(film, {0: first, 1: clothes(2), 2: third}) == [[0, 2], [1]]
    assert cast(film, {0: first, 1: clothes(1, mixed_with=2, share=0.15), 2: third}) == [[0], [1], [2]]


def test_twins_who_are_seen_together_are_not_told_apart_later() -> None:
    together = [crossing(2), crossing(3.5), crossing(12, plays=0)]
    film = shoot(together, seconds=15)
    assert cast(film, {0: clothes(1), 1: clothes(1)}) == [[0], [0], [1]]


def test_another_build_in_the_same_clothes_is_somebody_else() -> None:
    grown = [crossing(2), crossing(8, shrink=0.8)]
    film = shoot(grown, seconds=11)
    assert cast(film, {0: clothes(1), 1: clothes(1)}) == [[0], [1]]
    same = shoot([crossing(2), crossing(8)], seconds=11)
    assert cast(same, {0: clothes(1), 1: clothes(1)}) == [[0, 1]]


def test_build_that_is_not_known_takes_looks_that_are_closer() -> None:
    film = shoot(IN_TURN, seconds=17)
    for found in film.detections:
        found.landmarks_m[:] = np.nan
    assert cast(film, {0: clothes(1), 1: clothes(2)}) == [[0], [1]]


def test_who_comes_three_times_is_one() -> None:
    film = shoot([crossing(2), crossing(8, plays=0), crossing(14, plays=0)], seconds=17)
    assert cast(film, {0: clothes(1)}) == [[0]]


@pytest.mark.parametrize("rate", [10.0, 60.0])
def test_the_rate_does_not_matter(rate: float) -> None:
    film = shoot(IN_TURN, seconds=17, rate=rate)
    assert cast(film, {0: clothes(1), 1: clothes(2)}) == [[0], [1]]


def test_looks_tell_who_is_who_behind_a_pillar() -> None:
    """Two of one size wait at the same place behind it, and come out where the other went in."""
    hidden = [(1.0, 3.0)]

    def swapping(side: float) -> Actor:
        return Actor(lambda t: (640 + side * (40 if t < 2 else -40), 400), facing=0, hidden=hidden)

    film = shoot([swapping(-1), swapping(1)])
    assert cast(film, {0: clothes(1), 1: clothes(2)}, reidentify=False) == [[0], [1]]
    assert cast(film, {0: clothes(1), 1: clothes(1)}, reidentify=False) == [[0, 1], [0, 1]]
