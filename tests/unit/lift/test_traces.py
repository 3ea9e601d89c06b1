"""Median, hold and spline against slow loops, and where they mean to differ from 3d-pose-baseline."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pose_server.lift.traces import held, median_filtered, spline_resampled
from pose_shared.errors import InputError
from scipy.interpolate import UnivariateSpline

NAN = np.nan


def published(trace: list[float]) -> list[float]:
    """The published loop for one number over time: zeros are missing, and held."""
    out: list[float] = []
    for i, _ in enumerate(trace):
        if i < 4:
            window = trace[i : i + 4]
        elif i >= len(trace) - 4:
            window = trace[i - 3 : i + 1]
        else:
            window = trace[i - 3 : i + 4]
        middle = float(np.median(sorted(window)))
        if not middle and i:
            middle = out[i - 1]
        out.append(middle)
    return out


@given(st.lists(st.floats(1, 2000), min_size=9, max_size=40))
def test_a_complete_trace_is_filtered_as_published(trace: list[float]) -> None:
    np.testing.assert_allclose(held(median_filtered(np.array(trace))), published(trace))


def test_a_long_gap_is_held_as_published() -> None:
    """Complete or mostly missing windows: the rows 0..9, 14..17 and 24..29."""
    trace = np.random.default_rng(0).uniform(100, 200, 30)
    trace[13:21] = 0.0
    expected = published(list(trace))
    found = held(median_filtered(np.where(trace == 0, NAN, trace)))
    complete = [*range(10), *range(24, 30)]
    np.testing.assert_allclose(found[complete], np.array(expected)[complete])
    assert np.ptp(found[13:21]) == 0, "one value is held"
    assert min(expected[10:24]) < min(found[10:24]), "the zeros of the published loop drag it down"


def test_a_few_missing_frames_do_not_drag_the_median() -> None:
    trace = 50 + np.arange(14.0)
    trace[[5, 6, 7]] = NAN
    assert median_filtered(trace)[6] == 56, "in the middle of 53, 54, 58 and 59"
    assert published(list(np.nan_to_num(trace)))[6] == 53


@pytest.mark.parametrize("frames", [0, 1, 8])
def test_short_clips_pass_unchanged(frames: int) -> None:
    values = np.random.default_rng(0).normal(size=(frames, 3, 2))
    np.testing.assert_array_equal(median_filtered(values), values)


def test_points_are_filtered_number_by_number() -> None:
    values = np.random.default_rng(0).normal(size=(20, 3, 2))
    one_by_one = np.stack([median_filtered(values[:, k, i]) for k in range(3) for i in range(2)], axis=1)
    np.testing.assert_array_equal(median_filtered(values).reshape(20, -1), one_by_one)


def test_hold_goes_forward_and_first_of_all_back() -> None:
    values = np.array([[NAN, NAN], [NAN, 5], [1, NAN], [NAN, NAN], [2, 7]])
    values = np.concatenate([values, np.full((5, 1), NAN)], axis=1)
    np.testing.assert_array_equal(
        held(values), [[1, 5, NAN], [1, 5, NAN], [1, 5, NAN], [1, 5, NAN], [2, 7, NAN]]
    )


def test_ten_frames_for_one() -> None:
    t = np.arange(30.0)
    values = np.stack([100 + 40 * np.sin(t / 6), 3 * t], axis=1)[:, None]
    places, found = spline_resampled(values, multiplier=0.1)
    assert found.shape == (291, 1, 2)
    assert places[-1] == 29
    np.testing.assert_allclose(found[:, 0, 1], 3 * places, atol=0.5)
    allowed = 125 * np.ptp(values[:, 0, 0])
    assert ((found[::10, 0, 0] - values[:, 0, 0]) ** 2).sum() <= allowed * 1.01


def test_the_spline_is_the_published_one() -> None:
    trace = np.random.default_rng(4).normal(size=60).cumsum() * 8 + 500
    spline = UnivariateSpline(range(60), trace, k=3)
    spline.set_smoothing_factor(125 * (trace.max() - trace.min()))
    places, found = spline_resampled(trace, multiplier=0.1)
    scale = np.ptp(trace)
    np.testing.assert_allclose(found, spline(places), atol=0.15 * scale)


def test_no_smoothing_goes_through_every_point() -> None:
    values = np.random.default_rng(0).normal(size=(12, 2))
    np.testing.assert_allclose(spline_resampled(values, multiplier=1, smoothing=0)[1], values, atol=1e-9)


def test_a_spline_bridges_gaps_but_never_guesses_beyond() -> None:
    values = np.linspace(0, 11, 12)[:, None] * [1.0, 1.0]
    values[[0, 1, 6, 11], 0] = NAN
    values[3:, 1] = NAN
    _, found = spline_resampled(values, multiplier=1, smoothing=0)
    np.testing.assert_allclose(found[2:11, 0], np.arange(2, 11))
    assert np.isnan(found[[0, 1, 11], 0]).all()
    assert np.isnan(found[:, 1]).all(), "three points make no cubic"


def test_a_step_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(InputError, match="every 0 frames; give a step above 0"):
        spline_resampled(np.zeros((9, 1)), multiplier=0)


@pytest.mark.parametrize("clean", [median_filtered, held, lambda v: spline_resampled(v)[1]])
def test_inputs_are_left_alone(clean: object) -> None:
    values = np.random.default_rng(0).normal(size=(20, 2))
    values[3] = NAN
    kept = values.copy()
    clean(values)  # type: ignore[operator]
    np.testing.assert_array_equal(values, kept)
