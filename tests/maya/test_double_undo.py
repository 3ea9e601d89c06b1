"""Undo and layers of the double against Autodesk's pages.

Of help.autodesk.com: Maya-Tech-Docs and MAYA-API-REF.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bare_double import keyed, maya, settings, snapshot  # fixtures among them

__all__ = ["maya", "settings"]


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
