"""MMessage, MSceneMessage and MGlobal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .. import names
from . import present
from .paths import MSelectionList
from .present import need

__all__ = ["MGlobal", "MMessage", "MSceneMessage"]


class MMessage:
    """Callbacks by number."""

    @staticmethod
    def removeCallback(number: int) -> None:
        if present.maya().callbacks.pop(number, None) is None:
            raise RuntimeError("(kInvalidParameter): no such callback")

    @staticmethod
    def removeCallbacks(numbers: Iterable[int]) -> None:
        for number in numbers:
            MMessage.removeCallback(number)

    @staticmethod
    def currentCallbackId() -> int:
        raise NotImplementedError("the double does not tell which callback runs")


class MSceneMessage(MMessage):
    """Messages of the scene."""

    kSceneUpdate = 0
    kBeforeNew = 1
    kAfterNew = 2
    kBeforeImport = 3
    kAfterImport = 4
    kBeforeOpen = 5
    kAfterOpen = 6
    kBeforeSave = 12
    kAfterSave = 13
    kMayaInitialized = 29
    kMayaExiting = 30
    kBeforeNewCheck = 31
    kBeforeOpenCheck = 32
    kBeforeSaveCheck = 33

    @staticmethod
    def addCallback(message: int, call: Callable[..., Any], clientData: Any = None) -> int:
        if not callable(call):
            raise TypeError("callback must be callable")
        maya = present.maya()
        number = maya.next_number()
        maya.callbacks[number] = (need(message, int), call, clientData)
        return number


class MGlobal:
    """The session."""

    kInteractive, kBatch, kLibraryApp, kBaseUIMode = range(4)

    @staticmethod
    def mayaState() -> int:
        """A library app is what mayapy is."""
        return MGlobal.kLibraryApp if present.maya().batch else MGlobal.kInteractive

    @staticmethod
    def mayaVersion() -> str:
        return str(present.maya().version)

    @staticmethod
    def apiVersion() -> int:
        from ..maya import API_VERSIONS

        return API_VERSIONS[present.maya().version]

    @staticmethod
    def displayInfo(text: str) -> None:
        present.maya()
        need(text, str)

    @staticmethod
    def displayWarning(text: str) -> None:
        present.maya().warnings.append(need(text, str))

    @staticmethod
    def displayError(text: str) -> None:
        present.maya().warnings.append(need(text, str))

    @staticmethod
    def isYAxisUp() -> bool:
        return present.scene().up_axis == "y"

    @staticmethod
    def isZAxisUp() -> bool:
        return present.scene().up_axis == "z"

    @staticmethod
    def getSelectionListByName(name: str) -> MSelectionList:
        return MSelectionList().add(need(name, str))

    @staticmethod
    def getActiveSelectionList() -> MSelectionList:
        found = MSelectionList()
        for node, _ in present.scene().selection:
            found.add(names.shortest(present.scene(), node))
        return found
