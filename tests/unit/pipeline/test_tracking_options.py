"""What may be asked of tracking, as text, as JSON, and what is refused."""

from __future__ import annotations

import json
import re

import pytest
from pose_server.pipeline.moment import Moment
from pose_server.pipeline.tracking_options import Click, Merge, Part, TrackingOptions
from pose_shared.errors import InputError


@pytest.mark.parametrize(
    ("text", "click"),
    [
        ("640,360", Click(640, 360)),
        ("0,12.5@120", Click(0, 12.5, Moment(frame=120))),
        ("640,360@4.5s", Click(640, 360, Moment(seconds=4.5))),
    ],
)
def test_a_click_is_read_and_written(text: str, click: Click) -> None:
    assert Click.parse(text) == click
    assert str(click) == text


@pytest.mark.parametrize("text", ["", "640", "640,", "a,b", "1,2,3", "-1,2", "nan,1", "inf,1", "1e9,1"])
def test_what_is_no_point_is_no_click(text: str) -> None:
    with pytest.raises(InputError, match="640,360@120") as caught:
        Click.parse(text)
    assert caught.value.reason == "CLICK_INVALID"


@pytest.mark.parametrize("text", ["640,360@", "640,360@-3", "640,360@soon"])
def test_a_click_is_at_a_moment(text: str) -> None:
    with pytest.raises(InputError) as caught:
        Click.parse(text)
    assert caught.value.reason == "RANGE_INVALID"


def test_merges_and_splits_are_read_and_written() -> None:
    split, merge = Part.parse("2@140", "--split"), Merge.parse("1+2@140+3")
    assert split == Part(2, Moment(frame=140))
    assert merge == Merge((Part(1), Part(2, Moment(frame=140)), Part(3)))
    assert (str(split), str(merge)) == ("2@140", "1+2@140+3")


@pytest.mark.parametrize("text", ["1", "1+", "+1", "1+1", "1+x", "0+1", "1 2", "1+2@3+2@3"])
def test_a_merge_needs_two(text: str) -> None:
    with pytest.raises(InputError, match="such as") as caught:
        Merge.parse(text)
    assert caught.value.reason == "TRACK_EDIT_INVALID"


@pytest.mark.parametrize("text", ["1+", "+1", "1++2"])
def test_a_merge_with_nobody_in_it_is_named_whole(text: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"--merge {text} is not possible")):
        Merge.parse(text)


def test_options_go_to_json_and_back() -> None:
    options = TrackingOptions(
        people_by="score_area",
        clicks=(Click(1, 2.25, Moment(seconds=0.125)),),
        splits=(Part(2, Moment(frame=140)),),
        merges=(Merge((Part(1), Part(2, Moment(frame=140)))),),
        reidentify="off",
    )
    assert TrackingOptions.from_dict(json.loads(json.dumps(options.to_dict()))) == options
    assert TrackingOptions.from_dict({}) == TrackingOptions()


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"people_by": "looks"}, "--people-by looks is not possible; choose from prominence"),
        ({"reidentify": "always"}, "--reidentify always is not possible; choose from auto, off"),
        ({"splits": ["2"]}, "--split 2 is not possible"),
        ({"splits": ["2@4", "2@4"]}, "--split names 2@4 more than once"),
        ({"merges": ["1+2", "2+3"]}, "--merge names 2 more than once"),
        ({"merges": ["1+2@140"]}, "no split makes; add --split 2@140"),
        ({"clicks": ["1,1"] * 1001}, "more than 1000"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(fields: dict[str, object], why: str) -> None:
    with pytest.raises(InputError) as caught:
        TrackingOptions.from_dict(fields)
    assert why in caught.value.message


def test_nobody_is_counted_from_zero() -> None:
    with pytest.raises(InputError, match="counted from 1"):
        Part(0)
