"""Flags of the commands and what they take, read from the stubs that types-maya installs.

types-maya 0.6.1 (MIT) is made from Autodesk's page of each command: one signature for create, one for edit,
and one per flag that can be queried. maya-stubs 0.4.2 says the same with long names alone, and installs into
the same folder, so that only one of the two can be there: types-maya is read.

The pages' short names stand beside the long ones without saying which belongs to which, except in query mode;
SHORT names those that are used in create mode alone.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any


class StubsAbsent(RuntimeError):
    """types-maya is not installed, and so no call can be checked."""


@lru_cache(maxsize=1)
def stub_folder() -> Path:
    """The folder maya-stubs that holds cmds.pyi; StubsAbsent without one."""
    for entry in sys.path:
        folder = Path(entry or ".") / "maya-stubs"
        if (folder / "cmds.pyi").is_file():
            return folder
    raise StubsAbsent("types-maya is not installed: pip install types-maya==0.6.1")


@dataclass
class Signature:
    """What one command may be told, by mode."""

    create: dict[str, str] = field(default_factory=dict)
    edit: dict[str, str] = field(default_factory=dict)
    query: set[str] = field(default_factory=set)
    long_of: dict[str, str] = field(default_factory=dict)
    queryable: bool = False
    editable: bool = False


@lru_cache(maxsize=1)
def _lines() -> dict[str, list[str]]:
    """Lines of cmds.pyi that define each command."""
    found: dict[str, list[str]] = {}
    start = re.compile(r"def (\w+)\(")
    for line in (stub_folder() / "cmds.pyi").read_text(encoding="utf-8").splitlines():
        if (name := start.match(line)) is not None:
            found.setdefault(name[1], []).append(line)
    return found


def known(command: str) -> bool:
    return command in _lines()


@cache
def signature(command: str) -> Signature:
    """Flags of a command; KeyError when the stubs do not have it."""
    result = Signature()
    queried: list[str] = []
    for line in _lines()[command]:
        definition = ast.parse(line).body[0]
        assert isinstance(definition, ast.FunctionDef)
        flags = {a.arg: ast.unparse(a.annotation) for a in definition.args.kwonlyargs if a.annotation}
        modes = {f for f in ("query", "q", "edit", "e") if flags.get(f) == "Literal[True]"}
        if modes & {"query", "q"}:
            result.queryable = True
            queried += [f for f in flags if f not in modes and f not in queried]
        elif modes:
            result.editable = True
            result.edit |= {f: kind for f, kind in flags.items() if f not in modes}
        else:
            result.create |= flags
    # Queried flags come in pairs, the long name first; a flag whose two names are one stands alone.
    while queried:
        long = queried.pop(0)
        result.query.add(long)
        if queried and _abbreviates(queried[0], long):
            short = queried.pop(0)
            result.query.add(short)
            result.long_of[short] = long
    result.queryable = result.queryable or command in QUERYABLE
    if command in EDITED_BY_CREATE:
        result.edit |= result.create
    result.create |= CORRECTED.get(command, {})
    for short, long in SHORT.get(command, {}).items():
        result.long_of.setdefault(short, long)
    return result


def _abbreviates(short: str, long: str) -> bool:
    letters = iter(long.lower())
    return len(short) <= 5 and short != long and all(letter in letters for letter in short.lower())


#: Short names of flags that are not queried, from the table "Long name (short name)" of each command's page,
#: help.autodesk.com/cloudhelp/2025/ENU/Maya-Tech-Docs/CommandsPython/<command>.html.
SHORT: dict[str, dict[str, str]] = {
    "createNode": {"n": "name", "p": "parent", "ss": "skipSelect", "s": "shared"},
    "addAttr": {
        "ln": "longName",
        "sn": "shortName",
        "nn": "niceName",
        "at": "attributeType",
        "dt": "dataType",
        "dv": "defaultValue",
        "min": "minValue",
        "max": "maxValue",
        "en": "enumName",
        "k": "keyable",
        "h": "hidden",
        "p": "parent",
        "m": "multi",
        "ci": "cachedInternally",
        "nc": "numberOfChildren",
        "s": "storable",
        "r": "readable",
        "w": "writable",
    },
    "setAttr": {"l": "lock", "k": "keyable", "cb": "channelBox", "typ": "type", "c": "clamp"},
    "getAttr": {"t": "time", "typ": "type", "l": "lock", "k": "keyable", "cb": "channelBox", "s": "size"},
    "connectAttr": {"f": "force", "l": "lock", "na": "nextAvailable"},
    "ls": {
        "sl": "selection",
        "l": "long",
        "typ": "type",
        "type": "type",
        "s": "shapes",
        "tr": "transforms",
        "ap": "allPaths",
    },
    "listRelatives": {
        "p": "parent",
        "c": "children",
        "ad": "allDescendents",
        "s": "shapes",
        "f": "fullPath",
        "typ": "type",
        "ap": "allParents",
    },
    "listConnections": {
        "s": "source",
        "d": "destination",
        "p": "plugs",
        "c": "connections",
        "type": "type",
        "t": "type",
    },
    "parent": {"w": "world", "r": "relative", "a": "absolute"},
    "select": {"cl": "clear", "r": "replace", "add": "add", "d": "deselect", "ne": "noExpand"},
    "setKeyframe": {
        "t": "time",
        "v": "value",
        "at": "attribute",
        "itt": "inTangentType",
        "ott": "outTangentType",
    },
    "cutKey": {"t": "time", "at": "attribute", "cl": "clear"},
    "file": {"f": "force", "new": "newFile", "o": "open", "s": "save"},
    "delete": {"ch": "constructionHistory"},
    "undoInfo": {"ock": "openChunk", "cck": "closeChunk", "cn": "chunkName", "swf": "stateWithoutFlush"},
    "xform": {"ws": "worldSpace", "os": "objectSpace", "r": "relative", "a": "absolute", "eu": "euler"},
    "namespace": {"add": "addNamespace", "set": "setNamespace", "rm": "removeNamespace", "ex": "exists"},
    "currentUnit": {"ua": "updateAnimation"},
}

#: What the pages' tables leave out though their examples use it, and so the stubs too.
CORRECTED = {"upAxis": {"axis": "str", "ax": "str"}}
#: Commands that answer a query without any flag, which the stubs cannot say: currentTime.html.
QUERYABLE = {"currentTime"}
#: Commands whose edit mode says which keys by the flags of create mode, as the examples of their pages do.
EDITED_BY_CREATE = {"keyframe", "keyTangent"}

#: Flags of a unit, which the stubs call str because the pages say "angle" or "time": these take numbers too.
UNIT_FLAGS = {
    ("joint", "orientation"),
    ("joint", "scaleOrientation"),
    ("joint", "angleX"),
    ("joint", "angleY"),
    ("joint", "angleZ"),
    ("xform", "rotation"),
    ("xform", "rotateAxis"),
    ("camera", "rotation"),
    ("setKeyframe", "time"),
    ("cutKey", "time"),
    ("keyframe", "time"),
    ("keyTangent", "time"),
    ("getAttr", "time"),
    ("playbackOptions", "minTime"),
    ("playbackOptions", "maxTime"),
    ("playbackOptions", "animationStartTime"),
    ("playbackOptions", "animationEndTime"),
}


def fits(kind: str, value: Any) -> bool:
    """Whether a value is of a type as the stubs write it."""
    return _fits(ast.parse(kind, mode="eval").body, value)


def _fits(kind: ast.expr, value: Any) -> bool:
    if isinstance(kind, ast.BinOp):
        return _fits(kind.left, value) or _fits(kind.right, value)
    if isinstance(kind, ast.Subscript):
        assert isinstance(kind.value, ast.Name)
        inner = kind.slice.elts if isinstance(kind.slice, ast.Tuple) else [kind.slice]
        if kind.value.id == "Literal":
            return any(isinstance(i, ast.Constant) and i.value == value for i in inner)
        if not isinstance(value, (list, tuple)):
            return False
        if kind.value.id == "list":
            return all(_fits(inner[0], v) for v in value)
        return len(value) == len(inner) and all(_fits(k, v) for k, v in zip(inner, value, strict=True))
    assert isinstance(kind, ast.Name), ast.dump(kind)
    return _fits_name(kind.id, value)


def _fits_name(name: str, value: Any) -> bool:
    if name == "bool":
        return isinstance(value, bool) or (isinstance(value, int) and value in (0, 1))
    if name == "int":
        return isinstance(value, int)
    if name == "float":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if name == "str":
        return isinstance(value, str)
    return name == "Any"
