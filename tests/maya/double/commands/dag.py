"""parent, group, listRelatives, joint. Pages: CommandsPython/<command>.html."""

from __future__ import annotations

from typing import Any

from .. import evaluation, matrix, names
from ..command import Call, command
from ..node import Node
from ..node_types import enumerated
from ..plug import Plug, find
from ..scene import Scene
from .nodes import check_kind, split_name


def plug_of(scene: Scene, node: Node, name: str) -> Plug:
    found = find(scene, node, name)
    assert found is not None, name
    return found


@command(
    "listRelatives",
    "parent children allDescendents shapes fullPath type allParents path noIntermediate",
    undoable=False,
)
def list_relatives(call: Call) -> list[str] | None:
    """None where there is nothing."""
    scene = call.scene
    found: list[Node] = []
    start = (
        [names.one(scene, name) for name in call.objects()] if call.args else [n for n, _ in scene.selection]
    )
    for node in start:
        if call.on("parent") or call.on("allParents"):
            picked = [node.parent] if node.parent else []
        elif call.on("allDescendents"):
            picked = _leaves_first(node)
        elif call.on("shapes"):
            picked = [child for child in node.children if child.is_shape]
        else:
            picked = list(node.children)
        found += [each for each in picked if each not in found]
    if "type" in call:
        kinds = [call.flags["type"]] if isinstance(call.flags["type"], str) else call.flags["type"]
        for kind in kinds:
            check_kind(call, kind)
        found = [node for node in found if any(node.is_a(kind) for kind in kinds)]
    if call.on("fullPath"):
        return [node.long for node in found] or None
    if call.on("path"):
        return [names.shortest(scene, node) for node in found] or None
    return [node.full for node in found] or None


def _leaves_first(node: Node) -> list[Node]:
    out: list[Node] = []
    for child in reversed(node.children):
        out += [*_leaves_first(child), child]
    return out


@command("parent", "world relative absolute shape noConnections addObject removeObject", arity=(0, None))
def parent(call: Call) -> list[str]:
    """The last object is the new parent; without -relative what is moved stays where it is."""
    scene = call.scene
    if call.on("addObject") or call.on("removeObject") or call.on("shape"):
        raise NotImplementedError("parent: the double has no instances")
    nodes = [names.one(scene, name) for name in call.objects()]
    target: Node | None = None
    if not call.on("world"):
        if len(nodes) < 2:
            raise call.fail("Not enough objects: name children and a parent.")
        target = nodes.pop()
        if not target.is_transform:
            raise call.fail(f"Cannot parent to '{target.full}': it is no transform.")
    for node in nodes:
        if not node.is_transform:
            raise call.fail(f"'{node.full}' is no transform.")
        if node is target or (target is not None and node in target.above()):
            raise call.fail(f"Cannot parent '{node.full}' to one of its children.")
        if node.parent is target:
            scene_warning = f"parent: Object, '{node.full}', skipped. It is already a child of the parent."
            call.maya.warnings.append(scene_warning)
            continue
        kept = evaluation.world(scene, node, scene.moment)
        _free_inverse_scale(scene, node)
        scene.reparent(node, target)
        connect_inverse_scale(scene, node)
        if not call.on("relative"):
            keep_world(call, node, kept)
    return [names.shortest(scene, node) for node in nodes]


def connect_inverse_scale(scene: Scene, node: Node) -> None:
    """A joint under a joint reads its parent's scale (Nodes/joint.html, segmentScaleCompensate)."""
    above = node.parent
    if node.kind == "joint" and above is not None and above.kind == "joint":
        scene.connect((above, "scale"), (node, "inverseScale"))


def _free_inverse_scale(scene: Scene, node: Node) -> None:
    if node.kind == "joint" and (source := scene.inputs.get((node, "inverseScale"))) is not None:
        scene.disconnect(source, (node, "inverseScale"))
        for axis in "XYZ":
            scene.set_value(node, f"inverseScale{axis}", 1.0)


def keep_world(call: Call, node: Node, kept: matrix.Matrix) -> None:
    scene = call.scene
    now = evaluation.world(scene, node, scene.moment)
    if all(abs(a - b) < 1e-9 for a, b in zip(kept, now, strict=True)):
        return
    place_world(scene, node, kept)


def place_world(scene: Scene, node: Node, wanted: matrix.Matrix) -> None:
    """Give a node the channels that put it there; jointOrient and rotateAxis stay."""
    above = evaluation.world(scene, node.parent, scene.moment) if node.parent else matrix.IDENTITY
    place_local(scene, node, matrix.multiply(wanted, matrix.inverse(above)))


