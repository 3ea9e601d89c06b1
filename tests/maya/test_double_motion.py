"""The double's matrices, time and curves against Autodesk's pages.

Of help.autodesk.com: Maya-Tech-Docs and MAYA-API-REF.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from bare_double import keyed, maya, positions, settings  # fixtures among them
from double import matrix
from double.curve import Keys

__all__ = ["maya", "settings"]


def test_joint_matrix(maya: Any) -> None:
    """Nodes/joint.html: matrix = [S] * [RO] * [R] * [JO] * [IS] * [T]."""
    cmds = maya.cmds
    parent = cmds.createNode("joint")
    child = cmds.createNode("joint", parent=parent)
    cmds.setAttr(f"{parent}.scale", 2, 3, 4)
    cmds.setAttr(f"{child}.inverseScale", 2, 3, 4)
    values = {"scale": (1, 2, 1), "rotateAxis": (10, 0, 0), "rotate": (20, 30, 40), "jointOrient": (5, 6, 7)}
    for name, triple in (values | {"translate": (1, 2, 3)}).items():
        cmds.setAttr(f"{child}.{name}", *triple)
    cmds.setAttr(f"{child}.rotateOrder", 3)

    def turn(order: str, degrees: Any) -> matrix.Matrix:
        parts = {a: matrix.about(a, math.radians(d)) for a, d in zip("xyz", degrees, strict=True)}
        return matrix.multiply(matrix.multiply(parts[order[0]], parts[order[1]]), parts[order[2]])

    wanted = matrix.scaling(values["scale"])
    for part in (
        turn("xyz", values["rotateAxis"]),
        turn("xzy", values["rotate"]),
        turn("xyz", values["jointOrient"]),
        matrix.scaling((1 / 2, 1 / 3, 1 / 4)),
        matrix.translation((1.0, 2.0, 3.0)),
    ):
        wanted = matrix.multiply(wanted, part)
    assert cmds.xform(child, query=True, matrix=True) == pytest.approx(wanted)
    world = matrix.multiply(wanted, matrix.scaling((2.0, 3.0, 4.0)))
    assert cmds.getAttr(f"{child}.worldMatrix[0]") == pytest.approx(world)


def test_rotations_turn_about_fixed_directions(maya: Any) -> None:
    """Nodes/transform.html: AX, AY, AZ; p' = p * M. A quarter turn about z takes x to y."""
    for axis, before, after in (
        ("z", (1, 0, 0), (0, 1, 0)),
        ("x", (0, 1, 0), (0, 0, 1)),
        ("y", (0, 0, 1), (1, 0, 0)),
    ):
        moved = matrix.multiply(matrix.translation(before), matrix.about(axis, math.pi / 2))[12:15]
        assert moved == pytest.approx(after, abs=1e-12)


def test_angles_come_back_in_every_order() -> None:
    for order in range(6):
        angles = (0.3, -0.7, 1.9)
        turn = matrix.rotation(angles, order)
        assert matrix.rotation(matrix.angles_of(turn, order), order) == pytest.approx(turn)


def test_segment_scale_compensation(maya: Any) -> None:
    """Nodes/joint.html: parent connects joints' inverseScale."""
    cmds = maya.cmds
    cmds.createNode("joint", name="a")
    cmds.createNode("joint", name="b")
    cmds.parent("b", "a")
    assert cmds.isConnected("a.scale", "b.inverseScale")
    cmds.setAttr("a.scale", 2, 2, 2)
    cmds.createNode("transform", name="tip", parent="b")
    cmds.setAttr("tip.tx", 1)
    assert positions(cmds, "tip") == [1, 0, 0]
    cmds.setAttr("b.segmentScaleCompensate", False)
    assert positions(cmds, "tip") == [2, 0, 0]


