"""The window: its pages, what goes on, and what is said."""

from __future__ import annotations

from typing import Any, List, Optional

from pose_shared.clips import title_of
from pose_shared.local_server import LocalServer
from pose_shared.messages import Job
from pose_shared.session import Result
from pose_shared.solve_settings import SolveSettings

from ..qt import QtWidgets
from ..scene_host import Character, ImportedPerson, Placement, SceneHost
from .character_page import CharacterPage
from .clip_page import ClipPage
from .desk import Desk
from .flow import Flow
from .jobs_page import JobsPage
from .message_area import MessageArea
from .people_page import PeoplePage
from .progress_strip import ProgressStrip
from .refine_page import RefinePage
from .server_page import ServerPage, this_machines_server

__all__ = ["PoseWindow"]

_TITLE = "Pose from Video"


class PoseWindow(QtWidgets.QWidget):
    """All of it.

    Parameters
    ----------
    host
        The scene.
    parent
        Qt's.
    local
        What starts servers here; the one of this process when None.
    """

    def __init__(
        self,
        host: SceneHost,
        parent: Optional[QtWidgets.QWidget] = None,
        local: Optional[LocalServer] = None,
    ) -> None:
        super().__init__(parent)
        self._people: List[ImportedPerson] = []
        self._characters: List[Character] = []
        self.setWindowTitle(_TITLE)
        self.setObjectName("poseFromVideo")
        self.desk = Desk(host, self)
        self.flow = Flow(self.desk, self)
        self.clip_page = ClipPage(self.desk)
        self.people_page = PeoplePage()
        self.jobs_page = JobsPage(self.desk)
        self.refine_page = RefinePage(self.desk)
        self.character_page = CharacterPage(self.desk)
        self.server_page = ServerPage(self.desk, local or this_machines_server())
        self.progress = ProgressStrip(self.desk.work)
        self.messages = MessageArea()
        self.import_pages = QtWidgets.QStackedWidget()
        self.import_pages.addWidget(self.clip_page)
        self.import_pages.addWidget(self.people_page)
        self.tabs = QtWidgets.QTabWidget()
        self.tabs.setDocumentMode(True)
        for page, title, tip in (
            (self.import_pages, "&Import", "Turn the people in a video into keyed joints"),
            (self.jobs_page, "&Jobs", "What the server works on, and what it has kept"),
            (self.refine_page, "&Refine", "Solve a clip again"),
            (self.character_page, "C&haracter", "Put a motion onto a character"),
            (self.server_page, "&Server", "Where the pose server is"),
        ):
            self.tabs.setTabToolTip(self.tabs.addTab(page, title), tip)
        column = QtWidgets.QVBoxLayout(self)
        column.addWidget(self.tabs, 1)
        column.addWidget(self.progress)
        column.addWidget(self.messages)
        self._connect()
        em = self.fontMetrics().height()
        self.resize(em * 30, em * 42)
        self.look_at_scene()
        self.server_page.look_for_server()

    def look_at_scene(self) -> None:
        """Show who is in the scene, and what is selected."""
        self._people, self._characters = [], []
        with self.desk.speaking():
            self._people, self._characters = self.desk.host.imported_people(), self.desk.host.characters()
        self.look_at_selection()

    def look_at_selection(self) -> None:
        """Show what is selected of those that are known: a scene may be large, and selecting is frequent."""
        selected: List[str] = []
        with self.desk.speaking():
            selected = self.desk.host.selected(self._characters)
        self.refine_page.show_people(self._people, selected)
        self.character_page.show_scene(self._people, self._characters, selected)

    def leave_work(self) -> None:
        """Let go of what goes on, because the window is closed: its job goes on, and the user is told."""
        self.clip_page.remember()
        sentence = self.flow.leave("The window was closed.")
        if sentence:
            with self.desk.speaking():
                self.desk.host.tell(sentence)

    def scene_closed(self) -> None:
        """Let go of what goes on, because its scene is gone: nothing of it comes into another."""
        self.character_page.abandon()
        self.import_pages.setCurrentWidget(self.clip_page)
        sentence = self.flow.leave("The scene was closed.")
        if sentence:
            self.desk.remember(left={})  # it is said here
            self.desk.say(sentence)
        self.look_at_scene()

    def closeEvent(self, event: Any) -> None:
        """Leave what goes on to the server."""
        self.leave_work()
        super().closeEvent(event)

    def showEvent(self, event: Any) -> None:
        """See what has happened meanwhile."""
        super().showEvent(event)
        self.look_at_scene()
        left = self.flow.left_before()
        if left:
            self.desk.say(left)

    def changeEvent(self, event: Any) -> None:
        """Look at the scene when the user comes back from it."""
        super().changeEvent(event)
        if event.type() == event.Type.ActivationChange and self.isActiveWindow():
            self.look_at_scene()

    def _connect(self) -> None:
        desk, flow = self.desk, self.flow
        desk.said.connect(self.messages.show_message)
        desk.scene_changed.connect(self.look_at_scene)
        desk.server_changed.connect(self.server_page.look_for_server)
        for page in (self.clip_page, self.refine_page):
            desk.work.changed.connect(page.look)
        self.server_page.answered.connect(self.clip_page.show_server)
        self.clip_page.asked.connect(self._import)
        flow.picking.connect(self._pick)
        flow.written.connect(lambda: self.import_pages.setCurrentWidget(self.clip_page))
        self.people_page.picked.connect(self._bring)
        self.people_page.put_off.connect(self._put_off)
        self.jobs_page.fetch_asked.connect(self._fetch)
        self.refine_page.asked.connect(self._refine)

    def _import(self) -> None:
        self.clip_page.remember()
        with self.desk.speaking():
            self.flow.import_clip(
                self.clip_page.settings(), self.clip_page.placement(), self.clip_page.everybody.isChecked()
            )

    def _fetch(self, job: Job) -> None:
        with self.desk.speaking():
            placement = self.flow.placement_of(
                self.clip_page.placement(title_of(job.clip_name)),
                job.refines or job.name,
                job.first_source_frame,
                SolveSettings.of(job.solve),
            )
            self.flow.fetch(job.name, placement, self.clip_page.everybody.isChecked())

    def _pick(self, result: Result, placement: Placement) -> None:
        self.people_page.show_people(result, placement)
        self.import_pages.setCurrentWidget(self.people_page)
        self.tabs.setCurrentWidget(self.import_pages)

    def _bring(self, job: str, placement: Placement, persons: Any) -> None:
        with self.desk.speaking():
            self.flow.bring(job, placement, tuple(persons))

    def _put_off(self, job: str) -> None:
        self.import_pages.setCurrentWidget(self.clip_page)
        self.desk.say(f"The server keeps the result as {job}; fetch it from the list of jobs.")

    def _refine(self, person: ImportedPerson, solve: SolveSettings) -> None:
        with self.desk.speaking():
            self.flow.refine(person, solve)
