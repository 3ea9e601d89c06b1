"""The window in Maya: shows it, and tells it of the scene."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Optional

from .host import MayaScene
from .host.docked import SceneEvents, clear_place, docked
from .scene_host import SceneHost
from .window import PoseWindow

__all__ = ["close", "show"]

_window: Optional[Any] = None
_events: Optional[SceneEvents] = None


def show(page: str = "") -> Any:
    """Show the window, one at a time, and return it.

    Parameters
    ----------
    page
        ``refine`` or ``character`` to begin with that one.
    """
    global _window, _events
    if _window is not None and _is_gone(_window):
        close()
    if _window is None:
        scene: SceneHost = MayaScene()
        # By name, for the first parameter of Maya's class is the parent.
        _window = docked(PoseWindow)(host=scene)
        clear_place(_window.objectName())
        _events = SceneEvents(_window.scene_closed, _window.look_at_scene, _window.look_at_selection)
        _window.show(dockable=True, floating=True, area="right", retain=False, closeCallback=_CLOSE)
    else:
        # Where the user has put it.
        _window.show()
    if page:
        _window.tabs.setCurrentWidget(getattr(_window, f"{page}_page"))
    return _window


#: Said by Maya when the user closes the window's place.
_CLOSE = "from pose_from_video import dock; dock.close()"


def close() -> None:
    """Let go of what goes on, and of the window."""
    global _window, _events
    window, events = _window, _events
    _window = _events = None
    if events is not None:
        events.stop()
    if window is not None:
        # Maya may have deleted it with its place.
        with suppress(RuntimeError):
            window.leave_work()
            window.close()
            window.deleteLater()


def _is_gone(window: Any) -> bool:
    """Return whether Maya has deleted a window, as when another workspace is chosen."""
    try:
        window.objectName()
    except RuntimeError:
        return True
    return False
