"""MTime, MDistance, MAngle and the arrays of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import total_ordering
from typing import Any, ClassVar

from ..units import ANGLE, LINEAR, RATES, TICKS
from .present import need, scene

#: Values of the constants and the unit of currentUnit that each is: class reference of MTime.
_TIME_UNITS: dict[int, Fraction] = {
    1: RATES["hour"],
    2: RATES["min"],
    3: RATES["sec"],
    4: RATES["millisec"],
    5: RATES["game"],
    6: RATES["film"],
    7: RATES["pal"],
    8: RATES["ntsc"],
    9: RATES["show"],
    10: RATES["palf"],
    11: RATES["ntscf"],
    25: RATES["100fps"],
    26: RATES["120fps"],
    43: RATES["23.976fps"],
    44: RATES["29.97fps"],
    45: RATES["29.97df"],
    46: RATES["47.952fps"],
    47: RATES["59.94fps"],
    50: RATES["90fps"],
    51: RATES["119.88fps"],
}
_OF_NAME = {
    name: number for name, rate in RATES.items() for number, each in _TIME_UNITS.items() if each == rate
}
_OF_NAME["29.97fps"] = 44


@total_ordering
class MTime:
    """A time in a unit."""

    kInvalid = 0
    kHours = 1
    kMinutes = 2
    kSeconds = 3
    kMilliseconds = 4
    kGames = k15FPS = 5
    kFilm = k24FPS = 6
    kPALFrame = k25FPS = 7
    kNTSCFrame = k30FPS = 8
    kShowScan = k48FPS = 9
    kPALField = k50FPS = 10
    kNTSCField = k60FPS = 11
    k100FPS = 25
    k120FPS = 26
    k23_976FPS = 43
    k29_97FPS = 44
    k29_97DF = 45
    k47_952FPS = 46
    k59_94FPS = 47
    k90FPS = 50
    k119_88FPS = 51

    def __init__(self, value: float | MTime = 0.0, unit: int | None = None) -> None:
        if isinstance(value, MTime):
            if unit is not None:
                raise TypeError("MTime(src) takes no unit")
            self._value, self._unit = value._value, value._unit
            return
        self._value = float(need(value, int, float, what="value"))
        self._unit = self.uiUnit() if unit is None and value == 0.0 else (6 if unit is None else unit)
        if self._unit not in _TIME_UNITS:
            raise ValueError(f"unit {self._unit} is not known to the double")

    @property
    def value(self) -> float:
        return self._value

    @value.setter
    def value(self, value: float) -> None:
        self._value = float(need(value, int, float, what="value"))

    @property
    def unit(self) -> int:
        return self._unit

    @unit.setter
    def unit(self, unit: int) -> None:
        self._value, self._unit = self.asUnits(unit), unit

    @property
    def _ticks(self) -> int:
        rate = _TIME_UNITS[self._unit]
        return round(self._value * TICKS * rate.denominator / rate.numerator)

    @classmethod
    def _of_ticks(cls, ticks: int, unit: int | None = None) -> MTime:
        made = cls(0.0, cls.uiUnit() if unit is None else unit)
        rate = _TIME_UNITS[made._unit]
        made._value = ticks * rate.numerator / rate.denominator / TICKS
        return made

    def asUnits(self, unit: int) -> float:
        if unit not in _TIME_UNITS:
            raise ValueError(f"unit {unit} is not known to the double")
        if unit == self._unit:
            return self._value
        ratio = _TIME_UNITS[unit] / _TIME_UNITS[self._unit]
        return self._value * ratio.numerator / ratio.denominator

    @staticmethod
    def uiUnit() -> int:
        return _OF_NAME[scene().time_unit]

    @staticmethod
    def ticksPerSecond() -> int:
        return TICKS

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MTime) and self._ticks == other._ticks

    def __lt__(self, other: MTime) -> bool:
        return self._ticks < need(other, MTime)._ticks

    def __hash__(self) -> int:
        return hash(self._ticks)

    def __add__(self, other: MTime | float) -> MTime:
        more = other.asUnits(self._unit) if isinstance(other, MTime) else need(other, int, float)
        return MTime(self._value + more, self._unit)

    def __sub__(self, other: MTime | float) -> MTime:
        less = other.asUnits(self._unit) if isinstance(other, MTime) else need(other, int, float)
        return MTime(self._value - less, self._unit)

    def __mul__(self, factor: float) -> MTime:
        return MTime(self._value * need(factor, int, float), self._unit)

    def __repr__(self) -> str:
        return f"maya.api.OpenMaya.MTime({self._value}, {self._unit})"


class _Measure:
    """A number in a unit."""

    _SIZES: ClassVar[dict[int, float]] = {}
    _INNER: ClassVar[int] = 0

    def __init__(self, value: Any = 0.0, unit: int | None = None) -> None:
        if isinstance(value, type(self)):
            self.value, self.unit = value.value, value.unit
            return
        self.value = float(need(value, int, float, what="value"))
        self.unit = self._INNER if unit is None else unit
        if self.unit not in self._SIZES:
            raise ValueError(f"unit {self.unit} is not known")

    def asUnits(self, unit: int) -> float:
        return self.value * self._SIZES[self.unit] / self._SIZES[unit]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and math.isclose(self._inner(), other._inner())

    __hash__ = None  # type: ignore[assignment]

    def _inner(self) -> float:
        return self.asUnits(self._INNER)


class MDistance(_Measure):
    """A length."""

    kInvalid, kInches, kFeet, kYards, kMiles, kMillimeters, kCentimeters, kKilometers, kMeters = range(9)
    _SIZES: ClassVar = {1: 2.54, 2: 30.48, 3: 91.44, 4: 160934.4, 5: 0.1, 6: 1.0, 7: 1e5, 8: 100.0}
    _INNER = 6

    def asInches(self) -> float:
        return self.asUnits(1)

    def asMillimeters(self) -> float:
        return self.asUnits(5)

    def asCentimeters(self) -> float:
        return self.asUnits(6)

    def asMeters(self) -> float:
        return self.asUnits(8)

    @staticmethod
    def uiUnit() -> int:
        size = LINEAR[scene().linear]
        return next(unit for unit, each in MDistance._SIZES.items() if each == size)

    @staticmethod
    def internalUnit() -> int:
        return 6

    @staticmethod
    def uiToInternal(value: float) -> float:
        return value * LINEAR[scene().linear]

    @staticmethod
    def internalToUI(value: float) -> float:
        return value / LINEAR[scene().linear]


class MAngle(_Measure):
    """An angle."""

    kInvalid, kRadians, kDegrees, kAngMinutes, kAngSeconds = range(5)
    _SIZES: ClassVar = {1: 1.0, 2: math.pi / 180, 3: math.pi / 10800, 4: math.pi / 648000}
    _INNER = 1

    def asRadians(self) -> float:
        return self.asUnits(1)

    def asDegrees(self) -> float:
        return self.asUnits(2)

    @staticmethod
    def uiUnit() -> int:
        return 1 if scene().angle == "rad" else 2

    @staticmethod
    def internalUnit() -> int:
        return 1

    @staticmethod
    def uiToInternal(value: float) -> float:
        return value * ANGLE[scene().angle]

    @staticmethod
    def internalToUI(value: float) -> float:
        return value / ANGLE[scene().angle]


class _Array:
    """A typed array of the API: it takes its own kind alone."""

    _KINDS: ClassVar[tuple[type, ...]] = ()

    def __init__(self, source: Any = (), fill: Any = None) -> None:
        if isinstance(source, int) and not isinstance(source, bool):
            if fill is None:
                raise TypeError("a length needs a value to fill with")
            self._items = [self._checked(fill)] * source
        else:
            if fill is not None:
                raise TypeError("only a length takes a value to fill with")
            self._items = [self._checked(item) for item in source]

    def _checked(self, item: Any) -> Any:
        return need(item, *self._KINDS, what="element")

    def append(self, item: Any) -> _Array:
        self._items.append(self._checked(item))
        return self

    def setLength(self, length: int) -> _Array:
        self._items = (self._items + [self._blank()] * length)[:length]
        return self

    def _blank(self) -> Any:
        return self._KINDS[-1]()

    def clear(self) -> _Array:
        self._items.clear()
        return self

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __getitem__(self, index: int) -> Any:
        return self._items[index]

    def __setitem__(self, index: int, item: Any) -> None:
        self._items[index] = self._checked(item)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._items == self._items  # type: ignore[attr-defined]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"maya.api.OpenMaya.{type(self).__name__}({self._items!r})"


class MTimeArray(_Array):
    _KINDS = (MTime,)


class MDoubleArray(_Array):
    _KINDS = (int, float)

    def __init__(self, source: Iterable[float] | int = (), fill: float | None = None) -> None:
        super().__init__(source, fill)
        self._items = [float(item) for item in self._items]

    def append(self, item: float) -> MDoubleArray:
        self._items.append(float(self._checked(item)))
        return self

    def _blank(self) -> float:
        return 0.0


class MIntArray(_Array):
    _KINDS = (int,)
