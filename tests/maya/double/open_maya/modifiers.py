"""MDGModifier and MDagModifier: edits that wait for doIt, and that undoIt takes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..commands.connections import connect
from ..commands.nodes import delete_nodes, node_kinds, split_name
from ..node import Node
from ..node_types import SHAPES, Attribute
from ..undo import Edit
from . import present
from .handles import MObject, node_of
from .plugs import MPlug
from .present import need
from .quantities import MAngle, MDistance, MTime

__all__ = ["MDGModifier", "MDagModifier"]


class MDGModifier:
    """Doing it again after undoIt does the same edits again."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []
        self._edits: list[Edit] = []
        self._undone = False

    def doIt(self) -> MDGModifier:
        maya = present.maya()
        with maya.queue.suspended():
            if self._undone:
                for _, again in self._edits:
                    again()
                self._undone = False
            waiting, self._waiting = self._waiting, []
            for edit in waiting:
                with maya.queue.collecting("modifier") as step:
                    edit()
                self._edits += step.edits
        return self

    def undoIt(self) -> MDGModifier:
        with present.maya().queue.suspended():
            if not self._undone:
                for back, _ in reversed(self._edits):
                    back()
                self._undone = True
        return self

    def _take_done(self, edits: list[Edit]) -> None:
        self._edits += edits

    def _node_now(self, kind: str, name: str, parent: Node | None) -> Node:
        """The node exists at once, as Maya's does, so that it can be named in further edits; doIt puts it
        in.
        """
        scene = present.scene()
        with scene.queue.collecting("createNode") as step:
            space, bare = split_name(scene, name, make=True)
            node = scene.create(kind, bare, parent, space)
        self._take_done(step.edits)
        return node

    def createNode(self, kind: str) -> MObject:
        if need(kind, str) not in node_kinds():
            raise RuntimeError("(kInvalidParameter): type is not known")
        return MObject(self._node_now(kind, f"{kind}#", None))

    def deleteNode(self, node: MObject, includeParents: bool = True) -> MDGModifier:
        held = node_of(node)
        self._waiting.append(lambda: delete_nodes(present.scene(), [held]))
        return self

    def renameNode(self, node: MObject, name: str) -> MDGModifier:
        held = node_of(node)

        def edit() -> None:
            space, bare = split_name(present.scene(), need(name, str), make=False)
            present.scene().rename(held, bare, space)

        self._waiting.append(edit)
        return self

    def connect(self, source: MPlug, dest: MPlug) -> MDGModifier:
        a, b = need(source, MPlug)._plug, need(dest, MPlug)._plug
        self._waiting.append(lambda: connect(present.scene(), "connect", a, b, False))
        return self

    def disconnect(self, source: MPlug, dest: MPlug) -> MDGModifier:
        a, b = need(source, MPlug)._plug, need(dest, MPlug)._plug

        def edit() -> None:
            if present.scene().inputs.get(b.place) != a.place:
                raise RuntimeError("(kFailure): the plugs are not connected")
            present.scene().disconnect(a.place, b.place)

        self._waiting.append(edit)
        return self

    def addAttribute(self, node: MObject, attribute: MObject) -> MDGModifier:
        held, made = node_of(node), need(attribute, MObject)._held
        if not isinstance(made, Attribute):
            raise TypeError("attribute is no attribute")
        self._waiting.append(lambda: present.scene().add_attribute(held, made))
        return self

    def removeAttribute(self, node: MObject, attribute: MObject) -> MDGModifier:
        held, made = node_of(node), need(attribute, MObject)._held
        self._waiting.append(lambda: present.scene().remove_attribute(held, made))
        return self

    def _value(self, target: MPlug, write: Callable[[], Any]) -> MDGModifier:
        need(target, MPlug)
        self._waiting.append(lambda: write() and None)
        return self

    def newPlugValueDouble(self, target: MPlug, value: float) -> MDGModifier:
        return self._value(target, lambda: target.setDouble(value))

    newPlugValueFloat = newPlugValueDouble

    def newPlugValueInt(self, target: MPlug, value: int) -> MDGModifier:
        return self._value(target, lambda: target.setInt(value))

    newPlugValueShort = newPlugValueInt

    def newPlugValueBool(self, target: MPlug, value: bool) -> MDGModifier:
        return self._value(target, lambda: target.setBool(value))

    def newPlugValueString(self, target: MPlug, value: str) -> MDGModifier:
        return self._value(target, lambda: target.setString(value))

    def newPlugValueMAngle(self, target: MPlug, value: MAngle) -> MDGModifier:
        return self._value(target, lambda: target.setMAngle(value))

    def newPlugValueMDistance(self, target: MPlug, value: MDistance) -> MDGModifier:
        return self._value(target, lambda: target.setMDistance(value))

    def newPlugValueMTime(self, target: MPlug, value: MTime) -> MDGModifier:
        return self._value(target, lambda: target.setMTime(value))


class MDagModifier(MDGModifier):
    """With parents."""

    def createNode(self, kind: str, parent: MObject = MObject.kNullObj) -> MObject:
        if need(kind, str) not in node_kinds():
            raise RuntimeError("(kInvalidParameter): type is not known")
        above = None if need(parent, MObject).isNull() else node_of(parent)
        if kind in SHAPES and above is None:
            raise NotImplementedError("the double makes no transform for a shape here: give a parent")
        if not Node(kind).is_dag:
            raise TypeError("a DAG type is wanted")
        return MObject(self._node_now(kind, f"{kind}#", above))

    def reparentNode(self, node: MObject, newParent: MObject = MObject.kNullObj) -> MDagModifier:
        held = node_of(node)
        above = None if need(newParent, MObject).isNull() else node_of(newParent)
        self._waiting.append(lambda: present.scene().reparent(held, above))
        return self
