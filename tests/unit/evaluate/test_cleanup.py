from __future__ import annotations

import numpy as np
from pose_server.evaluate.cleanup import CUTOFF_HZ, cleaned, filtered


def test_smoothing_stays_within_what_was_seen() -> None:
    values = np.zeros((20, 1, 3))
    values[10:] = 1.0
    values[8:10] = np.nan
    smooth = cleaned(values, 60.0)
    np.testing.assert_array_equal(smooth[:8], 0)
    np.testing.assert_array_equal(smooth[10:], 1)
    assert np.isnan(smooth[8:10]).all()


def test_smoothing_is_as_strong_at_any_rate() -> None:
    def calmed(rate_hz: float) -> float:
        times_s = np.arange(0, 4, 1 / rate_hz)
        wave = np.sin(2 * np.pi * 6.0 * times_s)[:, None, None] * np.ones((1, 1, 3))
        return float(np.abs(cleaned(wave, rate_hz)[len(wave) // 4 : -len(wave) // 4]).max())

    assert 0.5 < calmed(60.0) < 0.8
    assert abs(calmed(30.0) - calmed(120.0)) < 0.08


def test_the_filter_halves_its_own_frequency_and_keeps_what_is_slow() -> None:
    times_s = np.arange(0, 8, 1 / 60)

    def left(hertz: float) -> float:
        wave = np.cos(2 * np.pi * hertz * times_s)[:, None, None] * np.ones((1, 2, 3))
        return float(np.abs(filtered(wave, 60.0)[120:-120]).max())

    assert abs(left(CUTOFF_HZ) - 0.5) < 0.02  # forth and back: 3 dB twice
    assert left(1.0) > 0.99 and left(15.0) < 0.03


def test_the_filter_does_not_delay_and_does_not_cross_gaps() -> None:
    values = np.zeros((60, 1, 3))
    values[30:] = 1.0
    np.testing.assert_allclose(filtered(values, 30.0), 1 - filtered(values, 30.0)[::-1], atol=1e-2)
    values[28:30] = np.nan
    for part in (slice(0, 28), slice(30, 60)):
        np.testing.assert_allclose(filtered(values, 30.0)[part], values[part], atol=1e-9)
    short = np.zeros((5, 1, 3))
    short[[1, 3]] = np.nan  # single rows are too short for anything
    np.testing.assert_array_equal(filtered(short, 24.0), short)
