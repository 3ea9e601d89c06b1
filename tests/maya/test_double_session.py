"""Cameras, HumanIK and the session of the double against Autodesk's pages.

Of help.autodesk.com: Maya-Tech-Docs and MAYA-API-REF.
"""

from __future__ import annotations

import importlib
import sys
import threading
from pathlib import Path
from typing import Any

import double
import ma_reader
import pytest
from bare_double import INTERACTIVE, keyed, maya, settings  # fixtures among them
from double import hik

__all__ = ["maya", "settings"]


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
