"""The jobs of the server: see how they get on, fetch, cancel and delete them."""

from __future__ import annotations

import time
from typing import Any, Dict, Optional, Tuple

from pose_shared.job_list import JobList, JobRow
from pose_shared.messages import Job

from ..qt import Qt, QtCore, QtWidgets, Signal
from .desk import Desk
from .fields import words

__all__ = ["JobsPage"]

_TICK_MS = 200
_BUSY_S, _IDLE_S = 2.0, 10.0
_COLUMNS = ("Clip", "State", "Progress", "Age")
_NAME = Qt.ItemDataRole.UserRole


class JobsPage(QtWidgets.QWidget):
    """The list.

    Attributes
    ----------
    fetch_asked
        Emitted with the `Job` that the user wants in the scene.
    """

    fetch_asked = Signal(object)

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.jobs = JobList(desk.server)
        self._looked = 0.0
        self._asking: Optional[str] = None
        self.table = QtWidgets.QTreeWidget()
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.setHeaderLabels(_COLUMNS)
        self.table.setAllColumnsShowFocus(True)
        self.table.setAccessibleName("Jobs of the server")
        self.table.currentItemChanged.connect(lambda now, before: self.look())
        self.table.itemDoubleClicked.connect(lambda item, column: self._press_fetch())
        header = self.table.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QtWidgets.QHeaderView.ResizeMode.Stretch)
        for section in range(1, len(_COLUMNS)):
            header.setSectionResizeMode(section, QtWidgets.QHeaderView.ResizeMode.ResizeToContents)
        self.details = words()
        self.refresh = self._button("Refresh", "Look at the list now", self.refresh_now)
        self.fetch = self._button(
            "Fetch…", "Bring its people into the scene; waits for a job that runs", self._press_fetch
        )
        self.cancel = self._button("Cancel", "Ask the job to stop", self._press_cancel)
        self.delete = self._button("Delete…", "Remove the job and its files from the server", self._ask)
        self.question = words()
        self.yes = self._button("Delete", "Remove it; this cannot be undone", self._delete)
        self.no = self._button("Keep", "Leave it where it is", lambda: self._ask_about(None))
        self._confirm = QtWidgets.QFrame()
        self._confirm.setFrameShape(QtWidgets.QFrame.Shape.StyledPanel)
        confirm = QtWidgets.QHBoxLayout(self._confirm)
        confirm.addWidget(self.question, 1)
        confirm.addWidget(self.yes)
        confirm.addWidget(self.no)
        self._confirm.hide()
        buttons = QtWidgets.QHBoxLayout()
        for button in (self.refresh, self.fetch, self.cancel, self.delete):
            buttons.addWidget(button)
        column = QtWidgets.QVBoxLayout(self)
        column.addWidget(self.table, 1)
        column.addWidget(self.details)
        column.addWidget(self._confirm)
        column.addLayout(buttons)
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        desk.server_changed.connect(self._change_server)
        desk.work.changed.connect(self.look)
        self.look()

    def showEvent(self, event: object) -> None:
        """Watch the list while it is seen."""
        self.refresh_now()
        self._timer.start()

    def hideEvent(self, event: object) -> None:
        """Watch it no longer."""
        self._timer.stop()

    def refresh_now(self) -> None:
        """Look at the list."""
        self._looked = time.monotonic()
        self.jobs.refresh()
        self._timer.start()

    def current(self) -> Optional[JobRow]:
        """Return the row that the user has chosen."""
        item = self.table.currentItem()
        job = self.jobs.find(item.data(0, _NAME)) if item else None
        return JobRow(job, time.time()) if job else None

    def look(self) -> None:
        """Let what can be done with the chosen job be what can be pressed."""
        row = self.current()
        self.fetch.setEnabled(bool(row and row.can_fetch) and self._desk.work.session is None)
        self.cancel.setEnabled(bool(row and row.can_cancel))
        self.delete.setEnabled(bool(row and row.can_delete))
        if row is not None:
            self.details.setText(row.why or row.job.name)
        elif self.jobs.known and not self.jobs.jobs:
            self.details.setText(f"The server at {self.jobs.server} has no jobs.")
        else:
            self.details.setText("")
        if self._asking is not None and (row is None or row.job.name != self._asking):
            self._ask_about(None)

    def _button(self, text: str, tip: str, press: object) -> QtWidgets.QPushButton:
        button = QtWidgets.QPushButton(text)
        button.setToolTip(tip)
        button.setAutoDefault(True)
        button.clicked.connect(lambda checked=False: press())  # type: ignore[operator]
        return button

    def _tick(self) -> None:
        if self.jobs.poll():
            if self.jobs.error is not None:
                self._desk.fail(self.jobs.error)
            self._fill()
        running = any(not job.state.ended for job in self.jobs.jobs)
        if time.monotonic() - self._looked > (_BUSY_S if running else _IDLE_S):
            self.refresh_now()

    def _fill(self) -> None:
        """Bring the table up to date, without touching what the user has chosen."""
        rows = self.jobs.rows(time.time())
        items: Dict[str, Any] = {}
        for index in reversed(range(self.table.topLevelItemCount())):
            item: Any = self.table.topLevelItem(index)
            name = item.data(0, _NAME)
            if self.jobs.find(name) is None:
                self.table.takeTopLevelItem(index)
            else:
                items[name] = item
        for index, row in enumerate(rows):
            item = items.get(row.job.name)
            if item is None:
                item = QtWidgets.QTreeWidgetItem()
                item.setData(0, _NAME, row.job.name)
                self.table.insertTopLevelItem(index, item)
            for column, text in enumerate(_cells(row)):
                item.setText(column, text)
                item.setToolTip(column, row.why or row.job.name)
        self.look()

    def _change_server(self) -> None:
        self.jobs = JobList(self._desk.server)
        self.table.clear()
        self.look()
        if self.isVisible():
            self.refresh_now()

    def _press_fetch(self) -> None:
        row = self.current()
        if row is not None and self.fetch.isEnabled():
            self.fetch_asked.emit(row.job)

    def _press_cancel(self) -> None:
        row = self.current()
        if row is not None:
            self.jobs.cancel(row.job.name)

    def _ask(self) -> None:
        row = self.current()
        self._ask_about(row.job if row else None)

    def _ask_about(self, job: Optional[Job]) -> None:
        self._asking = job.name if job else None
        self._confirm.setVisible(job is not None)
        if job is not None:
            self.question.setText(f"Delete '{job.clip_name}' and its files from the server?")
            self.no.setFocus()

    def _delete(self) -> None:
        if self._asking is not None:
            self.jobs.delete(self._asking)
            self._ask_about(None)


def _cells(row: JobRow) -> Tuple[str, str, str, str]:
    return row.clip, row.state, "" if row.factor is None else f"{row.factor:.0%}", row.age
