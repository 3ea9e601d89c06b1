"""Rates as Blender keeps them."""

from __future__ import annotations

import importlib.util
from fractions import Fraction

import numpy as np
import pytest
from blender_hosts import ROOT

_SPEC = importlib.util.spec_from_file_location("rate", ROOT / "plugins/blender/pose_from_video/host/rate.py")
assert _SPEC and _SPEC.loader
rate_module = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(rate_module)


@pytest.mark.parametrize(
    "rate", [Fraction(24), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(25), Fraction(120)]
)
def test_rates_survive_blender(rate: Fraction) -> None:
    fps, base = rate_module.blender_rate(rate)
    assert rate_module.rate_of(fps, float(np.float32(base))) == rate
