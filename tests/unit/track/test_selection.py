"""Who is listed first, and what happens when somebody asks for more people than there are."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from pose_server.pipeline.boundary import Track2D
from pose_server.track.selection import choose_people, coverage, number_people
from pose_shared.errors import InputError, MediaError


def track(first: int, found: list[bool], *, side_px: float, left_px: float = 0.0) -> Track2D:
    rows = len(found)
    box = np.array([left_px, 0.0, left_px + side_px, side_px])
    boxes = np.where(np.array(found)[:, None], box, np.nan)
    return Track2D(
        keypoint_names=("nose",),
        indices=np.arange(first, first + rows),
        times_s=np.arange(first, first + rows) / 30,
        boxes_px=boxes,
        keypoints_px=np.zeros((rows, 1, 2)),
        keypoint_confidence=np.zeros((rows, 1)),
        landmarks_m=np.zeros((rows, 1, 3)),
    )


LONG_SMALL = track(0, [True] * 10, side_px=40)
SHORT_LARGE = track(2, [True] * 5, side_px=100)
GAPPY = track(0, [True, False] * 4 + [True], side_px=100)
EVERYBODY = [LONG_SMALL, SHORT_LARGE, GAPPY]


def test_coverage_counts_the_frames_in_which_somebody_was_found() -> None:
    assert coverage(GAPPY, 10) == 0.5
    assert coverage(LONG_SMALL, 20) == 0.5
    assert coverage(LONG_SMALL, 0) == 0.0


def numbers(people: dict[int, Track2D]) -> dict[int, int]:
    return {number: id(track) for number, track in people.items()}


def chosen(count: int | None = None, persons: tuple[int, ...] = (), by: str = "prominence") -> list[int]:
    everybody = number_people(EVERYBODY, 10)
    return list(choose_people(everybody, count=count, persons=persons, people_by=by, frame_count=10))


def test_prominence_is_coverage_times_size_and_ties_go_to_who_came_first() -> None:
    for tracks in itertools.permutations(EVERYBODY):
        assert numbers(number_people(tracks, 10)) == numbers({1: GAPPY, 2: SHORT_LARGE, 3: LONG_SMALL})


def test_a_tie_in_time_goes_to_the_left() -> None:
    left, right = (track(0, [True] * 4, side_px=50, left_px=x) for x in (10, 300))
    assert number_people([right, left], 4)[1] is left


def test_the_first_are_kept_with_their_numbers() -> None:
    assert chosen() == [1, 2, 3]
    assert chosen(1) == [1]
    assert chosen(99) == [1, 2, 3]


def test_area_and_confidence_may_decide_and_change_no_number() -> None:
    gappy, short, small = (
        replace(one, keypoint_confidence=np.full((len(one), 1), sure))
        for one, sure in ((GAPPY, 0.1), (SHORT_LARGE, 0.5), (LONG_SMALL, 0.9))
    )
    short = replace(short, boxes_px=short.boxes_px * 1.2)
    everybody = number_people([gappy, short, small], 10)
    assert numbers(everybody) == numbers({1: short, 2: gappy, 3: small})

    def first(by: str, count: int = 1) -> list[int]:
        return list(choose_people(everybody, count=count, persons=(), people_by=by, frame_count=10))

    assert first("prominence", 2) == first("area", 2) == [1, 2]
    assert first("score_area", 2) == [1, 3]


def test_persons_are_counted_from_one_and_override_a_count() -> None:
    assert chosen(1, (3, 1, 3)) == [1, 3]


@pytest.mark.parametrize("person", [0, 4])
def test_a_person_who_is_not_there(person: int) -> None:
    with pytest.raises(InputError, match="there are 3 people, counted from 1") as caught:
        chosen(None, (1, person))
    assert caught.value.reason == "PERSON_UNKNOWN"
    assert caught.value.metadata == {"person": str(person), "people": "3"}


def test_nobody_at_all() -> None:
    with pytest.raises(MediaError, match="try a clip") as caught:
        number_people([], 10)
    assert caught.value.reason == "NO_PERSON"
    assert caught.value.exit_code == 2
