"""What a user may ask of the motion solve; all of it can be asked again of a finished result."""

from __future__ import annotations

from dataclasses import dataclass

from pose_shared.errors import InputError

__all__ = ["CONTACT_MODES", "FLOOR_MODES", "SolveOptions"]

#: ``auto``: flat unless steps say otherwise; ``flat``: one height; ``steps``: stairs and platforms stay;
#: ``none``: nothing is tied to a floor.
FLOOR_MODES = ("auto", "flat", "steps", "none")
#: ``auto``: where feet rest; ``always``, ``never``; ``ground``: whenever they are on the floor.
CONTACT_MODES = ("auto", "always", "never", "ground")


@dataclass(frozen=True)
class SolveOptions:
    """Settings of the solve.

    Raises
    ------
    InputError
        A value is out of range; the sentence says which values are possible.
    """

    smoothing: float = 0.5
    """0 leaves the solved motion as it is, 1 is calm."""
    height_m: float | None = None
    """Of the actor without shoes; a usual one when None."""
    floor: str = "auto"
    """One of `FLOOR_MODES`."""
    contacts: str = "auto"
    """One of `CONTACT_MODES`."""

    def __post_init__(self) -> None:
        if not 0 <= self.smoothing <= 1:
            raise InputError(
                f"--smoothing {self.smoothing:g} is not possible; give 0 (raw) to 1 (calm).",
                reason="SMOOTHING_INVALID",
                value=self.smoothing,
            )
        if self.height_m is not None and not 0.3 <= self.height_m <= 3:
            raise InputError(
                f"--height {self.height_m:g} is not possible; give the actor's height in metres, 0.3 to 3.",
                reason="HEIGHT_INVALID",
                value=self.height_m,
            )
        for name, value, modes in (
            ("floor", self.floor, FLOOR_MODES),
            ("contacts", self.contacts, CONTACT_MODES),
        ):
            if value not in modes:
                raise InputError(
                    f"--{name} {value} is not possible; choose from {', '.join(modes)}.",
                    reason=f"{name.upper()}_INVALID",
                    value=value,
                )
