"""A field to choose one of the people in the scene who came from a video."""

from __future__ import annotations

from typing import List, Optional

from ..qt import QtWidgets
from ..scene_host import ImportedPerson
from .fields import choice, choose, chosen

__all__ = ["PeopleField"]


class PeopleField(QtWidgets.QWidget):
    """A combo box whose values are nodes."""

    def __init__(self, tip: str) -> None:
        super().__init__()
        self._people: List[ImportedPerson] = []
        self.combo = choice([], tip)
        self.combo.setAccessibleName("Person")
        self.currentIndexChanged = self.combo.currentIndexChanged
        self.setFocusProxy(self.combo)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.combo)

    def show_people(self, people: List[ImportedPerson], selected: List[str]) -> None:
        """Offer people; choose the selected one, else who was chosen before."""
        before = chosen(self.combo)
        self._people = people
        self.combo.blockSignals(True)
        self.combo.clear()
        for person in people:
            self.combo.addItem(person.title, person.node)
        choose(self.combo, before)
        for node in selected:
            choose(self.combo, node)
        self.combo.blockSignals(False)

    def person(self) -> Optional[ImportedPerson]:
        """Return who is chosen."""
        node = chosen(self.combo)
        return next((person for person in self._people if person.node == node), None)
