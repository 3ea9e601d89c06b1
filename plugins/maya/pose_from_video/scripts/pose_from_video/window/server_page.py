"""Where the pose server is, and one on this machine."""

from __future__ import annotations

from typing import Any, Optional

from pose_shared.errors import PoseError
from pose_shared.local_server import LocalServer
from pose_shared.messages import ServerInfo
from pose_shared.worker_thread import WorkerThread

from ..qt import QtCore, QtWidgets, Signal
from .desk import Desk
from .fields import form, pair, text_line, words

__all__ = ["ServerPage", "this_machines_server"]

_LOOK_MS = 300

_local: Optional[LocalServer] = None


def this_machines_server() -> LocalServer:
    """Return the server that this process has started or may start; it outlives the window."""
    global _local
    if _local is None:
        _local = LocalServer()
    return _local


class ServerPage(QtWidgets.QWidget):
    """Address, test, start and stop.

    Attributes
    ----------
    answered
        Emitted with the `ServerInfo` of the server.
    """

    answered = Signal(object)

    def __init__(self, desk: Desk, local: LocalServer) -> None:
        super().__init__()
        self._desk = desk
        self._local = local
        self._asking = self._stopping = False
        self.address = text_line(desk.server, "Address of the pose server, as host:port")
        self.address.editingFinished.connect(self._take_address)
        self.test = self._button("Test Connection", "Ask the pose server who it is", self.look_for_server)
        self.state = words("Not asked yet.")
        self.command = text_line(
            desk.remembered("command", "pose-server"),
            "The pose-server command on this machine, to start a server with",
        )
        self.command.editingFinished.connect(
            lambda: desk.remember(command=self.command.text().strip() or "pose-server")
        )
        self.browse = self._button("Browse…", "Pick the command", self._browse)
        self.start = self._button(
            "Start Local Server", "Start a pose server on this machine; it ends with Maya", self._start
        )
        self.stop = self._button("Stop", "Stop the pose server that was started from here", self._stop)
        self.local_state = words()
        column = QtWidgets.QVBoxLayout(self)
        there = QtWidgets.QGroupBox("Server")
        rows = form(there)
        rows.addRow("Address", pair(self.address, self.test))
        rows.addRow("", self.state)
        here = QtWidgets.QGroupBox("On This Machine")
        rows = form(here)
        rows.addRow("Command", pair(self.command, self.browse))
        rows.addRow("", pair(self.start, self.stop))
        rows.addRow("", self.local_state)
        column.addWidget(there)
        column.addWidget(here)
        column.addStretch(1)
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look_at_local)
        if local.running:
            self._timer.start()
        self.look()

    def look_for_server(self) -> None:
        """Ask the server who it is; the answer comes by itself."""
        self._take_address()
        if self._asking:
            return
        self._asking = True
        server = self._desk.server
        self.state.setText(f"Asking {server} …")
        self._desk.work.ask(
            server,
            lambda client, stop: client.check_compatible(),
            lambda thread: self._answered(thread, server),
        )
        self.look()

    def look(self) -> None:
        """Let what can be done now be what can be pressed."""
        running, ready = self._local.running, self._local.ready
        self.test.setEnabled(not self._asking)
        self.start.setEnabled(not running and not self._stopping)
        self.stop.setEnabled(running and not self._stopping)
        if self._stopping:
            state = "Stopping …"
        elif ready:
            state = "Running, started from here."
        else:
            state = "Starting …" if running else "Not started from here."
        self.local_state.setText(state)

    def _button(self, text: str, tip: str, press: Any) -> QtWidgets.QPushButton:
        button = QtWidgets.QPushButton(text)
        button.setToolTip(tip)
        button.setAutoDefault(True)
        button.clicked.connect(lambda checked=False: press())
        return button

    def _take_address(self) -> None:
        self._desk.use_server(self.address.text())
        self.address.setText(self._desk.server)

    def _answered(self, thread: WorkerThread[Any], server: str) -> None:
        self._asking = False
        if server != self._desk.server:
            self.look_for_server()
            return
        try:
            info: ServerInfo = thread.result()
        except PoseError as error:
            self.state.setText(error.message)
        else:
            usable = ", ".join(detector.name for detector in info.detectors if detector.usable)
            self.state.setText(
                f"Pose server {info.version} at {server}: {usable or 'no detector'}, "
                f"on {', '.join(info.devices)}."
            )
            self.answered.emit(info)
        self.look()

    def _browse(self) -> None:
        path, _ = QtWidgets.QFileDialog.getOpenFileName(self, "pose-server command", self.command.text())
        if path:
            self.command.setText(path)
            self._desk.remember(command=path)

    def _start(self) -> None:
        self._take_address()
        self._desk.remember(command=self.command.text().strip() or "pose-server")
        with self._desk.speaking():
            self._local.start(self.command.text().strip(), self._desk.server)
            self._timer.start()
        self.look()

    def _stop(self) -> None:
        """Stop it in a thread: it may take its time."""
        self._stopping = True
        self._desk.work.wait_for(WorkerThread(lambda post, stop: self._local.stop()), self._stopped)
        self.look()

    def _stopped(self, thread: WorkerThread[Any]) -> None:
        self._stopping = False
        self.look()

    def _look_at_local(self) -> None:
        try:
            self._local.check()
        except PoseError as error:
            self._desk.fail(error)
        if not self._local.running:
            self._timer.stop()
        elif self._local.ready and not self._asking:
            self._timer.stop()
            self.look_for_server()
        self.look()
