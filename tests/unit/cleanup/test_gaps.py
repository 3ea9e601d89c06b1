"""Short gaps bridged, and long ones left."""

from __future__ import annotations

import numpy as np
import pytest
from pose_server.cleanup.gaps import bridged

WAYS = ("rts", "linear", "hold")


def traces(fps: float = 30.0, seconds: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Return times and (T, 4, 2) points that swing as limbs do."""
    times = np.arange(round(fps * seconds)) / fps
    phase = np.arange(4)[:, None] + np.array([0.0, 0.7])
    return times, 0.4 * np.sin(2 * np.pi * 0.8 * times[:, None, None] + phase)


def torn(values: np.ndarray, first: int, last: int) -> np.ndarray:
    broken = values.copy()
    broken[first : last + 1] = np.nan
    return broken


def fill(values: np.ndarray, times: np.ndarray, **options: object) -> tuple[np.ndarray, np.ndarray]:
    sure = np.where(np.isfinite(values).all(axis=2), 0.8, 0.0)
    options = {"rows": np.ones(len(values), bool), "how": "rts", "limit_s": 1.0} | options
    return bridged(values, sure, times, options.pop("rows"), **options)


def smoothed_by_definition(
    values: np.ndarray, sigma_m: np.ndarray, times: np.ndarray, speed_m_s: float, memory_s: float
) -> np.ndarray:
    """Return the mean of a Gaussian process: what any smoother of the same assumptions must say.

    Its covariance is that of the integral of an Ornstein-Uhlenbeck velocity from the first row on, plus
    a place that nothing is known of.
    """
    seen = np.isfinite(values)
    since = times - times[0]
    short, late = np.minimum.outer(since, since), np.exp(-since / memory_s)
    gap = np.exp(-np.abs(since[:, None] - since[None]) / memory_s)
    kernel = (speed_m_s * memory_s) ** 2 * (2 * short / memory_s - 1 + late[:, None] + late[None] - gap)
    kernel += 100.0
    data = kernel[np.ix_(seen, seen)] + np.diag(sigma_m[seen] ** 2)
    middle = values[seen][0]
    return middle + kernel[:, seen] @ np.linalg.solve(data, values[seen] - middle)


def test_rts_is_the_mean_of_the_process_it_assumes() -> None:
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.uniform(0.01, 0.08, 60))  # at no fixed rate
    values = torn(np.sin(3 * times)[:, None, None] * [[[0.3, 0.1]]], 20, 27)
    values += 0.01 * rng.normal(size=values.shape)
    sure = np.where(np.isfinite(values).all(axis=2), rng.uniform(0.1, 1, (60, 1)), 0.0)
    result, _ = bridged(values, sure, times, np.ones(60, bool), how="rts", limit_s=2.0)
    sigma = 0.015 / np.where(sure[:, 0] > 0, sure[:, 0], 1.0)
    for axis in range(2):
        wanted = smoothed_by_definition(values[:, 0, axis], sigma, times, 3.0, 0.4)
        np.testing.assert_allclose(result[20:28, 0, axis], wanted[20:28], atol=1e-6)


def test_the_smoother_bridges_a_swing_better_than_a_line_and_a_line_better_than_holding() -> None:
    times, truth = traces()
    values = torn(truth, 40, 47)
    off = {how: np.abs(fill(values, times, how=how)[0] - truth).max() for how in WAYS}
    assert off["rts"] < 0.5 * off["linear"] < 0.5 * off["hold"]


@pytest.mark.parametrize("how", WAYS)
def test_what_was_seen_stays_and_what_is_bridged_is_little_sure(how: str) -> None:
    times, truth = traces()
    values = torn(truth, 40, 44)
    result, sure = fill(values, times, how=how)
    seen = np.isfinite(values)
    np.testing.assert_array_equal(result[seen], values[seen])
    assert np.isfinite(result).all()
    np.testing.assert_allclose(sure[40:45], 0.2 * 0.8)
    assert (sure[:40] == 0.8).all() and (sure[45:] == 0.8).all()
    assert np.isnan(values[40:45]).all()  # the input is the caller's


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(("rows", "bridges"), [(8, True), (9, True), (10, False)])
def test_a_gap_counts_from_the_last_seen_to_the_next(how: str, rows: int, bridges: bool) -> None:
    times, truth = traces(fps=20)
    result, _ = fill(torn(truth, 20, 19 + rows), times, how=how, limit_s=0.5)
    assert np.isfinite(result[20 : 20 + rows]).all() == bridges
    assert bridges or np.isnan(result[20 : 20 + rows]).all()


@pytest.mark.parametrize("how", WAYS)
def test_before_the_first_and_behind_the_last_nothing_is_made_up(how: str) -> None:
    times, truth = traces()
    values = torn(torn(truth, 0, 2), len(truth) - 3, len(truth) - 1)
    result, sure = fill(values, times, how=how)
    np.testing.assert_array_equal(result, values)
    assert (sure[:3] == 0).all()


def test_only_the_rows_that_are_asked_for_are_filled() -> None:
    times, truth = traces()
    values = torn(torn(truth, 20, 22), 50, 52)
    rows = np.arange(len(times)) > 40
    result, _ = fill(values, times, rows=rows)
    assert np.isnan(result[20:23]).all() and np.isfinite(result[50:53]).all()


def test_holding_is_the_value_before_and_a_line_is_straight() -> None:
    times, truth = traces()
    values = torn(truth, 40, 44)
    held, _ = fill(values, times, how="hold")
    np.testing.assert_array_equal(held[40:45], np.broadcast_to(truth[39], (5, 4, 2)))
    straight, _ = fill(values, times, how="linear")
    np.testing.assert_allclose(np.diff(straight[39:46], n=2, axis=0), 0, atol=1e-12)


@pytest.mark.parametrize("how", WAYS)
def test_a_point_that_is_never_seen_stays_missing(how: str) -> None:
    times, truth = traces()
    truth[:, 1] = np.nan
    result, _ = fill(torn(truth, 40, 42), times, how=how)
    assert np.isnan(result[:, 1]).all() and np.isfinite(result[:, [0, 2, 3]]).all()


def test_unsure_points_pull_less() -> None:
    times, truth = traces()
    values = torn(truth, 40, 44)
    values[39] += 0.1
    sure = np.full(values.shape[:2], 0.9)
    believed, _ = bridged(values, sure, times, np.ones(len(times), bool), how="rts", limit_s=1.0)
    sure[39] = 0.05
    doubted, _ = bridged(values, sure, times, np.ones(len(times), bool), how="rts", limit_s=1.0)
    assert np.abs(doubted - truth)[40:45].max() < 0.5 * np.abs(believed - truth)[40:45].max()
