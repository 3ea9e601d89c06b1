"""Where Maya and the window meet: its place in Maya, and what of the scene it must hear of."""

from __future__ import annotations

from typing import Any, Callable, List

import maya.api.OpenMaya as om
from maya import cmds
from maya.app.general.mayaMixin import MayaQWidgetDockableMixin

__all__ = ["SceneEvents", "clear_place", "docked"]


class SceneEvents:
    """Calls back when the scene closes, when another one is there, and when something else is selected."""

    def __init__(
        self, closed: Callable[[], object], changed: Callable[[], object], selected: Callable[[], object]
    ) -> None:
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
            for event in ("SceneOpened", "NewSceneOpened", "Undo", "Redo")
        ]
        self._jobs.append(cmds.scriptJob(event=["SelectionChanged", selected]))

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


def clear_place(widget_name: str) -> None:
    """Remove the place of an earlier window of that name: Maya keeps it, and would refuse another."""
    place = f"{widget_name}WorkspaceControl"
    if cmds.workspaceControl(place, exists=True):
        cmds.deleteUI(place, control=True)
