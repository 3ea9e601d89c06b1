"""Splits and merges by the user: what comes of them, under which numbers, and what cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from pose_server.pipeline.boundary import Track2D
from pose_server.track.editing import merge_people, split_people
from pose_shared.errors import InputError

FRAMES = np.arange(100, 160)
#: Uneven on purpose.
TIMES_S = np.cumsum(np.where(np.arange(60) % 2, 0.04, 0.02)) + 3.0


def person(
    first: int, last: int, *, x: float = 0.0, sure: float = 0.8, missed: tuple[int, ...] = ()
) -> Track2D:
    """Somebody seen from one frame to another, who moves by a pixel a frame."""
    indices = np.arange(first, last + 1)
    boxes = np.stack([x + indices, indices * 0.0, x + indices + 50.0, indices * 0.0 + 100.0], axis=1)
    boxes[np.isin(indices, missed)] = np.nan
    gone = np.isnan(boxes).any(axis=1)
    points = np.where(gone[:, None, None], np.nan, boxes[:, None, :2])
    return Track2D(
        keypoint_names=("nose",),
        indices=indices,
        times_s=TIMES_S[indices - FRAMES[0]],
        boxes_px=boxes,
        keypoints_px=points,
        keypoint_confidence=np.where(gone[:, None], 0.0, sure),
        landmarks_m=np.full((len(indices), 1, 3), np.nan),
    )


def merged(people: dict[int, Track2D], *merges: tuple[int, ...]) -> dict[int, Track2D]:
    return merge_people(people, merges, frame_indices=FRAMES, frame_times_s=TIMES_S)


def seen(track: Track2D) -> list[int]:
    return track.indices[track.found].tolist()


def assert_same_rows(part: Track2D, whole: Track2D) -> None:
    rows = part.indices - whole.indices[0]
    for name in ("times_s", "boxes_px", "keypoints_px", "keypoint_confidence"):
        assert np.array_equal(getattr(part, name), getattr(whole, name)[rows], equal_nan=True)


def test_a_split_makes_somebody_new_who_is_counted_on() -> None:
    whole = person(100, 150)
    people, new = split_people({1: whole, 2: person(100, 110)}, [(1, 120)])
    assert (list(people), new) == ([1, 2, 3], {(1, 120): 3})
    assert (seen(people[1]), seen(people[3])) == (list(range(100, 120)), list(range(120, 151)))
    assert_same_rows(people[1], whole)
    assert_same_rows(people[3], whole)


def test_splits_are_numbered_by_person_and_frame_in_whatever_order_they_come() -> None:
    people = {1: person(100, 150), 2: person(100, 150)}
    orders = ([(2, 110), (1, 140), (1, 120)], [(1, 120), (1, 140), (2, 110)])
    for order in orders:
        parts, new = split_people(people, order)
        assert new == {(1, 120): 3, (1, 140): 4, (2, 110): 5}
        assert [(seen(part)[0], seen(part)[-1]) for part in parts.values()] == [
            (100, 119), (100, 109), (120, 139), (140, 150), (110, 150),
        ]  # fmt: skip


def test_a_split_in_a_gap_leaves_no_empty_rows() -> None:
    people, _ = split_people({1: person(100, 130, missed=tuple(range(110, 120)))}, [(1, 115)])
    assert (people[1].indices[-1], people[2].indices[0]) == (109, 120)


@pytest.mark.parametrize("frame", [100, 90, 131, 200])
def test_a_split_must_leave_something_on_both_sides(frame: int) -> None:
    with pytest.raises(InputError, match="from frame 100 to 130") as caught:
        split_people({1: person(100, 130)}, [(1, frame)])
    assert caught.value.reason == "TRACK_EDIT_INVALID"


def test_a_merge_has_the_lowest_number_and_the_clip_s_times() -> None:
    early, late = person(100, 110), person(130, 140, x=300)
    people = merged({1: person(100, 150, x=900), 2: late, 3: early}, (3, 2))
    assert list(people) == [1, 2]
    both = people[2]
    assert both.indices.tolist() == list(range(100, 141))
    assert seen(both) == [*range(100, 111), *range(130, 141)]
    assert np.array_equal(both.times_s, TIMES_S[:41])
    assert np.isnan(both.keypoints_px[15]).all()
    assert both.keypoint_confidence[15] == 0


def test_where_both_are_seen_the_surer_sighting_stays() -> None:
    one, other = person(100, 120, sure=0.5), person(110, 130, x=4, sure=0.9)
    both = merged({1: one, 2: other}, (1, 2))[1]
    assert both.boxes_px[both.indices == 105, 0] == 105
    assert both.boxes_px[both.indices == 115, 0] == 119
    both = merged({1: one, 2: person(110, 130, x=4, sure=0.2)}, (1, 2))[1]
    assert both.boxes_px[both.indices == 115, 0] == 115
    assert both.boxes_px[both.indices == 125, 0] == 129


def test_two_who_are_seen_apart_are_not_one() -> None:
    with pytest.raises(InputError, match="between frames 110 and 120, in different places; split") as caught:
        merged({1: person(100, 120), 2: person(110, 130, x=400)}, (1, 2))
    assert caught.value.reason == "TRACK_EDIT_INVALID"


def test_a_few_frames_apart_are_an_error_of_the_detector() -> None:
    both = merged({1: person(100, 120), 2: person(117, 130, x=400, sure=0.4)}, (1, 2))[1]
    assert seen(both) == list(range(100, 131))
    assert both.boxes_px[both.indices == 119, 0] == 119


def test_three_become_one_and_swapped_halves_are_put_right() -> None:
    people = {1: person(100, 110), 2: person(115, 125), 3: person(130, 140)}
    assert list(merged(people, (1, 2, 3))) == [1]
    people = {1: person(100, 150), 2: person(100, 150, x=400)}
    parts, new = split_people(people, [(1, 120), (2, 120)])
    right = merged(parts, (1, new[2, 120]), (2, new[1, 120]))
    assert list(right) == [1, 2]
    assert right[1].boxes_px[[10, 30], 0].tolist() == [110, 530]
    assert right[2].boxes_px[[10, 30], 0].tolist() == [510, 130]


def test_nobody_unknown_is_edited_and_nothing_given_is_changed() -> None:
    people = {1: person(100, 130)}
    before = people[1].boxes_px.copy()
    for edit in (lambda: split_people(people, [(2, 110)]), lambda: merged(people, (1, 2))):
        with pytest.raises(InputError, match="Person 2 is not in the clip: there is 1 person") as caught:
            edit()
        assert caught.value.reason == "PERSON_UNKNOWN"
    split_people(people, [(1, 110)])
    assert list(people) == [1]
    assert np.array_equal(people[1].boxes_px, before)
