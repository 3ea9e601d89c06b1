"""Solve somebody's clip again, and see where the motion is weak."""

from __future__ import annotations

from typing import List, Optional

from pose_shared.solve_settings import SolveSettings

from ..qt import Qt, QtWidgets, Signal
from ..scene_host import ImportedPerson
from .desk import Desk
from .fields import form, words
from .people_field import PeopleField
from .solve_fields import SolveFields

__all__ = ["RefinePage"]

_FRAME = Qt.ItemDataRole.UserRole


class RefinePage(QtWidgets.QWidget):
    """For one imported person at a time.

    Attributes
    ----------
    asked
        Emitted with an `ImportedPerson` and the `SolveSettings` that the user wants.
    """

    asked = Signal(object, object)

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._shown: Optional[ImportedPerson] = None
        self.people = PeopleField("Whose clip to solve again; everybody in it gets the new motion")
        self.people.currentIndexChanged.connect(lambda index: self._show())
        head = QtWidgets.QWidget()
        rows = form(head)
        rows.addRow("Person", self.people)
        self.solve = SolveFields(rows)
        self.refine = QtWidgets.QPushButton("Refine")
        self.refine.setToolTip("Solve the clip again and replace the keys of everybody in it")
        self.refine.setAutoDefault(True)
        self.refine.clicked.connect(self._ask)
        self.heading = words()
        self.spans = QtWidgets.QTreeWidget()
        self.spans.setRootIsDecorated(False)
        self.spans.setHeaderLabels(["Frames", "Why", "Joints"])
        self.spans.setAllColumnsShowFocus(True)
        self.spans.setAccessibleName("Weak spans")
        self.spans.setToolTip("Double click to go to the first frame")
        self.spans.itemActivated.connect(lambda item, column: self._go(item))
        header = self.spans.header()
        for section in range(2):
            header.setSectionResizeMode(section, QtWidgets.QHeaderView.ResizeMode.ResizeToContents)
        column = QtWidgets.QVBoxLayout(self)
        column.addWidget(head)
        column.addWidget(self.refine)
        column.addWidget(self.heading)
        column.addWidget(self.spans, 1)
        self._list_spans(None)
        self.look()

    def show_people(self, people: List[ImportedPerson], selected: List[str]) -> None:
        """Offer people; the one that is selected in the scene first."""
        self.people.show_people(people, selected)
        self._show()

    def look(self) -> None:
        """Let what can be done now be what can be pressed."""
        self.refine.setEnabled(self.people.person() is not None and self._desk.work.session is None)

    def _show(self) -> None:
        person = self.people.person()
        if person != self._shown:
            self._shown = person
            self.solve.show(person.solve if person else SolveSettings())
            self._list_spans(person)
        self.look()

    def _list_spans(self, person: Optional[ImportedPerson]) -> None:
        self.spans.clear()
        spans = person.weak_spans if person else ()
        for span in spans:
            item = QtWidgets.QTreeWidgetItem([f"{span.start}–{span.end}", span.reason, span.joints])
            item.setData(0, _FRAME, span.start)
            item.setToolTip(2, span.joints)
            self.spans.addTopLevelItem(item)
        if person is None:
            self.heading.setText("Nobody in the scene came from a video.")
        elif not spans:
            self.heading.setText("Everything was seen well.")
        else:
            self.heading.setText("Weak spans: where the motion is more guessed than seen")
        self.spans.setVisible(bool(spans))

    def _ask(self) -> None:
        person = self.people.person()
        if person is not None:
            self.asked.emit(person, self.solve.settings())

    def _go(self, item: QtWidgets.QTreeWidgetItem) -> None:
        with self._desk.speaking():
            self._desk.host.go_to_frame(item.data(0, _FRAME))
