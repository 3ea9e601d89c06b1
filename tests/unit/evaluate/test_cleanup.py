from __future__ import annotations

import numpy as np
from pose_server.evaluate.cleanup import cleaned


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
