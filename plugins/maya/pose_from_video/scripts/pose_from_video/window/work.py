"""What goes on beside the user's work: one session at a time, and short questions to servers.

Threads never touch Qt; a timer looks at them from the main thread.
"""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Tuple, Union

from pose_shared.cancel_token import CancelToken
from pose_shared.client import Client
from pose_shared.errors import ConflictError
from pose_shared.server_call import ask_server
from pose_shared.session import FetchRequest, ImportRequest, RefineRequest, Session
from pose_shared.worker_thread import WorkerThread

from ..qt import QtCore, Signal

__all__ = ["Work"]

_TICK_MS = 100

Request = Union[ImportRequest, RefineRequest, FetchRequest]
OnEnd = Callable[[Session], None]
OnAnswer = Callable[[WorkerThread[Any]], None]


class Work(QtCore.QObject):
    """Watches over threads.

    Attributes
    ----------
    changed
        Emitted when the session begins, gets on, or ends.
    """

    changed = Signal()

    def __init__(self, parent: QtCore.QObject) -> None:
        super().__init__(parent)
        self._session: Optional[Session] = None
        self._on_end: OnEnd = _nothing
        self._questions: List[Tuple[WorkerThread[Any], OnAnswer]] = []
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._look)

    @property
    def session(self) -> Optional[Session]:
        """The session that is under way."""
        return self._session

    def start(self, request: Request, on_end: OnEnd) -> None:
        """Begin a session; `on_end` gets it when it has ended, well or not, unless it is left before.

        Raises
        ------
        ConflictError
            Another one is under way (``WORK_RUNNING``).
        """
        if self._session is not None:
            raise ConflictError(
                f"'{self._session.request.name}' is being worked on already; wait for it, or cancel it.",
                reason="WORK_RUNNING",
            )
        self._session, self._on_end = Session(request), on_end
        self._timer.start()
        self.changed.emit()

    def cancel(self) -> None:
        """Ask the session to stop."""
        if self._session is not None:
            self._session.cancel()
            self.changed.emit()

    def leave(self) -> Optional[Session]:
        """Let go of the session, while its job goes on; return it, if there was one."""
        session, self._session = self._session, None
        if session is not None:
            session.leave()
            self.changed.emit()
        return session

    def ask(
        self, server: str, question: Callable[[Client, CancelToken], Any], on_answer: OnAnswer
    ) -> WorkerThread[Any]:
        """Ask a server something short; `on_answer` gets the thread, which is returned, when it is done."""
        thread = ask_server(server, question)
        self.wait_for(thread, on_answer)
        return thread

    def wait_for(self, thread: WorkerThread[Any], on_answer: OnAnswer) -> None:
        """Have a thread looked at; `on_answer` gets it when it is done."""
        self._questions.append((thread, on_answer))
        self._timer.start()

    def _look(self) -> None:
        answered = [pair for pair in self._questions if pair[0].done]
        self._questions = [pair for pair in self._questions if pair not in answered]
        for thread, on_answer in answered:
            on_answer(thread)
        session = self._session
        if session is not None:
            if session.poll():
                self._session = None
                self._on_end(session)
            self.changed.emit()
        if self._session is None and not self._questions:
            self._timer.stop()


def _nothing(session: Session) -> None:
    """What follows a session that nobody has begun."""
