"""A live rig as a description: its joints, or its controls, at rest."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Dict, Iterator, List, Sequence, Tuple

import maya.api.OpenMaya as om
from maya import cmds
from pose_shared.errors import ConflictError, InputError
from pose_shared.rig import Rig, RigBone

__all__ = ["LiveRig", "is_control_rig", "live_rig"]

_CHANNELS = ("translateX", "translateY", "translateZ", "rotateX", "rotateY", "rotateZ")
_ORDERS = ("XYZ", "YZX", "ZXY", "XZY", "YXZ", "ZYX")
_METRES_PER_CM = 0.01
#: How many controls make a rig of controls.
_LEAST_CONTROLS = 10
_PROBE_RAD = (0.3, 0.2, 0.1)
_SAME = 1e-4
#: What drives an attribute without taking it from the animator.
_ANIMATION = ("animCurve", "animBlendNode")


@dataclass(frozen=True)
class LiveRig:
    """A rig, and where in the scene its bones are.

    Attributes
    ----------
    paths
        By the names of bones.
    rest_translates_cm
        Where the translate attributes of a bone are at rest.
    parent_scales
        How much longer a unit of a bone's translate attributes is in the world.
    """

    rig: Rig
    paths: Dict[str, str]
    rest_translates_cm: Dict[str, Tuple[float, float, float]]
    parent_scales: Dict[str, float]


def is_control_rig(root: str) -> bool:
    """Return whether what hangs below a node is moved by controls: curves with attributes to turn."""
    free = (control for control in _controls(root) if _keys(control))
    return sum(1 for _ in zip(range(_LEAST_CONTROLS), free)) == _LEAST_CONTROLS


def live_rig(root: str) -> LiveRig:
    """Return what retargeting must know of the rig below a node.

    Of a rig with controls these are the controls; which of them carries which is found by turning each a
    little and looking, because constraints say it too, not parents alone.  Nothing is left changed, and
    nothing of it can be undone.

    Raises
    ------
    InputError
        There is no rig (``NO_CHARACTER``), or it cannot be described.
    ConflictError
        It cannot be moved (``RIG_RIGID``).
    """
    paths = cmds.ls(root, long=True) or []
    if len(paths) != 1:
        raise InputError(
            f"There is no character '{root}', or more than one; choose one.", reason="NO_CHARACTER"
        )
    controls = is_control_rig(paths[0])
    nodes = _controls(paths[0]) if controls else _joints(paths[0])
    if not nodes:
        raise InputError(
            f"'{root}' has neither joints nor controls; choose the top of a skeleton or rig.",
            reason="NO_CHARACTER",
        )
    state = cmds.undoInfo(query=True, state=True)
    cmds.undoInfo(stateWithoutFlush=False)
    try:
        with _at_rest(nodes, controls):
            carriers = _probed(nodes) if controls else _dag_parents(nodes)
            return _described(paths[0], nodes, carriers)
    except RuntimeError as error:
        raise ConflictError(
            f"'{root}' cannot be put into its rest pose for a moment: {str(error).strip().rstrip('.')}; "
            "unlock what is locked, and try again.",
            reason="RIG_RIGID",
            rig=root,
        ) from error
    finally:
        cmds.undoInfo(stateWithoutFlush=state)


def _controls(root: str) -> List[str]:
    shapes = cmds.listRelatives(root, allDescendents=True, type="nurbsCurve", fullPath=True) or []
    controls = dict.fromkeys(shape.rpartition("|")[0] for shape in shapes)
    return sorted(controls, key=lambda path: path.count("|"))


def _joints(root: str) -> List[str]:
    below = cmds.listRelatives(root, allDescendents=True, type="joint", fullPath=True) or []
    joints = [*([root] if cmds.nodeType(root) == "joint" else []), *below]
    return sorted(dict.fromkeys(joints), key=lambda path: path.count("|"))


def _keys(path: str) -> Tuple[str, ...]:
    keys = []
    for key, attribute in (("location", "translate"), ("rotation", "rotate")):
        if all(_is_free(f"{path}.{attribute}{axis}") for axis in "XYZ"):
            keys.append(key)
    return tuple(keys)


def _is_free(plug: str) -> bool:
    if cmds.getAttr(plug, lock=True) or not cmds.getAttr(plug, keyable=True):
        return False
    if _source(plug[:-1]):  # something drives all three at once
        return False
    source = _source(plug)
    return not source or cmds.nodeType(source.partition(".")[0]).startswith(_ANIMATION)


def _source(plug: str) -> str:
    found = cmds.listConnections(plug, source=True, destination=False, plugs=True)
    return str(found[0]) if found else ""


@contextmanager
def _at_rest(nodes: Sequence[str], controls: bool) -> Iterator[None]:
    """Put a rig into its rest pose for a moment: angles 0, and controls where they were built."""
    kept: List[Tuple[str, str, float]] = []
    try:
        for node in nodes:
            for channel in _CHANNELS:
                plug = f"{node}.{channel}"
                if not _is_free(plug):
                    continue
                source, value = _source(plug), cmds.getAttr(plug)
                rest = 0.0 if controls or channel.startswith("rotate") else _base_value(plug)
                if not source and value == rest:
                    continue
                kept.append((plug, source, value))
                if source:
                    cmds.disconnectAttr(source, plug)
                cmds.setAttr(plug, rest)
        yield
    finally:
        for plug, source, value in reversed(kept):
            cmds.setAttr(plug, value)
            if source:
                cmds.connectAttr(source, plug)


def _base_value(plug: str) -> float:
    """Return the value of a plug below its animation layers: a layer of ours says nothing of the rest."""
    source = _source(plug)
    while source and cmds.nodeType(source.partition(".")[0]).startswith("animBlendNode"):
        node, _, output = source.partition(".")
        axis = output[-1] if output[-1] in "XYZ" else ""
        plug = f"{node}.inputA{axis}"
        source = _source(plug)
    return float(cmds.getAttr(plug))


def _described(root: str, nodes: Sequence[str], carriers: Dict[str, str]) -> LiveRig:
    names = _names(nodes)
    bones: Dict[str, RigBone] = {}
    translates: Dict[str, Tuple[float, float, float]] = {}
    scales: Dict[str, float] = {}
    for node in nodes:
        path = _dag_path(node)
        above = path.exclusiveMatrix()
        scale = om.MVector(*_row(above, 0)).length()
        order = _ORDERS[cmds.getAttr(f"{node}.rotateOrder")]
        bones[node] = RigBone(
            name=names[node],
            parent=names[carriers[node]] if carriers[node] else "",
            rest=_rest(node, path),
            rotation=order,
            keys=_keys(node),
            location_axes=_axes(above),
        )
        translates[names[node]] = _translate_cm(node)
        scales[names[node]] = scale
    ordered: List[RigBone] = []
    waiting = list(bones.values())
    while waiting:
        known = {bone.name for bone in ordered} | {""}
        ready = [bone for bone in waiting if bone.parent in known]
        ordered += ready
        waiting = [bone for bone in waiting if bone not in ready]
    title = root.rpartition("|")[2]
    up = str(cmds.upAxis(query=True, axis=True))
    rig = Rig(title, tuple(ordered), metres_per_unit=_METRES_PER_CM, up=up)
    return LiveRig(rig, {names[node]: node for node in nodes}, translates, scales)


def _names(nodes: Sequence[str]) -> Dict[str, str]:
    """Return a name for each: without namespace where nobody else is called so."""
    leaves = {node: node.rpartition("|")[2].rpartition(":")[2] for node in nodes}
    counts: Dict[str, int] = {}
    for leaf in leaves.values():
        counts[leaf] = counts.get(leaf, 0) + 1
    return {node: leaf if counts[leaf] == 1 else node for node, leaf in leaves.items()}


def _rest(node: str, path: om.MDagPath) -> Tuple[float, ...]:
    """Return where a node is, as rows of a matrix for columns, in the axes that its angles are about."""
    axis = om.MEulerRotation(*(_radians(f"{node}.rotateAxis{letter}") for letter in "XYZ")).asMatrix()
    world = axis.inverse() * path.inclusiveMatrix()
    x, y, z = (om.MVector(*_row(world, i)).normal() for i in range(3))
    place = _row(path.inclusiveMatrix(), 3)
    return (
        *(x.x, y.x, z.x, place[0]),
        *(x.y, y.y, z.y, place[1]),
        *(x.z, y.z, z.z, place[2]),
        *(0.0, 0.0, 0.0, 1.0),
    )


def _axes(matrix: om.MMatrix) -> Tuple[float, ...]:
    x, y, z = (om.MVector(*_row(matrix, i)).normal() for i in range(3))
    return (x.x, y.x, z.x, x.y, y.y, z.y, x.z, y.z, z.z)


def _row(matrix: om.MMatrix, row: int) -> Tuple[float, float, float]:
    return matrix.getElement(row, 0), matrix.getElement(row, 1), matrix.getElement(row, 2)


def _radians(plug: str) -> float:
    return float(om.MAngle.uiToInternal(cmds.getAttr(plug)))


def _translate_cm(node: str) -> Tuple[float, float, float]:
    x, y, z = (float(om.MDistance.uiToInternal(cmds.getAttr(f"{node}.translate{axis}"))) for axis in "XYZ")
    return x, y, z


def _dag_path(node: str) -> om.MDagPath:
    selection = om.MSelectionList()
    selection.add(node)
    return selection.getDagPath(0)


def _dag_parents(nodes: Sequence[str]) -> Dict[str, str]:
    """Return the nearest joint above each."""
    known, parents = set(nodes), {}
    for node in nodes:
        above = node.rpartition("|")[0]
        while above and above not in known:
            above = above.rpartition("|")[0]
        parents[node] = above
    return parents


def _probed(nodes: Sequence[str]) -> Dict[str, str]:
    """Return which control carries each: of those that move it as one piece the one nearest to it."""
    before = {node: _dag_path(node).inclusiveMatrix() for node in nodes}
    rigid: Dict[str, List[str]] = {node: [] for node in nodes}
    for node in nodes:
        plugs = [f"{node}.rotate{axis}" for axis in "XYZ"]
        if not all(map(_is_free, plugs)):
            continue
        for plug, angle in zip(plugs, _PROBE_RAD):
            cmds.setAttr(plug, om.MAngle.internalToUI(angle))
        turn = before[node].inverse() * _dag_path(node).inclusiveMatrix()
        for other in nodes:
            now = _dag_path(other).inclusiveMatrix()
            moved = not now.isEquivalent(before[other], _SAME)
            if other != node and moved and now.isEquivalent(before[other] * turn, _SAME):
                rigid[other].append(node)
        for plug in plugs:
            cmds.setAttr(plug, 0.0)
    # A carrier that carries the others' carriers too is further away.
    return {node: max(found, key=lambda one: len(rigid[one]), default="") for node, found in rigid.items()}
