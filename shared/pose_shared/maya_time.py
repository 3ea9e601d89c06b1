"""Maya's units of time as exact rates.

Maya counts time in ticks of 1/141,120,000 s (``MTime.ticksPerSecond``), of which the NTSC rates over 1001 are
whole numbers too: its 29.97 is 30000/1001.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Optional

__all__ = ["rate_of", "unit_of"]

#: Names of ``currentUnit(time=...)`` that are no numbers.
_NAMED = {
    "game": 15,
    "film": 24,
    "pal": 25,
    "ntsc": 30,
    "show": 48,
    "palf": 50,
    "ntscf": 60,
}
_NTSC = {
    text: Fraction(round(float(text)) * 1000, 1001)
    for text in ("23.976", "29.97", "47.952", "59.94", "119.88")
}
#: Whole rates for which Maya has a unit, beside the named ones.
_WHOLE = (
    *(2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 40, 75, 80, 90, 100, 120, 125, 150, 200, 240, 250, 300, 375, 400),
    *(500, 600, 750, 1200, 1500, 2000, 3000, 6000),
)
#: Units that are longer than a frame.
_LONG = {"millisec": Fraction(1000), "sec": Fraction(1), "min": Fraction(1, 60), "hour": Fraction(1, 3600)}


def rate_of(unit: str) -> Fraction:
    """Return frames per second of a unit of time, as ``currentUnit`` calls it.

    Raises
    ------
    ValueError
        There is no such unit.
    """
    if unit in _NAMED:
        return Fraction(_NAMED[unit])
    if unit in _LONG:
        return _LONG[unit]
    number = re.sub("(fps|df)$", "", unit)
    return _NTSC.get(number) or Fraction(number)


def unit_of(rate: Fraction) -> Optional[str]:
    """Return Maya's unit for a rate; None if it has none."""
    for name, whole in _NAMED.items():
        if rate == whole:
            return name
    for text, ntsc in _NTSC.items():
        # Files say 29.97 or 2997/100 as well.
        if abs(rate / ntsc - 1) < Fraction(1, 50_000):
            return f"{text}fps"
    return f"{rate}fps" if rate in _WHOLE else None
