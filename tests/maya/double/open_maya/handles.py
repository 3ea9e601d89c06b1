"""MObject, MObjectHandle, and the context of a moment."""

from __future__ import annotations

from typing import Any, ClassVar

from ..node import Node
from . import present
from .present import need
from .quantities import MTime


class MFn:
    """The types of nodes that are in use here; values from the class reference of MFn are not promised."""

    kInvalid = 0
    kDependencyNode = 4
    kAnimCurve = 7
    kDagNode = 110
    kTransform = 112
    kJoint = 123
    kCamera = 252
    kImagePlane = 370


_TYPES = {
    MFn.kDependencyNode: lambda n: True,
    MFn.kAnimCurve: lambda n: n.is_curve,
    MFn.kDagNode: lambda n: n.is_dag,
    MFn.kTransform: lambda n: n.is_transform,
    MFn.kJoint: lambda n: n.kind == "joint",
    MFn.kCamera: lambda n: n.kind == "camera",
    MFn.kImagePlane: lambda n: n.kind == "imagePlane",
}


class MObject:
    """A handle to something of Maya's; an empty one is null."""

    kNullObj: ClassVar[MObject]

    def __init__(self, held: Any = None) -> None:
        if isinstance(held, MObject):
            held = held._held
        self._held = held

    def isNull(self) -> bool:
        return self._held is None

    def hasFn(self, kind: int) -> bool:
        return isinstance(self._held, Node) and _TYPES[kind](self._held)

    @property
    def apiTypeStr(self) -> str:
        if isinstance(self._held, Node):
            kind = self._held.kind
            return {"animCurveTL": "kAnimCurveTimeToDistance", "animCurveTA": "kAnimCurveTimeToAngular"}.get(
                kind, f"k{kind[:1].upper()}{kind[1:]}"
            )
        return "kInvalid"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MObject) and self._held is other._held

    def __hash__(self) -> int:
        return id(self._held)


MObject.kNullObj = MObject()


def node_of(held: MObject) -> Node:
    """The living node of an MObject; using one of a node that is gone crashes Maya, and raises here."""
    need(held, MObject, what="object")
    if not isinstance(held._held, Node):
        raise ValueError("object is not valid")
    if not held._held.alive:
        raise RuntimeError(f"(kInvalidParameter): Object does not exist: {held._held.name} was deleted")
    return held._held


class MObjectHandle:
    """Says whether an object still lives: isValid while it is in the scene, isAlive while undo keeps it."""

    def __init__(self, held: MObject | None = None) -> None:
        self._object = MObject() if held is None else MObject(need(held, MObject))

    def isValid(self) -> bool:
        return isinstance(self._object._held, Node) and self._object._held.alive

    def isAlive(self) -> bool:
        return isinstance(self._object._held, Node)

    def object(self) -> MObject:
        return self._object

    def hashCode(self) -> int:
        return hash(self._object)


class MDGContext:
    """A moment to evaluate at; the empty one is now."""

    kNormal: ClassVar[MDGContext]

    def __init__(self, time: MTime | MDGContext | None = None) -> None:
        if isinstance(time, MDGContext):
            self._moment = time._moment
        else:
            self._moment = None if time is None else need(time, MTime)._ticks

    def isNormal(self) -> bool:
        return self._moment is None

    def getTime(self) -> MTime:
        moment = present.scene().moment if self._moment is None else self._moment
        return MTime._of_ticks(moment)


MDGContext.kNormal = MDGContext()
