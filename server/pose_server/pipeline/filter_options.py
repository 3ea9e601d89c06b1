"""Which filter to run over curves, and its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["FILTERS", "FilterSetting", "NamedFilter"]


class FilterSetting(NamedTuple):
    """A number that a filter takes."""

    name: str
    """With its unit."""
    default: float
    lowest: float
    highest: float


_CUTOFF = FilterSetting("cutoff_hz", 6.0, 0.05, 1000.0)
#: The filters by name, with what stands after their colon.
FILTERS: Mapping[str, tuple[FilterSetting, ...]] = {
    "butterworth": (_CUTOFF,),
    "gaussian": (FilterSetting("sigma_s", 0.05, 0.001, 10.0),),
    "median": (FilterSetting("window_s", 0.15, 0.001, 10.0),),
    "one_euro": (
        FilterSetting("min_cutoff_hz", 1.5, 0.05, 1000.0),
        FilterSetting("beta", 0.7, 0.0, 1000.0),
    ),
    "rts": (_CUTOFF,),
    "savitzky_golay": (
        FilterSetting("window_s", 0.25, 0.001, 10.0),
        FilterSetting("degree", 3.0, 0.0, 8.0),
    ),
}


@dataclass(frozen=True)
class NamedFilter:
    """A filter and its numbers.

    Raises
    ------
    ValueError
        There is no such filter, or a number is out of range; says which are possible.
    """

    name: str
    """One of `FILTERS`."""
    values: tuple[float, ...] = ()
    """As many of the filter's settings as are given, in their order; the others take their defaults."""

    def __post_init__(self) -> None:
        if self.name not in FILTERS:
            raise ValueError(f"there is no filter '{self.name}', choose from {', '.join(FILTERS)}")
        known = FILTERS[self.name]
        if len(self.values) > len(known):
            raise ValueError(f"{self.name} takes no more than {', '.join(setting.name for setting in known)}")
        for setting, value in zip(known, self.values, strict=False):
            if not setting.lowest <= value <= setting.highest:
                raise ValueError(f"{setting.name} lies between {setting.lowest:g} and {setting.highest:g}")

    @property
    def settings(self) -> dict[str, float]:
        """Every number of the filter by its name."""
        known = FILTERS[self.name]
        given = (*self.values, *(setting.default for setting in known[len(self.values) :]))
        return {setting.name: value for setting, value in zip(known, given, strict=True)}

    @classmethod
    def parse(cls, text: str) -> NamedFilter:
        """Read ``butterworth``, ``butterworth:6`` or ``one_euro:1.5,0.7``; raises `ValueError`."""
        name, _, numbers = text.partition(":")
        try:
            values = tuple(float(number) for number in numbers.split(",")) if numbers else ()
        except ValueError:
            raise ValueError("write a filter and its numbers, such as butterworth:6") from None
        return cls(name, values)

    def __str__(self) -> str:
        numbers = ",".join(repr(float(value)).removesuffix(".0") for value in self.values)
        return self.name + (f":{numbers}" if numbers else "")
