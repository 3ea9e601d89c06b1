"""Times of frames and what ranges mean."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pose_server.pipeline.options import Moment
from pose_server.video.timeline import Timeline, increasing_times
from pose_shared.errors import InputError


@given(
    ticks=st.lists(st.integers(-10_000, 1_000_000), min_size=1, max_size=60),
    time_base=st.sampled_from([Fraction(1, 1000), Fraction(1, 90000), Fraction(1001, 30000)]),
)
def test_times_increase_and_keep_every_first_of_its_tick(ticks, time_base) -> None:
    ticks = np.sort(np.array(ticks))
    times_s = increasing_times(ticks, time_base=time_base, rate=Fraction(30))
    assert len(times_s) == len(ticks) and times_s[0] == 0
    assert (np.diff(times_s) > 0).all()
    _, first = np.unique(ticks, return_index=True)
    np.testing.assert_array_equal(times_s[first], (ticks[first] - ticks[0]) * float(time_base))


def test_frames_that_share_a_tick_are_spread() -> None:
    times_s = increasing_times(np.array([0, 10, 10, 10, 40, 40]), time_base=Fraction(1, 10), rate=Fraction(5))
    np.testing.assert_allclose(times_s, [0, 1, 2, 3, 4, 4.2])


def test_no_frames_have_no_times() -> None:
    assert (
        len(increasing_times(np.array([], dtype=np.int64), time_base=Fraction(1, 10), rate=Fraction(5))) == 0
    )
    assert len(Timeline.even(0, Fraction(25))) == 0


@given(
    count=st.integers(1, 500), number=st.integers(0, 499), rate=st.sampled_from(["24000/1001", "30", "60"])
)
def test_seconds_of_a_frame_mean_that_frame(count, number, rate) -> None:
    timeline = Timeline.even(count, Fraction(rate))
    number %= count
    assert timeline.index(Moment(seconds=float(timeline.times_s[number]))) == number
    assert timeline.index(Moment.parse(f"{timeline.times_s[number]:.7f}s")) == number
    assert timeline.select(Moment(frame=number), None, "clip") == (number, count)


def test_an_end_reaches_beyond_only_what_is_there() -> None:
    timeline = Timeline.even(50, Fraction(25))
    assert timeline.end_s == pytest.approx(2.0)
    beyond = [timeline.reaches_beyond(end) for end in (None, Moment(frame=51), Moment(seconds=2.1))]
    within = [
        timeline.reaches_beyond(end) for end in (Moment(frame=50), Moment(seconds=2.0), Moment(frame=0))
    ]
    assert all(beyond) and not any(within)


def test_an_empty_range_is_an_error_that_carries_both_numbers() -> None:
    with pytest.raises(InputError) as caught:
        Timeline.even(50, Fraction(25)).select(Moment(frame=50), None, "clip.mp4")
    assert caught.value.reason == "RANGE_EMPTY"
    assert caught.value.metadata["frame_count"] == "50" and caught.value.metadata["duration_s"] == "2.000"