def place_local(scene: Scene, node: Node, wanted: matrix.Matrix) -> None:
    def triple(name: str) -> tuple[Any, ...]:
        return tuple(evaluation.value(scene, node, f"{name}{axis}", scene.moment) for axis in "XYZ")

    pivots = [
        triple(name) for name in ("rotatePivot", "scalePivot", "rotatePivotTranslate", "scalePivotTranslate")
    ]
    if any(any(p) for p in pivots):
        raise NotImplementedError("the double does not place nodes with pivots by a matrix")
    position = wanted[12:15]
    if node.kind == "joint" and evaluation.value(scene, node, "segmentScaleCompensate", scene.moment):
        back = matrix.scaling(triple("inverseScale"))
        wanted = (*matrix.multiply((*wanted[:12], 0.0, 0.0, 0.0, 1.0), back)[:12], *position, 1.0)
    turn, scale, shear = matrix.unscaled(wanted)
    orient = matrix.rotation(triple("jointOrient")) if node.kind == "joint" else matrix.IDENTITY
    axis = matrix.rotation(triple("rotateAxis"))
    rotation = matrix.product(matrix.inverse(axis), turn, matrix.inverse(orient))
    angles = matrix.angles_of(rotation, evaluation.value(scene, node, "rotateOrder", scene.moment))
    for name, values in (("translate", position), ("rotate", angles), ("scale", scale)):
        for axis_name, value in zip("XYZ", values, strict=True):
            at = plug_of(scene, node, f"{name}{axis_name}")
            if abs(at.inner() - value) > 1e-12:
                at.check_free("xform")
                at.set_inner(value)
    if node.kind == "joint" and any(abs(v) > 1e-9 for v in shear):
        raise RuntimeError(f"'{node.full}' is a joint and cannot be sheared.")
    for pair, value in zip(("XY", "XZ", "YZ"), shear, strict=True):
        if (
            node.kind != "joint"
            and abs(evaluation.value(scene, node, f"shear{pair}", scene.moment) - value) > 1e-12
        ):
            scene.set_value(node, f"shear{pair}", value)


@command("group", "name empty parent world absolute relative", arity=(0, None))
def group(call: Call) -> str:
    scene = call.scene
    if call.args or not call.on("empty"):
        raise NotImplementedError("group: the double makes empty groups; parent things with parent")
    space, name = split_name(scene, call.get("name") or "null#", make=True)
    above = names.one(scene, call.flags["parent"]) if "parent" in call else None
    node = scene.create("transform", name, above, space)
    scene.set_state("selection", [(node, "")])
    return names.shortest(scene, node)


_SIDES_AND_ORDERS = enumerated("xyz:yzx:zxy:xzy:yxz:zyx")


@command(
    "joint",
    "name position orientation rotationOrder radius scale scaleCompensate absolute relative "
    "component zeroScaleOrient",
    arity=(0, None),
)
def joint(call: Call) -> Any:
    """A new joint goes under the selected one and is then selected; -position is of the world unless
    -relative.
    """
    scene = call.scene
    if call.query:
        node = _joint_of(call)
        flag = next(iter(call.flags))
        if flag == "position":
            world = evaluation.world(scene, node, scene.moment)
            return [v / _linear(scene) for v in world[12:15]]
        if flag == "rotationOrder":
            return matrix.ORDERS[plug_of(scene, node, "rotateOrder").get()]
        name = {"orientation": "jointOrient", "radius": "radius", "scale": "scale", "scaleCompensate": "ssc"}[
            flag
        ]
        found = plug_of(scene, node, name).get()
        return list(found) if isinstance(found, tuple) else found
    if call.edit:
        node = _joint_of(call)
    else:
        if call.args:
            raise NotImplementedError("joint: the double does not edit joints by create mode")
        space, name = split_name(scene, call.get("name") or "joint#", make=True)
        above = scene.selection[-1][0] if scene.selection else None
        if above is not None and not above.is_transform:
            above = None
        node = scene.create("joint", name, above, space)
        connect_inverse_scale(scene, node)
        scene.set_state("selection", [(node, "")])
    _set_joint(call, node)
    return names.shortest(scene, node)


def _linear(scene: Scene) -> float:
    from ..units import LINEAR

    return LINEAR[scene.linear]


def _joint_of(call: Call) -> Node:
    if call.args:
        node = names.one(call.scene, call.objects()[0])
    elif call.scene.selection:
        node = call.scene.selection[-1][0]
    else:
        raise call.fail("Nothing is selected.")
    if node.kind != "joint":
        raise call.fail(f"'{node.full}' is no joint.")
    return node


def _set_joint(call: Call, node: Node) -> None:
    scene = call.scene
    if "rotationOrder" in call:
        if call.flags["rotationOrder"] not in matrix.ORDERS:
            raise call.fail(f"Invalid rotation order: {call.flags['rotationOrder']}")
        scene.set_value(node, "rotateOrder", _SIDES_AND_ORDERS[call.flags["rotationOrder"]])
    for flag, name in (("orientation", "jointOrient"), ("scale", "scale")):
        if flag in call:
            plug_of(scene, node, name).set("joint", call.flags[flag])
    if "radius" in call:
        plug_of(scene, node, "radius").set("joint", [call.flags["radius"]])
    if "scaleCompensate" in call:
        plug_of(scene, node, "segmentScaleCompensate").set("joint", [call.flags["scaleCompensate"]])
    if "position" in call:
        place = [v * _linear(scene) for v in call.flags["position"]]
        if not call.on("relative") and node.parent is not None:
            back = matrix.inverse(evaluation.world(scene, node.parent, scene.moment))
            place = list(matrix.multiply(matrix.translation(place), back)[12:15])
        for axis, value in zip("XYZ", place, strict=True):
            scene.set_value(node, f"translate{axis}", value)
