"""Who is listed first, and what happens when somebody asks for more people than there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from pose_server.pipeline.boundary import Track2D
from pose_server.track.selection import coverage, select_people
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


def test_prominence_is_coverage_times_size_and_ties_go_to_who_came_first() -> None:
    for tracks in itertools.permutations(EVERYBODY):
        chosen = select_people(tracks, people=None, persons=(), frame_count=10)
        assert [id(t) for t in chosen] == [id(GAPPY), id(SHORT_LARGE), id(LONG_SMALL)]


def test_a_tie_in_time_goes_to_the_left() -> None:
    left, right = (track(0, [True] * 4, side_px=50, left_px=x) for x in (10, 300))
    assert select_people([right, left], people=1, persons=(), frame_count=4)[0] is left


def test_the_most_prominent_are_kept() -> None:
    assert select_people(EVERYBODY, people=1, persons=(), frame_count=10) == [GAPPY]
    assert len(select_people(EVERYBODY, people=99, persons=(), frame_count=10)) == 3


def test_persons_are_counted_from_one_and_override_people() -> None:
    chosen = select_people(EVERYBODY, people=1, persons=(3, 1, 3), frame_count=10)
    assert [id(t) for t in chosen] == [id(GAPPY), id(LONG_SMALL)]


@pytest.mark.parametrize("person", [0, 4])
def test_a_person_who_is_not_there(person: int) -> None:
    with pytest.raises(InputError, match="there are 3 people") as caught:
        select_people(EVERYBODY, people=None, persons=(1, person), frame_count=10)
    assert caught.value.reason == "PERSON_UNKNOWN"
    assert caught.value.metadata == {"person": str(person), "people": "3"}


def test_nobody_at_all() -> None:
    with pytest.raises(MediaError, match="try a clip") as caught:
        select_people([], people=None, persons=(2,), frame_count=10)
    assert caught.value.reason == "NO_PERSON"
    assert caught.value.exit_code == 2
