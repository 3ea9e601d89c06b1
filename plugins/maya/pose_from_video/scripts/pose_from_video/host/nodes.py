"""Nodes with their attributes, as the plain data of a scene says them."""

from __future__ import annotations

from typing import Dict

import maya.api.OpenMaya as om
from maya import cmds
from pose_shared.scene_nodes import Attribute, Part

from .curves import Destination

__all__ = ["add_namespace", "add_nodes", "destinations_of", "set_attribute", "set_text", "ui_value"]


def add_namespace(wanted: str) -> str:
    """Add a namespace below the root, with a number behind it if that name is taken; return its name.

    A node of that name is in its way, too.
    """
    name, number = wanted, 1
    while cmds.namespace(exists=f":{name}") or cmds.objExists(f":{name}"):
        number += 1
        name = f"{wanted}_{number}"
    cmds.namespace(addNamespace=name, parent=":")
    return name


def add_nodes(part: Part, namespace: str) -> Dict[str, str]:
    """Add a part's nodes in a namespace of their own; return their paths by their names there."""
    paths: Dict[str, str] = {}
    for node in part.nodes:
        name = f":{namespace}:{node.name}"
        if node.parent:
            made = cmds.createNode(node.type, name=name, parent=paths[node.parent], skipSelect=True)
        else:
            made = cmds.createNode(node.type, name=name, skipSelect=True)
        paths[node.name] = cmds.ls(made, long=True)[0]
        for attribute in node.attributes:
            set_attribute(paths[node.name], attribute)
    return paths


def destinations_of(part: Part, namespace: str, paths: Dict[str, str]) -> Dict[str, Destination]:
    """Return where each curve of a part goes, by plug."""
    return {
        f"{paths[curve.node]}.{curve.attribute}": Destination(
            curve,
            f"{paths[curve.node]}.{curve.attribute}",
            f":{namespace}:{curve.node}_{curve.attribute}",
        )
        for curve in part.curves
    }


def ui_value(kind: str, value: float) -> float:
    """Return a value of a kind, which is in internal units, in those that commands take."""
    if kind == "distance":
        return float(om.MDistance.internalToUI(value))
    if kind == "angle":
        return float(om.MAngle.internalToUI(value))
    return value


def set_text(node: str, name: str, text: str) -> None:
    """Give a node a text of its own."""
    if not cmds.attributeQuery(name, node=node, exists=True):
        cmds.addAttr(node, longName=name, dataType="string")
    cmds.setAttr(f"{node}.{name}", text, type="string")


def set_attribute(node: str, attribute: Attribute) -> None:
    """Give an attribute its value, and the node the attribute if it is an added one."""
    name, value = attribute.name, attribute.value
    if attribute.kind == "text":
        set_text(node, name, str(value))
        return
    if attribute.added:
        cmds.addAttr(
            node,
            longName=name,
            attributeType="double",
            minValue=0.0,
            maxValue=1.0,
            defaultValue=float(value),
            keyable=True,
        )
        return
    if attribute.kind in ("distance", "angle"):
        value = ui_value(attribute.kind, float(value))
    cmds.setAttr(f"{node}.{name}", value)
