"""Uneven timestamps on an even clock."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from pose_server.solve.clock import on_clock


def timed(take, times_s):
    return dataclasses.replace(
        take,
        track=dataclasses.replace(take.track, times_s=times_s),
        pose=dataclasses.replace(take.pose, times_s=times_s),
    )


def test_even_times_are_left_alone(walking):
    assert on_clock(walking.track, walking.pose, Fraction(30)) == (walking.track, walking.pose)


def test_times_rounded_to_milliseconds_count_as_even(walking):
    take = timed(walking, np.round(walking.track.times_s, 3))
    assert on_clock(take.track, take.pose, Fraction(30))[0] is take.track


def test_a_frame_that_lasted_twice_as_long_gets_a_row_between(walking):
    times_s = walking.track.times_s.copy()
    times_s[20:] += 1 / 30
    take = timed(walking, times_s)
    track, pose = on_clock(take.track, take.pose, Fraction(30))
    assert len(track) == len(pose) == len(walking.track) + 1
    assert np.allclose(np.diff(track.times_s), 1 / 30)
    middle = (walking.track.keypoints_px[19] + walking.track.keypoints_px[20]) / 2
    assert track.keypoints_px[20] == pytest.approx(middle)
    assert np.array_equal(track.keypoints_px[:20], walking.track.keypoints_px[:20])
    assert track.keypoints_px[21:] == pytest.approx(walking.track.keypoints_px[20:])
    assert track.indices[[19, 21]].tolist() == [19, 20]
    assert track.indices[20] in (19, 20)


def test_contacts_that_a_lifter_says_come_along(walking):
    times_s = walking.track.times_s.copy()
    times_s[20:] += 1 / 30
    take = timed(walking, times_s)
    contacts = np.zeros((len(times_s), 4))
    contacts[20:] = 1
    said = dataclasses.replace(take.pose, contacts=contacts)
    pose = on_clock(take.track, said, Fraction(30))[1]
    assert pose.contacts[[19, 20, 21], 0].tolist() == pytest.approx([0, 0.5, 1])


def test_what_was_missing_stays_missing_with_no_confidence(walking):
    times_s = walking.track.times_s.copy()
    times_s[20:] += 1 / 60
    take = timed(walking.without(slice(30, 33)), times_s)
    track, pose = on_clock(take.track, take.pose, Fraction(30))
    gone = np.isnan(track.keypoints_px).any(axis=(1, 2))
    assert 2 <= gone.sum() <= 4
    assert (track.keypoint_confidence[gone] == 0).all()
    assert np.isnan(pose.joints_root_m[gone]).all()
    assert np.isfinite(track.keypoints_px[~gone]).all()


def test_one_row_is_a_clock(walking):
    take = walking.rows(slice(3, 4))
    assert on_clock(take.track, take.pose, Fraction(30))[0] is take.track
