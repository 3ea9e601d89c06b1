"""An attribute of one node: read and written as a person sees it, in the units of the scene."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import names, units
from .evaluation import value as evaluate
from .node import Node
from .node_types import COMPOUND, WHOLE, Attribute

if TYPE_CHECKING:
    from .scene import Place, Scene

_ELEMENT = re.compile(r"^(\w+)(?:\[(\d+)\])?$")


def to_ui(scene: Scene, kind: str, value: Any) -> Any:
    """Inner units to those of the scene."""
    if kind == "doubleLinear":
        return value / units.LINEAR[scene.linear]
    if kind == "doubleAngle":
        return value / units.ANGLE[scene.angle]
    if kind == "time":
        return units.in_unit(value, scene.time_unit)
    return value


def from_ui(scene: Scene, kind: str, value: Any) -> Any:
    """Units of the scene to inner ones."""
    if kind == "doubleLinear":
        return float(value) * units.LINEAR[scene.linear]
    if kind == "doubleAngle":
        return float(value) * units.ANGLE[scene.angle]
    if kind == "time":
        return units.parse_time(value, scene.time_unit)
    if kind == "bool":
        return bool(value)
    return round(value) if kind in WHOLE else float(value)


@dataclass(frozen=True)
class Plug:
    """Where a value sits."""

    scene: Scene
    node: Node
    path: str
    attribute: Attribute

    @property
    def place(self) -> Place:
        return self.node, self.path

    @property
    def index(self) -> int | None:
        return int(self.path[self.path.index("[") + 1 : -1]) if "[" in self.path else None

    def name(self, long: bool = False) -> str:
        """``node.attribute``, with the path as short as it can be."""
        return f"{self.node.long if long else names.shortest(self.scene, self.node)}.{self.path}"

    def child(self, long: str) -> Plug:
        return Plug(self.scene, self.node, long, self.node.attributes[long])

    def children(self) -> list[Plug]:
        return [self.child(name) for name in self.attribute.children]

    def leaves(self) -> list[Plug]:
        """Itself, or the children of a compound."""
        return self.children() or [self]

    def parent(self) -> Plug | None:
        return self.child(self.attribute.parent) if self.attribute.parent else None

    def elements(self) -> list[int]:
        """Indices that a multi attribute has: those set and those connected."""
        found = set()
        for node, path in [
            *self.scene.inputs,
            *self.scene.outputs,
            *((self.node, p) for p in self.node.values),
        ]:
            if node is self.node and path.startswith(f"{self.attribute.long}["):
                found.add(int(path[len(self.attribute.long) + 1 : -1]))
        return sorted(found)

    @property
    def source(self) -> Plug | None:
        """What is connected into this very plug."""
        found = self.scene.inputs.get(self.place)
        return of_place(self.scene, found) if found else None

    @property
    def destinations(self) -> list[Plug]:
        return [of_place(self.scene, place) for place in self.scene.outputs.get(self.place, [])]

    @property
    def locked(self) -> bool:
        above = self.parent()
        return self.node.flag(self.path, "locked") or (above is not None and above.locked)

    @property
    def held(self) -> bool:
        """Whether it is locked, or fed by something, and so cannot be set."""
        above = self.parent()
        return (
            self.locked
            or self.place in self.scene.inputs
            or (above is not None and above.place in self.scene.inputs)
            or any(c.locked or c.place in self.scene.inputs for c in self.children())
        )

    def inner(self, moment: int | None = None) -> Any:
        return evaluate(self.scene, self.node, self.path, self.scene.moment if moment is None else moment)

    def get(self, moment: int | None = None) -> Any:
        """Value in the units of the scene."""
        if self.attribute.children:
            return tuple(child.get(moment) for child in self.children())
        return to_ui(self.scene, self.attribute.kind, self.inner(moment))

    def set_inner(self, value: Any) -> None:
        """Write, whoever asks: locks and connections are the caller's to look at."""
        self.scene.set_value(self.node, self.path, value)

    def check_free(self, who: str) -> None:
        if not self.attribute.writable:
            raise RuntimeError(f"{who}: The attribute '{self.name()}' cannot be set.")
        if self.held:
            raise RuntimeError(
                f"{who}: The attribute '{self.name()}' is locked or connected and cannot be modified."
            )

    def set(self, who: str, values: Sequence[Any], data_type: str | None = None, clamp: bool = False) -> None:
        """Write values in the units of the scene, as setAttr does; raises for what setAttr refuses."""
        self.check_free(who)
        kind = self.attribute.kind
        if kind == "message":
            raise RuntimeError(f"{who}: '{self.name()}' is a message attribute and cannot be set.")
        if self.attribute.multi and self.index is None:
            raise RuntimeError(f"{who}: '{self.name()}' is a multi attribute: name an element.")
        if kind in COMPOUND:
            self._set_compound(who, values, data_type)
        elif kind == "string":
            if data_type != "string" or len(values) != 1 or not isinstance(values[0], str):
                raise RuntimeError(f"{who}: '{self.name()}' needs type='string' and one string.")
            self.set_inner(values[0])
        elif kind == "matrix":
            if data_type != "matrix" or len(values) != 16:
                raise RuntimeError(f"{who}: '{self.name()}' needs type='matrix' and 16 numbers.")
            self.set_inner(tuple(_number(who, self, v) for v in values))
        else:
            if data_type is not None:
                raise RuntimeError(f"{who}: '{self.name()}' is a {kind}: no type is to be given.")
            if len(values) != 1:
                raise RuntimeError(f"{who}: Error reading data element number 2: one value is to be given.")
            self.set_inner(self._limited(who, _number(who, self, values[0]), clamp))

    def _set_compound(self, who: str, values: Sequence[Any], data_type: str | None) -> None:
        leaves = self.children()
        if data_type is not None and COMPOUND.get(data_type) != len(leaves):
            raise RuntimeError(f"{who}: '{self.name()}' is not of type {data_type}.")
        if len(values) != len(leaves):
            raise RuntimeError(f"{who}: '{self.name()}' needs {len(leaves)} values, not {len(values)}.")
        for leaf, value in zip(leaves, values, strict=True):
            leaf.set_inner(leaf._limited(who, _number(who, leaf, value), False))

    def _limited(self, who: str, value: float, clamp: bool) -> Any:
        """In inner units, within the attribute's limits."""
        inner = from_ui(self.scene, self.attribute.kind, value)
        low, high = self.attribute.minimum, self.attribute.maximum
        if self.attribute.kind == "enum" and self.attribute.labels:
            low, high = min(self.attribute.labels.values()), max(self.attribute.labels.values())
        for limit, beyond, word in (
            (low, low is not None and inner < low, "minimum"),
            (high, high is not None and inner > high, "maximum"),
        ):
            if beyond:
                if clamp:
                    return limit
                raise RuntimeError(
                    f"{who}: Cannot set the attribute '{self.name()}' past its {word} value of {limit}."
                )
        return inner


