"""How to solve, and the words for it: what every host offers, with the server's defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Mapping, Tuple

__all__ = ["CONTACTS", "FLOORS", "SETTINGS", "SolveSettings"]

#: Names of the settings, which the server's options are called too.
SETTINGS = ("smoothing", "height_m", "floor", "contacts")
#: Value, name and description of each choice.
FLOORS = (
    ("auto", "Automatic", "Flat, unless steps are found"),
    ("flat", "Flat", "One height everywhere"),
    ("steps", "Steps", "Stairs and platforms stay"),
    ("none", "None", "Nothing is tied to a floor"),
)
CONTACTS = (
    ("auto", "Automatic", "Where they rest"),
    ("always", "Always", "Throughout"),
    ("never", "Never", "Nowhere"),
    ("ground", "On the Ground", "Whenever they are on the floor"),
)


@dataclass(frozen=True)
class SolveSettings:
    """How to solve.

    Attributes
    ----------
    smoothing
        0 leaves the motion raw, 1 is calm.
    height_m
        Of the actor without shoes; 0 if it is not known.
    floor
        Value of one of `FLOORS`.
    contacts
        Value of one of `CONTACTS`.
    """

    smoothing: float = 0.5
    height_m: float = 0.0
    floor: str = "auto"
    contacts: str = "auto"

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> SolveSettings:
        """Return the settings among some options; what is absent or None is the server's default."""
        given: Dict[str, Any] = {name: options[name] for name in SETTINGS if options.get(name) is not None}
        return cls(**given)

    @property
    def options(self) -> Dict[str, Any]:
        """As `pose_shared.request.solve_spec` takes them."""
        values: Tuple[Any, ...] = (self.smoothing, self.height_m, self.floor, self.contacts)
        return dict(zip(SETTINGS, values))
