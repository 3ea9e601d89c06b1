"""A scene as Maya ASCII, as file(save=True) writes it: requires, units, nodes, values, keys, connections.

Values are in the units of the scene, which currentUnit names in the file; see ma_reader for the form.
"""

from __future__ import annotations

import json
from typing import Any

from . import units
from .curve import FILE_TANGENTS
from .node import Node
from .node_types import COMPOUND, Attribute
from .plug import Plug, to_ui
from .scene import Scene

_NUMBERS = {name: number for number, name in FILE_TANGENTS.items()}
_KINDS = {
    "animCurveTL": "doubleLinear",
    "animCurveTA": "doubleAngle",
    "animCurveTU": "double",
    "animCurveTT": "time",
}


def text(scene: Scene, version: int) -> str:
    """The whole file."""
    lines = [
        f"//Maya ASCII {version} scene",
        f'requires maya "{version}";',
        f"currentUnit -l {_full(scene.linear)} -a degree -t {scene.time_unit};",
        f'fileInfo "application" "double of maya {version}";',
    ]
    if scene.angle != "deg":
        raise NotImplementedError("the double writes angles in degrees")
    if any(node.kind.startswith("HIK") for node in scene):
        lines.insert(2, 'requires -nodeType "HIKCharacterNode" "mayaHIK" "1.0";')
    for node in _ordered(scene):
        lines += _node(scene, node)
    for end, start in scene.inputs.items():
        if not end[0].default or not start[0].default:
            lines.append(f"connectAttr {_name(*start)} {_name(*end)};")
    lines.append(f"// End of {scene.path.rsplit('/', 1)[-1]}")
    return "\n".join(lines) + "\n"


def _full(short: str) -> str:
    return {"cm": "centimeter", "m": "meter", "mm": "millimeter", "in": "inch", "ft": "foot", "yd": "yard"}[
        short
    ]


def _ordered(scene: Scene) -> list[Node]:
    dag = [each for root in scene.roots for each in (root, *root.below())]
    return [n for n in dag if not n.default] + [n for n in scene if not n.is_dag and not n.default]


def _name(node: Node, path: str) -> str:
    attribute = node.attributes[path.split("[")[0]]
    index = path[path.index("[") :] if "[" in path else ""
    return json.dumps(f"{node.long}.{attribute.short}{index}")


def _node(scene: Scene, node: Node) -> list[str]:
    parent = f" -p {json.dumps(node.parent.long)}" if node.parent else ""
    lines = [f"createNode {node.kind} -n {json.dumps(node.full)}{parent};"]
    lines += [_added(attribute) for attribute in node.added.values()]
    for attribute in node.attributes.values():
        lines += _value(scene, node, attribute)
    if node.is_curve and len(node.keys):
        lines += _keys(scene, node)
    return lines


def _added(attribute: Attribute) -> str:
    kind = f'-dt "{attribute.kind}"' if attribute.kind in ("string", "matrix") else f'-at "{attribute.kind}"'
    words = [f'-ci true -sn "{attribute.short}" -ln "{attribute.long}"']
    if attribute.labels:
        words.append(f'-en "{":".join(f"{k}={v}" for k, v in attribute.labels.items())}"')
    for flag, limit in (("-min", attribute.minimum), ("-max", attribute.maximum)):
        if limit is not None:
            words.append(f"{flag} {limit!r}")
    if attribute.numeric and attribute.default:
        words.append(f"-dv {float(attribute.default)!r}")
    if attribute.parent:
        words.append(f'-p "{attribute.parent}"')
    if attribute.children:
        words.append(f"-nc {len(attribute.children)}")
    if attribute.keyable:
        words.append("-k true")
    return f"\taddAttr {' '.join(words)} {kind};"


def _value(scene: Scene, node: Node, attribute: Attribute) -> list[str]:
    at = Plug(scene, node, attribute.long, attribute)
    flags = " ".join(
        f"{flag} {'on' if node.flags[attribute.long, name] else 'off'}"
        for flag, name in (("-l", "locked"), ("-k", "keyable"), ("-cb", "channel_box"))
        if (attribute.long, name) in node.flags
    )
    head = "\tsetAttr " + (f"{flags} " if flags else "")
    name = f'".{attribute.short}"'
    if attribute.kind in COMPOUND:
        if not any(child in node.values for child in attribute.children):
            return [f"{head}{name};"] if flags else []
        values = [
            _number(to_ui(scene, c.attribute.kind, node.values.get(c.path, c.attribute.default)))
            for c in at.children()
        ]
        return [f'{head}{name} -type "{attribute.kind}" {" ".join(values)} ;']
    if attribute.parent or attribute.long not in node.values:
        return [f"{head}{name};"] if flags and not attribute.parent else []
    value = node.values[attribute.long]
    if attribute.kind == "string":
        return [f'{head}{name} -type "string" {json.dumps(value, ensure_ascii=False)};']
    if attribute.kind == "matrix":
        return [f'{head}{name} -type "matrix" {" ".join(_number(v) for v in value)} ;']
    if attribute.kind == "bool":
        return [f"{head}{name} {'yes' if value else 'no'};"]
    return [f"{head}{name} {_number(to_ui(scene, attribute.kind, value))};"]


def _number(value: Any) -> str:
    return repr(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def _keys(scene: Scene, node: Node) -> list[str]:
    keys, count = node.keys, len(node.keys)
    span = f"[0:{count - 1}]" if count > 1 else "[0]"
    size = f"-s {count} " if count > 1 else ""
    pairs = " ".join(
        f"{_number(units.in_unit(t, scene.time_unit))} {_number(to_ui(scene, _KINDS[node.kind], v))}"
        for t, v in zip(keys.ticks, keys.values, strict=True)
    )
    into = " ".join(str(_NUMBERS[t]) for t in keys.into)
    out = " ".join(str(_NUMBERS[t]) for t in keys.out)
    return [
        '\tsetAttr ".tan" 18;',
        '\tsetAttr ".wgt" no;',
        f'\tsetAttr {size}".ktv{span}"  {pairs};',
        f'\tsetAttr {size}".kit{span}"  {into};',
        f'\tsetAttr {size}".kot{span}"  {out};',
    ]