def _number(who: str, plug: Plug, value: Any) -> float:
    if not isinstance(value, (int, float)):
        raise RuntimeError(f"{who}: Invalid argument for '{plug.name()}': {value!r} is not a number.")
    if plug.attribute.kind in WHOLE and float(value) != int(value):
        raise RuntimeError(f"{who}: '{plug.name()}' is a {plug.attribute.kind}: {value!r} is not whole.")
    return value


def of_place(scene: Scene, place: Place) -> Plug:
    node, path = place
    return Plug(scene, node, path, node.attributes[path.split("[")[0]])


def find(scene: Scene, node: Node, name: str) -> Plug | None:
    """A plug by its name on a node: ``tx``, ``translate.translateX``, ``imagePlane[0]``."""
    plug: Plug | None = None
    for step in name.split("."):
        parsed = _ELEMENT.match(step)
        if parsed is None:
            return None
        attribute = node.attribute(parsed[1])
        if attribute is None:
            return None
        if plug is not None and attribute.parent != plug.attribute.long:
            return None
        if parsed[2] is not None and not attribute.multi:
            return None
        plug = Plug(scene, node, attribute.long + (f"[{parsed[2]}]" if parsed[2] else ""), attribute)
    return plug


def parse(scene: Scene, text: str) -> Plug:
    """A plug by ``node.attribute``; ValueError when there is none."""
    if not isinstance(text, str):
        raise TypeError(f"Invalid arguments: {text!r} is not the name of an attribute")
    node_name, dot, attribute = text.partition(".")
    if not dot:
        raise ValueError(f"No attribute was specified: {text}")
    node = names.one(scene, node_name) if node_name else None
    plug = find(scene, node, attribute) if node else None
    if plug is None:
        raise ValueError(f"No object matches name: {text}")
    return plug
