"""Connections between attributes. Pages: CommandsPython/<command>.html."""

from __future__ import annotations

from typing import Any

from .. import names, plug
from ..command import Call, command
from ..node import Node
from ..node_types import NUMERIC, Attribute
from ..plug import Plug
from ..scene import Scene


def compatible(source: Attribute, destination: Attribute) -> bool:
    """Whether a connection needs no unitConversion between: the double makes none."""
    if source.children or destination.children:
        return len(source.children) == len(destination.children)
    if source.kind == destination.kind:
        return True
    plain = NUMERIC.keys() - {"doubleLinear", "doubleAngle", "time"}
    return source.kind in plain and destination.kind in plain


@command("connectAttr", "force lock nextAvailable", arity=(2, 2))
def connect_attr(call: Call) -> str:
    scene = call.scene
    try:
        source, destination = (plug.parse(scene, name) for name in call.objects())
    except ValueError as error:
        raise call.fail(str(error)) from None
    if call.on("nextAvailable") and destination.attribute.multi:
        free = 0
        while (destination.node, f"{destination.path}[{free}]") in scene.inputs:
            free += 1
        destination = Plug(scene, destination.node, f"{destination.path}[{free}]", destination.attribute)
    connect(scene, "connectAttr", source, destination, call.on("force"))
    return f"Connected {source.name()} to {destination.name()}."


def connect(scene: Scene, who: str, source: Plug, destination: Plug, force: bool) -> None:
    """Connect two plugs, as connectAttr does; raises for what it refuses."""
    if not source.attribute.readable or not destination.attribute.writable:
        raise RuntimeError(
            f"{who}: '{source.name()}' cannot be read or '{destination.name()}' cannot be written."
        )
    if not compatible(source.attribute, destination.attribute):
        kinds = source.attribute.kind, destination.attribute.kind
        if all(kind in NUMERIC for kind in kinds):
            raise NotImplementedError(
                f"{who}: the double makes no unitConversion from {kinds[0]} to {kinds[1]}"
            )
        raise RuntimeError(
            f"{who}: The attribute '{source.name()}' cannot be connected to '{destination.name()}': "
            f"data types differ."
        )
    if destination.attribute.multi and destination.index is None:
        raise RuntimeError(f"{who}: '{destination.name()}' is a multi attribute: name an element.")
    if destination.locked:
        raise RuntimeError(f"{who}: The destination attribute '{destination.name()}' is locked.")
    if destination.source is not None:
        if destination.source.place == source.place:
            raise RuntimeError(f"{who}: '{source.name()}' is already connected to '{destination.name()}'.")
        if not force:
            raise RuntimeError(
                f"{who}: The destination attribute '{destination.name()}' cannot be connected because it is "
                "already connected; use force."
            )
        scene.disconnect(destination.source.place, destination.place)
    scene.connect(source.place, destination.place)


@command("disconnectAttr", "nextAvailable", arity=(2, 2))
def disconnect_attr(call: Call) -> str:
    scene = call.scene
    source, destination = (plug.parse(scene, name) for name in call.objects())
    if scene.inputs.get(destination.place) != source.place:
        raise call.fail(
            f"There is no connection from '{source.name()}' to '{destination.name()}' to disconnect"
        )
    if destination.locked:
        raise call.fail(f"The destination attribute '{destination.name()}' is locked.")
    scene.disconnect(source.place, destination.place)
    return f"Disconnect {source.name()} from {destination.name()}."


@command("isConnected", "ignoreUnitConversion", arity=(2, 2), undoable=False)
def is_connected(call: Call) -> bool:
    source, destination = (plug.parse(call.scene, name) for name in call.objects())
    return call.scene.inputs.get(destination.place) == source.place


@command(
    "connectionInfo",
    "sourceFromDestination destinationFromSource isSource isDestination isLocked getLockedAncestor "
    "isExactDestination isExactSource getExactDestination getExactSource",
    arity=(1, 1),
    undoable=False,
)
def connection_info(call: Call) -> Any:
    at = plug.parse(call.scene, call.objects()[0])
    if call.on("isDestination") or call.on("isExactDestination"):
        return at.source is not None
    if call.on("isSource") or call.on("isExactSource"):
        return bool(at.destinations)
    if call.on("isLocked"):
        return at.locked
    if call.on("sourceFromDestination"):
        return at.source.name() if at.source else ""
    if call.on("destinationFromSource"):
        return [each.name() for each in at.destinations]
    raise NotImplementedError("connectionInfo: the double does not answer this")


@command(
    "listConnections",
    "source destination plugs connections type exactType skipConversionNodes shapes fullNodeName",
    arity=(0, None),
    undoable=False,
)
def list_connections(call: Call) -> list[str] | None:
    """By default both ends, and nodes rather than plugs; None where there is nothing."""
    scene = call.scene
    want_source, want_destination = call.get("source", True), call.get("destination", True)
    out: list[str] = []
    for name in call.objects():
        node_name, dot, _ = name.partition(".")
        asked = plug.parse(scene, name) if dot else None
        node = asked.node if asked else names.one(scene, node_name)
        for here, there in _ends(scene, node, bool(want_source), bool(want_destination)):
            if asked is not None and not _covers(asked, here):
                continue
            if "type" in call and not there.node.is_a(call.flags["type"]):
                continue
            if call.on("connections"):
                out.append(here.name())
            if call.on("plugs"):
                out.append(there.name())
                continue
            shown = there.node
            if shown.is_shape and not call.on("shapes") and shown.parent is not None:
                shown = shown.parent
            out.append(shown.long if call.on("fullNodeName") else names.shortest(scene, shown))
    return out or None


def _ends(scene: Scene, node: Node, sources: bool, destinations: bool) -> list[tuple[Plug, Plug]]:
    found = []
    for end, start in scene.inputs.items():
        if sources and end[0] is node:
            found.append((plug.of_place(scene, end), plug.of_place(scene, start)))
        if destinations and start[0] is node:
            found.append((plug.of_place(scene, start), plug.of_place(scene, end)))
    return found


def _covers(asked: Plug, here: Plug) -> bool:
    """A plug asked about stands for its elements, not for its children."""
    return here.path == asked.path or (asked.index is None and here.path.startswith(f"{asked.path}["))
