"""The double's calls and names against Autodesk's pages.

Of help.autodesk.com: Maya-Tech-Docs and MAYA-API-REF.
"""

from __future__ import annotations

import math
from typing import Any

import pytest
from bare_double import maya, settings  # fixtures among them

__all__ = ["maya", "settings"]


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
