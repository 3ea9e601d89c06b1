"""The scene: nodes, names, connections, units and time. Every change goes through here and is noted for
undo.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from . import units
from .curve import Keys
from .node import Node
from .node_types import Attribute
from .undo import UndoQueue

Place = tuple[Node, str]

_BAD = re.compile(r"[^A-Za-z0-9_]")
_DIGITS = re.compile(r"\d+$")


class Scene:
    """One open scene. Fresh: y up or z up, centimetres, degrees, 24 frames a second, as Maya starts."""

    def __init__(self, queue: UndoQueue, up_axis: str = "y", linear: str = "cm", time: str = "film") -> None:
        self.queue = queue
        self.nodes: dict[int, Node] = {}
        self.roots: list[Node] = []
        self.inputs: dict[Place, Place] = {}
        self.outputs: dict[Place, list[Place]] = {}
        self.namespaces: list[str] = ["", "UI", "shared"]
        self.current_namespace = ""
        self.selection: list[Place] = []
        self.up_axis = up_axis
        self.linear = linear
        self.angle = "deg"
        self.time_unit = time
        self.moment = units.ticks(1, time)
        self.playback = {
            "minTime": units.ticks(1, time),
            "maxTime": units.ticks(120, time),
            "animationStartTime": units.ticks(1, time),
            "animationEndTime": units.ticks(200, time),
        }
        self.path = ""
        self.modified = False
        self.version = 0
        self._by_name: dict[str, list[Node]] = {}
        self._worlds: dict[tuple[int, int], Any] = {}
        self._worlds_version = -1
        self._defaults()

    def _defaults(self) -> None:
        """time1 and the four cameras that every scene has."""
        with self.queue.suspended():
            self.create("time", "time1").default = True
            for name in ("persp", "top", "front", "side"):
                camera = self.create("transform", name)
                shape = self.create("camera", f"{name}Shape", camera)
                camera.default = shape.default = True
                if name != "persp":
                    self.set_value(shape, "orthographic", True)
        self.modified = False

    # Edits: each does, and notes how to take back and do again.

    def _do(self, redo: Callable[[], None], undo: Callable[[], None]) -> None:
        redo()
        self.changed()
        self.queue.record(self._noting(undo), self._noting(redo))

    def _noting(self, edit: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            edit()
            self.changed()

        return run

    def changed(self) -> None:
        self.version += 1
        self.modified = True

    def create(self, kind: str, name: str, parent: Node | None = None, namespace: str | None = None) -> Node:
        """A node with a name that is free beside it."""
        node = Node(kind)
        node.namespace = self.current_namespace if namespace is None else namespace
        node.name = name
        node.parent = parent
        node.name = self.free_name(node, name, node.namespace, parent)
        self._do(lambda: self._insert(node, None), lambda: self._remove(node))
        return node

    def _siblings(self, node: Node) -> list[Node]:
        return self.roots if node.parent is None else node.parent.children

    def _insert(self, node: Node, index: int | None) -> None:
        self.nodes[node.serial] = node
        node.alive = True
        self._by_name.setdefault(node.name, []).append(node)
        if node.is_dag:
            siblings = self._siblings(node)
            siblings.insert(len(siblings) if index is None else index, node)

    def _remove(self, node: Node) -> None:
        """Out of the scene, with any connections that were made behind the back of undo."""
        for place, source in list(self.inputs.items()):
            if place[0] is node or source[0] is node:
                self._disconnect(source, place)
        for child in [c for c in node.children if c.alive]:
            self._remove(child)
        if node.is_dag:
            self._siblings(node).remove(node)
        self._by_name[node.name].remove(node)
        del self.nodes[node.serial]
        self.selection = [place for place in self.selection if place[0] is not node]
        node.alive = False

    def delete(self, node: Node) -> None:
        """A node alone: its children must be gone."""
        for place, source in list(self.inputs.items()):
            if place[0] is node or source[0] is node:
                self.disconnect(source, place)
        index = self._siblings(node).index(node) if node.is_dag else None
        selection = list(self.selection)

        def back() -> None:
            self._insert(node, index)
            self.selection = selection

        self._do(lambda: self._remove(node), back)

    def rename(self, node: Node, name: str, namespace: str) -> None:
        name = self.free_name(node, name, namespace, node.parent)
        old = node.name, node.namespace

        def named(new: str, space: str) -> None:
            self._by_name[node.name].remove(node)
            node.name, node.namespace = new, space
            self._by_name.setdefault(new, []).append(node)

        self._do(lambda: named(name, namespace), lambda: named(*old))

    def reparent(self, node: Node, parent: Node | None) -> None:
        old, index = node.parent, self._siblings(node).index(node)
        name = self.free_name(node, node.name, node.namespace, parent)

        def move(to: Node | None, at: int | None) -> None:
            self._siblings(node).remove(node)
            node.parent = to
            siblings = self._siblings(node)
            siblings.insert(len(siblings) if at is None else at, node)

        if name != node.name:
            self.rename(node, name, node.namespace)
        self._do(lambda: move(parent, None), lambda: move(old, index))

    def set_value(self, node: Node, path: str, value: Any) -> None:
        had, old = path in node.values, node.values.get(path)

        def put() -> None:
            node.values[path] = value

        def back() -> None:
            if had:
                node.values[path] = old
            else:
                node.values.pop(path, None)

        self._do(put, back)

    def set_flag(self, node: Node, path: str, name: str, value: bool) -> None:
        old = node.flags.get((path, name))

        def back() -> None:
            if old is None:
                node.flags.pop((path, name), None)
            else:
                node.flags[path, name] = old

        self._do(lambda: node.flags.__setitem__((path, name), value), back)

    def set_keys(self, node: Node, keys: Keys) -> None:
        old = node.keys
        self._do(lambda: setattr(node, "keys", keys), lambda: setattr(node, "keys", old))

    def add_attribute(self, node: Node, attribute: Attribute) -> None:
        self._do(
            lambda: node.added.__setitem__(attribute.long, attribute),
            lambda: node.added.pop(attribute.long, None) and None,
        )

    def remove_attribute(self, node: Node, attribute: Attribute) -> None:
        for place, source in list(self.inputs.items()):
            for there in (place, source):
                if there[0] is node and there[1].split("[")[0] == attribute.long:
                    self.disconnect(source, place)
                    break
        order = dict(node.added)

        def back() -> None:
            node.added.clear()
            node.added.update(order)

        self._do(lambda: node.added.pop(attribute.long, None) and None, back)

    def connect(self, source: Place, destination: Place) -> None:
        self._do(
            lambda: self._connect(source, destination),
            lambda: self._disconnect(source, destination),
        )

    def disconnect(self, source: Place, destination: Place) -> None:
        self._do(
            lambda: self._disconnect(source, destination),
            lambda: self._connect(source, destination),
        )

    def _connect(self, source: Place, destination: Place) -> None:
        self.inputs[destination] = source
        self.outputs.setdefault(source, []).append(destination)

    def _disconnect(self, source: Place, destination: Place) -> None:
        if self.inputs.pop(destination, None) is not None:
            self.outputs[source].remove(destination)
            if not self.outputs[source]:
                del self.outputs[source]

    def set_state(self, name: str, value: Any) -> None:
        """One of the scene's own values: time, units, selection, range."""
        old = getattr(self, name)
        self._do(lambda: setattr(self, name, value), lambda: setattr(self, name, old))

    # Names.

    def named(self, name: str) -> list[Node]:
        """Nodes with this bare name."""
        return self._by_name.get(name, [])

    def __iter__(self) -> Iterator[Node]:
        return iter(list(self.nodes.values()))

    def free_name(self, node: Node, name: str, namespace: str, parent: Node | None) -> str:
        """The name, or with the first number that is free: a DAG name is free among its siblings alone.

        From practice, no page found: names in the DAG are unique under one parent, others in their namespace;
        a name that Maya numbers itself (``joint#``) is like no other of the scene.
        """

        numbered = name.endswith("#")

        def taken(candidate: str) -> bool:
            for other in self.named(candidate):
                if other is node or other.namespace != namespace or not other.alive:
                    continue
                if numbered or not (other.is_dag and node.is_dag) or other.parent is parent:
                    return True
            return False

        if not numbered and not taken(name):
            return name
        stem = name[:-1] if numbered else _DIGITS.sub("", name)
        number = int(found[0]) if (found := _DIGITS.search(name)) else 0
        while True:
            number += 1
            if not taken(f"{stem}{number}"):
                return f"{stem}{number}"

    def legal(self, name: str) -> str:
        """A name as Maya takes it: what it does not know becomes an underscore, a leading digit is
        refused.
        """
        if name[:1].isdigit():
            raise RuntimeError(f"New name has no legal characters: {name}")
        ending = "#" if name.endswith("#") else ""
        return _BAD.sub("_", name.removesuffix("#")) + ending
