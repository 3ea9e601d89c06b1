"""Keys by command, in the units of the scene. Pages: CommandsPython/<command>.html."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from .. import names, plug, units
from ..command import Call, command
from ..curve import TANGENTS, Keys
from ..matrix import ORDERS
from ..node import Node
from ..node_types import NUMERIC
from ..plug import Plug, from_ui, to_ui
from ..scene import Scene

_KIND = {
    "animCurveTL": "doubleLinear",
    "animCurveTA": "doubleAngle",
    "animCurveTU": "double",
    "animCurveTT": "time",
}


def curve_of(at: Plug) -> Node | None:
    """The curve that drives a plug, straight or below the layers (then the base layer's)."""
    source = at.source
    while source is not None:
        if source.node.is_curve:
            return source.node
        if not source.node.kind.startswith("animBlendNode"):
            return None
        suffix = source.path.removeprefix("output")
        source = plug.of_place(at.scene, (source.node, f"inputA{suffix}")).source
    return None


def make_curve(scene: Scene, at: Plug) -> Node:
    """A curve of the kind the plug wants, connected to it and named for it."""
    kind = NUMERIC[at.attribute.kind]
    node = scene.create(kind, f"{at.node.name}_{at.path}", None, at.node.namespace)
    scene.connect((node, "output"), at.place)
    return node


def curve_value_to_ui(scene: Scene, curve: Node, value: float) -> float:
    return to_ui(scene, _KIND[curve.kind], value)


def curve_value_from_ui(scene: Scene, curve: Node, value: float) -> float:
    kind = _KIND[curve.kind]
    return float(value) if kind == "double" else from_ui(scene, kind, value)


def _targets(call: Call, keyable_only: bool) -> list[Plug]:
    """Plugs that a key command means: named ones, else the keyable ones of the nodes."""
    scene = call.scene
    found: list[Plug] = []
    given = call.get("attribute", [])
    wanted = [given] if isinstance(given, str) else list(given)
    objects = call.objects() or [names.shortest(scene, node) for node, _ in scene.selection]
    for name in objects:
        node_name, dot, _ = name.partition(".")
        node = names.one(scene, node_name)
        if dot:
            found += plug.parse(scene, name).leaves()
            continue
        for each in wanted:
            at = plug.find(scene, node, each)
            if at is None:
                raise ValueError(f"No object matches name: {name}.{each}")
            found += at.leaves()
        if not wanted and not node.is_curve:
            for a in node.attributes.values():
                if a.numeric and not a.multi and (not keyable_only or node.flag(a.long, "keyable")):
                    found.append(Plug(scene, node, a.long, a))
    return found


def _curves(call: Call) -> list[Node]:
    """Curves among the objects, and those that drive the plugs meant."""
    scene = call.scene
    found = [n for n in (names.one(scene, o.partition(".")[0]) for o in call.objects()) if n.is_curve]
    found += [c for c in (curve_of(at) for at in _targets(call, False)) if c is not None and c not in found]
    return found


@command(
    "setKeyframe",
    "attribute time value inTangentType outTangentType animLayer insert breakdown "
    "dirtyDG minimizeRotation noResolve identity",
)
def set_keyframe(call: Call) -> int:
    """Says how many keys were set; without -time at the current time, without -value the present value."""
    scene = call.scene
    for flag in ("insert", "breakdown", "identity", "noResolve", "minimizeRotation"):
        if call.on(flag):
            raise NotImplementedError(f"setKeyframe: the double does not model {flag}")
    into, out = (_tangent(call, flag) for flag in ("inTangentType", "outTangentType"))
    given = call.get("time", [])
    times = given if isinstance(given, (list, tuple)) else [given]
    moments = [units.parse_time(t, scene.time_unit) for t in times] or [scene.moment]
    count = 0
    for at in _targets(call, True):
        place = at
        if "animLayer" in call:
            from .layers import layered

            layer = names.one(scene, call.flags["animLayer"])
            place = layered(scene, layer, at) or at
        if at.locked:
            continue
        curve = curve_of(place)
        if curve is None:
            if place.source is not None:
                raise call.fail(f"'{at.name()}' is connected to something that is no curve.")
            value_now = place.get()
            curve = make_curve(scene, place)
        else:
            value_now = place.get()
        for moment in moments:
            value = call.get("value", value_now if "time" not in call else place.get(moment))
            inner = curve_value_from_ui(scene, curve, value)
            scene.set_keys(curve, curve.keys.put(moment, inner, into, out))
            count += 1
    return count


def _tangent(call: Call, flag: str) -> str:
    kind = call.get(flag, "auto")
    if kind not in TANGENTS:
        raise call.fail(f"Invalid tangent type: {kind}")
    return kind


def _indices(call: Call, keys: Keys) -> list[int]:
    """Keys that -time and -index mean; all without them."""
    picked: set[int] = set()
    if "time" not in call and "index" not in call:
        return list(range(len(keys)))
    for span in _list(call.get("time", [])):
        low, high = _range(call, span)
        picked |= {i for i, t in enumerate(keys.ticks) if low <= t <= high}
    for index in _list(call.get("index", [])):
        if isinstance(index, (tuple, list)):
            picked |= set(range(index[0], min(index[-1] + 1, len(keys))))
        elif index < len(keys):
            picked.add(index)
    return sorted(picked)


def _list(value: Any) -> list[Any]:
    """A range is a tuple of one or two numbers; several stand in a list."""
    return list(value) if isinstance(value, list) else [value] if value != [] else []


def _range(call: Call, span: Any) -> tuple[float, float]:
    unit = call.scene.time_unit
    if isinstance(span, tuple):
        ends = [units.parse_time(t, unit) for t in span]
        return min(ends), max(ends)
    if isinstance(span, str) and ":" in span:
        low, _, high = span.partition(":")
        first = units.parse_time(low, unit) if low else -math.inf
        return first, units.parse_time(high, unit) if high else math.inf
    at = units.parse_time(span, unit)
    return at, at


@command(
    "keyframe",
    "time attribute index valueChange timeChange keyframeCount name relative absolute eval selected "
    "animation option includeUpperBound",
    query_values="time=Any attribute=str~|~list[str] index=Any eval=bool animation=str",
)
def keyframe(call: Call) -> Any:
    """A query lists times or values of the keys meant; None where there are none."""
    scene = call.scene
    curves = _curves(call)
    if call.query:
        if call.on("name"):
            return [curve.full for curve in curves] or None
        if call.on("keyframeCount"):
            return sum(len(_indices(call, curve.keys)) for curve in curves)
        out: list[float] = []
        for curve in curves:
            keys = curve.keys
            if call.on("eval"):
                moments = [units.parse_time(t, scene.time_unit) for t in _list(call.get("time", []))]
                out += [curve_value_to_ui(scene, curve, keys.at(m)) for m in moments or [scene.moment]]
                continue
            for i in _indices(call, keys):
                if call.on("timeChange") or not call.on("valueChange"):
                    out.append(units.in_unit(keys.ticks[i], scene.time_unit))
                if call.on("valueChange"):
                    out.append(curve_value_to_ui(scene, curve, keys.values[i]))
        return out or None
    count = 0
    for curve in curves:
        picked = set(_indices(call, curve.keys))
        count += len(picked)
        keys = curve.keys
        if "valueChange" in call:
            change = curve_value_from_ui(scene, curve, call.flags["valueChange"])
            keys = keys.with_values(
                tuple(
                    (v + change if call.on("relative") else change) if i in picked else v
                    for i, v in enumerate(keys.values)
                )
            )
        if "timeChange" in call:
            change = units.parse_time(call.flags["timeChange"], scene.time_unit)
            moved = tuple(
                (t + change if call.on("relative") else change) if i in picked else t
                for i, t in enumerate(keys.ticks)
            )
            if any(b <= a for a, b in pairwise(moved)):
                raise call.fail("Cannot move keys past other keys.")
            keys = keys.retimed(moved)
        scene.set_keys(curve, keys)
    return count


@command("cutKey", "time attribute index clear selectKey animation option includeUpperBound hierarchy")
def cut_key(call: Call) -> int:
    """A curve that loses its last key goes, and the plug keeps the value it had."""
    scene, count = call.scene, 0
    for curve in _curves(call):
        picked = set(_indices(call, curve.keys))
        count += len(picked)
        left = curve.keys.without(picked)
        if len(left) or not picked:
            scene.set_keys(curve, left)
            continue
        for at in [plug.of_place(scene, p) for p in scene.outputs.get((curve, "output"), [])]:
            value = at.inner()
            scene.disconnect((curve, "output"), at.place)
            at.set_inner(value)
        scene.delete(curve)
    return count


@command(
    "keyTangent",
    "time attribute index inTangentType outTangentType",
    query_values="time=Any attribute=str~|~list[str] index=Any",
)
def key_tangent(call: Call) -> Any:
    scene = call.scene
    if call.query:
        out: list[str] = []
        for curve in _curves(call):
            for i in _indices(call, curve.keys):
                out += [curve.keys.into[i]] if call.on("inTangentType") else []
                out += [curve.keys.out[i]] if call.on("outTangentType") else []
        return out or None
    into = _tangent(call, "inTangentType") if "inTangentType" in call else None
    out_kind = _tangent(call, "outTangentType") if "outTangentType" in call else None
    for curve in _curves(call):
        scene.set_keys(curve, curve.keys.with_tangents(set(_indices(call, curve.keys)), into, out_kind))
    return None


@command("filterCurve", "filter", arity=(0, None))
def filter_curve(call: Call) -> int:
    """The Euler filter: of the turns that mean the same, each key takes the one nearest to the key before.

    Three rotation curves of one node are filtered together: (x, y, z) may become (x + 180, 180 - y, z + 180).
    """
    scene = call.scene
    if call.get("filter", "euler") != "euler":
        raise NotImplementedError("filterCurve: the double knows the filter euler alone")
    curves = [names.one(scene, name) for name in call.objects()]
    for curve in curves:
        if not curve.is_curve:
            raise call.fail(f"'{curve.full}' is no animation curve.")
    groups: dict[int, dict[str, Node]] = {}
    for curve in curves:
        for node, path in scene.outputs.get((curve, "output"), []):
            suffix = path[-1:]
            if (
                curve.kind == "animCurveTA"
                and suffix in "XYZ"
                and path[:-1] in ("rotate", "inputB", "inputA")
            ):
                groups.setdefault(node.serial, {})[suffix] = curve
    for group in groups.values():
        if len(group) == 3 and len({c.keys.ticks for c in group.values()}) == 1:
            _filter_three(call, group)
        else:
            for curve in group.values():
                _filter_one(scene, curve)
    return len(curves)


def _filter_one(scene: Scene, curve: Node) -> None:
    values = list(curve.keys.values)
    for i in range(1, len(values)):
        values[i] = _near(values[i], values[i - 1])
    scene.set_keys(curve, curve.keys.with_values(tuple(values)))


def _near(value: float, before: float) -> float:
    return value - 2 * math.pi * round((value - before) / (2 * math.pi))


def _filter_three(call: Call, group: dict[str, Node]) -> None:
    scene = call.scene
    (node, _), *_ = scene.outputs[group["X"], "output"]
    order = plug.find(scene, node, "rotateOrder")
    middle = ORDERS[order.inner()][1] if order else "y"
    columns = {axis: list(curve.keys.values) for axis, curve in group.items()}
    for i in range(1, len(columns["X"])):
        before = {axis: columns[axis][i - 1] for axis in "XYZ"}
        plain = {axis: _near(columns[axis][i], before[axis]) for axis in "XYZ"}
        other = {
            axis: _near(
                math.pi - columns[axis][i] if axis.lower() == middle else columns[axis][i] + math.pi,
                before[axis],
            )
            for axis in "XYZ"
        }
        best = plain if _way(plain, before) <= _way(other, before) else other
        for axis in "XYZ":
            columns[axis][i] = best[axis]
    for axis, curve in group.items():
        scene.set_keys(curve, curve.keys.with_values(tuple(columns[axis])))


def _way(turn: dict[str, float], before: dict[str, float]) -> float:
    return sum(abs(turn[axis] - before[axis]) for axis in "XYZ")
