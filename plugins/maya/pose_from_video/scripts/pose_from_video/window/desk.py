"""What the pages share: the scene, the server's address, what is remembered, and what is said to the user."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import Any, Dict, Iterator, TypeVar

from pose_shared.connection import DEFAULT_PORT
from pose_shared.errors import InternalError, PoseError

from ..qt import QtCore, Signal
from ..scene_host import SceneHost
from .work import Work

__all__ = ["Desk"]

T = TypeVar("T")

_log = logging.getLogger("pose_from_video")

_MOST_CLIPS = 50


class Desk(QtCore.QObject):
    """One for each window.

    Attributes
    ----------
    host
        The scene.
    work
        What goes on.
    said
        Emitted with a text for the user, and whether it is an error; with an empty text to take it back.
    server_changed
        Emitted when the address is another.
    scene_changed
        Emitted when the scene should be looked at again.
    """

    said = Signal(str, bool)
    server_changed = Signal()
    scene_changed = Signal()

    def __init__(self, host: SceneHost, parent: QtCore.QObject) -> None:
        super().__init__(parent)
        self.host = host
        self.work = Work(self)
        self._settings: Dict[str, Any] = {}
        with self.speaking():
            self._settings = dict(host.load_settings())

    @property
    def server(self) -> str:
        """Address of the server."""
        return self.remembered("server", f"127.0.0.1:{DEFAULT_PORT}")

    def use_server(self, address: str) -> None:
        """Take another server from now on."""
        if address.strip() and address.strip() != self.server:
            self.remember(server=address.strip())
            self.server_changed.emit()

    def remembered(self, name: str, default: T) -> T:
        """Return what was remembered, if it is of the default's kind: settings may be of another release."""
        value = self._settings.get(name, default)
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            return float(value)  # type: ignore[return-value]
        return value if type(value) is type(default) else default

    def remember(self, **values: Any) -> None:
        """Keep values of JSON's kinds, for another day."""
        self._settings.update(values)
        with self.speaking():
            self.host.save_settings(self._settings)

    def remember_clip(self, job: str, path: str) -> None:
        """Keep which clip on this machine a job is of."""
        clips: Dict[str, Any] = self.remembered("clips", {})
        clips = {**{name: known for name, known in clips.items() if name != job}, job: path}
        self.remember(clips=dict(list(clips.items())[-_MOST_CLIPS:]))

    def clip_of(self, job: str) -> str:
        """Return the path of a job's clip, or an empty text."""
        clips: Dict[str, Any] = self.remembered("clips", {})
        path = clips.get(job, "")
        return path if isinstance(path, str) else ""

    def say(self, text: str) -> None:
        """Tell the user."""
        self.said.emit(text, False)

    def fail(self, error: PoseError) -> None:
        """Tell the user what does not work, and why."""
        self.said.emit(error.message, True)

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Turn what goes wrong in the block into one sentence for the user."""
        try:
            yield
        except PoseError as error:
            self.fail(error)
        except Exception as error:
            _log.debug("unexpected", exc_info=True)
            self.fail(
                InternalError(
                    f"Something broke that should not ({type(error).__name__}: {error}); please report it.",
                    reason="UNEXPECTED",
                )
            )
