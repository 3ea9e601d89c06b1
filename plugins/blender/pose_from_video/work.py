"""The import that is running beside the user's work, and its end in the scene.

Rules: the session's thread never touches bpy.  A timer looks at it from the main thread, which is
the only one that writes.  Between two ticks nothing of Blender's is held but names, because undo
and loading a file replace what they stand for.  A timer, unlike a modal operator, leaves the
user's keys, the autosave and the undo history alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
from pose_shared.errors import ConflictError, InternalError, JobCancelledError, PoseError

from .host import Placement, write_import
from .session import ImportRequest, ImportSession

__all__ = [
    "UNDO_NAME",
    "Outcome",
    "abandon",
    "cancel",
    "finish",
    "last_outcome",
    "redraw",
    "running",
    "show_error",
    "start",
]

UNDO_NAME = "Import Pose from Video"
_TICK_S = 0.1


@dataclass(frozen=True)
class Outcome:
    """How an import ended: a line and maybe notes, and the error's reason if it failed."""

    message: str
    reason: str = ""


@dataclass(frozen=True)
class _Running:
    session: ImportSession
    scene_name: str
    placement: Placement


_running: _Running | None = None
_outcome: Outcome | None = None


def running() -> ImportSession | None:
    """Return the import that is under way."""
    return _running.session if _running else None


def last_outcome() -> Outcome | None:
    """Return how the last one ended."""
    return _outcome


def start(request: ImportRequest, scene: bpy.types.Scene, placement: Placement) -> None:
    """Let an import run in the background, for a scene.

    Raises
    ------
    ConflictError
        Another one is running.
    """
    global _running, _outcome
    if _running:
        raise ConflictError(
            "An import is running already; wait for it, or cancel it in the sidebar.", reason="IMPORT_RUNNING"
        )
    _running, _outcome = _Running(ImportSession(request), scene.name, placement), None
    bpy.app.timers.register(_tick, first_interval=_TICK_S)


def cancel() -> None:
    """Ask the running import to stop; nothing of it will reach the scene."""
    if _running:
        _running.session.cancel()


def abandon() -> None:
    """Cancel and forget the running import: its file is being closed, or the add-on is."""
    global _running, _outcome
    cancel()
    _running = _outcome = None
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)


def finish(session: ImportSession, scene: bpy.types.Scene, placement: Placement) -> Outcome:
    """Put the result of a session that has ended into the scene, as one undo step.

    Raises
    ------
    PoseError
        The session failed or was cancelled; the scene is as it was.
    """
    result, clip = session.result(), session.request.clip
    try:
        notes = write_import(scene, result.people, clip, placement, job=result.job)
    except Exception as error:
        raise InternalError(
            f"The result cannot be put into the scene ({type(error).__name__}: {error}); please report it.",
            reason="SCENE_UNWRITABLE",
        ) from error
    bpy.ops.ed.undo_push(message=UNDO_NAME)
    count = len(result.people)
    imported = f"Imported {count} {'person' if count == 1 else 'people'} from {clip.name}."
    return Outcome("\n".join([imported, *session.notes, *notes]))


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
        scene: bpy.types.Scene | None = bpy.data.scenes.get(ended.scene_name)
        if scene is None:
            raise ConflictError(
                f"The scene '{ended.scene_name}' was deleted or renamed during the import; "
                "import the clip again, the server still knows it.",
                reason="SCENE_GONE",
            )
        _outcome = finish(ended.session, scene, ended.placement)
    except JobCancelledError:
        _outcome = Outcome("The import was cancelled.")
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
        bpy.context.window_manager.popup_menu(draw, title=UNDO_NAME, icon="ERROR")