def test_parent_keeps_the_place_unless_relative(maya: Any) -> None:
    """CommandsPython/parent.html, -relative."""
    cmds = maya.cmds
    cmds.createNode("transform", name="up")
    cmds.setAttr("up.ty", 10)
    cmds.setAttr("up.rz", 90)
    cmds.createNode("transform", name="thing")
    cmds.setAttr("thing.tx", 5)
    cmds.parent("thing", "up")
    assert positions(cmds, "thing") == [5, 0, 0]
    assert cmds.getAttr("thing.rotateZ") == pytest.approx(-90)
    cmds.parent("thing", world=True, relative=True)
    assert positions(cmds, "thing") == [-10, -5, 0]
    with pytest.raises(RuntimeError):
        cmds.parent("up", "up")


@pytest.mark.parametrize("kind", ["transform", "joint"])
def test_xform_by_matrix_and_in_the_world(maya: Any, kind: str) -> None:
    """CommandsPython/xform.html."""
    cmds = maya.cmds
    top = cmds.createNode("transform")
    cmds.setAttr(f"{top}.rotate", 10, 20, 30)
    cmds.setAttr(f"{top}.translate", 1, 2, 3)
    node = cmds.createNode(kind, parent=top)
    cmds.setAttr(f"{node}.rotateOrder", 4)
    if kind == "joint":
        cmds.setAttr(f"{node}.jointOrient", 15, -25, 35)
    wanted = matrix.multiply(matrix.rotation((0.4, -0.5, 0.6)), matrix.translation((7.0, 8.0, 9.0)))
    cmds.xform(node, worldSpace=True, matrix=wanted)
    assert cmds.xform(node, query=True, worldSpace=True, matrix=True) == pytest.approx(wanted)
    cmds.xform(node, worldSpace=True, translation=(1, 1, 1))
    assert cmds.xform(node, query=True, worldSpace=True, translation=True) == pytest.approx([1, 1, 1])


def test_curves_hold_inner_units_and_commands_speak_the_scenes(maya: Any) -> None:
    """class_open_maya_anim_1_1_m_fn_anim_curve.html; CommandsPython/keyframe.html."""
    cmds = maya.cmds
    node = cmds.createNode("joint")
    cmds.currentUnit(linear="m")
    turn = keyed(maya, f"{node}.rotateZ", [0.0, math.pi / 2])
    keyed(maya, f"{node}.translateX", [0.0, 50.0])
    assert turn.animCurveType == maya.oma.MFnAnimCurve.kAnimCurveTA
    assert cmds.nodeType(turn.name()) == "animCurveTA" and turn.name() == f"{node}_rotateZ"
    assert cmds.keyframe(node, query=True, attribute="rotateZ", valueChange=True) == pytest.approx([0, 90])
    assert cmds.keyframe(node, query=True, attribute="translateX", valueChange=True) == [0, 0.5]
    assert cmds.keyframe(node, query=True, attribute="translateX", timeChange=True) == [0, 1]
    cmds.currentTime(0.5)
    assert cmds.getAttr(f"{node}.tx") == pytest.approx(0.25) and cmds.getAttr(f"{node}.rz") == pytest.approx(
        45
    )
    assert cmds.getAttr(f"{node}.tx", time=1) == 0.5
    assert cmds.keyframe(node, query=True, attribute="ty", valueChange=True) is None
    path = maya.om.MSelectionList().add(node).getDagPath(0)
    assert path.inclusiveMatrix()[12] == pytest.approx(25)
    context = maya.om.MDGContext(maya.om.MTime(1, maya.om.MTime.kFilm))
    plug = maya.om.MFnDependencyNode(path.node()).findPlug("worldMatrix", False).elementByLogicalIndex(0)
    assert maya.om.MFnMatrixData(plug.asMObject(context)).matrix()[12] == pytest.approx(50)


