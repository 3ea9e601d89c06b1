"""Finding nodes by what a command is told: short names, partial and full paths, namespaces, patterns."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from .node import Node

if TYPE_CHECKING:
    from .scene import Scene


@lru_cache(maxsize=1024)
def _segment(pattern: str, recursive: bool) -> re.Pattern[str]:
    """A pattern for one step of a path: * and ? do not cross a namespace (CommandsPython/ls.html)."""
    text = re.escape(pattern.removeprefix(":")).replace(r"\*", "[^:|]*").replace(r"\?", "[^:|]")
    return re.compile(rf"^{'(?:[^|]*:)?' if recursive else ''}{text}$")


def matching(scene: Scene, pattern: str, recursive: bool = False) -> list[Node]:
    """Nodes that a name or pattern means; none is an answer too."""
    if not pattern:
        return []
    rooted = pattern.startswith("|")
    steps = pattern.strip("|").split("|")
    last = steps[-1]
    if "*" in last or "?" in last or recursive:
        candidates = list(scene.nodes.values())
    else:
        candidates = scene.named(last.rsplit(":", 1)[-1])
    found = []
    for node in candidates:
        if not node.alive:
            continue
        chain = [node, *node.above()]
        if len(steps) > len(chain) or (rooted and len(steps) != len(chain)):
            continue
        if (rooted or len(steps) > 1) and not node.is_dag:
            continue
        if all(
            _segment(step, recursive).match(at.full) for step, at in zip(reversed(steps), chain, strict=False)
        ):
            found.append(node)
    return found


def one(scene: Scene, name: str) -> Node:
    """The one node of a name; raises as Maya does when there is none, or more than one."""
    if not isinstance(name, str):
        raise TypeError(f"Invalid arguments for a node: {name!r} is not a string")
    found = matching(scene, name)
    if not found:
        raise ValueError(f"No object matches name: {name}")
    if len(found) > 1:
        raise ValueError(f"More than one object matches name: {name}")
    return found[0]


def shortest(scene: Scene, node: Node) -> str:
    """The shortest path that means this node alone, as commands return it."""
    if not node.is_dag:
        return node.full
    name = node.full
    for above in [*node.above(), None]:
        if len(matching(scene, name)) == 1:
            return name
        name = f"{above.full}|{name}" if above is not None else f"|{name}"
    return name
