"""A reader of Maya ASCII of its own: what a .ma says, and where its nodes are at a time.

It knows the statements of Autodesk's "Maya ASCII file format": requires, currentUnit, fileInfo, createNode,
rename, parent, select, addAttr, setAttr, connectAttr, and raises on what it does not know. It shares the
maths of matrices and curves with the double of Maya, and nothing with any writer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from double import matrix, units
from double.curve import FILE_TANGENTS, Keys


class MaError(ValueError):
    """What Maya would not read."""


Token = tuple[str, bool]

_TOKEN = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/|(?P<text>"(?:[^"\\]|\\.)*")|(?P<end>;)|(?P<group>[()+])|(?P<word>[^\s";()+]\S*?(?=[\s;"()]|$))""",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_SPAN = re.compile(r"^(.*)\[(\d+)(?::(\d+))?\]$")
_TRUE, _FALSE = {"yes", "on", "true"}, {"no", "off", "false"}
#: Statements that say nothing about nodes' values.
_SKIPPED = {
    "fileInfo",
    "lockNode",
    "relationship",
    "workspace",
    "connectDynamic",
    "evalDeferred",
    "dataStructure",
}


def statements(text: str) -> Iterator[list[Token]]:
    """Words of each statement, and whether each was quoted; strings that stand together are one."""
    at, words = 0, []
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            line = text.count("\n", 0, at) + 1
            raise MaError(f"line {line}: cannot read {text[at : at + 30]!r}")
        at = found.end()
        if found["text"] is not None:
            words.append(
                (
                    re.sub(
                        r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), found["text"][1:-1], flags=re.DOTALL
                    ),
                    True,
                )
            )
        elif found["word"] is not None:
            words.append((found["word"], False))
        elif found["group"] is not None:
            words.append((found["group"], False))
        elif found["end"] is not None:
            if words:
                yield _joined(words)
            words = []
    if words:
        raise MaError(f"the file ends within a statement: {words[0][0]}")


def _joined(words: list[Token]) -> list[Token]:
    """Long strings are written as ("a" + "b") or ("a" "b")."""
    out: list[Token] = []
    inside = False
    for word in words:
        if word == ("(", False):
            inside = True
            out.append(("", True))
        elif word == (")", False):
            inside = False
        elif word == ("+", False):
            if not inside:
                raise MaError("a + outside of brackets")
        elif inside:
            out[-1] = (out[-1][0] + word[0], True)
        else:
            out.append(word)
    if inside:
        raise MaError("an open bracket")
    return out


@dataclass
class Added:
    """An attribute that the file adds to a node."""

    long: str
    short: str
    kind: str
    default: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    labels: str = ""
    keyable: bool = False
    parent: str = ""


