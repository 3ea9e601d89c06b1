"""MSelectionList and MDagPath: nodes by name and path."""

from __future__ import annotations

from typing import Any

from .. import evaluation, names, plug
from ..node import Node
from . import present
from .handles import MObject, node_of
from .mathematics import MMatrix
from .plugs import MPlug


class MSelectionList:
    """Nodes, paths and plugs by name or handle."""

    def __init__(self, source: MSelectionList | None = None) -> None:
        self._items: list[tuple[Node, plug.Plug | None]] = list(source._items) if source else []

    def add(
        self, item: Any, mergeWithExisting: bool = True, searchChildNamespaces: bool = False
    ) -> MSelectionList:
        scene = present.scene()
        if isinstance(item, str):
            node_name, dot, attribute = item.partition(".")
            found = names.matching(scene, node_name, searchChildNamespaces)
            if not found:
                raise RuntimeError("(kInvalidParameter): Object does not exist")
            if len(found) > 1 and "*" not in node_name:
                raise RuntimeError("(kInvalidParameter): Object is not unique")
            for node in found:
                at = plug.find(scene, node, attribute) if dot else None
                if dot and at is None:
                    raise RuntimeError("(kInvalidParameter): Object does not exist")
                self._put((node, at))
        elif isinstance(item, MObject):
            self._put((node_of(item), None))
        elif isinstance(item, MDagPath):
            self._put((item._living(), None))
        elif isinstance(item, MPlug):
            self._put((item._plug.node, item._plug))
        else:
            raise TypeError(f"item must be a name, MObject, MDagPath or MPlug, not {type(item).__name__}")
        return self

    def _put(self, item: tuple[Node, plug.Plug | None]) -> None:
        if item not in self._items:
            self._items.append(item)

    def _at(self, index: int) -> tuple[Node, plug.Plug | None]:
        if not 0 <= index < len(self._items):
            raise IndexError("index out of bounds")
        return self._items[index]

    def getDependNode(self, index: int) -> MObject:
        return MObject(self._at(index)[0])

    def getDagPath(self, index: int) -> MDagPath:
        node = self._at(index)[0]
        if not node.is_dag:
            raise TypeError("item is not a DAG path")
        return MDagPath._of(node)

    def getPlug(self, index: int) -> MPlug:
        at = self._at(index)[1]
        if at is None:
            raise TypeError("item is not a plug")
        return MPlug._of(at)

    def getSelectionStrings(self, index: int | None = None) -> tuple[str, ...]:
        scene = present.scene()
        items = self._items if index is None else [self._at(index)]
        return tuple(at.name() if at else names.shortest(scene, node) for node, at in items)

    def length(self) -> int:
        return len(self._items)

    def isEmpty(self) -> bool:
        return not self._items

    def clear(self) -> MSelectionList:
        self._items.clear()
        return self

    def __len__(self) -> int:
        return len(self._items)


class MDagPath:
    """A node of the DAG by its path."""

    def __init__(self, source: MDagPath | None = None) -> None:
        self._node: Node | None = source._node if source else None

    @classmethod
    def _of(cls, node: Node) -> MDagPath:
        made = cls()
        made._node = node
        return made

    @staticmethod
    def getAPathTo(node: MObject) -> MDagPath:
        found = node_of(node)
        if not found.is_dag:
            raise TypeError("node is not in the DAG")
        return MDagPath._of(found)

    def _living(self) -> Node:
        if self._node is None or not self._node.alive:
            raise RuntimeError("(kInvalidParameter): Object does not exist")
        return self._node

    def isValid(self) -> bool:
        return self._node is not None and self._node.alive

    def node(self) -> MObject:
        return MObject(self._living())

    def transform(self) -> MObject:
        node = self._living()
        return MObject(node.parent if node.is_shape else node)

    def fullPathName(self) -> str:
        return self._living().long

    def partialPathName(self) -> str:
        return names.shortest(present.scene(), self._living())

    def hasFn(self, kind: int) -> bool:
        return MObject(self._living()).hasFn(kind)

    def childCount(self) -> int:
        return len(self._living().children)

    def child(self, index: int) -> MObject:
        return MObject(self._living().children[index])

    def length(self) -> int:
        return len(self._living().above()) + 1

    def pop(self, num: int = 1) -> MDagPath:
        node: Node | None = self._living()
        for _ in range(num):
            node = node.parent if node else None
        self._node = node
        return self

    def extendToShape(self, shapeNum: int = 0) -> MDagPath:
        node = self._living()
        if not node.is_shape:
            self._node = [c for c in node.children if c.is_shape][shapeNum]
        return self

    def inclusiveMatrix(self) -> MMatrix:
        scene = present.scene()
        return MMatrix(evaluation.world(scene, self._living(), scene.moment))

    def inclusiveMatrixInverse(self) -> MMatrix:
        return self.inclusiveMatrix().inverse()

    def exclusiveMatrix(self) -> MMatrix:
        scene, above = present.scene(), self._living().parent
        return MMatrix(evaluation.world(scene, above, scene.moment)) if above else MMatrix()

    def exclusiveMatrixInverse(self) -> MMatrix:
        return self.exclusiveMatrix().inverse()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MDagPath) and other._node is self._node

    def __hash__(self) -> int:
        return id(self._node)

    def __str__(self) -> str:
        return self.partialPathName()
