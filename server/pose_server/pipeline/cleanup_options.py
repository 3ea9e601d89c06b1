"""What a user may ask of the clean-up of 2D tracks before they are lifted."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pose_shared.errors import InputError

from pose_server.pipeline.filter_options import NamedFilter

__all__ = ["GAPS", "REPAIRS", "CleanupOptions"]

#: How frames in which a person was missed are bridged, and how long a gap may be at most: so many seconds
#: from the last frame seen to the next.
GAPS: Mapping[str, float] = {"rts": 1.0, "linear": 0.5, "hold": 0.2, "none": 0.0}
#: ``sides``: left and right exchanged; ``jumps``: frames and points that were seen elsewhere.
REPAIRS = ("all", "sides", "jumps", "none")
_LONGEST_S = 60.0


@dataclass(frozen=True)
class CleanupOptions:
    """Settings of the clean-up.

    Raises
    ------
    InputError
        A value is out of range; the sentence says which values are possible.
    """

    gaps: str = "rts"
    """One of `GAPS`."""
    gap_limit_s: float | None = None
    """A gap that is longer stays one; the usual limit of that way when None."""
    repair: str = "all"
    """One of `REPAIRS`."""
    smoothing: NamedFilter | None = None
    """Of the 2D points."""

    def __post_init__(self) -> None:
        for name, value, choices in (("gaps", self.gaps, tuple(GAPS)), ("repair", self.repair, REPAIRS)):
            if value not in choices:
                raise InputError(
                    f"--{name} {value[:80]} is not possible; choose from {', '.join(choices)}.",
                    reason=f"{name.upper()}_INVALID",
                    value=value[:80],
                )
        limit = self.gap_limit_s
        if limit is not None and not 0 < limit <= _LONGEST_S:
            raise _gaps_error(f"{self.gaps}:{limit:g}")

    @property
    def longest_gap_s(self) -> float:
        """`gap_limit_s`, or the usual one."""
        return GAPS[self.gaps] if self.gap_limit_s is None else self.gap_limit_s

    @staticmethod
    def parse_gaps(text: str) -> tuple[str, float | None]:
        """Read ``rts`` or ``linear:0.3`` as `gaps` and `gap_limit_s`; raises `InputError`."""
        name, colon, number = text.partition(":")
        try:
            limit = float(number) if colon else None
        except ValueError:
            limit = math.nan
        if limit is not None and not math.isfinite(limit):
            raise _gaps_error(text)
        return name, limit

    @staticmethod
    def parse_smoothing(text: str) -> NamedFilter | None:
        """Read ``none``, ``butterworth`` or ``butterworth:6``; raises `InputError`."""
        try:
            return None if text == "none" else NamedFilter.parse(text)
        except ValueError as error:
            raise InputError(
                f"--smooth-2d {text[:80]} is not possible: {error}.", reason="FILTER_INVALID", value=text[:80]
            ) from None

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain JSON data, canonical: equal options give equal text."""
        fields = dataclasses.asdict(self)
        fields["smoothing"] = None if self.smoothing is None else str(self.smoothing)
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> CleanupOptions:
        """Read back what `to_dict` wrote."""
        values = dict(fields)
        if values.get("smoothing") is not None:
            values["smoothing"] = cls.parse_smoothing(values["smoothing"])
        return cls(**values)


def _gaps_error(text: str) -> InputError:
    return InputError(
        f"--gaps {text[:80]} is not possible; give a way with the seconds that a gap may last, up to "
        f"{_LONGEST_S:g}, such as rts:0.5.",
        reason="GAPS_INVALID",
        value=text[:80],
    )
