"""Animation layers and their blend nodes.

CommandsPython/animLayer.html, Nodes/animLayer.html, Nodes/animBlendNodeBase.html. A plug in a layer is
driven by a blend node: inputA is what was there (the base or the layer below), inputB the layer; weightA
comes from the layer's backgroundWeight and weightB from its foregroundWeight.
"""

from __future__ import annotations

from typing import Any

from .. import names, plug
from ..command import Call, command
from ..node import Node
from ..plug import Plug
from ..scene import Scene
from .nodes import split_name

BASE = "BaseAnimation"
_BLENDS = {
    "doubleLinear": "animBlendNodeAdditiveDL",
    "doubleAngle": "animBlendNodeAdditiveDA",
    "bool": "animBlendNodeBoolean",
    "enum": "animBlendNodeEnum",
}
_SIMPLE = {
    "mute": "mute",
    "solo": "solo",
    "lock": "lock",
    "override": "override",
    "passthrough": "passthrough",
    "preferred": "preferred",
    "selected": "selected",
    "weight": "weight",
    "collapse": "collapse",
}


def base_layer(scene: Scene) -> Node | None:
    return next((n for n in scene if n.kind == "animLayer" and n.name == BASE), None)


@command(
    "animLayer",
    " ".join(_SIMPLE)
    + " attribute removeAttribute addSelectedObjects excludeBoolean excludeDynamic excludeEnum "
    "excludeRotate excludeScale excludeTranslate excludeVisibility parent root children exists layeredPlug "
    "findCurveForPlug animCurves blendNodes affectedLayers maxLayers moveLayerAfter moveLayerBefore",
    arity=(0, 1),
    query_values="layeredPlug=str findCurveForPlug=str",
)
def anim_layer(call: Call) -> Any:
    scene = call.scene
    if call.query:
        return _query(call)
    if call.edit:
        layer = _layer(call)
        _settings(call, layer)
        return layer.full
    if base_layer(scene) is None:
        base = scene.create("animLayer", BASE, None, "")
        scene.set_value(base, "override", True)
    space, name = split_name(scene, call.objects()[0] if call.args else "AnimLayer#", make=True)
    layer = scene.create("animLayer", name, None, space)
    base = base_layer(scene)
    assert base is not None
    below = [n for n in scene if n.kind == "animLayer" and n not in (layer, base)]
    scene.connect((layer, "parentLayer"), (base, f"childrenLayers[{len(below)}]"))
    _settings(call, layer)
    return layer.full


def _layer(call: Call) -> Node:
    if not call.args:
        raise call.fail("No layer was named.")
    node = names.one(call.scene, call.objects()[0])
    if node.kind != "animLayer":
        raise call.fail(f"'{node.full}' is no animation layer.")
    return node


def _settings(call: Call, layer: Node) -> None:
    scene = call.scene
    for flag in ("moveLayerAfter", "moveLayerBefore", "parent"):
        if flag in call:
            raise NotImplementedError(f"animLayer: the double does not model {flag}")
    for flag, value in call.flags.items():
        if flag in _SIMPLE:
            plug.parse(scene, f"{layer.full}.{_SIMPLE[flag]}").set("animLayer", [value])
    for name in _names(call.get("attribute", [])):
        for at in plug.parse(scene, name).leaves():
            add_to_layer(scene, layer, at)
    for name in _names(call.get("removeAttribute", [])):
        for at in plug.parse(scene, name).leaves():
            blend = blend_of(scene, layer, at)
            if blend is not None:
                remove_blend(scene, blend)
    if call.on("addSelectedObjects"):
        for node, _ in list(scene.selection):
            for attribute in list(node.attributes.values()):
                at = Plug(scene, node, attribute.long, attribute)
                if attribute.numeric and node.flag(attribute.long, "keyable") and not _excluded(call, at):
                    add_to_layer(scene, layer, at)


def _names(given: Any) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _excluded(call: Call, at: Plug) -> bool:
    attribute = at.attribute
    tests = {
        "excludeBoolean": attribute.kind == "bool" and attribute.long != "visibility",
        "excludeVisibility": attribute.long == "visibility",
        "excludeDynamic": attribute.dynamic,
        "excludeEnum": attribute.kind == "enum",
        "excludeRotate": attribute.parent == "rotate",
        "excludeScale": attribute.parent == "scale",
        "excludeTranslate": attribute.parent == "translate",
    }
    return at.locked or any(call.on(flag) and hit for flag, hit in tests.items())


def _input(at: Plug) -> tuple[Node, str] | None:
    """What feeds a plug, through its compound too."""
    from ..evaluation import source_of

    return source_of(at.scene, at.node, at.path)


def blend_of(scene: Scene, layer: Node, at: Plug) -> tuple[Node, str] | None:
    """The blend node of a plug in a layer, and the ending of its inputs (X, Y, Z for a rotation)."""
    source = _input(at)
    while source is not None and source[0].kind.startswith("animBlendNode"):
        blend, suffix = source[0], source[1].removeprefix("output")
        weight = scene.inputs.get((blend, "weightB"))
        if weight is not None and weight[0] is layer:
            return blend, suffix
        source = _input(plug.of_place(scene, (blend, f"inputA{suffix}")))
    return None


def layered(scene: Scene, layer: Node, at: Plug) -> Plug | None:
    """The plug on the blend node that the layer's own curve goes into; None where the plug is not in it.

    For the base layer: inputA of the lowest blend node, or the plug itself.
    """
    if layer.name == BASE:
        source, place = _input(at), at
        while source is not None and source[0].kind.startswith("animBlendNode"):
            place = plug.of_place(scene, (source[0], f"inputA{source[1].removeprefix('output')}"))
            source = _input(place)
        return place
    found = blend_of(scene, layer, at)
    return plug.of_place(scene, (found[0], f"inputB{found[1]}")) if found else None


