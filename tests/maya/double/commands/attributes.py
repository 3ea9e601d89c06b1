"""Attributes and connections. Pages: CommandsPython/<command>.html."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .. import names, plug
from ..command import Call, command
from ..node import Node
from ..node_types import COMPOUND, NUMERIC, WHOLE, Attribute, enumerated
from ..plug import Plug

_ADDABLE = NUMERIC.keys() | COMPOUND.keys() | {"message", "compound"}
_DATA_TYPES = {"string", "matrix"}


@command(
    "addAttr",
    "longName shortName niceName attributeType dataType defaultValue minValue maxValue enumName "
    "keyable hidden "
    "parent multi cachedInternally storable readable writable numberOfChildren usedAsColor "
    "indexMatters exists",
    arity=(0, None),
)
def add_attr(call: Call) -> Any:
    scene = call.scene
    if call.query or call.edit:
        at = plug.parse(scene, call.objects()[0])
        return _query_attr(at, next(iter(call.flags))) if call.query else _edit_attr(call, at)
    nodes = [names.one(scene, name) for name in call.objects()] or [node for node, _ in scene.selection]
    if not nodes:
        raise call.fail("No object was specified.")
    long = call.get("longName") or call.get("shortName")
    if not long or scene.legal(long) != long:
        raise call.fail(f"New attribute needs a legal name, not {long!r}.")
    short = call.get("shortName") or long
    kind = call.get("attributeType") or call.get("dataType")
    if ("attributeType" in call) == ("dataType" in call):
        raise call.fail("Give an attributeType or a dataType.")
    if "dataType" in call and kind not in _DATA_TYPES:
        raise call.fail(f"Type specified for new attribute is unknown: {kind}")
    if "attributeType" in call and kind not in _ADDABLE:
        raise call.fail(f"Type specified for new attribute is unknown: {kind}")
    for node in nodes:
        if node.attribute(long) is not None or node.attribute(short) is not None:
            raise call.fail(f"Found an attribute with the name '{long}' or '{short}' on '{node.full}'.")
        _add(call, node, long, short, kind)
    return None


def _add(call: Call, node: Node, long: str, short: str, kind: str) -> None:
    default: Any = call.get("defaultValue", 0)
    if kind in WHOLE:
        default = bool(default) if kind == "bool" else round(default)
    elif kind in NUMERIC:
        default = plug.from_ui(call.scene, kind, default) if kind == "time" else float(default)
    elif kind == "matrix":
        default = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    else:
        default = None
    if "enumName" in call and kind != "enum":
        raise call.fail("enumName is for attributes of type enum.")
    attribute = Attribute(
        long,
        short,
        kind,
        default,
        keyable=call.on("keyable"),
        hidden=call.on("hidden"),
        multi=call.on("multi"),
        readable=call.get("readable", True),
        writable=call.get("writable", True),
        storable=call.get("storable", True),
        labels=enumerated(call.flags["enumName"]) if "enumName" in call else {},
        minimum=call.get("minValue"),
        maximum=call.get("maxValue"),
        parent=call.get("parent", ""),
        dynamic=True,
    )
    if attribute.parent:
        above = node.added.get(attribute.parent)
        if above is None or above.kind not in COMPOUND:
            raise call.fail(f"Parent attribute '{attribute.parent}' does not exist.")
        attribute = replace(attribute, parent=above.long)
        call.scene.add_attribute(node, replace(above, children=(*above.children, long)))
    call.scene.add_attribute(node, attribute)


def _query_attr(at: Plug, flag: str) -> Any:
    attribute = at.attribute
    if flag == "enumName":
        return ":".join(attribute.labels) if attribute.labels else None
    simple = {
        "longName": attribute.long,
        "shortName": attribute.short,
        "attributeType": attribute.kind,
        "defaultValue": attribute.default,
        "minValue": attribute.minimum,
        "maxValue": attribute.maximum,
        "keyable": attribute.keyable,
        "exists": True,
    }
    if flag not in simple:
        raise NotImplementedError(f"addAttr: the double does not query {flag}")
    return simple[flag]


def _edit_attr(call: Call, at: Plug) -> None:
    if not at.attribute.dynamic:
        raise call.fail(f"'{at.name()}' is not a dynamic attribute of node '{at.node.full}'.")
    changes: dict[str, Any] = {}
    for flag, value in call.flags.items():
        if flag == "enumName":
            changes["labels"] = enumerated(value)
        elif flag in ("minValue", "maxValue"):
            changes[f"{flag[:3]}imum"] = value
        elif flag == "defaultValue":
            changes["default"] = value
        elif flag != "niceName":
            raise NotImplementedError(f"addAttr: the double does not edit {flag}")
    old, new = at.attribute, replace(at.attribute, **changes)
    call.scene.add_attribute(at.node, new)
    call.scene.queue.record(lambda: at.node.added.__setitem__(old.long, old), lambda: None)


@command("deleteAttr", "attribute", arity=(1, 2))
def delete_attr(call: Call) -> None:
    scene = call.scene
    target = (
        call.objects()[0] if "attribute" not in call else f"{call.objects()[0]}.{call.flags['attribute']}"
    )
    at = plug.parse(scene, target)
    if not at.attribute.dynamic:
        raise call.fail(f"'{at.name()}' is not a dynamic attribute of node '{at.node.full}'.")
    if at.locked:
        raise call.fail(f"'{at.name()}' is locked.")
    for child in at.attribute.children:
        scene.remove_attribute(at.node, at.node.added[child])
    scene.remove_attribute(at.node, at.attribute)


#: What _about says when the value itself is asked for.
_VALUE = object()


def _about(call: Call, at: Plug) -> Any:
    """What getAttr tells of an attribute rather than from it."""
    if call.on("type"):
        return at.attribute.kind
    if call.on("lock"):
        return at.locked
    if call.on("keyable"):
        return at.node.flag(at.path, "keyable")
    if call.on("channelBox"):
        return at.node.flag(at.path, "channel_box")
    if call.on("settable"):
        return at.attribute.writable and not at.held
    if call.on("size"):
        if at.attribute.long == "keyTimeValue":
            return len(at.node.keys)
        return len(at.elements()) if at.attribute.multi else 1
    if call.on("multiIndices"):
        return at.elements() or None
    return _VALUE


@command(
    "getAttr",
    "time type lock keyable channelBox asString size multiIndices settable silent",
    arity=(1, 1),
    undoable=False,
)
def get_attr(call: Call) -> Any:
    """A compound comes as a list with one tuple."""
    scene = call.scene
    at = plug.parse(scene, call.objects()[0])
    told = _about(call, at)
    if told is not _VALUE:
        return told
    if at.attribute.kind == "message":
        raise call.fail("The data is not a numeric or string value, and cannot be displayed.")
    if not at.attribute.readable:
        raise call.fail(f"'{at.name()}' cannot be read.")
    if at.attribute.multi and at.index is None:
        at = Plug(scene, at.node, f"{at.path}[0]", at.attribute)
    moment = None
    if "time" in call:
        from ..units import parse_time

        moment = parse_time(call.flags["time"], scene.time_unit)
    value = at.get(moment)
    if call.on("asString"):
        if at.attribute.kind == "enum":
            return next(
                (label for label, number in at.attribute.labels.items() if number == value), str(value)
            )
        return str(value)
    if at.attribute.kind == "matrix":
        return list(value)
    if at.attribute.kind == "string" and at.path not in at.node.values and at.source is None:
        return None
    return [value] if isinstance(value, tuple) else value


@command("setAttr", "type lock keyable channelBox clamp", arity=(1, None))
def set_attr(call: Call) -> None:
    scene = call.scene
    try:
        at = plug.parse(scene, call.args[0])
    except ValueError as error:
        raise call.fail(str(error)) from None
    values = call.args[1:]
    if "lock" in call and not call.on("lock"):
        scene.set_flag(at.node, at.path, "locked", False)
    if values:
        at.set("setAttr", values, call.get("type"), call.on("clamp"))
    elif not call.flags.keys() & {"lock", "keyable", "channelBox"}:
        raise call.fail("No value was given.")
    if call.on("lock"):
        scene.set_flag(at.node, at.path, "locked", True)
    for flag, name in (("keyable", "keyable"), ("channelBox", "channel_box")):
        if flag in call:
            for leaf in [at, *at.children()]:
                scene.set_flag(leaf.node, leaf.path, name, bool(call.flags[flag]))


_QUERIES = "keyable hidden exists enum listEnum longName shortName min max minimum maximum range rangeExists "
_QUERIES += (
    "minExists maxExists attributeType listChildren listDefault numberOfChildren writable readable storable "
)
_QUERIES += "message multi channelBox connectable node type listParent"


@command("attributeQuery", _QUERIES, arity=(1, 1), undoable=False)
def attribute_query(call: Call) -> Any:
    name = call.objects()[0]
    if "node" not in call:
        raise call.fail("The double wants the flag node.")
    node = names.one(call.scene, call.flags["node"])
    at = plug.find(call.scene, node, name)
    if call.on("exists"):
        return at is not None
    if at is None:
        raise call.fail(f"No attribute '{name}' on '{node.full}'.")
    attribute = at.attribute
    answers = {
        "keyable": attribute.keyable,
        "hidden": attribute.hidden,
        "channelBox": attribute.channel_box,
        "enum": attribute.kind == "enum",
        "message": attribute.kind == "message",
        "multi": attribute.multi,
        "longName": attribute.long,
        "shortName": attribute.short,
        "minExists": attribute.minimum is not None,
        "maxExists": attribute.maximum is not None,
        "rangeExists": attribute.minimum is not None and attribute.maximum is not None,
        "minimum": [attribute.minimum],
        "maximum": [attribute.maximum],
        "range": [attribute.minimum, attribute.maximum],
        "attributeType": attribute.kind,
        "listChildren": list(attribute.children) or None,
        "listParent": [attribute.parent] if attribute.parent else None,
        "listDefault": [child.attribute.default for child in at.leaves()],
        "numberOfChildren": [len(attribute.children)],
        "writable": attribute.writable,
        "readable": attribute.readable,
        "storable": attribute.storable,
        "connectable": True,
        "listEnum": [":".join(_enum_text(attribute))] if attribute.kind == "enum" else None,
    }
    for flag in call.flags:
        if flag != "node" and call.on(flag):
            return answers[{"min": "minimum", "max": "maximum"}.get(flag, flag)]
    raise call.fail("No query flag was given.")


def _enum_text(attribute: Attribute) -> list[str]:
    out, number = [], 0
    for label, given in attribute.labels.items():
        out.append(label if given == number else f"{label}={given}")
        number = given + 1
    return out


@command(
    "listAttr",
    "userDefined keyable locked unlocked string shortNames channelBox leaf scalar connectable "
    "settable visible",
    arity=(0, None),
    undoable=False,
)
def list_attr(call: Call) -> list[str] | None:
    scene = call.scene
    out: list[str] = []
    for name in call.objects():
        node = names.one(scene, name.partition(".")[0])
        for attribute in node.attributes.values():
            at = Plug(scene, node, attribute.long, attribute)
            wanted = {
                "userDefined": attribute.dynamic,
                "keyable": node.flag(attribute.long, "keyable"),
                "channelBox": node.flag(attribute.long, "channel_box"),
                "locked": at.locked,
                "unlocked": not at.locked,
                "settable": attribute.writable and not at.held,
                "leaf": not attribute.children,
                "scalar": attribute.numeric,
                "visible": not attribute.hidden,
                "connectable": True,
            }
            if any(call.on(flag) and not passed for flag, passed in wanted.items()):
                continue
            if call.on("keyable") and (attribute.children or not attribute.numeric):
                continue
            patterns = call.get("string", [])
            if "string" in call and not _matches(attribute.long, patterns):
                continue
            out.append(attribute.short if call.on("shortNames") else attribute.long)
    return out or None


def _matches(name: str, patterns: Any) -> bool:
    from fnmatch import fnmatchcase

    return any(fnmatchcase(name, p) for p in ([patterns] if isinstance(patterns, str) else patterns))
