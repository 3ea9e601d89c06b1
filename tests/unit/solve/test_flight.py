from __future__ import annotations

import numpy as np
import pytest
from pose_server.solve.contacts import flying


def hop(rate_hz: float, gravity: float = 9.81):
    """Half a second on the ground, half a second in the air, half a second on the ground."""
    t = np.arange(0, 1.5, 1 / rate_hz)
    air = (t > 0.5) & (t < 1.0)
    height = np.where(air, gravity / 2 * (t - 0.5) * (1.0 - t), 0.0)
    return np.repeat(~air[:, None], 4, axis=1).astype(float), height, air


@pytest.mark.parametrize("rate_hz", [24.0, 60.0])
def test_a_hop_flies(rate_hz):
    contacts, height, air = hop(rate_hz)
    np.testing.assert_array_equal(flying(contacts, height, rate_hz=rate_hz), air)


def test_who_does_not_fall_does_not_fly():
    contacts, height, _ = hop(30)
    assert not flying(contacts, 0 * height, rate_hz=30).any()  # sits, or the feet are hidden
    contacts[:16] = 0  # nobody saw a start
    assert not flying(contacts, height, rate_hz=30).any()
