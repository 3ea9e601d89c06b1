"""xform. Page: CommandsPython/xform.html."""

from __future__ import annotations

from typing import Any

from .. import evaluation, matrix, names
from ..command import Call, command
from ..node import Node
from ..units import ANGLE, LINEAR
from .dag import place_local, place_world, plug_of

_FLAGS = (
    "translation rotation scale matrix rotateOrder rotateAxis rotatePivot scalePivot worldSpace objectSpace "
)
_FLAGS += "relative absolute euler preserve shear"


@command("xform", _FLAGS, query_values="worldSpace=bool objectSpace=bool relative=bool absolute=bool")
def xform(call: Call) -> Any:
    """-translation and -rotation are of the parent's space unless -worldSpace; -matrix too."""
    scene = call.scene
    nodes = [names.one(scene, name) for name in call.objects()] or [node for node, _ in scene.selection]
    if not nodes:
        raise call.fail("Nothing is selected.")
    for node in nodes:
        if not node.is_transform:
            raise call.fail(f"'{node.full}' is no transform.")
    if call.on("worldSpace") and call.on("objectSpace"):
        raise call.fail("worldSpace and objectSpace exclude each other.")
    if call.query:
        return _query(call, nodes[0])
    if call.on("relative"):
        raise NotImplementedError("xform: the double does not move by an amount")
    for node in nodes:
        _edit(call, node)
    return None


def _query(call: Call, node: Node) -> Any:
    scene = call.scene
    asked = [f for f in call.flags if f not in ("worldSpace", "objectSpace", "relative", "absolute", "euler")]
    if len(asked) != 1:
        raise call.fail("One thing can be queried at a time.")
    world = evaluation.world(scene, node, scene.moment)
    order = plug_of(scene, node, "rotateOrder").get()
    flag = asked[0]
    if flag == "rotateOrder":
        return matrix.ORDERS[order]
    if flag == "matrix":
        _need_centimetres(call)
        return list(world if call.on("worldSpace") else evaluation.local(scene, node, scene.moment))
    if call.on("worldSpace"):
        if flag == "translation" or flag == "rotatePivot":
            return [v / LINEAR[scene.linear] for v in world[12:15]]
        if flag == "rotation":
            turn = matrix.unscaled(world)[0]
            axis = matrix.rotation(
                [evaluation.value(scene, node, f"rotateAxis{a}", scene.moment) for a in "XYZ"]
            )
            turn = matrix.multiply(matrix.inverse(axis), turn)
            return [v / ANGLE[scene.angle] for v in matrix.angles_of(turn, order)]
        raise NotImplementedError(f"xform: the double does not know {flag} in world space")
    name = {"translation": "translate", "rotation": "rotate"}.get(flag, flag)
    return list(plug_of(scene, node, name).get())


def _need_centimetres(call: Call) -> None:
    if call.scene.linear != "cm":
        raise NotImplementedError("xform: no page says which unit -matrix has where the scene's is not cm")


def _edit(call: Call, node: Node) -> None:
    scene = call.scene
    if "rotateOrder" in call:
        if call.flags["rotateOrder"] not in matrix.ORDERS:
            raise call.fail(f"Invalid rotate order: {call.flags['rotateOrder']}")
        kept = evaluation.local(scene, node, scene.moment)
        scene.set_value(node, "rotateOrder", matrix.ORDERS.index(call.flags["rotateOrder"]))
        if call.on("preserve"):
            place_local(scene, node, kept)
    if "matrix" in call:
        _need_centimetres(call)
        wanted = tuple(float(v) for v in call.flags["matrix"])
        (place_world if call.on("worldSpace") else place_local)(scene, node, wanted)
    if "translation" in call:
        given = [v * LINEAR[scene.linear] for v in call.flags["translation"]]
        if call.on("worldSpace") and node.parent is not None:
            back = matrix.inverse(evaluation.world(scene, node.parent, scene.moment))
            given = list(matrix.multiply(matrix.translation(given), back)[12:15])
        _set(call, node, "translate", given)
    if "rotation" in call:
        given = [v * ANGLE[scene.angle] for v in call.flags["rotation"]]
        if call.on("worldSpace"):
            world = evaluation.world(scene, node, scene.moment)
            scale = matrix.scaling(matrix.unscaled(world)[1])
            axis = matrix.rotation(
                [evaluation.value(scene, node, f"rotateAxis{a}", scene.moment) for a in "XYZ"]
            )
            turn = matrix.product(
                scale, axis, matrix.rotation(given, plug_of(scene, node, "rotateOrder").get())
            )
            place_world(scene, node, (*turn[:12], *world[12:15], 1.0))
        else:
            _set(call, node, "rotate", given)
    for flag in ("scale", "rotateAxis", "rotatePivot", "scalePivot", "shear"):
        if flag in call:
            if call.on("worldSpace"):
                raise NotImplementedError(f"xform: the double does not know {flag} in world space")
            plug_of(scene, node, flag).set("xform", call.flags[flag])


def _set(call: Call, node: Node, name: str, inner: list[float]) -> None:
    at = plug_of(call.scene, node, name)
    at.check_free("xform")
    for child, value in zip(at.children(), inner, strict=True):
        child.set_inner(value)
