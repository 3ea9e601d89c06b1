"""Units of a scene: lengths, angles and times, as a person reads them and as Maya holds them.

Inside: centimetres, radians, ticks. "Each tick represents 1/141,120,000 of a second", as a 64-bit whole
number: help.autodesk.com/cloudhelp/2022/ENU/Maya-Animation, "How Maya counts time".
Names of units: help.autodesk.com CommandsPython/currentUnit.html.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

TICKS = 141_120_000

LINEAR = {
    "mm": 0.1,
    "millimeter": 0.1,
    "cm": 1.0,
    "centimeter": 1.0,
    "km": 1e5,
    "kilometer": 1e5,
    "mi": 160934.4,
    "mile": 160934.4,
    "m": 100.0,
    "meter": 100.0,
    "in": 2.54,
    "inch": 2.54,
    "ft": 30.48,
    "foot": 30.48,
    "yd": 91.44,
    "yard": 91.44,
}
LINEAR_SHORT = {
    "mm": "mm",
    "millimeter": "mm",
    "cm": "cm",
    "centimeter": "cm",
    "m": "m",
    "meter": "m",
    "km": "km",
    "kilometer": "km",
    "mi": "mi",
    "mile": "mi",
}
LINEAR_SHORT |= {"in": "in", "inch": "in", "ft": "ft", "foot": "ft", "yd": "yd", "yard": "yd"}

ANGLE = {"deg": math.pi / 180, "degree": math.pi / 180, "rad": 1.0, "radian": 1.0}
ANGLE_SHORT = {"deg": "deg", "degree": "deg", "rad": "rad", "radian": "rad"}

_NAMED_RATES = {
    "hour": Fraction(1, 3600),
    "min": Fraction(1, 60),
    "sec": Fraction(1),
    "millisec": Fraction(1000),
    "game": Fraction(15),
    "film": Fraction(24),
    "pal": Fraction(25),
    "ntsc": Fraction(30),
    "show": Fraction(48),
    "palf": Fraction(50),
    "ntscf": Fraction(60),
    "23.976fps": Fraction(24000, 1001),
    "29.97fps": Fraction(30000, 1001),
    "29.97df": Fraction(30000, 1001),
    "47.952fps": Fraction(48000, 1001),
    "59.94fps": Fraction(60000, 1001),
    "119.88fps": Fraction(120000, 1001),
}
#: The whole rates that currentUnit's page lists beside the named ones.
_WHOLE = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 40, 75, 80, 90, 100, 120, 125, 150, 200, 240, 250, 300, 375, 400)
_WHOLE += (500, 600, 750, 1200, 1500, 2000, 3000, 6000, 44100, 48000)
RATES = _NAMED_RATES | {f"{rate}fps": Fraction(rate) for rate in _WHOLE}

_ALIASES = {"15fps": "game", "24fps": "film", "25fps": "pal", "30fps": "ntsc", "48fps": "show"}
_ALIASES |= {"50fps": "palf", "60fps": "ntscf"}


def time_unit(name: str) -> str:
    """The name under which Maya reports a time unit; raises for one it does not know."""
    name = _ALIASES.get(name, name)
    if name not in RATES:
        raise RuntimeError(f"Invalid time unit: {name}")
    return name


def ticks(value: float, unit: str) -> int:
    """A time in a unit, as the nearest tick."""
    if isinstance(value, int):
        return round(Fraction(value) * TICKS / RATES[unit])
    rate = RATES[unit]
    return round(value * TICKS * rate.denominator / rate.numerator)


def in_unit(moment: int, unit: str) -> float:
    """Ticks as a time in a unit."""
    rate = RATES[unit]
    return (
        float(Fraction(moment) * rate / TICKS)
        if moment % 1
        else moment * rate.numerator / rate.denominator / TICKS
    )


_TIME = re.compile(r"^\s*([-+]?[0-9.]+(?:e[-+]?[0-9]+)?)\s*([a-z0-9.]*)\s*$", re.IGNORECASE)


def parse_time(value: float | str, unit: str) -> int:
    """A time argument: a number in the scene's unit, or a string that may name its own (``"1.5sec"``)."""
    if isinstance(value, str):
        found = _TIME.match(value)
        if found is None:
            raise RuntimeError(f"Invalid time: {value}")
        return ticks(float(found[1]), time_unit(found[2]) if found[2] else unit)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"Invalid arguments: a time is a number or a string, not {type(value).__name__}")
    return ticks(float(value), unit)
