"""Put somebody's motion onto a character."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from pose_shared.worker_thread import WorkerThread

from ..qt import QtWidgets
from ..scene_host import Character, ImportedPerson
from .desk import Desk
from .fields import choice, choose, chosen, form, tick, words
from .people_field import PeopleField

__all__ = ["CharacterPage"]

_ROOTS = (
    ("root", "Root", "The root joint, if the character has one"),
    ("hips", "Hips", "The hips"),
)


class CharacterPage(QtWidgets.QWidget):
    """For one person and one character at a time."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._characters: List[Character] = []
        self._thread: Optional[WorkerThread[Any]] = None
        self.people = PeopleField("Who is to be followed")
        self.characters = choice([], "Whom to move")
        self.characters.setAccessibleName("Character")
        self.characters.currentIndexChanged.connect(lambda index: self.look())
        self.root_motion = choice(_ROOTS, "Which joint goes the way through the scene")
        self.in_place = tick("In Place", False, "Keep the character over one place")
        self.hold_hands = tick(
            "Hold Hands", False, "Hold hands where they touch, too, as feet where they stand"
        )
        self.hint = words()
        self.retarget = QtWidgets.QPushButton("Retarget")
        self.retarget.setToolTip("Move the character as the person does")
        self.retarget.setAutoDefault(True)
        self.retarget.clicked.connect(self._retarget)
        head = QtWidgets.QWidget()
        rows = form(head)
        rows.addRow("Person", self.people)
        rows.addRow("Character", self.characters)
        rows.addRow("Root Motion", self.root_motion)
        rows.addRow("", self.in_place)
        rows.addRow("", self.hold_hands)
        rows.addRow("", self.hint)
        column = QtWidgets.QVBoxLayout(self)
        column.addWidget(head)
        column.addWidget(self.retarget)
        column.addStretch(1)
        self.look()

    def show_scene(
        self, people: List[ImportedPerson], characters: List[Character], selected: List[str]
    ) -> None:
        """Offer people and characters; those that are selected in the scene first."""
        self.people.show_people(people, selected)
        before = chosen(self.characters)
        self._characters = characters
        self.characters.clear()
        for character in characters:
            kind = " (HumanIK)" if character.human_ik else ""
            self.characters.addItem(character.title + kind, character.node)
        for node in (before, *selected):
            choose(self.characters, node)
        self.look()

    def character(self) -> Optional[Character]:
        """Return who is chosen."""
        node = chosen(self.characters)
        return next((one for one in self._characters if one.node == node), None)

    def look(self) -> None:
        """Let what can be done now be what can be pressed."""
        person, character = self.people.person(), self.character()
        by_human_ik = character is not None and character.human_ik
        if person is None:
            self.hint.setText("Nobody in the scene came from a video.")
        elif character is None:
            self.hint.setText("There is no character in the scene.")
        elif by_human_ik:
            self.hint.setText("Maya's HumanIK moves it, live; choose its skeleton to get keys.")
        else:
            self.hint.setText("The pose server finds out what its joints are, and keys them.")
        for field in (self.root_motion, self.in_place, self.hold_hands):
            field.setEnabled(not by_human_ik)
        ready = person is not None and character is not None
        self.retarget.setEnabled(ready and self._thread is None)
        self.retarget.setText("Retargeting…" if self._thread else "Retarget")

    def abandon(self) -> None:
        """Let go of an answer that is still to come: its scene is gone."""
        if self._thread is not None:
            self._thread.cancel()
            self._thread = None
            self.look()

    def _retarget(self) -> None:
        person, character = self.people.person(), self.character()
        if person is None or character is None:
            return
        self._desk.say("")
        with self._desk.speaking():
            if character.human_ik:
                notes = self._desk.host.drive_by_human_ik(character, person)
                self._tell(character, person, "", notes)
                return
            self._ask_server(character, person)
        self.look()

    def _ask_server(self, character: Character, person: ImportedPerson) -> None:
        rig = self._desk.host.describe_rig(character)
        options: Dict[str, Any] = {
            "in_place": self.in_place.isChecked(),
            "root_motion": chosen(self.root_motion),
            "relock": ("legs", "arms") if self.hold_hands.isChecked() else ("legs",),
            "fps": person.asked_rate,
        }
        self._thread = self._desk.work.ask(
            person.server,
            lambda client, stop: client.retarget(person.job, person.person, rig, options, stop),
            lambda thread: self._answered(thread, character, person),
        )

    def _answered(self, thread: WorkerThread[Any], character: Character, person: ImportedPerson) -> None:
        if thread is not self._thread:
            return
        self._thread = None
        with self._desk.speaking():
            motion = thread.result()
            notes = self._desk.host.write_rig_motion(character, motion, person)
            self._tell(character, person, motion.kind, notes)
        self.look()

    def _tell(self, character: Character, person: ImportedPerson, kind: str, notes: List[str]) -> None:
        done = f"'{character.title}' moves as {person.title}."
        taken = [f"Taken for {kind}."] if kind else []
        self._desk.say("\n".join([done, *taken, *notes]))
