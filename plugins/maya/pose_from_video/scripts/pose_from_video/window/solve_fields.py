"""Fields for how to solve: of an import, and of a refinement."""

from __future__ import annotations

from pose_shared.solve_settings import CONTACTS, FLOORS, SolveSettings

from ..qt import QtWidgets
from .fields import choice, choose, chosen, number

__all__ = ["SolveFields"]


class SolveFields:
    """Adds its rows to a form."""

    def __init__(self, form: QtWidgets.QFormLayout) -> None:
        defaults = SolveSettings()
        self.smoothing = number(defaults.smoothing, 0, 1, "0 leaves the motion raw, 1 is calm", step=0.05)
        self.height_m = number(
            defaults.height_m,
            0,
            3,
            "Of the actor without shoes, in metres, which sets the scale of the room",
            "Not known",
            step=0.01,
        )
        self.floor = choice(FLOORS, "What the feet stand on")
        self.contacts = choice(CONTACTS, "When feet stick to the ground")
        form.addRow("Smoothing", self.smoothing)
        form.addRow("Height (m)", self.height_m)
        form.addRow("Floor", self.floor)
        form.addRow("Contacts", self.contacts)

    def settings(self) -> SolveSettings:
        """Return what the fields say."""
        return SolveSettings(
            round(self.smoothing.value(), 4),
            round(self.height_m.value(), 4),
            chosen(self.floor),
            chosen(self.contacts),
        )

    def show(self, settings: SolveSettings) -> None:
        """Let the fields say this."""
        self.smoothing.setValue(settings.smoothing)
        self.height_m.setValue(settings.height_m)
        choose(self.floor, settings.floor)
        choose(self.contacts, settings.contacts)
