"""Motion in an animation layer of its own, over what is there: mute or delete the layer to have that back."""

from __future__ import annotations

from functools import partial
from typing import Dict, List

from maya import cmds
from pose_shared.scene_nodes import Curve

from .curves import Destination, write_curves
from .undo_step import UndoStep

__all__ = ["add_layer", "add_link", "linked"]


def add_layer(step: UndoStep, name: str, curves: Dict[str, Curve]) -> str:
    """Add a layer that overrides some plugs, and key it.

    Parameters
    ----------
    step
        Knows how to take the layer back.
    name
        For the layer; a number goes behind it if it is taken.
    curves
        By plug.

    Returns
    -------
    str
        What the layer is called.
    """
    had_base = cmds.animLayer(query=True, root=True)
    layer = cmds.animLayer(_free(name), override=True)
    if not had_base:
        step.take_back_by(partial(_delete, cmds.animLayer(query=True, root=True)))
    step.take_back_by(partial(_delete, layer))
    # Angles are continuous as they are; by layer they would go through quaternions, and jump.
    cmds.setAttr(f"{layer}.rotationAccumulationMode", 0)
    cmds.animLayer(layer, edit=True, attribute=list(curves))
    destinations: List[Destination] = []
    for plug, curve in curves.items():
        node, _, attribute = plug.rpartition("|")[2].rpartition(":")[2].partition(".")
        into = cmds.animLayer(layer, query=True, layeredPlug=plug)
        destinations.append(Destination(curve, into, f"{node}_{attribute}_{layer}"))
    write_curves(destinations)
    return str(layer)


def add_link(node: str, attribute: str, other: str) -> None:
    """Let a node know another, whatever they are called later, in place of the one it knew there."""
    plug = f"{node}.{attribute}"
    if not cmds.attributeQuery(attribute, node=node, exists=True):
        cmds.addAttr(node, longName=attribute, attributeType="message")
    cmds.connectAttr(f"{other}.message", plug, force=True)


def linked(node: str, attribute: str) -> str:
    """Return the node that another knows by an attribute; empty if there is none."""
    if not cmds.attributeQuery(attribute, node=node, exists=True):
        return ""
    found = cmds.listConnections(f"{node}.{attribute}", source=True, destination=False) or [""]
    return str(found[0])


def _free(name: str) -> str:
    free, number = name, 1
    while cmds.objExists(free):
        number += 1
        free = f"{name}_{number}"
    return free


def _delete(node: str) -> None:
    if node and cmds.objExists(node):
        cmds.delete(node)
