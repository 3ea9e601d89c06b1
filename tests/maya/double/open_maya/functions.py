"""Function sets of nodes: MFnDependencyNode, MFnDagNode, MFnTransform, and attributes to add."""

from __future__ import annotations

from typing import Any

from .. import evaluation, matrix, names, plug
from ..commands.dag import plug_of
from ..commands.nodes import node_kinds, split_name
from ..node import Node
from ..node_types import SHAPES, Attribute
from . import present
from .handles import MObject, node_of
from .mathematics import MEulerRotation, MQuaternion, MSpace, MTransformationMatrix, MVector
from .paths import MDagPath
from .plugs import MPlug
from .present import need


class MFnDependencyNode:
    """Any node."""

    def __init__(self, target: MObject | None = None) -> None:
        self._object = MObject()
        if target is not None:
            self.setObject(target)

    def setObject(self, target: MObject) -> Any:
        node = node_of(target)
        if not self._accepts(node):
            raise TypeError(f"object is incompatible with this function set: {node.kind}")
        self._object = MObject(target)
        return self

    def _accepts(self, node: Node) -> bool:
        return True

    @property
    def _node(self) -> Node:
        return node_of(self._object)

    def object(self) -> MObject:
        return self._object

    def create(self, kind: str, name: str | None = None) -> MObject:
        scene = present.scene()
        need(kind, str, what="typeName")
        if kind not in node_kinds():
            raise RuntimeError("(kInvalidParameter): type is not known")
        space, bare = split_name(scene, name or f"{kind}#", make=True)
        node = scene.create(kind, bare, None, space)
        self._object = MObject(node)
        return self._object

    def name(self) -> str:
        return self._node.full

    def absoluteName(self) -> str:
        return f":{self._node.full}"

    def setName(self, name: str) -> str:
        scene = present.scene()
        space, bare = split_name(scene, need(name, str), make=False)
        scene.rename(self._node, bare, space)
        return self._node.full

    def uniqueName(self) -> str:
        return names.shortest(present.scene(), self._node)

    def hasUniqueName(self) -> bool:
        return (
            len([n for n in present.scene().named(self._node.name) if n.namespace == self._node.namespace])
            == 1
        )

    @property
    def typeName(self) -> str:
        return self._node.kind

    @property
    def namespace(self) -> str:
        return self._node.namespace

    @property
    def isLocked(self) -> bool:
        return self._node.locked

    def hasAttribute(self, name: str) -> bool:
        return self._node.attribute(need(name, str)) is not None

    def attribute(self, name: str) -> MObject:
        found = self._node.attribute(need(name, str))
        return MObject(found)

    def findPlug(self, attribute: str | MObject, wantNetworkedPlug: bool) -> MPlug:
        """The second argument has no default: leaving it out is a TypeError, as in Maya."""
        need(wantNetworkedPlug, bool, what="wantNetworkedPlug")
        name = attribute._held.long if isinstance(attribute, MObject) else need(attribute, str)
        found = plug.find(present.scene(), self._node, name)
        if found is None:
            raise RuntimeError("(kInvalidParameter): Cannot find item of required type")
        return MPlug._of(found)

    def addAttribute(self, attribute: MObject) -> MFnDependencyNode:
        held = need(attribute, MObject)._held
        if not isinstance(held, Attribute):
            raise TypeError("object is no attribute")
        if self._node.attribute(held.long) or self._node.attribute(held.short):
            raise RuntimeError("(kInvalidParameter): Attribute exists already")
        present.scene().add_attribute(self._node, held)
        return self

    def removeAttribute(self, attribute: MObject) -> MFnDependencyNode:
        present.scene().remove_attribute(self._node, need(attribute, MObject)._held)
        return self

    def getConnections(self) -> list[MPlug]:
        scene = present.scene()
        places = [*scene.inputs, *scene.outputs]
        return [MPlug._of(plug.of_place(scene, place)) for place in places if place[0] is self._node]