def test_change_of_time_unit(maya: Any) -> None:
    """CommandsPython/currentUnit.html, -updateAnimation: keys keep their time, or else their frame."""
    cmds = maya.cmds
    node = cmds.createNode("transform")
    cmds.setKeyframe(node, attribute="tx", time=12, value=1)
    cmds.currentUnit(time="ntsc")
    assert cmds.keyframe(node, query=True, attribute="tx", timeChange=True) == [15]
    cmds.currentUnit(time="film", updateAnimation=False)
    assert cmds.keyframe(node, query=True, attribute="tx", timeChange=True) == [15]
    cmds.undo()
    assert cmds.currentUnit(query=True, time=True) == "ntsc"
    assert cmds.currentUnit(time="24fps") == "film"


@pytest.mark.parametrize("unit", ["film", "pal", "29.97fps", "ntsc", "ntscf", "23.976fps"])
def test_whole_frames_are_whole_ticks(maya: Any, unit: str) -> None:
    """User guide, "How Maya counts time": 141,120,000 ticks a second."""
    maya.cmds.currentUnit(time=unit)
    assert maya.om.MTime(1, maya.om.MTime.kSeconds).value == 1
    for frame in (1, 1001, 10_000):
        assert maya.cmds.currentTime(frame) == frame
        assert maya.om.MTime(float(frame), maya.om.MTime.uiUnit()).asUnits(maya.om.MTime.uiUnit()) == frame
    seconds = maya.oma.MAnimControl.currentTime().asUnits(maya.om.MTime.kSeconds)
    maya.cmds.currentTime(f"{seconds!r}sec")
    assert maya.cmds.currentTime(query=True) == pytest.approx(10_000, abs=1e-9)


def test_tangents() -> None:
    """CommandsPython/keyTangent.html: what each type does between keys."""

    def keys(kind: str, *values: float) -> Keys:
        count = len(values)
        return Keys(tuple(range(0, 10 * count, 10)), values, (kind,) * count, (kind,) * count)

    assert keys("linear", 0, 1, 0).at(5) == 0.5
    assert keys("step", 0, 1, 0).at(9) == 0 and keys("stepnext", 0, 1, 0).at(1) == 1
    assert keys("flat", 0, 1).at(5) == 0.5 and keys("flat", 0, 1).at(1) < 0.03
    # A spline through a straight line is the line; auto does not overshoot where a key is highest.
    assert keys("spline", 0, 1, 2, 3).at(15) == pytest.approx(1.5)
    assert max(keys("auto", 0, 1, 1, 0).at(t) for t in range(31)) == pytest.approx(1.0)
    assert max(keys("spline", 0, 1, 1, 0).at(t) for t in range(31)) > 1.01
    for kind in ("linear", "flat", "step", "stepnext", "spline", "clamped", "plateau", "auto"):
        made = keys(kind, 3, -1, 4, 1)
        assert [made.at(t) for t in (0, 10, 20, 30)] == [3, -1, 4, 1]
        assert (made.at(-100), made.at(100)) == (3, 1)


def test_keys_by_command(maya: Any) -> None:
    """CommandsPython/setKeyframe.html, cutKey.html, keyTangent.html."""
    cmds = maya.cmds
    node = cmds.createNode("transform")
    assert cmds.setKeyframe(node, attribute="tx", time=[1, 5, 9], value=2) == 3
    cmds.setKeyframe(f"{node}.rotateX", time=1, value=90, inTangentType="linear", outTangentType="step")
    assert cmds.getAttr(f"{node}.rx") == 90
    assert cmds.keyTangent(node, query=True, attribute="rx", outTangentType=True) == ["step"]
    assert cmds.keyframe(node, query=True, attribute="tx", time=(2, 9), timeChange=True) == [5, 9]
    cmds.keyframe(node, edit=True, attribute="tx", time=(5, 5), relative=True, valueChange=3, timeChange=1)
    assert cmds.keyframe(node, query=True, attribute="tx", valueChange=True) == [2, 5, 2]
    assert cmds.cutKey(node, attribute="tx", time=(6, 6)) == 1
    assert cmds.keyframe(node, query=True, attribute="tx", keyframeCount=True) == 2
    cmds.cutKey(node, attribute="tx")
    assert cmds.listConnections(f"{node}.tx") is None and cmds.getAttr(f"{node}.tx") == 2
    with pytest.raises(RuntimeError, match="tangent"):
        cmds.setKeyframe(node, attribute="tx", inTangentType="springy")


