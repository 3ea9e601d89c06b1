"""A node of the scene: its type, its place, and what its attributes hold."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

from .curve import Keys
from .node_types import SHAPES, TRANSFORMS, Attribute, ancestry, attributes_of

_serial = itertools.count()


class Node:
    """One node; everything that changes it goes through the scene, which notes it for undo."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.serial = next(_serial)
        self.uuid = str(uuid.UUID(int=self.serial + 1)).upper()
        self.namespace = ""
        self.name = ""
        self.parent: Node | None = None
        self.children: list[Node] = []
        self.alive = False
        self.default = False
        self.shared = False
        self.locked = False
        self.added: dict[str, Attribute] = {}
        self.values: dict[str, Any] = {}
        self.flags: dict[tuple[str, str], bool] = {}
        self.keys = Keys()

    @property
    def full(self) -> str:
        """Name with its namespace."""
        return f"{self.namespace}:{self.name}" if self.namespace else self.name

    @property
    def is_dag(self) -> bool:
        return self.kind in TRANSFORMS or self.kind in SHAPES

    @property
    def is_shape(self) -> bool:
        return self.kind in SHAPES

    @property
    def is_transform(self) -> bool:
        return self.kind in TRANSFORMS

    @property
    def is_curve(self) -> bool:
        return self.kind.startswith("animCurve")

    @property
    def ancestry(self) -> tuple[str, ...]:
        return ancestry(self.kind)

    def is_a(self, kind: str) -> bool:
        return kind in self.ancestry

    @property
    def long(self) -> str:
        """Path from the world for what stands in the DAG, the name else."""
        if not self.is_dag:
            return self.full
        path, node = "", self
        above: Node | None = node
        while above is not None:
            path = f"|{above.full}{path}"
            above = above.parent
        return path

    def above(self) -> list[Node]:
        """Parents, the nearest first."""
        found, node = [], self.parent
        while node is not None:
            found.append(node)
            node = node.parent
        return found

    def below(self) -> list[Node]:
        """All descendants, each before its own children."""
        found: list[Node] = []
        for child in self.children:
            found.append(child)
            found += child.below()
        return found

    @property
    def attributes(self) -> dict[str, Attribute]:
        """Own and added attributes by long name."""
        return attributes_of(self.kind) | self.added if self.added else attributes_of(self.kind)

    def attribute(self, name: str) -> Attribute | None:
        """By long or short name."""
        own = attributes_of(self.kind)
        if (found := own.get(name) or self.added.get(name)) is not None:
            return found
        for attribute in itertools.chain(own.values(), self.added.values()):
            if attribute.short == name:
                return attribute
        return None

    def flag(self, path: str, name: str) -> bool:
        """Whether a plug is locked, keyable or shown in the channel box."""
        given = self.flags.get((path, name))
        if given is not None:
            return given
        if name == "locked":
            return False
        attribute = self.attributes[path.split("[")[0]]
        return attribute.keyable if name == "keyable" else attribute.channel_box

    def __repr__(self) -> str:
        return f"<{self.kind} {self.long}>"
