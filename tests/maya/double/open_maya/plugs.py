"""MPlug: an attribute of a node, and a matrix as data."""

from __future__ import annotations

from typing import Any

from .. import names, plug
from ..node_types import Attribute
from . import present
from .handles import MDGContext, MObject, node_of
from .mathematics import MMatrix
from .present import need
from .quantities import MAngle, MDistance, MTime


class MPlug:
    """An attribute of a node; values in inner units."""

    def __init__(self, node: MObject | MPlug | None = None, attribute: MObject | None = None) -> None:
        self._at: plug.Plug | None = None
        if isinstance(node, MPlug):
            self._at = node._at
        elif node is not None:
            held = need(attribute, MObject)._held
            if not isinstance(held, Attribute):
                raise TypeError("attribute is no attribute")
            self._at = plug.Plug(present.scene(), node_of(node), held.long, held)

    @classmethod
    def _of(cls, at: plug.Plug) -> MPlug:
        made = cls()
        made._at = at
        return made

    @property
    def _plug(self) -> plug.Plug:
        if self._at is None:
            raise RuntimeError("(kInvalidParameter): plug is null")
        if not self._at.node.alive:
            raise RuntimeError(
                f"(kInvalidParameter): Object does not exist: {self._at.node.name} was deleted"
            )
        return self._at

    @property
    def isNull(self) -> bool:
        return self._at is None

    def node(self) -> MObject:
        return MObject(self._plug.node)

    def attribute(self) -> MObject:
        return MObject(self._plug.attribute)

    def name(self) -> str:
        return self._plug.name()

    def partialName(
        self,
        includeNodeName: bool = False,
        includeNonMandatoryIndices: bool = False,
        includeInstancedIndices: bool = False,
        useAlias: bool = False,
        useFullAttributePath: bool = False,
        useLongNames: bool = False,
    ) -> str:
        at = self._plug
        index = "" if at.index is None else f"[{at.index}]"
        name = (at.attribute.long if useLongNames else at.attribute.short) + index
        return f"{names.shortest(at.scene, at.node)}.{name}" if includeNodeName else name

    def __str__(self) -> str:
        return self.name()

    # What it is.

    @property
    def isArray(self) -> bool:
        return self._plug.attribute.multi and self._plug.index is None

    @property
    def isElement(self) -> bool:
        return self._plug.index is not None

    @property
    def isCompound(self) -> bool:
        return bool(self._plug.attribute.children)

    @property
    def isChild(self) -> bool:
        return bool(self._plug.attribute.parent)

    @property
    def isDynamic(self) -> bool:
        return self._plug.attribute.dynamic

    @property
    def isConnected(self) -> bool:
        return self._plug.source is not None or bool(self._plug.destinations)

    @property
    def isDestination(self) -> bool:
        return self._plug.source is not None

    @property
    def isSource(self) -> bool:
        return bool(self._plug.destinations)

    def _flag(self, name: str) -> bool:
        return self._plug.node.flag(self._plug.path, name)

    def _set_flag(self, name: str, value: bool) -> None:
        self._plug.scene.set_flag(self._plug.node, self._plug.path, name, need(value, bool))

    @property
    def isLocked(self) -> bool:
        return self._plug.locked

    @isLocked.setter
    def isLocked(self, value: bool) -> None:
        self._set_flag("locked", value)

    @property
    def isKeyable(self) -> bool:
        return self._flag("keyable")

    @isKeyable.setter
    def isKeyable(self, value: bool) -> None:
        self._set_flag("keyable", value)

    @property
    def isChannelBox(self) -> bool:
        return self._flag("channel_box")

    @isChannelBox.setter
    def isChannelBox(self, value: bool) -> None:
        self._set_flag("channel_box", value)

    def numChildren(self) -> int:
        return len(self._plug.attribute.children)

    def child(self, which: int | MObject) -> MPlug:
        at = self._plug
        if isinstance(which, MObject):
            return MPlug._of(at.child(which._held.long))
        return MPlug._of(at.children()[which])

    def parent(self) -> MPlug:
        above = self._plug.parent()
        if above is None:
            raise TypeError("plug has no parent")
        return MPlug._of(above)

    def elementByLogicalIndex(self, index: int) -> MPlug:
        at = self._plug
        if not self.isArray:
            raise TypeError("plug is no array")
        return MPlug._of(plug.Plug(at.scene, at.node, f"{at.path}[{need(index, int)}]", at.attribute))

    def elementByPhysicalIndex(self, index: int) -> MPlug:
        return self.elementByLogicalIndex(self._plug.elements()[index])

    def numElements(self) -> int:
        return len(self._plug.elements())

    evaluateNumElements = numElements

    def logicalIndex(self) -> int:
        index = self._plug.index
        if index is None:
            raise TypeError("plug is no element")
        return index

    def array(self) -> MPlug:
        at = self._plug
        return MPlug._of(plug.Plug(at.scene, at.node, at.attribute.long, at.attribute))

    # Connections.

    def source(self) -> MPlug:
        found = self._plug.source
        return MPlug._of(found) if found else MPlug()

    def destinations(self) -> list[MPlug]:
        return [MPlug._of(each) for each in self._plug.destinations]

    def connectedTo(self, asDest: bool, asSrc: bool) -> list[MPlug]:
        found = [self.source()] if asDest and self._plug.source else []
        return found + (self.destinations() if asSrc else [])

    # Values.

    def _value(self, context: MDGContext, *kinds: str) -> Any:
        at = self._plug
        if kinds and at.attribute.kind not in kinds:
            raise TypeError(f"plug {at.name()} holds a {at.attribute.kind}")
        return at.inner(need(context, MDGContext)._moment)

    _PLAIN = ("double", "float", "long", "short", "bool", "enum", "doubleLinear", "doubleAngle")

    def asDouble(self, context: MDGContext = MDGContext.kNormal) -> float:
        return float(self._value(context, *self._PLAIN))

    asFloat = asDouble

    def asInt(self, context: MDGContext = MDGContext.kNormal) -> int:
        return int(self._value(context, *self._PLAIN))

    asShort = asInt

    def asBool(self, context: MDGContext = MDGContext.kNormal) -> bool:
        return bool(self._value(context, *self._PLAIN))

    def asString(self, context: MDGContext = MDGContext.kNormal) -> str:
        return self._value(context, "string") or ""

    def asMTime(self, context: MDGContext = MDGContext.kNormal) -> MTime:
        return MTime._of_ticks(self._value(context, "time"))

    def asMDistance(self, context: MDGContext = MDGContext.kNormal) -> MDistance:
        return MDistance(self._value(context, "doubleLinear", "double", "float"), MDistance.kCentimeters)

    def asMAngle(self, context: MDGContext = MDGContext.kNormal) -> MAngle:
        return MAngle(self._value(context, "doubleAngle", "double", "float"), MAngle.kRadians)

    def asMObject(self, context: MDGContext = MDGContext.kNormal) -> MObject:
        return MObject(("data", self._value(context, "matrix", "string")))

    def asMDataHandle(self, *_: Any) -> Any:
        raise NotImplementedError("the double has no data handles: use asMObject with MFnMatrixData")

    def _write(self, value: Any, *kinds: str) -> MPlug:
        at = self._plug
        if at.attribute.kind not in kinds:
            raise TypeError(f"plug {at.name()} holds a {at.attribute.kind}")
        if not at.attribute.writable or at.held:
            raise RuntimeError("(kFailure): Unexpected Internal Failure: the plug is locked or connected")
        kind = at.attribute.kind
        at.set_inner(
            bool(value) if kind == "bool" else round(value) if kind in ("long", "short", "enum") else value
        )
        return self

    def setDouble(self, value: float) -> MPlug:
        return self._write(float(need(value, int, float)), *self._PLAIN)

    setFloat = setDouble

    def setInt(self, value: int) -> MPlug:
        return self._write(need(value, int, bool), *self._PLAIN)

    setShort = setInt

    def setBool(self, value: bool) -> MPlug:
        return self._write(need(value, bool), "bool", "long", "short", "enum")

    def setString(self, value: str) -> MPlug:
        return self._write(need(value, str), "string")

    def setMTime(self, value: MTime) -> MPlug:
        return self._write(need(value, MTime)._ticks, "time")

    def setMDistance(self, value: MDistance) -> MPlug:
        return self._write(need(value, MDistance).asCentimeters(), "doubleLinear", "double", "float")

    def setMAngle(self, value: MAngle) -> MPlug:
        return self._write(need(value, MAngle).asRadians(), "doubleAngle", "double", "float")

    def setMObject(self, value: MObject) -> MPlug:
        held = need(value, MObject)._held
        if not (isinstance(held, tuple) and held[0] == "data"):
            raise TypeError("value holds no data")
        return self._write(held[1], "matrix", "string")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MPlug) and self._at == other._at

    def __hash__(self) -> int:
        return hash((id(self._plug.node), self._plug.path))


class MFnMatrixData:
    """A matrix as data, from MPlug.asMObject or for MPlug.setMObject."""

    def __init__(self, data: MObject | None = None) -> None:
        self._data = data

    def matrix(self) -> MMatrix:
        held = need(self._data, MObject)._held
        if not (isinstance(held, tuple) and isinstance(held[1], tuple)):
            raise TypeError("object holds no matrix")
        return MMatrix(held[1])

    def create(self, matrix: MMatrix) -> MObject:
        self._data = MObject(("data", need(matrix, MMatrix)._numbers))
        return self._data
