"""What a user may ask of retargeting."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pose_shared.errors import InputError

__all__ = ["RELOCKED", "ROOT_MOTIONS", "RetargetOptions"]

#: Where the way through the room goes: to the rig's root bone, if it has one, or to the hips.
ROOT_MOTIONS = ("root", "hips")
#: Limbs that may be held where they are in contact.
RELOCKED = ("legs", "arms")


@dataclass(frozen=True)
class RetargetOptions:
    """Settings of one retargeting.

    Raises
    ------
    InputError
        A value is not possible; the sentence says which are.
    """

    in_place: bool = False
    """The character stays over one place; it may still rise and fall."""
    root_motion: str = "root"
    """One of `ROOT_MOTIONS`."""
    relock: tuple[str, ...] = ("legs",)
    """Any of `RELOCKED`."""

    def __post_init__(self) -> None:
        if self.root_motion not in ROOT_MOTIONS:
            raise InputError(
                f"--root-motion {self.root_motion[:80]} is not possible; choose from "
                f"{', '.join(ROOT_MOTIONS)}.",
                reason="ROOT_MOTION_INVALID",
                value=self.root_motion[:80],
            )
        for limbs in self.relock:
            if limbs not in RELOCKED:
                raise InputError(
                    f"--relock {limbs[:80]} is not possible; choose from {', '.join(RELOCKED)}, or none.",
                    reason="RELOCK_INVALID",
                    value=limbs[:80],
                )

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain JSON data."""
        return {**dataclasses.asdict(self), "relock": list(self.relock)}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> RetargetOptions:
        """Read back what `to_dict` wrote."""
        return cls(**{**fields, "relock": tuple(fields.get("relock", ("legs",)))})