def add_to_layer(scene: Scene, layer: Node, at: Plug) -> None:
    """Put a blend node between a plug and what drives it; a rotation's three share one."""
    if layer.name == BASE or blend_of(scene, layer, at) is not None:
        return
    if at.locked or not at.attribute.numeric:
        raise RuntimeError(f"animLayer: '{at.name()}' cannot be in a layer.")
    if at.attribute.parent == "rotate":
        above = at.parent()
        assert above is not None
        _add_blend(scene, layer, above.children(), "animBlendNodeAdditiveRotation", above)
        return
    kind = _BLENDS.get(at.attribute.kind, "animBlendNodeAdditive")
    if at.attribute.parent == "scale":
        kind = "animBlendNodeAdditiveScale"
    _add_blend(scene, layer, [at], kind, at)


def _add_blend(scene: Scene, layer: Node, leaves: list[Plug], kind: str, named: Plug) -> None:
    blend = scene.create(kind, f"{named.node.name}_{named.path}_{layer.name}", None, layer.namespace)
    taken = {path for (node, path) in scene.inputs if node is layer}
    for leaf in leaves:
        suffix = leaf.path[-1] if len(leaves) == 3 else ""
        value, source = leaf.inner(), leaf.source
        if source is not None:
            scene.disconnect(source.place, leaf.place)
            scene.connect(source.place, (blend, f"inputA{suffix}"))
        scene.set_value(blend, f"inputA{suffix}", value)
        override = bool(plug.parse(scene, f"{layer.full}.override").get())
        neutral = 1.0 if kind == "animBlendNodeAdditiveScale" else 0.0
        scene.set_value(blend, f"inputB{suffix}", value if override else type(value)(neutral))
        scene.connect((blend, f"output{suffix}"), leaf.place)
        taken_now = _free(taken, "dagSetMembers")
        scene.connect(leaf.place, (layer, taken_now))
        taken.add(taken_now)
    scene.connect((layer, "foregroundWeight"), (blend, "weightB"))
    scene.connect((layer, "backgroundWeight"), (blend, "weightA"))
    if kind == "animBlendNodeAdditiveRotation":
        order = plug.find(scene, named.node, "rotateOrder")
        if order is not None:
            scene.connect(order.place, (blend, "rotateOrder"))
    scene.connect((blend, "message"), (layer, _free(taken, "blendNodes")))


def _free(taken: set[str], name: str) -> str:
    index = 0
    while f"{name}[{index}]" in taken:
        index += 1
    return f"{name}[{index}]"


def remove_blend(scene: Scene, found: tuple[Node, str]) -> None:
    """Take a blend node out: what was below drives the plug again."""
    from .nodes import delete_nodes

    blend, _ = found
    for suffix in ("", "X", "Y", "Z"):
        if (blend.attribute(f"output{suffix}")) is None:
            continue
        below = scene.inputs.get((blend, f"inputA{suffix}"))
        for place in list(scene.outputs.get((blend, f"output{suffix}"), [])):
            scene.disconnect((blend, f"output{suffix}"), place)
            for member in [p for p in scene.outputs.get(place, []) if p[1].startswith("dagSetMembers")]:
                scene.disconnect(place, member)
            if below is not None:
                scene.disconnect(below, (blend, f"inputA{suffix}"))
                scene.connect(below, place)
            else:
                scene.set_value(*place, plug.of_place(scene, (blend, f"inputA{suffix}")).inner())
    delete_nodes(scene, [blend])


def _query(call: Call) -> Any:
    scene = call.scene
    base = base_layer(scene)
    if call.on("root"):
        return base.full if base else None
    if call.on("exists"):
        return (
            any(n.kind == "animLayer" for n in names.matching(scene, call.objects()[0]))
            if call.args
            else False
        )
    layer = _layer(call)
    for flag in call.flags:
        if flag in _SIMPLE:
            return plug.parse(scene, f"{layer.full}.{_SIMPLE[flag]}").get()
    if "layeredPlug" in call:
        found = layered(scene, layer, plug.parse(scene, call.flags["layeredPlug"]))
        return found.name() if found else ""
    if "findCurveForPlug" in call:
        curves = []
        for leaf in plug.parse(scene, call.flags["findCurveForPlug"]).leaves():
            place = layered(scene, layer, leaf)
            source = _input(place) if place else None
            if source is not None and source[0].is_curve:
                curves.append(source[0].full)
        return curves or None
    blends = [s[0] for d, s in scene.inputs.items() if d[0] is layer and d[1].startswith("blendNodes")]
    if call.on("blendNodes"):
        return [b.full for b in blends] or None
    if call.on("animCurves"):
        found_curves = [
            s[0].full
            for d, s in scene.inputs.items()
            if d[0] in blends and d[1].startswith("inputB") and s[0].is_curve
        ]
        return found_curves or None
    if call.on("attribute"):
        members = [s for d, s in scene.inputs.items() if d[0] is layer and d[1].startswith("dagSetMembers")]
        return [plug.of_place(scene, place).name() for place in members] or None
    if call.on("children"):
        children = [
            s[0].full for d, s in scene.inputs.items() if d[0] is layer and d[1].startswith("childrenLayers")
        ]
        return children or None
    if call.on("parent"):
        above = scene.outputs.get((layer, "parentLayer"), [])
        return above[0][0].full if above else None
    raise NotImplementedError("animLayer: the double does not answer this")
