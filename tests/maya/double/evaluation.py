"""What a plug is worth at a moment: curves, blends, matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import matrix
from .node import Node
from .node_types import WHOLE

if TYPE_CHECKING:
    from .scene import Place, Scene


def source_of(scene: Scene, node: Node, path: str) -> Place | None:
    """What feeds a plug, directly or through its compound."""
    if not scene.inputs:
        return None
    if (direct := scene.inputs.get((node, path))) is not None:
        return direct
    attribute = node.attributes.get(path)
    if attribute is None or not attribute.parent:
        return None
    above = scene.inputs.get((node, attribute.parent))
    if above is None:
        return None
    index = node.attributes[attribute.parent].children.index(path)
    return above[0], above[0].attributes[above[1]].children[index]


def value(scene: Scene, node: Node, path: str, moment: int) -> Any:
    """Value in inner units (cm, radians, ticks)."""
    base = path.split("[")[0]
    attribute = node.attributes[base]
    source = source_of(scene, node, path)
    if source is not None:
        return _converted(value(scene, *source, moment), attribute.kind)
    if attribute.children:
        return tuple(value(scene, node, child, moment) for child in attribute.children)
    if not attribute.writable:
        return _computed(scene, node, base, moment)
    return node.values.get(path, attribute.default)


def _converted(found: Any, kind: str) -> Any:
    if kind == "bool":
        return bool(found)
    return round(found) if kind in WHOLE else found


def _computed(scene: Scene, node: Node, path: str, moment: int) -> Any:
    if node.is_curve and path == "output":
        return node.keys.at(moment)
    if node.is_dag:
        return _dag_matrix(scene, node, path, moment)
    if node.kind == "animLayer":
        return _layer(scene, node, path, moment)
    if node.kind.startswith("animBlendNode"):
        return _blend(scene, node, path, moment)
    if node.kind == "time":
        return moment
    return node.attributes[path].default


def _dag_matrix(scene: Scene, node: Node, path: str, moment: int) -> matrix.Matrix:
    if path.startswith("parent"):
        found = world(scene, node.parent, moment) if node.parent else matrix.IDENTITY
    elif path.startswith("world"):
        found = world(scene, node, moment)
    else:
        found = local(scene, node, moment)
    return matrix.inverse(found) if "nverse" in path else found


def local(scene: Scene, node: Node, moment: int) -> matrix.Matrix:
    """Matrix of a node under its parent.

    Nodes/joint.html: [S] * [RO] * [R] * [JO] * [IS] * [T]; Nodes/transform.html:
    SP^-1 * S * SH * SP * ST * RP^-1 * RA * R * RP * RT * T.
    """
    if node.is_shape:
        return matrix.IDENTITY

    def triple(name: str) -> tuple[float, float, float]:
        return tuple(value(scene, node, f"{name}{axis}", moment) for axis in "XYZ")  # type: ignore[return-value]

    scale = matrix.scaling(triple("scale"))
    turn = matrix.rotation(triple("rotate"), value(scene, node, "rotateOrder", moment))
    axis = matrix.rotation(triple("rotateAxis"))
    moved = matrix.translation(triple("translate"))
    if node.kind == "joint":
        orient = matrix.rotation(triple("jointOrient"))
        parent = matrix.IDENTITY
        if value(scene, node, "segmentScaleCompensate", moment):
            # The attribute inverseScale holds the parent's scale; the matrix takes its inverse.
            parent = matrix.scaling([1.0 / v for v in triple("inverseScale")])
        return matrix.product(scale, axis, turn, orient, parent, moved)
    shear = matrix.shearing(*(value(scene, node, f"shear{pair}", moment) for pair in ("XY", "XZ", "YZ")))
    pivot, scale_pivot = triple("rotatePivot"), triple("scalePivot")
    return matrix.product(
        matrix.translation([-v for v in scale_pivot]),
        scale,
        shear,
        matrix.translation(scale_pivot),
        matrix.translation(triple("scalePivotTranslate")),
        matrix.translation([-v for v in pivot]),
        axis,
        turn,
        matrix.translation(pivot),
        matrix.translation(triple("rotatePivotTranslate")),
        moved,
    )


def world(scene: Scene, node: Node, moment: int) -> matrix.Matrix:
    """Matrix of a node in the world."""
    if scene._worlds_version != scene.version:
        scene._worlds.clear()
        scene._worlds_version = scene.version
    key = (node.serial, moment)
    if (known := scene._worlds.get(key)) is not None:
        return known
    found = local(scene, node, moment)
    if node.is_transform:
        found = matrix.product(found, value(scene, node, "offsetParentMatrix", moment))
        if node.parent and value(scene, node, "inheritsTransform", moment):
            found = matrix.multiply(found, world(scene, node.parent, moment))
    elif node.parent:
        found = world(scene, node.parent, moment)
    scene._worlds[key] = found
    return found


def _layer(scene: Scene, node: Node, path: str, moment: int) -> Any:
    """Nodes/animLayer.html: what is below a layer counts backgroundWeight, the layer itself
    foregroundWeight.
    """
    mute = value(scene, node, "mute", moment)
    weight = 0.0 if mute else value(scene, node, "weight", moment)
    if path == "foregroundWeight":
        return weight
    if path == "backgroundWeight":
        return 1.0 - weight if value(scene, node, "override", moment) else 1.0
    if path == "outMute":
        return mute
    return value(scene, node, "rotationAccumulationMode", moment)


def _blend(scene: Scene, node: Node, path: str, moment: int) -> Any:
    """Nodes/animBlendNodeAdditive*.html: a * weightA + b * weightB; for scale a ** weightA * b ** weightB."""
    suffix = path.removeprefix("output")
    a = value(scene, node, f"inputA{suffix}", moment)
    b = value(scene, node, f"inputB{suffix}", moment)
    weight_a = value(scene, node, "weightA", moment)
    weight_b = value(scene, node, "weightB", moment)
    if node.kind in ("animBlendNodeBoolean", "animBlendNodeEnum"):
        return b if weight_b > 0.5 else a
    mode = value(scene, node, "accumulationMode", moment)
    if node.kind == "animBlendNodeAdditiveScale" and mode == 1:
        return a**weight_a * b**weight_b
    if node.kind == "animBlendNodeAdditiveRotation" and mode == 1:
        raise NotImplementedError("the double does not accumulate rotations by layer: use by component")
    return a * weight_a + b * weight_b
