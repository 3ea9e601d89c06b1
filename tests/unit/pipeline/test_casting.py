"""From everybody to the people of a result: numbers, edits, clicks and choice together."""

from __future__ import annotations

import numpy as np
import pytest
from made_film import Actor, Film, shoot, walk
from pose_server.pipeline.boundary import Detections, Track2D
from pose_server.pipeline.casting import cast_people
from pose_server.pipeline.options import ImportOptions
from pose_server.pipeline.tracking_options import TrackingOptions
from pose_shared.errors import InputError, MediaError

#: Source frames count from here, as those of a range do.
FIRST = 50


@pytest.fixture(scope="module")
def everybody() -> tuple[list[Track2D], list[Detections]]:
    """Three people, the largest first, in a film of 4 s at 30 frames per second that begins at frame 50."""
    actors = [
        Actor(walk(300, 0.1), height_px=320),
        Actor(walk(700, 0.1), height_px=260),
        Actor(walk(1050, -0.1), height_px=200, facing=-1),
    ]
    shot = [
        Detections(found.index + FIRST, found.time_s + FIRST / 30, *list(vars(found).values())[2:])
        for found in shoot(actors, noise=0.0).detections
    ]
    return Film(shot, {}).tracks(), shot


def cast(everybody: tuple[list[Track2D], list[Detections]], **fields: object) -> dict[int, Track2D]:
    options = ImportOptions(
        people=fields.pop("people", None),
        persons=fields.pop("persons", ()),
        tracking=TrackingOptions.from_dict(fields),
    )
    return cast_people(*everybody[:1], options, everybody[1])


def height(track: Track2D) -> int:
    return round(float(np.nanmean(track.boxes_px[:, 3] - track.boxes_px[:, 1])) / 10)


def test_everybody_is_numbered_by_prominence(everybody) -> None:
    people = cast(everybody)
    assert list(people) == [1, 2, 3]
    assert height(people[1]) > height(people[2]) > height(people[3])


def test_a_click_keeps_whom_it_hits_beside_those_who_are_named(everybody) -> None:
    box = cast(everybody)[3].boxes_px[10]
    at = f"{(box[0] + box[2]) / 2},{(box[1] + box[3]) / 2}"
    assert list(cast(everybody, clicks=[f"{at}@60"])) == [3]
    assert list(cast(everybody, clicks=[f"{at}@60"], persons=(1,), people=1)) == [1, 3]
    assert list(cast(everybody, clicks=[f"{at}@{60 / 30}s"])) == [3]


def test_a_click_without_a_moment_is_on_the_first_frame(everybody) -> None:
    box = cast(everybody)[2].boxes_px[0]
    assert list(cast(everybody, clicks=[f"{(box[0] + box[2]) / 2},{(box[1] + box[3]) / 2}"])) == [2]


def test_numbers_stay_whatever_is_edited(everybody) -> None:
    edited = cast(everybody, splits=["1@100", "3@120"])
    assert list(edited) == [1, 2, 3, 4, 5]
    assert (edited[1].indices[-1], edited[4].indices[0]) == (99, 100)
    assert (edited[3].indices[-1], edited[5].indices[0]) == (119, 120)
    assert list(cast(everybody, splits=["1@100", "3@120"], persons=(4, 2))) == [2, 4]


def test_what_was_split_can_be_put_together_again(everybody) -> None:
    whole, again = cast(everybody), cast(everybody, splits=["1@100"], merges=["1+1@100"])
    assert list(again) == [1, 2, 3]
    for name in ("indices", "times_s", "boxes_px", "keypoints_px"):
        assert np.array_equal(getattr(again[1], name), getattr(whole[1], name), equal_nan=True)


def test_a_split_by_seconds_is_at_that_frame(everybody) -> None:
    assert cast(everybody, splits=[f"1@{100 / 30!r}s"])[4].indices[0] == 100


def test_a_count_is_of_those_who_are_left(everybody) -> None:
    assert list(cast(everybody, splits=["1@60"], people=2)) == [2, 4]
    assert list(cast(everybody, splits=["1@60"], people=1)) == [4]
    assert list(cast(everybody, splits=["1@60"], people=1, people_by="area")) == [1]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"persons": (4,)}, "PERSON_UNKNOWN"),
        ({"splits": ["4@60"]}, "PERSON_UNKNOWN"),
        ({"splits": ["1@50"]}, "TRACK_EDIT_INVALID"),
        ({"splits": ["1@500"]}, "FRAME_OUTSIDE"),
        ({"splits": ["1@9s"]}, "FRAME_OUTSIDE"),
        ({"merges": ["1+2"]}, "TRACK_EDIT_INVALID"),
        ({"merges": ["1+7"]}, "PERSON_UNKNOWN"),
        ({"clicks": ["5,5"]}, "CLICK_NOBODY"),
        ({"clicks": ["300,400@3"]}, "FRAME_OUTSIDE"),
    ],
)
def test_what_is_not_in_the_clip_is_said(everybody, fields: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError) as caught:
        cast(everybody, **fields)
    assert caught.value.reason == reason


def test_nobody_is_still_nobody(everybody) -> None:
    with pytest.raises(MediaError) as caught:
        cast_people([], ImportOptions(), everybody[1])
    assert caught.value.reason == "NO_PERSON"