class MFnDagNode(MFnDependencyNode):
    """A node of the DAG; takes an MDagPath too."""

    def __init__(self, target: MObject | MDagPath | None = None) -> None:
        super().__init__(target.node() if isinstance(target, MDagPath) else target)

    def _accepts(self, node: Node) -> bool:
        return node.is_dag

    def create(  # type: ignore[override]
        self, kind: str, name: str | None = None, parent: MObject = MObject.kNullObj
    ) -> MObject:
        scene = present.scene()
        if kind not in node_kinds():
            raise RuntimeError("(kInvalidParameter): type is not known")
        above = None if need(parent, MObject).isNull() else node_of(parent)
        if kind in SHAPES and above is None:
            raise NotImplementedError("the double makes no transform for a shape here: give a parent")
        space, bare = split_name(scene, name or f"{kind}#", make=True)
        self._object = MObject(scene.create(kind, bare, above, space))
        return self._object

    def fullPathName(self) -> str:
        return self._node.long

    def partialPathName(self) -> str:
        return names.shortest(present.scene(), self._node)

    def dagPath(self) -> MDagPath:
        return MDagPath._of(self._node)

    getPath = dagPath

    def parentCount(self) -> int:
        return 1

    def parent(self, index: int) -> MObject:
        return MObject(self._node.parent)

    def childCount(self) -> int:
        return len(self._node.children)

    def child(self, index: int) -> MObject:
        return MObject(self._node.children[index])


class MFnTransform(MFnDagNode):
    """A transform or joint; setters write now and are not undoable."""

    def _accepts(self, node: Node) -> bool:
        return node.is_transform

    def _triple(self, name: str) -> tuple[float, ...]:
        scene = present.scene()
        return tuple(evaluation.value(scene, self._node, f"{name}{axis}", scene.moment) for axis in "XYZ")

    def _write(self, name: str, values: Any) -> None:
        at = plug_of(present.scene(), self._node, name)
        at.check_free("MFnTransform")
        for child, value in zip(at.children(), values, strict=True):
            child.set_inner(float(value))

    def transformation(self) -> MTransformationMatrix:
        from .mathematics import MMatrix

        scene = present.scene()
        return MTransformationMatrix(MMatrix(evaluation.local(scene, self._node, scene.moment)))

    def translation(self, space: int) -> MVector:
        if space == MSpace.kWorld:
            scene = present.scene()
            return MVector(evaluation.world(scene, self._node, scene.moment)[12:15])
        return MVector(*self._triple("translate"))

    def setTranslation(self, vector: MVector, space: int) -> MFnTransform:
        need(vector, MVector)
        values = tuple(vector)
        above = self._node.parent
        if space == MSpace.kWorld and above is not None:
            scene = present.scene()
            back = matrix.inverse(evaluation.world(scene, above, scene.moment))
            values = matrix.multiply(matrix.translation(values), back)[12:15]  # type: ignore[assignment]
        self._write("translate", values)
        return self

    def rotationOrder(self) -> int:
        """Counted from 1, as in MTransformationMatrix."""
        return plug_of(present.scene(), self._node, "rotateOrder").inner() + 1

    def rotation(
        self, space: int = MSpace.kTransform, asQuaternion: bool = False
    ) -> MEulerRotation | MQuaternion:
        if space != MSpace.kTransform:
            raise NotImplementedError("the double gives rotations of the transform's own space")
        turn = MEulerRotation(*self._triple("rotate"), self.rotationOrder() - 1)
        return turn.asQuaternion() if asQuaternion else turn

    def setRotation(self, turn: MEulerRotation | MQuaternion, space: int = MSpace.kTransform) -> MFnTransform:
        if space != MSpace.kTransform:
            raise NotImplementedError("the double sets rotations in the transform's own space")
        order = self.rotationOrder() - 1
        need(turn, MEulerRotation, MQuaternion)
        if isinstance(turn, MQuaternion) or turn.order != order:
            turn = MEulerRotation.decompose(turn.asMatrix(), order)
        self._write("rotate", tuple(turn))
        return self

    def scale(self) -> list[float]:
        return list(self._triple("scale"))

    def setScale(self, values: Any) -> MFnTransform:
        self._write("scale", values)
        return self
