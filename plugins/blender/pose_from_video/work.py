"""The task that is running beside the user's work, and its end in the file.

Rules: the session's thread never touches bpy.  A timer looks at it from the main thread, which is
the only one that writes.  Between two ticks nothing of Blender's is held but names, because undo
and loading a file replace what they stand for.  A timer, unlike a modal operator, leaves the
user's keys, the autosave and the undo history alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
from pose_shared.console import wait_for
from pose_shared.errors import ConflictError, InternalError, JobCancelledError, PoseError
from pose_shared.session import Session

from .tasks import FetchTask, ImportTask, PickTask, RefineTask

__all__ = [
    "Outcome",
    "abandon",
    "cancel",
    "finish",
    "last_outcome",
    "perform",
    "redraw",
    "running",
    "show_error",
    "start",
]

_TICK_S = 0.1
_TITLE = "Pose from Video"

Task = ImportTask | FetchTask | PickTask | RefineTask


@dataclass(frozen=True)
class Outcome:
    """How a task ended: a line and maybe notes, and the error's reason if it failed."""

    message: str
    reason: str = ""


@dataclass(frozen=True)
class _Running:
    session: Session
    task: Task


_running: _Running | None = None
_outcome: Outcome | None = None


def running() -> Session | None:
    """Return the session that is under way."""
    return _running.session if _running else None


def last_outcome() -> Outcome | None:
    """Return how the last one ended."""
    return _outcome


def perform(operator: Any, task: Task) -> None:
    """Begin an operator's task, or do it right away where nobody sits in front of it; raises as both do."""
    if operator.interactive and not bpy.app.background:
        start(task)
        return
    session = Session(task.request)
    wait_for(session)
    operator.report({"INFO"}, finish(session, task).message)


def start(task: Task) -> None:
    """Let a task run in the background.

    Raises
    ------
    ConflictError
        Another one is running.
    """
    global _running, _outcome
    if _running:
        raise ConflictError(
            f"'{_running.session.request.name}' is being worked on already; wait for it, or cancel it "
            "in the sidebar.",
            reason="WORK_RUNNING",
        )
    _running, _outcome = _Running(Session(task.request), task), None
    bpy.app.timers.register(_tick, first_interval=_TICK_S)


def cancel() -> None:
    """Ask the running task to stop; nothing of it will reach the file."""
    if _running:
        _running.session.cancel()


def abandon() -> None:
    """Cancel and forget the running task: its file is being closed, or the add-on is."""
    global _running, _outcome
    cancel()
    _running = _outcome = None
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)


def finish(session: Session, task: Task) -> Outcome:
    """Put the result of a session that has ended into the file, as one undo step.

    Raises
    ------
    PoseError
        The session failed or was cancelled; the file is as it was.
    """
    result = session.result()
    try:
        notes = task.write(result)
    except PoseError:
        raise
    except Exception as error:
        raise InternalError(
            f"The result cannot be put into the scene ({type(error).__name__}: {error}); please report it.",
            reason="SCENE_UNWRITABLE",
        ) from error
    if task.undo_name:
        bpy.ops.ed.undo_push(message=task.undo_name)
    done, *others = notes
    return Outcome("\n".join([done, *session.notes, *others]))


def _tick() -> float | None:
    global _running, _outcome
    if _running is None:
        return None
    redraw()
    # A render reads the scene that this would write to.
    if not _running.session.poll() or bpy.app.is_job_running("RENDER"):
        return _TICK_S
    ended, _running = _running, None
    try:
        _outcome = finish(ended.session, ended.task)
    except JobCancelledError:
        _outcome = Outcome(f"The {ended.task.noun} was cancelled.")
    except PoseError as error:
        show_error(error)
    redraw()
    return None


def redraw() -> None:
    """Draw the sidebars anew."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


def show_error(error: PoseError) -> None:
    """Tell the user, from a timer, what went wrong: in the panel and in front of them."""
    global _outcome
    _outcome = Outcome(error.message, error.reason)
    redraw()
    windows = bpy.context.window_manager.windows
    if not windows:
        return

    def draw(menu: Any, context: bpy.types.Context) -> None:
        menu.layout.label(text=error.message)

    with bpy.context.temp_override(window=windows[0]):
        bpy.context.window_manager.popup_menu(draw, title=_TITLE, icon="ERROR")
