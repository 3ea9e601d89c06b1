"""What a user may ask of the files that a motion is written to."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from pose_shared.errors import InputError

__all__ = ["PER_METRE", "ROTATION_ORDERS", "UPS", "FileOptions"]

#: How many of each unit a metre has.
PER_METRE = {"m": 1.0, "cm": 100.0, "mm": 1000.0}
UPS = ("y", "z")
ROTATION_ORDERS = tuple("".join(order) for order in permutations("XYZ"))


@dataclass(frozen=True)
class FileOptions:
    """Settings of the files that leave the choice; each has its own where a value is None.

    Raises
    ------
    InputError
        There is no such value; the sentence says which there are.
    """

    unit: str | None = None
    """One of `PER_METRE`, of every length."""
    up: str | None = None
    """One of `UPS`, the axis that points up."""
    rotation_order: str | None = None
    """One of `ROTATION_ORDERS`; ``ZXY`` means R = Rz Rx Ry."""

    def __post_init__(self) -> None:
        for name, choices in (("unit", tuple(PER_METRE)), ("up", UPS), ("rotation_order", ROTATION_ORDERS)):
            value = getattr(self, name)
            if value is not None and value not in choices:
                raise InputError(
                    f"--{name.replace('_', '-')} {str(value)[:80]} is not possible; choose from "
                    f"{', '.join(choices)}.",
                    reason=f"{name.upper()}_UNKNOWN",
                    value=str(value)[:80],
                )

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain JSON data, canonical: equal options give equal text."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> FileOptions:
        """Read back what `to_dict` wrote."""
        return cls(**fields)
