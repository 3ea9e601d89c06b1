"""Where Maya and the window meet: its place in Maya, and what of the scene it must hear of."""

from __future__ import annotations

from typing import Any, Callable, List

import maya.api.OpenMaya as om
from maya import OpenMayaUI, cmds
from maya.app.general.mayaMixin import MayaQWidgetDockableMixin

__all__ = ["DOCK", "SceneEvents", "docked", "main_window_pointer"]

#: Name of the window's place.
DOCK = "poseFromVideoWindow"


class SceneEvents:
    """Calls back when the scene closes, and when the selection or the nodes of the scene have changed."""

    def __init__(self, closed: Callable[[], object], changed: Callable[[], object]) -> None:
        self._messages: List[Any] = [
            om.MSceneMessage.addCallback(message, lambda *_: closed())
            for message in (
                om.MSceneMessage.kBeforeNew,
                om.MSceneMessage.kBeforeOpen,
                om.MSceneMessage.kMayaExiting,
            )
        ]
        self._jobs: List[int] = [
            cmds.scriptJob(event=[event, changed])
            for event in ("SelectionChanged", "SceneOpened", "NewSceneOpened", "Undo", "Redo")
        ]

    def stop(self) -> None:
        """Call back no more."""
        while self._messages:
            om.MMessage.removeCallback(self._messages.pop())
        while self._jobs:
            job = self._jobs.pop()
            if cmds.scriptJob(exists=job):
                cmds.scriptJob(kill=job)


def docked(widget_class: Any) -> Any:
    """Return a class of widgets that can be docked in Maya."""
    return type(f"Docked{widget_class.__name__}", (MayaQWidgetDockableMixin, widget_class), {})


def main_window_pointer() -> int:
    """Return where Maya's own window is in memory; 0 without one."""
    return int(OpenMayaUI.MQtUtil.mainWindow() or 0)