def test_euler_filter(maya: Any) -> None:
    """CommandsPython/filterCurve.html: euler unrolls; the turn that is meant stays."""
    cmds = maya.cmds
    node = cmds.createNode("joint")
    turns = [(170, 80, 10), (-175, 85, 15), (10, 88, -160), (12, 86, -158)]
    before = []
    for i, angles in enumerate(turns):
        for axis, angle in zip("XYZ", angles, strict=True):
            cmds.setKeyframe(f"{node}.rotate{axis}", time=i, value=angle)
    for i in range(len(turns)):
        cmds.currentTime(i)
        before.append(cmds.xform(node, query=True, matrix=True))
    cmds.filterCurve(f"{node}_rotateX", f"{node}_rotateY", f"{node}_rotateZ", filter="euler")
    for i, wanted in enumerate(before):
        cmds.currentTime(i)
        assert cmds.xform(node, query=True, matrix=True) == pytest.approx(wanted, abs=1e-9)
    for axis in "XYZ":
        values = cmds.keyframe(f"{node}.rotate{axis}", query=True, valueChange=True)
        assert max(abs(b - a) for a, b in pairwise(values)) < 20
    cmds.undo()


def test_add_keys_refuses_what_the_api_refuses(maya: Any) -> None:
    om, oma, cmds = maya.om, maya.oma, maya.cmds
    node = cmds.createNode("transform")
    curve = keyed(maya, f"{node}.tx", [0.0, 1.0])
    seconds = [om.MTime(s, om.MTime.kSeconds) for s in (1.0, 0.5)]
    with pytest.raises(RuntimeError, match="ascend"):
        curve.addKeys(om.MTimeArray(seconds), om.MDoubleArray([1, 2]))
    with pytest.raises(RuntimeError, match="as many"):
        curve.addKeys(om.MTimeArray(seconds[:1]), om.MDoubleArray([1, 2]))
    with pytest.raises(TypeError):
        curve.addKeys([1.0], [2.0])
    with pytest.raises(RuntimeError, match="connected"):
        oma.MFnAnimCurve().create(om.MSelectionList().add(f"{node}.tx").getPlug(0))
    with pytest.raises(TypeError):
        om.MFnDependencyNode(om.MSelectionList().add(node).getDependNode(0)).findPlug("tx")
    assert curve.numKeys == 2 and curve.input(1) == om.MTime(1, om.MTime.kFilm)


def test_curves_go_with_what_they_drive(maya: Any) -> None:
    """class_m_px_node.html, existWithoutOutConnections: not where the curve drives something else too."""
    cmds = maya.cmds
    a, b = cmds.createNode("transform"), cmds.createNode("transform")
    curve = keyed(maya, f"{a}.tx", [0.0, 1.0])
    keyed(maya, f"{a}.ty", [0.0, 1.0])
    cmds.connectAttr(f"{curve.name()}.output", f"{b}.tx")
    cmds.delete(a)
    assert cmds.ls(type="animCurve") == [curve.name()]
    cmds.undo()
    assert len(cmds.ls(type="animCurve")) == 2 and cmds.getAttr(f"{a}.ty", time=1) == 1
    cmds.redo()
    cmds.delete(b)
    assert cmds.ls(type="animCurve") == []


def test_handles_of_deleted_nodes_are_dead(maya: Any) -> None:
    om, cmds = maya.om, maya.cmds
    node = cmds.createNode("transform")
    path = om.MSelectionList().add(node).getDagPath(0)
    handle = om.MObjectHandle(path.node())
    cmds.delete(node)
    assert not handle.isValid() and handle.isAlive()
    with pytest.raises(RuntimeError, match="does not exist"):
        path.fullPathName()
    cmds.undo()
    assert handle.isValid() and path.fullPathName() == f"|{node}"
