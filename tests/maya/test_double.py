"""The double of Maya against Autodesk's pages: help.autodesk.com, Maya-Tech-Docs and MAYA-API-REF."""

from __future__ import annotations

import importlib
import math
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import double
import ma_reader
from double import hik, matrix
from double.curve import Keys


@pytest.fixture
def settings() -> dict[str, Any]:
    return {}


@pytest.fixture
def maya(settings: dict[str, Any]) -> Iterator[Any]:
    try:
        context = double.installed(**settings)
        with context as running:
            yield SimpleNamespace(
                running=running,
                cmds=importlib.import_module("maya.cmds"),
                mel=importlib.import_module("maya.mel"),
                utils=importlib.import_module("maya.utils"),
                om=importlib.import_module("maya.api.OpenMaya"),
                oma=importlib.import_module("maya.api.OpenMayaAnim"),
            )
    except double.StubsAbsent as absent:
        pytest.skip(str(absent))


INTERACTIVE = pytest.mark.parametrize("settings", [{"batch": False}], ids=["interface"])


def positions(cmds: Any, name: str) -> Any:
    return pytest.approx(cmds.xform(name, query=True, worldSpace=True, translation=True), abs=1e-9)


# Calls that are no calls.


@pytest.mark.parametrize(
    ("command", "args", "flags", "kind"),
    [
        ("createNode", ("joint",), {"nme": "x"}, TypeError),
        ("createNode", ("joint",), {"name": 3}, TypeError),
        ("createNode", (), {}, TypeError),
        ("createNode", ("joint", "joint"), {}, TypeError),
        ("createNode", ("joint",), {"query": True}, TypeError),
        ("createNode", ("jiont",), {}, RuntimeError),
        ("currentUnit", (), {"time": "ntsc", "edit": True}, TypeError),
        ("currentUnit", (), {"linear": 1}, TypeError),
        ("currentUnit", (), {"time": "25.5 per second"}, RuntimeError),
        ("xform", ("persp",), {"query": True, "translation": (1, 2, 3)}, TypeError),
        ("xform", ("persp",), {"translation": (1, 2)}, TypeError),
        ("getAttr", ("persp.nothing",), {}, ValueError),
        ("getAttr", ("nobody.tx",), {}, ValueError),
        ("setAttr", ("persp.nothing", 1), {}, RuntimeError),
        ("setAttr", ("persp.tx", "1"), {}, RuntimeError),
        ("setAttr", ("persp.t", 1, 2), {}, RuntimeError),
        ("setAttr", ("persp.rotateOrder", 6), {}, RuntimeError),
        ("setAttr", ("persp.message", 6), {}, RuntimeError),
        ("delete", ("persp",), {}, RuntimeError),
        ("delete", ("nobody",), {}, ValueError),
        ("ls", (), {"type": "jiont"}, RuntimeError),
        ("camera", ("persp",), {"edit": True, "focalLength": "35"}, TypeError),
        ("undo", (), {}, RuntimeError),
        ("polySphere", (), {}, NotImplementedError),
        ("camera", (), {"motionBlur": True}, NotImplementedError),
        ("hikGetNodeIdFromName", ("Hips",), {}, AttributeError),
        ("makeItSo", (), {}, AttributeError),
    ],
)
def test_wrong_calls_raise(maya: Any, command: str, args: Any, flags: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        getattr(maya.cmds, command)(*args, **flags)


def test_flags_have_their_short_names(maya: Any) -> None:
    """CommandsPython/createNode.html: name(n), parent(p)."""
    above = maya.cmds.createNode("transform", n="above")
    assert maya.cmds.createNode("joint", n="a", p=above) == "a"
    assert maya.cmds.listRelatives("a", parent=True) == ["above"]
    with pytest.raises(TypeError, match="twice"):
        maya.cmds.createNode("joint", n="a", name="b")


def test_every_modelled_flag_is_documented(maya: Any) -> None:
    """What the double takes is in the stubs, which are made from the pages."""
    from double import signatures
    from double.command import REGISTRY

    for name, entry in REGISTRY.items():
        if entry.own_flags is not None:
            continue
        known = signatures.signature(name)
        documented = known.create.keys() | known.edit.keys() | known.query | {"query", "edit"}
        assert entry.flags <= documented, (name, entry.flags - documented)
        assert entry.query_values.keys() <= documented, name


#: Public members of classes that types-maya leaves out, from py_ref/class_open_maya*_1_1_<name>.html.
_DOCUMENTED = {
    "MFnAnimCurve": "addKey addKeys addKeysWithTangents animCurveType create evaluate find findClosest "
    "inTangentType input insertKey isBreakdown isStatic isTimeInput isUnitlessInput isWeighted "
    "numKeys outTangentType postInfinityType preInfinityType remove setInTangentType setInput "
    "setIsWeighted setOutTangentType setPostInfinityType setPreInfinityType setValue "
    "timedAnimCurveTypeForPlug value",
    "MAnimCurveChange": "undoIt redoIt",
    "MAnimControl": "currentTime setCurrentTime minTime maxTime isPlaying",
    "MObjectHandle": "isValid isAlive object hashCode objectRef",
    "MFnTransform": "create rotation rotationOrder scale setRotation setScale setTranslation "
    "transformation translation",
    "MFnMatrixData": "create matrix",
    "MEulerRotation": "alternateSolution asMatrix asQuaternion asVector closestSolution decompose "
    "isEquivalent "
    "order reorder reorderIt setToClosestSolution x y z",
    "MPxCommand": "clearResult displayError displayInfo displayWarning doIt hasSyntax isUndoable redoIt "
    "setResult syntax undoIt kLong kDouble kString kNoArg",
    "MFnPlugin": "deregisterCommand loadPath name registerCommand vendor version",
    "MGlobal": "apiVersion displayError displayInfo displayWarning getActiveSelectionList isYAxisUp "
    "isZAxisUp "
    "getSelectionListByName mayaState mayaVersion kInteractive kBatch kLibraryApp kBaseUIMode",
    "MSceneMessage": "addCallback",
}


def test_the_api_has_no_member_that_maya_lacks(maya: Any) -> None:
    import ast

    from double import signatures

    def tree_of(name: str) -> dict[str, ast.ClassDef]:
        text = (signatures.stub_folder() / "api" / f"{name}.pyi").read_text(encoding="utf-8")
        return {n.name: n for n in ast.parse(text).body if isinstance(n, ast.ClassDef)}

    stubs = tree_of("OpenMaya")

    def members(name: str) -> set[str]:
        node = stubs[name]
        own = {n.name for n in node.body if isinstance(n, ast.FunctionDef)}
        own |= {
            n.target.id for n in node.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
        }
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id in stubs:
                own |= members(base.id)
        return own

    checked = 0
    for module in (maya.om, maya.oma):
        for name, cls in vars(module).items():
            if not isinstance(cls, type):
                continue
            public = {m for m in vars(cls) if not m.startswith("_")}
            if name in stubs:
                # The stub garbles one name of MTime's page.
                documented = members(name) | ({"kFilm"} if name == "MTime" else set())
            elif name in _DOCUMENTED:
                documented = set(_DOCUMENTED[name].split())
                public = {m for m in public if not (m[0] == "k" and m[1:2].isupper())}
            else:
                continue
            checked += 1
            assert public <= documented, (name, public - documented)
    assert checked > 25


# Names.


def test_names_are_unique_under_one_parent(maya: Any) -> None:
    cmds = maya.cmds
    cmds.createNode("transform", name="a")
    assert cmds.createNode("transform", name="a") == "a1"
    assert cmds.createNode("transform", name="hips", parent="a") == "hips"
    assert cmds.createNode("transform", name="hips", parent="a1") == "a1|hips"
    with pytest.raises(ValueError, match="More than one"):
        cmds.getAttr("hips.tx")
    assert cmds.ls("hips", long=True) == ["|a|hips", "|a1|hips"]
    assert cmds.ls("hips") == ["a|hips", "a1|hips"]
    assert cmds.rename("a1|hips", "spine") == "spine"


def test_namespaces(maya: Any) -> None:
    """CommandsPython/namespace.html, createNode.html: a namespace in -name is made."""
    cmds = maya.cmds
    cmds.namespace(addNamespace="take")
    assert cmds.namespace(exists="take") and cmds.namespace(exists=":take")
    cmds.namespace(setNamespace=":take")
    assert cmds.createNode("joint", name="hips") == "take:hips"
    cmds.namespace(setNamespace=":")
    assert cmds.createNode("joint", name="other:hips") == "other:hips"
    assert cmds.ls("*:hips") == ["take:hips", "other:hips"] and cmds.ls("hips") == [] and cmds.ls("h*") == []
    assert cmds.ls("hips", recursive=True) == ["take:hips", "other:hips"]
    with pytest.raises(RuntimeError):
        cmds.namespace(addNamespace="take")
    with pytest.raises(RuntimeError, match="not empty"):
        cmds.namespace(removeNamespace="take")
    cmds.namespace(removeNamespace="take", deleteNamespaceContent=True)
    assert not cmds.objExists("take:hips") and not cmds.namespace(exists="take")


def test_renaming_a_transform_renames_its_shape(maya: Any) -> None:
    """CommandsPython/rename.html, -ignoreShape."""
    cmds = maya.cmds
    transform, shape = cmds.camera()
    assert (transform, shape) == ("camera1", "cameraShape1")
    cmds.createNode("transform", name="plain")
    plane = cmds.createNode("locator", name="plainShape", parent="plain")
    cmds.rename("plain", "fancy")
    assert cmds.listRelatives("fancy", shapes=True) == ["fancyShape"] and plane == "plainShape"


# Attributes and units.


@pytest.mark.parametrize("settings", [{"linear": "m"}], ids=["metres"])
def test_units_of_the_scene_and_of_the_api(maya: Any) -> None:
    """CommandsPython/currentUnit.html: commands speak the scene's units; MPlug.asDouble the inner ones."""
    cmds, om = maya.cmds, maya.om
    node = cmds.createNode("transform")
    cmds.setAttr(f"{node}.translate", 1, 2, 3)
    cmds.setAttr(f"{node}.rotateX", 180)
    where = om.MSelectionList().add(f"{node}.translateY").getPlug(0)
    assert where.asDouble() == 200.0 and where.asMDistance().asMeters() == 2.0
    assert om.MSelectionList().add(f"{node}.rotateX").getPlug(0).asDouble() == pytest.approx(math.pi)
    assert om.MSelectionList().add(node).getDagPath(0).inclusiveMatrix()[13] == 200.0
    cmds.currentUnit(linear="cm")
    assert cmds.getAttr(f"{node}.translate") == [(100.0, 200.0, 300.0)]
    where.setMDistance(om.MDistance(5, om.MDistance.kMeters))
    assert cmds.getAttr(f"{node}.ty") == 500.0


def test_locked_and_connected_plugs_refuse_values(maya: Any) -> None:
    cmds = maya.cmds
    a, b = cmds.createNode("transform"), cmds.createNode("transform")
    cmds.setAttr(f"{a}.tx", lock=True)
    with pytest.raises(RuntimeError, match="locked or connected"):
        cmds.setAttr(f"{a}.tx", 1)
    with pytest.raises(RuntimeError, match="locked or connected"):
        cmds.setAttr(f"{a}.t", 1, 2, 3)
    cmds.setAttr(f"{a}.tx", lock=False)
    cmds.connectAttr(f"{a}.t", f"{b}.t")
    with pytest.raises(RuntimeError, match="locked or connected"):
        cmds.setAttr(f"{b}.tx", 1)
    cmds.setAttr(f"{a}.tx", 4)
    assert cmds.getAttr(f"{b}.tx") == 4
    with pytest.raises(RuntimeError, match="already connected"):
        cmds.connectAttr(f"{a}.t", f"{b}.t")
    with pytest.raises(NotImplementedError, match="unitConversion"):
        cmds.connectAttr(f"{a}.tx", f"{b}.rx")
    cmds.disconnectAttr(f"{a}.t", f"{b}.t")
    assert cmds.listConnections(b) is None


def test_added_attributes(maya: Any) -> None:
    """CommandsPython/addAttr.html."""
    cmds = maya.cmds
    node = cmds.createNode("joint")
    cmds.addAttr(
        node,
        longName="confidence",
        shortName="conf",
        attributeType="double",
        minValue=0,
        maxValue=1,
        keyable=True,
    )
    cmds.addAttr(node, longName="notes", dataType="string")
    cmds.addAttr(node, longName="contact", attributeType="enum", enumName="free:heel:toe=5")
    cmds.setAttr(f"{node}.confidence", 0.5)
    assert cmds.getAttr(f"{node}.conf") == 0.5
    with pytest.raises(RuntimeError, match="maximum"):
        cmds.setAttr(f"{node}.confidence", 1.5)
    assert cmds.getAttr(f"{node}.notes") is None
    with pytest.raises(RuntimeError, match="type='string'"):
        cmds.setAttr(f"{node}.notes", "a")
    cmds.setAttr(f"{node}.notes", "a", type="string")
    cmds.setAttr(f"{node}.contact", 5)
    assert cmds.getAttr(f"{node}.contact", asString=True) == "toe"
    assert cmds.listAttr(node, userDefined=True) == ["confidence", "notes", "contact"]
    with pytest.raises(RuntimeError, match="Found an attribute"):
        cmds.addAttr(node, longName="conf", attributeType="bool")
    cmds.deleteAttr(f"{node}.notes")
    assert not cmds.attributeQuery("notes", node=node, exists=True)
    with pytest.raises(RuntimeError, match="not a dynamic"):
        cmds.deleteAttr(f"{node}.tx")


# Matrices.


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


# Time and curves.


def keyed(maya: Any, name: str, values: list[float], tangent: int | None = None) -> Any:
    """A curve into a plug by addKeys, a key per 24th of a second; values in inner units."""
    om, oma = maya.om, maya.oma
    curve = oma.MFnAnimCurve()
    curve.create(om.MSelectionList().add(name).getPlug(0))
    kind = oma.MFnAnimCurve.kTangentLinear if tangent is None else tangent
    times = om.MTimeArray([om.MTime(i / 24, om.MTime.kSeconds) for i in range(len(values))])
    curve.addKeys(times, om.MDoubleArray(values), kind, kind)
    return curve


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


# Deleting.


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


# Undo.


def snapshot(cmds: Any) -> Any:
    nodes = cmds.ls(long=True)
    values = [cmds.getAttr(f"{n}.t") for n in cmds.ls(type="transform", long=True)]
    links = sorted(cmds.listConnections(*nodes, plugs=True, connections=True) or [])
    return (
        nodes,
        values,
        links,
        cmds.namespaceInfo(listOnlyNamespaces=True, recurse=True),
        cmds.ls(selection=True),
    )


def test_a_chunk_is_one_step(maya: Any) -> None:
    """CommandsPython/undoInfo.html: chunks nest, and one undo takes the outermost back."""
    cmds = maya.cmds
    cmds.createNode("transform", name="kept")
    before = snapshot(cmds)
    cmds.undoInfo(openChunk=True, chunkName="import")
    cmds.namespace(addNamespace="take")
    cmds.createNode("joint", name="take:a", parent="kept")
    cmds.undoInfo(openChunk=True)
    cmds.setAttr("take:a.t", 1, 2, 3)
    cmds.setKeyframe("take:a", attribute="tx", time=1, value=4)
    cmds.addAttr("take:a", longName="extra", attributeType="bool")
    cmds.undoInfo(closeChunk=True)
    cmds.parent("take:a", world=True)
    cmds.rename("kept", "other")
    cmds.undoInfo(closeChunk=True)
    after = snapshot(cmds)
    assert cmds.undoInfo(query=True, undoName=True) == "import" and maya.running.queue.open_chunks == 0
    cmds.undo()
    assert snapshot(cmds) == before
    cmds.redo()
    assert snapshot(cmds) == after and cmds.attributeQuery("extra", node="take:a", exists=True)
    with pytest.raises(RuntimeError):
        cmds.undoInfo(closeChunk=True)


def test_a_command_that_fails_changes_nothing(maya: Any) -> None:
    cmds = maya.cmds
    cmds.createNode("transform", name="a")
    cmds.setAttr("a.ty", lock=True)
    before = snapshot(cmds)
    with pytest.raises(RuntimeError):
        cmds.xform("a", translation=(1, 2, 3))
    assert snapshot(cmds) == before


def test_switching_undo_off_flushes_it(maya: Any) -> None:
    """CommandsPython/undoInfo.html: -state, -stateWithoutFlush."""
    cmds = maya.cmds
    cmds.createNode("transform")
    cmds.undoInfo(stateWithoutFlush=False)
    cmds.createNode("transform")
    cmds.undoInfo(stateWithoutFlush=True)
    assert not cmds.undoInfo(query=True, undoQueueEmpty=True)
    cmds.undoInfo(state=False)
    cmds.undoInfo(state=True)
    assert cmds.undoInfo(query=True, undoQueueEmpty=True)


def test_edits_by_the_api_are_not_undone(maya: Any) -> None:
    """class_m_anim_curve_change.html: without a change keys are not undone."""
    cmds = maya.cmds
    cmds.createNode("transform", name="a")
    keyed(maya, "a.tx", [0.0, 1.0])
    assert maya.running.queue.done[-1].name == "createNode"
    cmds.undo()
    assert not cmds.objExists("a") and cmds.ls(type="animCurve") == ["a_translateX"]


def test_modifiers_and_curve_changes(maya: Any) -> None:
    """class_open_maya_1_1_m_d_g_modifier.html, class_open_maya_anim_1_1_m_anim_curve_change.html."""
    om, oma, cmds = maya.om, maya.oma, maya.cmds
    before = snapshot(cmds)
    modifier, change = om.MDagModifier(), oma.MAnimCurveChange()
    top = modifier.createNode("transform")
    modifier.renameNode(top, "upper")
    below = modifier.createNode("joint", top)
    modifier.doIt()
    assert cmds.listRelatives("upper") == [om.MFnDependencyNode(below).name()]
    plug = om.MFnDependencyNode(below).findPlug("translateX", False)
    modifier.newPlugValueDouble(om.MFnDependencyNode(below).findPlug("translateY", False), 5.0)
    curve = oma.MFnAnimCurve()
    curve.create(plug, oma.MFnAnimCurve.kAnimCurveTL, modifier)
    curve.addKeys([om.MTime(0), om.MTime(1)], [1.0, 2.0], change=change)
    modifier.doIt()
    after = snapshot(cmds)
    assert plug.asDouble(om.MDGContext(om.MTime(1))) == 2.0
    change.undoIt()
    assert curve.numKeys == 0
    modifier.undoIt()
    assert snapshot(cmds) == before
    modifier.doIt()
    change.redoIt()
    assert snapshot(cmds) == after and curve.numKeys == 2
    assert maya.running.queue.done == []


PLUGIN = """
import maya.api.OpenMaya as om

def maya_useNewAPI():
    pass

class Move(om.MPxCommand):
    def doIt(self, args):
        data = om.MArgDatabase(self.syntax(), args)
        name = data.commandArgumentString(0)
        self.modifier = om.MDGModifier()
        plug = om.MSelectionList().add(name + ".translateX").getPlug(0)
        self.modifier.newPlugValueDouble(plug, data.flagArgumentDouble("by", 0))
        self.setResult(name)
        self.redoIt()

    def redoIt(self):
        self.modifier.doIt()

    def undoIt(self):
        self.modifier.undoIt()

    def isUndoable(self):
        return True

class Wrong(om.MPxCommand):
    def doIt(self, args):
        import maya.cmds as cmds
        cmds.createNode("transform")

def syntax():
    made = om.MSyntax()
    made.addFlag("by", "byHowMuch", om.MSyntax.kDouble)
    made.addArg(om.MSyntax.kString)
    return made

def initializePlugin(plugin):
    made = om.MFnPlugin(plugin, "pose", "1.2")
    made.registerCommand("poseMove", Move, syntax)
    made.registerCommand("poseWrong", Wrong)

def uninitializePlugin(plugin):
    made = om.MFnPlugin(plugin)
    made.deregisterCommand("poseMove")
    made.deregisterCommand("poseWrong")
"""


def test_commands_of_plugins(maya: Any, tmp_path: Path) -> None:
    """class_open_maya_1_1_m_px_command.html: undoIt and redoIt are called where isUndoable says so."""
    cmds = maya.cmds
    path = tmp_path / "mover.py"
    path.write_text(PLUGIN)
    assert not hasattr(cmds, "poseMove")
    assert cmds.loadPlugin(str(path)) == ["mover"]
    assert (
        cmds.pluginInfo("mover", query=True, loaded=True)
        and cmds.pluginInfo("mover", query=True, version=True) == "1.2"
    )
    cmds.createNode("transform", name="a")
    cmds.undoInfo(openChunk=True)
    cmds.setAttr("a.ty", 1)
    assert cmds.poseMove("a", byHowMuch=3.0) == "a"
    cmds.undoInfo(closeChunk=True)
    assert cmds.getAttr("a.t") == [(3, 1, 0)]
    cmds.undo()
    assert cmds.getAttr("a.t") == [(0, 0, 0)]
    cmds.redo()
    assert cmds.getAttr("a.t") == [(3, 1, 0)]
    with pytest.raises(TypeError):
        cmds.poseMove("a", howMuch=3.0)
    with pytest.raises(RuntimeError, match="modifier"):
        cmds.poseWrong()
    cmds.poseMove("a", byHowMuch=4.0)
    with pytest.raises(RuntimeError, match="in use"):
        cmds.unloadPlugin("mover")
    cmds.flushUndo()
    assert cmds.unloadPlugin("mover") == ["mover"] and not hasattr(cmds, "poseMove")


# Layers.


def test_override_layer(maya: Any) -> None:
    """Nodes/animLayer.html, Nodes/animBlendNodeAdditiveDL.html: an overriding layer counts by its weight."""
    cmds, om = maya.cmds, maya.om
    node = cmds.createNode("joint", name="a")
    base = keyed(maya, "a.tx", [10.0, 10.0])
    cmds.setAttr("a.rotate", 0, 0, 90)
    layer = cmds.animLayer("refine", override=True)
    cmds.animLayer(layer, edit=True, attribute=["a.tx", "a.rotate"])
    assert cmds.getAttr("a.tx") == 10 and cmds.getAttr("a.rz") == 90
    into = cmds.animLayer(layer, query=True, layeredPlug="a.tx")
    assert into.endswith(".inputB")
    curve = maya.oma.MFnAnimCurve()
    curve.create(om.MSelectionList().add(into).getPlug(0))
    curve.addKeys([om.MTime(0), om.MTime(10)], [20.0, 20.0])
    assert cmds.animLayer(layer, query=True, findCurveForPlug="a.tx") == [curve.name()]
    assert cmds.animLayer("BaseAnimation", query=True, findCurveForPlug="a.tx") == [base.name()]
    assert cmds.animLayer(query=True, root=True) == "BaseAnimation"
    assert cmds.getAttr("a.tx") == pytest.approx(20)
    cmds.animLayer(layer, edit=True, weight=0.25)
    assert cmds.getAttr("a.tx") == pytest.approx(12.5)
    cmds.animLayer(layer, edit=True, mute=True)
    assert cmds.getAttr("a.tx") == 10
    cmds.animLayer(layer, edit=True, mute=False)
    cmds.animLayer(layer, edit=True, override=False, weight=1)
    assert cmds.getAttr("a.tx") == pytest.approx(30)
    cmds.delete(layer)
    assert cmds.getAttr("a.tx") == 10 and cmds.ls(type="animBlendNodeBase") == []
    assert cmds.isConnected(f"{base.name()}.output", f"{node}.tx")


# Cameras and pictures.


def test_camera_and_image_plane(maya: Any) -> None:
    """CommandsPython/camera.html, imagePlane.html: both give transform and shape."""
    cmds = maya.cmds
    camera, shape = cmds.camera(focalLength=50, horizontalFilmAperture=1.2)
    assert cmds.getAttr(f"{shape}.focalLength") == 50
    plane, plane_shape = cmds.imagePlane(camera=shape, fileName="/clip/a.0001.png", showInAllViews=False)
    assert cmds.nodeType(plane_shape) == "imagePlane" and cmds.listRelatives(plane, parent=True) == [shape]
    assert cmds.getAttr(f"{plane_shape}.imageName") == "/clip/a.0001.png"
    assert cmds.isConnected(f"{plane_shape}.message", f"{shape}.imagePlane[0]")
    assert cmds.imagePlane(plane, query=True, camera=True) == shape
    cmds.setAttr(f"{plane_shape}.useFrameExtension", True)
    cmds.delete(camera)
    assert not cmds.objExists(plane)
    with pytest.raises(RuntimeError):
        cmds.imagePlane(camera="nobody")


# HumanIK.

T_POSE = {
    "Hips": ("", (0, 100, 0)),
    "LeftUpLeg": ("Hips", (10, 0, 0)),
    "LeftLeg": ("LeftUpLeg", (0, -45, 0)),
    "LeftFoot": ("LeftLeg", (0, -45, 0)),
    "RightUpLeg": ("Hips", (-10, 0, 0)),
    "RightLeg": ("RightUpLeg", (0, -45, 0)),
    "RightFoot": ("RightLeg", (0, -45, 0)),
    "Spine": ("Hips", (0, 10, 0)),
    "LeftArm": ("Spine", (15, 40, 0)),
    "LeftForeArm": ("LeftArm", (30, 0, 0)),
    "LeftHand": ("LeftForeArm", (25, 0, 0)),
    "RightArm": ("Spine", (-15, 40, 0)),
    "RightForeArm": ("RightArm", (-30, 0, 0)),
    "RightHand": ("RightForeArm", (-25, 0, 0)),
    "Head": ("Spine", (0, 60, 0)),
}


def skeleton(cmds: Any, space: str) -> None:
    for name, (parent, place) in T_POSE.items():
        above = {"parent": f"{space}:{parent}"} if parent else {}
        cmds.createNode("joint", name=f"{space}:{name}", **above)
        cmds.setAttr(f"{space}:{name}.t", *place)


def character(maya: Any, space: str) -> str:
    name = maya.mel.eval(f'hikCreateCharacter("{space}");')
    for bone in T_POSE:
        number = maya.cmds.hikGetNodeIdFromName(bone)
        maya.mel.eval(f'hikSetCharacterObject("{space}:{bone}","{name}",{number},0);')
    return str(name)


def test_human_ik(maya: Any) -> None:
    """Ids and procedures of reference/dcc.md 4.7; the stance of CommandsPython/characterize.html."""
    cmds, mel = maya.cmds, maya.mel
    cmds.loadPlugin("mayaHIK", quiet=True)
    assert not mel.eval('exists "hikCreateCharacter"')
    with pytest.raises(RuntimeError, match="Cannot find procedure"):
        mel.eval('hikCreateCharacter("x");')
    for script in ("hikGlobalUtils", "hikDefinitionUtils", "hikInputSourceUtils"):
        mel.eval(f'source "{script}.mel";')
    assert not mel.eval('exists "hikUpdateDefinitionUI"')  # the window was never opened
    assert mel.eval('exists "hikCreateCharacter"')
    assert (cmds.hikGetNodeIdFromName("LeftHandPinky4"), cmds.GetHIKNodeName(20)) == (69, "Neck")
    assert cmds.hikGetNodeIdFromName("Tail") == -1
    for space in ("one", "two"):
        skeleton(cmds, space)
    one, two = character(maya, "one"), character(maya, "two")
    assert cmds.listConnections(f"{one}.Hips") == ["one:Hips"] and cmds.nodeType(one) == "HIKCharacterNode"
    with pytest.raises(RuntimeError, match="not locked"):
        mel.eval(f'hikSetCharacterInput("{two}","{one}");')
    mel.eval(f'hikCharacterLock("{two}",1,1);')
    assert not cmds.getAttr(f"{two}.InputCharacterizationLock")  # in silence, for want of a plug-in
    cmds.loadPlugin("mayaCharacterization")
    mel.eval(f'hikCharacterLock("{one}",1,1);')
    assert not cmds.getAttr(f"{one}.InputCharacterizationLock")  # not the current one
    for name in (one, two):
        mel.eval(f'hikSetCurrentCharacter("{name}"); hikCharacterLock("{name}",1,1);')
        assert cmds.getAttr(f"{name}.InputCharacterizationLock") is True
    mel.eval(f'hikSetCharacterInput("{two}","{one}");')
    assert hik.source_of_character(maya.running.scene, two) == one
    cmds.undo()
    assert hik.source_of_character(maya.running.scene, two) == ""
    with pytest.raises(RuntimeError, match="in use"):
        cmds.unloadPlugin("mayaHIK")


def test_human_ik_wants_bones_and_a_stance(maya: Any) -> None:
    cmds, mel = maya.cmds, maya.mel
    for name in ("mayaHIK", "mayaCharacterization"):
        cmds.loadPlugin(name)
    mel.eval("source hikDefinitionUtils.mel")
    skeleton(cmds, "one")
    one = character(maya, "one")
    cmds.setAttr("one:LeftArm.rz", -45)
    with pytest.raises(RuntimeError, match="LeftArm is 45 degrees off"):
        mel.eval(f'hikCharacterLock("{one}",1,1)')
    cmds.setAttr("one:LeftArm.rz", 0)
    mel.eval(f'hikSetCharacterObject("","{one}",15,0)')
    with pytest.raises(RuntimeError, match="Head"):
        mel.eval(f'hikCharacterLock("{one}",1,1)')
    with pytest.raises(RuntimeError, match="Wrong number"):
        mel.eval(f'hikCharacterLock("{one}")')


# The session.


def test_batch_has_no_interface(maya: Any) -> None:
    cmds = maya.cmds
    assert cmds.about(batch=True) is True
    with pytest.raises(RuntimeError):
        cmds.shelfButton(label="a")
    with pytest.raises(RuntimeError, match="batch"):
        maya.utils.executeInMainThreadWithResult(lambda: 1)
    with pytest.raises(ImportError):
        importlib.import_module("maya.OpenMayaUI")
    assert maya.mel.eval("$tmp = $gShelfTopLevel") == ""


@INTERACTIVE
def test_shelves(maya: Any) -> None:
    """CommandsPython/shelfButton.html, shelfLayout.html."""
    cmds = maya.cmds
    shelf = maya.mel.eval("$tmp=$gShelfTopLevel")
    assert cmds.shelfTabLayout(shelf, query=True, childArray=True) == ["Custom"]
    button = cmds.shelfButton(
        parent=f"{shelf}|Custom", label="Pose", command="x()", sourceType="python", image1="a.png"
    )
    assert cmds.shelfButton(button, query=True, label=True) == "Pose"
    assert cmds.shelfLayout("Custom", query=True, childArray=True) == [button.rsplit("|", 1)[-1]]
    maya.mel.eval("saveAllShelves $gShelfTopLevel")
    assert maya.running.saved_shelves == 1
    cmds.deleteUI(button)
    assert not cmds.shelfButton(button, exists=True)
    assert cmds.optionVar(query="pose") == 0
    cmds.optionVar(stringValue=("pose", "a"))
    assert cmds.optionVar(query="pose") == "a" and cmds.optionVar(exists="pose")


@INTERACTIVE
def test_threads(maya: Any) -> None:
    """Developer help, "Python and threading": commands from the main thread alone, work handed over."""
    answers: list[Any] = []

    def work() -> None:
        try:
            maya.cmds.createNode("transform")
        except RuntimeError as error:
            answers.append(str(error))
        try:
            maya.om.MSelectionList().add("persp")
        except RuntimeError as error:
            answers.append(str(error))
        maya.utils.executeDeferred(maya.cmds.createNode, "transform", name="later")
        answers.append(
            maya.utils.executeInMainThreadWithResult(maya.cmds.createNode, "transform", name="now")
        )

    worker = threading.Thread(target=work)
    worker.start()
    while worker.is_alive():
        maya.running.pump()
        worker.join(0.01)
    assert ["main thread" in answers[0], "main thread" in answers[1], answers[2]] == [True, True, "now"]
    assert maya.cmds.ls("later", "now") == ["later", "now"]


@INTERACTIVE
def test_a_scene_that_closes(maya: Any) -> None:
    """class_open_maya_1_1_m_scene_message.html; CommandsPython/scriptJob.html, file.html."""
    cmds, om = maya.cmds, maya.om
    heard: list[str] = []
    number = om.MSceneMessage.addCallback(
        om.MSceneMessage.kBeforeNew, lambda data: heard.append(f"before {data}"), "x"
    )
    job = cmds.scriptJob(event=("NewSceneOpened", lambda: heard.append("job")), runOnce=True)
    node = cmds.createNode("joint", name="a")
    handle = om.MObjectHandle(om.MSelectionList().add(node).getDependNode(0))
    with pytest.raises(RuntimeError, match="Unsaved"):
        cmds.file(newFile=True)
    cmds.file(new=True, force=True)
    assert heard == ["before x", "job"] and not handle.isValid() and not cmds.objExists("a")
    assert cmds.undoInfo(query=True, undoQueueEmpty=True) and not cmds.scriptJob(exists=job)
    om.MMessage.removeCallback(number)
    cmds.file(new=True, force=True)
    assert heard == ["before x", "job"]
    cmds.evalDeferred(lambda: heard.append("idle"))
    assert heard[-1] == "job" and maya.running.pump() == 1 and heard[-1] == "idle"


@pytest.mark.parametrize("settings", [{"linear": "m", "time": "29.97fps", "up_axis": "z"}], ids=["metres"])
def test_a_saved_scene_reads_back(maya: Any, tmp_path: Path) -> None:
    """The writer of the double and the reader of its own agree on every joint, also under a layer."""
    cmds, om = maya.cmds, maya.om
    cmds.createNode("transform", name="take:root")
    cmds.createNode("joint", name="take:a", parent="take:root")
    cmds.createNode("joint", name="take:b", parent="take:a")
    cmds.setAttr("take:a.jointOrient", 10, 20, 30)
    cmds.setAttr("take:b.t", 0.5, 0, 0)
    cmds.addAttr("take:a", longName="notes", dataType="string")
    cmds.setAttr("take:a.notes", 'two\n"lines"', type="string")
    for plug, values in (
        ("take:a.rx", [0.0, 1.0, 2.0]),
        ("take:a.ty", [0.0, 30.0, 10.0]),
        ("take:b.rz", [0.0, 1.0, 0.0]),
    ):
        keyed(maya, plug, values, maya.oma.MFnAnimCurve.kTangentSmooth)
    layer = cmds.animLayer("refine", override=True, weight=0.5)
    cmds.animLayer(layer, edit=True, attribute="take:a.ty")
    curve = maya.oma.MFnAnimCurve()
    curve.create(
        om.MSelectionList().add(cmds.animLayer(layer, query=True, layeredPlug="take:a.ty")).getPlug(0)
    )
    curve.addKeys([om.MTime(0), om.MTime(3)], [0.0, 40.0])
    with pytest.raises(RuntimeError, match="No file name"):
        cmds.file(save=True)
    cmds.file(rename=str(tmp_path / "scene.ma"))
    assert cmds.file(save=True, type="mayaAscii") == str(tmp_path / "scene.ma")
    file = ma_reader.read((tmp_path / "scene.ma").read_text())
    assert (file.linear, file.time) == ("meter", "29.97fps")
    assert file.find("take:a").get("notes") == 'two\n"lines"'
    for step in range(12):
        moment = om.MTime(step / 96, om.MTime.kSeconds)
        maya.oma.MAnimControl.setCurrentTime(moment)
        for name in ("take:a", "take:b"):
            here = om.MSelectionList().add(name).getDagPath(0).inclusiveMatrix()
            assert file.world(file.find(name), step / 96) == pytest.approx(tuple(here), abs=1e-9)


def test_the_double_leaves_nothing_behind(maya: Any) -> None:
    assert sys.modules["maya.cmds"] is maya.cmds
    with double.installed(version=2023, up_axis="z") as other:
        inner = importlib.import_module("maya.cmds")
        assert inner.about(version=True) == "2023" and inner.upAxis(query=True, axis=True) == "z"
        assert other is not maya.running
    assert sys.modules["maya.cmds"] is maya.cmds and maya.cmds.about(version=True) == "2025"