@dataclass
class Node:
    """A node of the file: values as written, by the name of the attribute as it is written first."""

    kind: str
    name: str
    parent: Node | None = None
    shared: bool = False
    uid: str = ""
    values: dict[str, list[Any]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    keyable: dict[str, bool] = field(default_factory=dict)
    added: dict[str, Added] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Full path."""
        return f"{self.parent.path if self.parent else ''}|{self.name}"

    def short_of(self, name: str) -> str:
        """The short name of an attribute, for either name."""
        base, bracket, rest = name.split(".")[-1].partition("[")
        for added in self.added.values():
            if base in (added.long, added.short):
                return added.short + bracket + rest
        return _SHORT.get(base, base) + bracket + rest

    def get(self, name: str, default: Any = None) -> Any:
        """Value of an attribute: one thing, or a list where the file gives several."""
        found = self.values.get(self.short_of(name))
        if found is None:
            return default
        return found[0] if len(found) == 1 else found


@dataclass
class MaFile:
    """A file that was read."""

    requires: dict[str, str] = field(default_factory=dict)
    version: str = ""
    linear: str = "cm"
    angle: str = "deg"
    time: str = "film"
    info: dict[str, str] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    #: Which plug feeds a plug: (node, short name) of both.
    inputs: dict[tuple[int, str], tuple[Node, str]] = field(default_factory=dict)
    #: Connections in order, as (source node, attribute, destination node, attribute).
    connections: list[tuple[Node, str, Node, str]] = field(default_factory=list)
    #: Nodes that every scene has and that the file only selects (":time1").
    defaults: dict[str, Node] = field(default_factory=dict)

    def find(self, name: str) -> Node:
        """A node by name or path; MaError for none, or more than one."""
        found = [node for node in self.nodes if _means(name, node)]
        if len(found) == 1:
            return found[0]
        if not found and name.startswith(":") and "|" not in name:
            return self.defaults.setdefault(name[1:], Node("default", name[1:]))
        raise MaError(f"{'no' if not found else 'more than one'} node is called {name!r}")

    def of_kind(self, kind: str) -> list[Node]:
        return [node for node in self.nodes if node.kind == kind]

    def children(self, parent: Node | None) -> list[Node]:
        return [node for node in self.nodes if node.parent is parent]

    # What plugs are worth at a time.

    def value(self, node: Node, name: str, seconds: float, default: float = 0.0) -> float:
        """A number in inner units: centimetres, radians."""
        short = node.short_of(name)
        source = self._source(node, short)
        if source is not None:
            return self._output(*source, seconds)
        return self._written(node, short, default)

    def _source(self, node: Node, short: str) -> tuple[Node, str] | None:
        direct = self.inputs.get((id(node), short))
        if direct is not None or short[-1:] not in "xyz":
            return direct
        above = self.inputs.get((id(node), short[:-1]))
        return (above[0], above[1] + short[-1]) if above else None

    def _written(self, node: Node, short: str, default: float) -> float:
        scale = self._unit(node, short)
        if short in node.values:
            return float(node.values[short][0]) * scale
        compound = node.values.get(short[:-1]) if short[-1:] in ("x", "y", "z") else None
        if compound is not None:
            return float(compound["xyz".index(short[-1])]) * scale
        return default

    def _unit(self, node: Node, short: str) -> float:
        base = short.rstrip("xyz") if short[-1:] in "xyz" and len(short) > 1 else short
        if node.kind in ("transform", "joint"):
            if base in ("t", "rp", "sp", "rpt", "spt"):
                return units.LINEAR[self.linear]
            if base in ("r", "ra", "jo", "pa"):
                return units.ANGLE[self.angle]
        if node.kind == "animBlendNodeAdditiveDL" and base in ("ia", "ib", "o"):
            return units.LINEAR[self.linear]
        if node.kind in ("animBlendNodeAdditiveDA", "animBlendNodeAdditiveRotation") and base in (
            "ia",
            "ib",
            "o",
        ):
            return units.ANGLE[self.angle]
        return 1.0

    def _output(self, node: Node, short: str, seconds: float) -> float:
        if node.kind.startswith("animCurve"):
            return self.keys(node).at(round(seconds * units.TICKS))
        if node.kind.startswith("animBlendNode") and short[:1] == "o":
            return self._blend(node, short[1:], seconds)
        if node.kind == "animLayer" and short in ("fgwt", "bgwt"):
            muted = self.value(node, "mt", seconds)
            weight = 0.0 if muted else self.value(node, "wt", seconds, 1.0)
            override = self.value(node, "ovrd", seconds)
            return weight if short == "fgwt" else 1.0 - weight if override else 1.0
        return self.value(node, short, seconds, 1.0 if short[:1] == "s" else 0.0)

    def _blend(self, node: Node, suffix: str, seconds: float) -> float:
        a, b = self.value(node, f"ia{suffix}", seconds), self.value(node, f"ib{suffix}", seconds)
        wa, wb = self.value(node, "wa", seconds, 1.0), self.value(node, "wb", seconds, 1.0)
        mode = self.value(node, "acm", seconds, 1.0 if node.kind.endswith("Scale") else 0.0)
        if node.kind == "animBlendNodeAdditiveScale" and mode:
            return a**wa * b**wb
        if node.kind == "animBlendNodeAdditiveRotation" and mode:
            raise NotImplementedError("rotations accumulated by layer")
        return a * wa + b * wb

    def keys(self, curve: Node) -> Keys:
        """Keys of a curve: ticks, inner units."""
        pairs = curve.values.get("ktv", [])
        if len(pairs) % 2:
            raise MaError(f"{curve.name}: a key without a value")
        count = len(pairs) // 2
        scale = {"TL": units.LINEAR[self.linear], "TA": units.ANGLE[self.angle]}.get(curve.kind[-2:], 1.0)
        common = FILE_TANGENTS.get(int(curve.get("tan", 18)), "fixed")
        kinds = []
        for name in ("kit", "kot"):
            given = curve.values.get(name, {})
            kinds.append(tuple(FILE_TANGENTS[int(given[i])] if i in given else common for i in range(count)))
        if "fixed" in (*kinds[0], *kinds[1]):
            raise NotImplementedError(f"{curve.name}: fixed tangents")
        ticks = tuple(units.ticks(float(t), self.time) for t in pairs[::2])
        if any(b <= a for a, b in pairwise(ticks)):
            raise MaError(f"{curve.name}: times of keys do not ascend")
        return Keys(ticks, tuple(float(v) * scale for v in pairs[1::2]), *kinds)

    def local(self, node: Node, seconds: float) -> matrix.Matrix:
        """Matrix under the parent, row vectors: Nodes/joint.html and Nodes/transform.html."""

        def triple(name: str, default: float = 0.0) -> list[float]:
            return [self.value(node, f"{name}{axis}", seconds, default) for axis in "xyz"]

        if node.kind not in ("transform", "joint"):
            return matrix.IDENTITY
        scale = matrix.scaling(triple("s", 1.0))
        turn = matrix.rotation(triple("r"), int(self.value(node, "ro", seconds)))
        axis = matrix.rotation(triple("ra"))
        move = matrix.translation(triple("t"))
        if node.kind == "transform":
            if any(v for name in ("rp", "sp", "rpt", "spt") for v in triple(name)):
                raise NotImplementedError(f"{node.name}: pivots")
            return matrix.product(scale, axis, turn, move)
        above = matrix.IDENTITY
        if self.value(node, "ssc", seconds, 1.0):
            above = matrix.scaling([1.0 / v for v in triple("is", 1.0)])
        return matrix.product(scale, axis, turn, matrix.rotation(triple("jo")), above, move)

    def world(self, node: Node, seconds: float) -> matrix.Matrix:
        """Matrix in the world, in centimetres."""
        here = self.local(node, seconds)
        if node.parent is None or not self.value(node, "it", seconds, 1.0):
            return here
        return matrix.multiply(here, self.world(node.parent, seconds))

    def position_cm(self, node: Node, seconds: float) -> tuple[float, float, float]:
        """Where a node stands in the world."""
        x, y, z = self.world(node, seconds)[12:15]
        return x, y, z


#: Short names of the attributes that the evaluation reads: Nodes/*.html, "Long name (short name)".
_SHORT = {
    "translate": "t",
    "rotate": "r",
    "scale": "s",
    "rotateOrder": "ro",
    "rotateAxis": "ra",
    "jointOrient": "jo",
    "segmentScaleCompensate": "ssc",
    "inverseScale": "is",
    "inheritsTransform": "it",
    "visibility": "v",
    "radius": "radi",
    "side": "sd",
    "type": "typ",
    "otherType": "otp",
    "drawLabel": "dl",
    "output": "o",
    "message": "msg",
    "inputA": "ia",
    "inputB": "ib",
    "weightA": "wa",
    "weightB": "wb",
    "weight": "wt",
    "mute": "mt",
    "override": "ovrd",
    "foregroundWeight": "fgwt",
    "backgroundWeight": "bgwt",
    "keyTimeValue": "ktv",
    "imageName": "imn",
    "focalLength": "fl",
    "imagePlane": "ip",
    "useFrameExtension": "ufe",
    "frameOffset": "fof",
    "frameExtension": "fe",
    "frameIn": "fin",
    "frameOut": "fot",
}
for _long, _brief in (
    ("translate", "t"),
    ("rotate", "r"),
    ("scale", "s"),
    ("jointOrient", "jo"),
    ("inputA", "ia"),
):
    _SHORT |= {f"{_long}{axis}": f"{_brief}{axis.lower()}" for axis in "XYZ"}
_SHORT |= {f"inputB{axis}": f"ib{axis.lower()}" for axis in "XYZ"}
_SHORT |= {f"output{axis}": f"o{axis.lower()}" for axis in "XYZ"}


def _means(name: str, node: Node) -> bool:
    if name.startswith("|"):
        return node.path == name
    return f"{node.path}".endswith(f"|{name.removeprefix(':')}")


def read(text: str) -> MaFile:
    """Read the text of a file; MaError for what Maya would not read."""
    if not text.startswith("//Maya ASCII"):
        raise MaError("the file does not start with //Maya ASCII")
    file = MaFile()
    current: Node | None = None
    for words in statements(text):
        current = _statement(file, current, words[0][0], words[1:])
    if not file.version:
        raise MaError("the file does not say which Maya it requires")
    return file


def _statement(file: MaFile, current: Node | None, name: str, rest: list[Token]) -> Node | None:
    """Take one statement in; says which node the next ones without a name mean."""
    if name == "createNode":
        return _create(file, rest)
    if name == "select":
        return file.find(_last_text(rest))
    if name in ("rename", "addAttr"):
        (_rename if name == "rename" else _add)(_needed(current, name), rest)
    elif name == "setAttr":
        _set(file, current, rest)
    elif name in _OF_FILE:
        _OF_FILE[name](file, rest)
    elif name not in _SKIPPED:
        raise MaError(f"unknown statement: {name}")
    return current


def _needed(node: Node | None, what: str) -> Node:
    if node is None:
        raise MaError(f"{what} before any node")
    return node


def _flags(words: list[Token], arity: dict[str, int]) -> tuple[dict[str, list[str]], list[Token]]:
    """Flags with as many words as each takes, and the other words."""
    flags: dict[str, list[str]] = {}
    rest: list[Token] = []
    queue = list(words)
    while queue:
        word, quoted = queue.pop(0)
        if quoted or not re.match(r"-[A-Za-z]", word):
            rest.append((word, quoted))
            continue
        if word not in arity:
            raise MaError(f"unknown flag {word}")
        if len(queue) < arity[word]:
            raise MaError(f"flag {word} lacks its value")
        flags[word] = [queue.pop(0)[0] for _ in range(arity[word])]
    return flags, rest


def _last_text(words: list[Token]) -> str:
    _, rest = _flags(words, {"-ne": 0, "-r": 0})
    return rest[-1][0]


def _create(file: MaFile, words: list[Token]) -> Node:
    flags, rest = _flags(words, {"-n": 1, "-p": 1, "-s": 0, "-ss": 0})
    if len(rest) != 1 or rest[0][1]:
        raise MaError("createNode wants one type")
    parent = file.find(flags["-p"][0]) if "-p" in flags else None
    node = Node(rest[0][0], flags["-n"][0] if "-n" in flags else rest[0][0], parent, "-s" in flags)
    if any(other.path == node.path for other in file.nodes):
        raise MaError(f"{node.path} is made twice: Maya would rename it")
    if not re.fullmatch(r"(\w+:)*[A-Za-z_]\w*", node.name):
        raise MaError(f"{node.name!r} is no legal name")
    file.nodes.append(node)
    return node


def _rename(node: Node, words: list[Token]) -> None:
    flags, rest = _flags(words, {"-uid": 1})
    if "-uid" in flags:
        node.uid = flags["-uid"][0]
    if rest:
        node.name = rest[-1][0]


def _parent(file: MaFile, words: list[Token]) -> None:
    flags, rest = _flags(words, {"-s": 0, "-nc": 0, "-r": 0, "-add": 0, "-w": 0, "-a": 0})
    if "-add" in flags:
        raise NotImplementedError("instances")
    nodes = [file.find(word) for word, _ in rest]
    target = None if "-w" in flags else nodes.pop()
    for node in nodes:
        node.parent = target


_ADD_FLAGS: dict[str, int] = {
    **dict.fromkeys(
        ("-ci", "-sn", "-ln", "-nn", "-at", "-dt", "-dv", "-min", "-max", "-smn", "-smx", "-en"), 1
    ),
    **dict.fromkeys(("-k", "-h", "-p", "-nc", "-s", "-r", "-w", "-uac", "-im", "-is", "-dcb", "-ct"), 1),
    "-m": 0,
}


def _add(node: Node, words: list[Token]) -> None:
    flags, rest = _flags(words, _ADD_FLAGS)
    if rest:
        raise MaError(f"addAttr: {rest[0][0]} is out of place")
    if "-ln" not in flags or ("-at" in flags) == ("-dt" in flags):
        raise MaError("addAttr wants -ln and one of -at and -dt")
    long = flags["-ln"][0]
    short = flags.get("-sn", [long])[0]

    def number(flag: str) -> float | None:
        return float(flags[flag][0]) if flag in flags else None

    if any(long in (a.long, a.short) or short in (a.long, a.short) for a in node.added.values()):
        raise MaError(f"{node.name}: attribute {long} is added twice")
    node.added[long] = Added(
        long,
        short,
        (flags.get("-at") or flags["-dt"])[0],
        number("-dv"),
        number("-min"),
        number("-max"),
        flags.get("-en", [""])[0],
        flags.get("-k", ["no"])[0] in _TRUE,
        flags.get("-p", [""])[0],
    )


_SET_FLAGS = {"-k": 1, "-l": 1, "-cb": 1, "-s": 1, "-type": 1, "-ch": 1, "-av": 0, "-ca": 1}
_COUNTS = {
    "double2": 2,
    "double3": 3,
    "float2": 2,
    "float3": 3,
    "short2": 2,
    "short3": 3,
    "long2": 2,
    "long3": 3,
}
_COUNTS |= {"string": 1, "matrix": 16}


def _set(file: MaFile, current: Node | None, words: list[Token]) -> None:
    flags, rest = _flags(words, _SET_FLAGS)
    if not rest or not rest[0][1]:
        raise MaError("setAttr wants a quoted attribute")
    target, values = rest[0][0], rest[1:]
    node_name, dot, name = target.partition(".")
    if not dot:
        raise MaError(f"setAttr: {target!r} names no attribute")
    node = file.find(node_name) if node_name else _needed(current, "setAttr")
    if not values and not flags.keys() & {"-k", "-l", "-cb", "-s", "-ch", "-av", "-ca"}:
        raise MaError(f"setAttr: {target!r} without a value")
    span = _SPAN.match(name)
    short = node.short_of(span[1] if span else name)
    if "-l" in flags and flags["-l"][0] in _TRUE:
        node.locked.add(short)
    if "-k" in flags:
        node.keyable[short] = flags["-k"][0] in _TRUE
    if "-s" in flags:
        node.sizes[short] = int(flags["-s"][0])
    kind = flags.get("-type", [""])[0]
    if kind:
        node.types[short] = kind
    if not values:
        return
    read_values = [_value(word, quoted, kind) for word, quoted in values]
    if span is not None:
        _set_elements(node, short, int(span[2]), int(span[3] or span[2]), read_values)
        return
    if kind in _COUNTS and len(values) != _COUNTS[kind]:
        raise MaError(f"setAttr: {target!r} of type {kind} has {len(values)} values")
    if not kind and len(values) != 1:
        raise MaError(f"setAttr: {target!r} has {len(values)} values and no -type")
    node.values[short] = read_values


def _set_elements(node: Node, short: str, first: int, last: int, values: list[Any]) -> None:
    """An array: key times and values as a flat list, anything else by index."""
    count = last - first + 1
    if len(values) % count:
        raise MaError(f"{node.name}.{short}[{first}:{last}] has {len(values)} values")
    size = node.sizes.get(short)
    if size is not None and last >= size:
        raise MaError(f"{node.name}.{short}[{first}:{last}] goes beyond its size of {size}")
    if short == "ktv":
        held = node.values.setdefault(short, [])
        if len(held) != 2 * first or len(values) != 2 * count:
            raise MaError(f"{node.name}.ktv[{first}:{last}]: keys are missing")
        held += values
        return
    by_index: Any = node.values.setdefault(short, {})  # type: ignore[arg-type]
    each = len(values) // count
    for i in range(count):
        element = values[each * i : each * i + each]
        by_index[first + i] = element[0] if each == 1 else element


def _value(word: str, quoted: bool, kind: str) -> Any:
    if quoted:
        return word
    if word in _TRUE | _FALSE:
        return word in _TRUE
    try:
        return int(word) if re.fullmatch(r"-?\d+", word) else float(word)
    except ValueError:
        if kind and kind not in _COUNTS:
            return word
        raise MaError(f"setAttr: {word!r} is no value") from None


def _connect(file: MaFile, words: list[Token]) -> None:
    flags, rest = _flags(words, {"-f": 0, "-na": 0, "-l": 1})
    if len(rest) != 2:
        raise MaError("connectAttr wants two plugs")
    ends = []
    for word, _ in rest:
        node_name, dot, name = word.partition(".")
        if not dot:
            raise MaError(f"connectAttr: {word!r} names no attribute")
        node = file.find(node_name)
        ends.append((node, node.short_of(name)))
    (source, out), (destination, into) = ends
    if "-na" in flags:
        count = sum(
            1 for _, _, d, name in file.connections if d is destination and name.startswith(f"{into}[")
        )
        into = f"{into}[{count}]"
    if (id(destination), into) in file.inputs and "-f" not in flags:
        raise MaError(f"{destination.name}.{into} is connected twice")
    file.inputs[id(destination), into] = (source, out)
    file.connections.append((source, out, destination, into))


def _require(file: MaFile, words: list[Token]) -> None:
    _, rest = _flags(words, {"-nodeType": 1, "-dataType": 1})
    if len(rest) != 2:
        raise MaError("requires wants a name and a version")
    name, version = rest[0][0], rest[1][0]
    file.requires[name] = version
    if name == "maya":
        file.version = version


def _unit(file: MaFile, words: list[Token]) -> None:
    flags, rest = _flags(words, {"-l": 1, "-a": 1, "-t": 1})
    if rest or not flags:
        raise MaError("currentUnit wants -l, -a or -t")
    if file.nodes:
        raise MaError("currentUnit after the first node")
    file.linear, file.angle = flags.get("-l", [file.linear])[0], flags.get("-a", [file.angle])[0]
    if file.linear not in units.LINEAR or file.angle not in units.ANGLE:
        raise MaError(f"currentUnit: unknown units {file.linear} {file.angle}")
    if "-t" in flags:
        file.time = units.time_unit(flags["-t"][0])


def _info(file: MaFile, words: list[Token]) -> None:
    if len(words) != 2:
        raise MaError("fileInfo wants a name and a value")
    file.info[words[0][0]] = words[1][0]


_OF_FILE = {
    "parent": _parent,
    "connectAttr": _connect,
    "requires": _require,
    "currentUnit": _unit,
    "fileInfo": _info,
}
