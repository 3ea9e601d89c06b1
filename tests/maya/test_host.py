"""What the add-on writes to Maya, in the double: units, undo, refinement, HumanIK, rigs."""

from __future__ import annotations

import cProfile
import json
import pstats
import threading
from array import array
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from dancers import CameraMove, Dancer
from double.maya import Maya
from drawn_rig import made_rig
from fake_pose_server import FakeServer
from made_walk import made_walk
from maya_process import MODULE
from pose_server.api.rigs import _retargeted
from pose_server.export.npz import write_npz
from pose_server.pipeline.retarget_options import RetargetOptions
from pose_server.retarget.preset import presets
from pose_shared.errors import ConflictError, InputError, InternalError, JobCancelledError, UnavailableError
from pose_shared.maya_time import rate_of, unit_of
from pose_shared.rig_motion import KeyedBone, RigChannels
from pose_shared.session import ImportRequest, RefineRequest, Session
from takes import PEOPLE, joint_result, long_motion, picture_clip, placement_of, world_cm

ROOT = Path(__file__).parents[2]
Import = Callable[[str], ModuleType]


def state(maya: Maya) -> dict[str, Any]:
    """Everything that a scene holds, and what of the user's should stay."""
    from maya import cmds

    return {
        "nodes": sorted(node.full for node in maya.scene),
        "namespaces": sorted(cmds.namespaceInfo(":", listOnlyNamespaces=True, recurse=True) or []),
        "selection": cmds.ls(selection=True, long=True),
        "time": cmds.currentTime(query=True),
        "unit": cmds.currentUnit(query=True, time=True),
        "range": [
            cmds.playbackOptions(query=True, **{name: True})
            for name in ("animationStartTime", "minTime", "maxTime", "animationEndTime")
        ],
        "namespace": cmds.namespaceInfo(currentNamespace=True),
    }


def joint_places(cmds: Any, om: Any, namespace: str, names: list[str]) -> np.ndarray:
    places = []
    for name in names:
        selection = om.MSelectionList()
        selection.add(f"{namespace}:{name}")
        matrix = selection.getDagPath(0).inclusiveMatrix()
        places.append([matrix.getElement(3, column) for column in range(3)])
    return np.array(places)


@pytest.mark.parametrize("up", ["y", "z"])
@pytest.mark.parametrize("linear", ["cm", "m"])
@pytest.mark.parametrize("unit", ["film", "pal", "29.97fps", "ntsc", "ntscf"])
def test_joints_are_where_the_person_was(
    start_maya: Callable[..., Maya], addon: Import, up: str, linear: str, unit: str
) -> None:
    start_maya(up_axis=up, linear=linear, time=unit)
    host = addon("host")
    from maya import cmds
    from maya.api import OpenMaya as om

    scene, rate = host.MayaScene(), host.scene_rate()
    assert (
        scene.write_import(
            joint_result(up=up, rate=rate),
            placement_of(addon, match_rate=False, asked_rate=rate, scene_frame=101),
        )
        == []
    )
    assert cmds.currentUnit(query=True, time=True) == unit
    dancer = PEOPLE[0]
    truth = world_cm(dancer, up, rate)
    for row in (0, 7, len(truth) - 1):
        cmds.currentTime(101 + row)
        places = joint_places(cmds, om, "dance_person_1", list(dancer.motion().joint_names))
        assert np.abs(places - truth[row]).max() < 0.05  # 0.5 mm


def test_a_film_at_its_own_rate_gives_the_scene_its_rate_and_range(maya: Maya, addon: Import) -> None:
    from maya import cmds

    addon("host").MayaScene().write_import(joint_result(), placement_of(addon, scene_frame=1001))
    assert cmds.currentUnit(query=True, time=True) == "29.97fps"
    assert cmds.playbackOptions(query=True, minTime=True) == 1001
    assert cmds.playbackOptions(query=True, maxTime=True) == 1048


def test_animation_that_is_there_keeps_its_timing(maya: Maya, addon: Import) -> None:
    from maya import cmds

    cube = cmds.createNode("transform", name="cube")
    cmds.setKeyframe(cube, attribute="translateX", time=48, value=1.0)
    addon("host").MayaScene().write_import(joint_result(), placement_of(addon))
    # Frame 48 at 24 is 2 s.
    assert cmds.keyframe(cube, attribute="translateX", query=True, timeChange=True) == pytest.approx(
        [2 * 30000 / 1001]
    )


def test_a_rate_without_a_unit_is_said(maya: Maya, addon: Import) -> None:
    dancer = Dancer(1, 0, 20, source_rate=Fraction(37, 2))
    notes = addon("host").MayaScene().write_import(joint_result([dancer]), placement_of(addon))
    assert "no time unit for 18.5 frames per second" in notes[0]


def test_units_of_time_are_exact_and_back() -> None:
    assert rate_of("29.97fps") == rate_of("29.97df") == Fraction(30000, 1001)
    assert rate_of("23.976fps") == Fraction(24000, 1001)
    assert rate_of("film") == 24
    assert rate_of("120fps") == 120
    for name in ("game", "film", "pal", "ntsc", "show", "palf", "ntscf", "23.976fps", "59.94fps", "100fps"):
        assert unit_of(rate_of(name)) == name
    assert unit_of(Fraction(2997, 100)) == "29.97fps"
    assert unit_of(Fraction(37, 2)) is None


def test_one_undo_takes_all_back_and_redo_brings_it_again(maya: Maya, addon: Import) -> None:
    from maya import cmds

    cmds.select(cmds.createNode("transform", name="mine"))
    cmds.namespace(addNamespace="props")
    cmds.namespace(setNamespace="props")
    before, steps = state(maya), len(maya.queue.done)
    addon("host").MayaScene().write_import(joint_result(move=CameraMove(0.01, 0.001)), placement_of(addon))
    after = state(maya)
    assert len(maya.queue.done) == steps + 1
    assert maya.queue.open_chunks == 0
    kept = ("selection", "namespace")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    x = cmds.getAttr("dance_person_1:pelvis.translateX", time=5)
    cmds.undo()
    assert state(maya) == before
    cmds.redo()
    assert state(maya)["nodes"] == after["nodes"]
    assert cmds.getAttr("dance_person_1:pelvis.translateX", time=5) == x


def test_a_second_import_leaves_the_first_alone(maya: Maya, addon: Import) -> None:
    from maya import cmds

    scene = addon("host").MayaScene()
    scene.write_import(joint_result(), placement_of(addon))
    names = [node.full for node in maya.scene]
    keys = cmds.keyframe("dance_person_1:pelvis.rotateZ", query=True, valueChange=True)
    scene.write_import(joint_result([Dancer(5, 0, 20)], job="jobs/two"), placement_of(addon))
    assert cmds.objExists("dance_person_1_2:pelvis")
    assert cmds.objExists("dance_camera_2:camera")
    assert [name for name in names if not cmds.objExists(name)] == []
    assert cmds.keyframe("dance_person_1:pelvis.rotateZ", query=True, valueChange=True) == keys
    assert [person.title for person in scene.imported_people()] == [
        "dance_person_1",
        "dance_person_1_2",
        "dance_person_2",
    ]


@pytest.mark.parametrize("command", ["poseKeys", "playbackOptions", "addAttr", "connectAttr", "createNode"])
@pytest.mark.parametrize("later", [0, 3])
def test_nothing_is_left_when_it_fails_in_the_middle(
    maya: Maya, addon: Import, monkeypatch: pytest.MonkeyPatch, command: str, later: int
) -> None:
    from maya import cmds

    before = state(maya)
    host = addon("host")
    addon("host.curves").ready_plug_in()
    addon("host.human_ik").ready_human_ik()
    original, count = getattr(cmds, command), [0]

    def fails(*args: Any, **kwargs: Any) -> Any:
        if not kwargs.get("query"):
            count[0] += 1
            if count[0] == (later if command in ("addAttr", "connectAttr", "createNode") else 0) + 1:
                raise RuntimeError("out of memory")
        return original(*args, **kwargs)

    monkeypatch.setattr(cmds, command, fails)
    with pytest.raises(InternalError, match=r"cannot be put into the scene \(RuntimeError: out of memory\)"):
        host.MayaScene().write_import(joint_result(), placement_of(addon))
    monkeypatch.undo()
    assert state(maya) == before
    assert maya.queue.open_chunks == 0


def test_it_works_where_undo_is_off(maya: Maya, addon: Import) -> None:
    from maya import cmds

    cmds.undoInfo(state=False)
    addon("host").MayaScene().write_import(joint_result(), placement_of(addon))
    assert cmds.objExists("dance_person_2:head")


def test_joints_are_set_up_as_animators_want_them(maya: Maya, addon: Import) -> None:
    from maya import cmds

    addon("host").MayaScene().write_import(joint_result(), placement_of(addon, confidence=True))
    knee = "dance_person_1:left_knee"
    assert cmds.getAttr(f"{knee}.segmentScaleCompensate") is False
    assert (cmds.getAttr(f"{knee}.side"), cmds.getAttr(f"{knee}.type")) == (1, 3)
    assert cmds.getAttr(f"{knee}.radius") > 0.5
    assert cmds.listRelatives(knee, parent=True) == ["dance_person_1:left_hip"]
    assert cmds.getAttr(f"{knee}.confidence", time=2) == pytest.approx(0.75)
    assert cmds.getAttr("dance_person_1:person.contact_left_heel", time=2) == 1
    assert cmds.getAttr("dance_person_1:person.contact_left_heel", time=3) == 0
    assert cmds.attributeQuery("contact_left_heel", node="dance_person_1:person", keyable=True)


def test_the_camera_shows_the_sequence(maya: Maya, addon: Import, tmp_path: Path) -> None:
    from maya import cmds

    clip = picture_clip(tmp_path)
    addon("host").MayaScene().write_import(joint_result(), placement_of(addon, clip=clip))
    plane, lens = "dance_camera:filmShape", "dance_camera:cameraShape"
    assert cmds.getAttr(f"{plane}.imageName") == str(clip.first_file)
    assert cmds.getAttr(f"{plane}.type") == 0
    assert cmds.getAttr(f"{plane}.useFrameExtension")
    assert cmds.getAttr(f"{plane}.displayOnlyIfCurrent")
    assert [cmds.getAttr(f"{plane}.frameExtension", time=frame) for frame in (1, 2, 9)] == [1001, 1002, 1009]
    for size, gate in (("sizeX", "horizontalFilmAperture"), ("offsetY", "verticalFilmOffset")):
        assert cmds.getAttr(f"{plane}.{size}") == pytest.approx(cmds.getAttr(f"{lens}.{gate}"))
    assert cmds.imagePlane(plane, query=True, camera=True) == "dance_camera:cameraShape"


def test_the_skeleton_lies_on_the_film(maya: Maya, addon: Import) -> None:
    """Through the camera's matrix and lens, joints are where the clip's camera saw them."""
    from maya import cmds
    from maya.api import OpenMaya as om

    addon("host").MayaScene().write_import(joint_result(), placement_of(addon))
    dancer = PEOPLE[0]
    motion, (camera, _) = dancer.motion(), dancer.camera()
    lens = {
        name: cmds.getAttr(f"dance_camera:cameraShape.{name}")
        for name in (
            "focalLength",
            "horizontalFilmAperture",
            "verticalFilmAperture",
            "horizontalFilmOffset",
            "verticalFilmOffset",
        )
    }
    cmds.currentTime(10)
    selection = om.MSelectionList()
    selection.add("dance_camera:camera")
    inverse = np.array(list(selection.getDagPath(0).inclusiveMatrix().inverse())).reshape(4, 4)
    places = joint_places(cmds, om, "dance_person_1", list(motion.joint_names))
    seen = np.c_[places, np.ones(len(places))] @ inverse
    inches = seen[:, :2] / -seen[:, 2:3] * lens["focalLength"] / 25.4
    width, height = camera.image_size
    x = ((inches[:, 0] - lens["horizontalFilmOffset"]) / lens["horizontalFilmAperture"] + 0.5) * width
    y = (0.5 - (inches[:, 1] - lens["verticalFilmOffset"]) / lens["verticalFilmAperture"]) * height
    assert np.abs(np.c_[x, y] - dancer.joints_px(motion)[9]).max() < 0.05


def test_people_remember_where_they_came_from(maya: Maya, addon: Import) -> None:
    dancers = [Dancer(1, 0, 48, doubtful=(10, 20))]
    scene = addon("host").MayaScene()
    scene.write_import(joint_result(dancers), placement_of(addon, server="box:1", scene_frame=101))
    (person,) = scene.imported_people()
    assert (person.job, person.server, person.person) == ("jobs/dance", "box:1", 1)
    assert person.solve.smoothing == 0.5


def test_human_ik_gets_a_locked_character(maya: Maya, addon: Import) -> None:
    from maya import cmds

    scene = addon("host").MayaScene()
    scene.write_import(joint_result(), placement_of(addon))
    assert cmds.getAttr("dance_person_1_HumanIK.InputCharacterizationLock")
    joint = cmds.listConnections("dance_person_1_HumanIK.LeftArm", source=True, destination=False)
    assert joint == ["dance_person_1:left_shoulder"]
    assert scene.characters() == []  # ours are no targets


def test_human_ik_moves_another_character(maya: Maya, addon: Import) -> None:
    from maya import cmds

    scene = addon("host").MayaScene()
    scene.write_import(joint_result([PEOPLE[0]]), placement_of(addon))
    # Another skeleton, made as one of ours, but not ours any more.
    scene.write_import(
        joint_result([PEOPLE[0]], job="x"), placement_of(addon, clip_name="hero", camera=False)
    )
    for name in ("poseJob", "poseImport", "posePerson", "poseCharacter"):
        cmds.deleteAttr(f"hero_person_1:person.{name}")
    (character, *_) = [c for c in scene.characters() if c.human_ik]
    assert character.node == "hero_person_1_HumanIK"
    scene.drive_by_human_ik(character, scene.find_person("dance_person_1"))
    assert ("mel:hikSetCharacterInput", ("hero_person_1_HumanIK", "dance_person_1_HumanIK"), {}) in maya.calls


def test_without_human_ik_people_come_all_the_same(
    maya: Maya, addon: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    from maya import cmds

    load = cmds.loadPlugin

    def no_human_ik(name: str, **kwargs: Any) -> Any:
        if name == "mayaHIK":
            raise RuntimeError('Plug-in, "mayaHIK", was not found on MAYA_PLUG_IN_PATH.')
        return load(name, **kwargs)

    monkeypatch.setattr(cmds, "loadPlugin", no_human_ik)
    notes = addon("host").MayaScene().write_import(joint_result(), placement_of(addon))
    assert notes == ["HumanIK is not installed here, so that nobody became a HumanIK character."]
    assert cmds.objExists("dance_person_2:head")


def refinement(job: str = "jobs/dance", **options: Any) -> RefineRequest:
    return RefineRequest(job=job, name="dance", server="127.0.0.1:1", options=options)


TALLER = (Dancer(7, 0, 48, scale=1.1), Dancer(8, 13, 41, scale=1.1))


def test_a_refinement_lies_in_a_layer_over_the_import(maya: Maya, addon: Import) -> None:
    from maya import cmds
    from maya.api import OpenMaya as om

    scene = addon("host").MayaScene()
    scene.write_import(joint_result(), placement_of(addon))
    before = state(maya)
    assert scene.write_refinement(joint_result(TALLER, job="jobs/r1"), refinement(smoothing=0.1)) == []
    layer = "dance_refined"
    cmds.currentTime(10)
    names = list(PEOPLE[0].motion().joint_names)
    places = joint_places(cmds, om, "dance_person_1", names)
    assert np.abs(places - world_cm(TALLER[0], "y")[9]).max() < 0.05
    cmds.animLayer(layer, edit=True, mute=True)
    places = joint_places(cmds, om, "dance_person_1", names)
    assert np.abs(places - world_cm(PEOPLE[0], "y")[9]).max() < 0.05
    cmds.undo()  # of the muting
    person = scene.imported_people()[0]
    assert (person.job, person.solve.smoothing) == ("jobs/r1", 0.1)
    cmds.undo()  # of currentTime there is none; of the refinement
    assert state(maya)["nodes"] == before["nodes"]
    assert scene.imported_people()[0].job == "jobs/dance"


def test_refinements_do_not_add_up(maya: Maya, addon: Import) -> None:
    from maya import cmds
    from maya.api import OpenMaya as om

    scene = addon("host").MayaScene()
    scene.write_import(joint_result(), placement_of(addon))
    scene.write_refinement(joint_result(TALLER, job="jobs/r1"), refinement())
    scene.write_refinement(joint_result(job="jobs/r2"), refinement("jobs/r1"))
    assert len(cmds.ls(type="animLayer")) == 2  # with the base
    cmds.currentTime(20)
    places = joint_places(cmds, om, "dance_person_1", list(PEOPLE[0].motion().joint_names))
    assert np.abs(places - world_cm(PEOPLE[0], "y")[19]).max() < 0.05


def test_a_clip_that_was_imported_twice_is_refined_where_each_lies(maya: Maya, addon: Import) -> None:
    from maya import cmds
    from maya.api import OpenMaya as om

    scene = addon("host").MayaScene()
    scene.write_import(joint_result(), placement_of(addon))
    scene.write_import(joint_result(), placement_of(addon, scene_frame=101))
    scene.write_refinement(joint_result(TALLER, job="jobs/r1"), refinement())
    for namespace, start in (("dance_person_1", 1), ("dance_person_1_2", 101)):
        cmds.currentTime(start + 9)
        places = joint_places(cmds, om, namespace, list(PEOPLE[0].motion().joint_names))
        assert np.abs(places - world_cm(TALLER[0], "y")[9]).max() < 0.05
    assert {person.job for person in scene.imported_people()} == {"jobs/r1"}


def test_weak_spans_lie_on_the_scenes_frames(maya: Maya, addon: Import) -> None:
    dancers = [Dancer(1, 0, 48, doubtful=(10, 20))]
    scene = addon("host").MayaScene()
    scene.write_import(joint_result(dancers), placement_of(addon, scene_frame=101))
    spans = scene.imported_people()[0].weak_spans
    assert all(101 <= span.start <= span.end <= 148 for span in spans)
    assert any("left hand" in span.joints for span in spans)


def test_a_refinement_that_fails_leaves_the_import(
    maya: Maya, addon: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    from maya import cmds

    scene = addon("host").MayaScene()
    scene.write_import(joint_result(), placement_of(addon))
    before = state(maya)

    def fails(*_: Any) -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(cmds, "poseKeys", fails)
        with pytest.raises(InternalError):
            scene.write_refinement(joint_result(TALLER, job="jobs/r1"), refinement())
    assert state(maya) == before
    assert scene.imported_people()[0].job == "jobs/dance"


def test_what_is_gone_cannot_be_refined(maya: Maya, addon: Import) -> None:
    with pytest.raises(ConflictError, match="deleted meanwhile"):
        addon("host").MayaScene().write_refinement(joint_result(), refinement())


def test_a_deleted_joint_is_no_obstacle(maya: Maya, addon: Import) -> None:
    from maya import cmds

    scene = addon("host").MayaScene()
    scene.write_import(joint_result(), placement_of(addon))
    cmds.delete("dance_person_1:left_hand")
    notes = scene.write_refinement(joint_result(TALLER, job="jobs/r1"), refinement())
    assert notes == ["'dance_person_1' has no left_hand any more; the rest was refined."]


def test_long_takes_cost_little_and_no_call_per_key(maya: Maya, addon: Import) -> None:
    """10,000 frames x 25 joints: time in our own code, and the commands that were called."""
    host = addon("host")
    from maya.api import OpenMayaAnim as oma

    motion = long_motion(10_000, 25)
    result = SimpleNamespace(joints=(motion,), job="jobs/long")
    added: list[int] = []
    original = oma.MFnAnimCurve.addKeys

    def counted(self: Any, times: Any, *rest: Any) -> Any:
        added.append(len(times))
        return original(self, times, *rest)

    scene, own_s = host.MayaScene(), []
    oma.MFnAnimCurve.addKeys = counted
    try:
        # Other work on the machine, and Python's own housekeeping in a long run of tests, only ever add.
        while len(own_s) < 4 and min(own_s, default=1.0) >= 0.2:
            before, calls_before = len(added), len(maya.calls)
            profile = cProfile.Profile()
            profile.runcall(scene.write_import, result, placement_of(addon))
            own_s.append(own_seconds(profile))
    finally:
        oma.MFnAnimCurve.addKeys = original
    assert len(motion.joints) == 25
    curves = 3 * 25 + 3 + 2
    assert added[before:] == [10_000] * curves
    # 25 joints have a dozen attributes each; the frames count for nothing.
    assert len(maya.calls) - calls_before < 25 * 25
    print(f"own time {min(own_s):.3f} s, {len(maya.calls)} commands")
    assert min(own_s) < 0.2


def own_seconds(profile: cProfile.Profile) -> float:
    """Seconds in the add-on's own code, and in Python's built-in functions that it calls."""
    ours = (str(MODULE), str(ROOT / "shared"))
    seconds = 0.0
    for (file, _, _), (_, _, own, _, callers) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if file.startswith(ours):
            seconds += own
        elif file == "~":
            seconds += sum(part[2] for (caller, _, _), part in callers.items() if caller.startswith(ours))
    return seconds


def test_scenes_of_another_up_axis_are_refused(maya: Maya, addon: Import) -> None:
    with pytest.raises(ConflictError, match="Y up, and the motion Z"):
        addon("host").MayaScene().write_import(joint_result(up="z"), placement_of(addon))


class TestScripts:
    def test_import_refine_and_notes(self, maya: Maya, addon: Import, server: FakeServer, film: Path) -> None:
        from maya import cmds

        server.note = "Be careful."
        commands = addon("commands")
        said = commands.import_video(str(film), server=server.address, smoothing=0.3, scene_frame=11)
        assert said[:2] == ["Imported 2 people from dance.", "Be careful."]
        assert server.specs[0].solve.smoothing == pytest.approx(0.3)
        assert cmds.getAttr("dance_camera:filmShape.type") == 2
        server.refined = TALLER
        commands.refine("dance_person_1", height_m=1.9)
        assert server.refinements[0].solve.smoothing == pytest.approx(0.3)
        assert server.refinements[0].solve.height_m == pytest.approx(1.9)

    def test_converts_to_the_scene(self, maya: Maya, addon: Import, server: FakeServer, film: Path) -> None:
        from maya import cmds

        addon("commands").import_video(str(film), server=server.address, rate="CONVERT")
        assert server.rates == [24, 24]
        times = cmds.keyframe("dance_person_1:pelvis.rotateX", query=True, timeChange=True)
        assert times == pytest.approx(list(range(1, len(times) + 1)))

    def test_what_cannot_be_is_said(self, maya: Maya, addon: Import, film: Path) -> None:
        commands = addon("commands")
        with pytest.raises(InputError, match="no rate 'FAST'"):
            commands.import_video(str(film), rate="FAST")
        with pytest.raises(InputError, match="no option 'smooth'"):
            commands.import_video(str(film), smooth=1)
        with pytest.raises(InputError, match="Nothing here came from a video"):
            commands.refine()

    def test_no_server(self, maya: Maya, addon: Import, film: Path) -> None:
        before = state(maya)
        with pytest.raises(UnavailableError, match="No pose server answers"):
            addon("commands").import_video(str(film), server="127.0.0.1:9")
        assert state(maya) == before

    def test_cancelled_at_each_stage(self, maya: Maya, addon: Import, server: FakeServer, film: Path) -> None:
        addon("host")
        before = state(maya)
        server.seconds = 3.0
        for stage in ("", "detect", "solve"):
            settings = addon("commands").ImportSettings(path=str(film))
            delivery = addon("commands").Delivery(joints_up="y")
            session = Session(settings.request(server.address, Fraction(24), delivery))
            while not session.poll() and session.progress.stage != stage:
                threading.Event().wait(0.02)
            session.cancel()
            while not session.wait(0.1):
                pass
            with pytest.raises(JobCancelledError):
                session.result()
        assert state(maya) == before
        assert isinstance(session.request, ImportRequest)


def hero(cmds: Any) -> str:
    """A skeleton that stands, as riggers make it: zero rotations at rest."""
    spots = {
        "Hips": ("", (0, 100, 0)),
        "Spine": ("Hips", (0, 12, 0)),
        "Spine1": ("Spine", (0, 15, 0)),
        "Neck": ("Spine1", (0, 22, 0)),
        "Head": ("Neck", (0, 10, 0)),
    }
    for side, sign in (("Left", 1), ("Right", -1)):
        spots |= {
            f"{side}Shoulder": ("Spine1", (sign * 4, 18, 0)),
            f"{side}Arm": (f"{side}Shoulder", (sign * 14, 0, 0)),
            f"{side}ForeArm": (f"{side}Arm", (sign * 28, 0, 0)),
            f"{side}Hand": (f"{side}ForeArm", (sign * 25, 0, 0)),
            f"{side}UpLeg": ("Hips", (sign * 10, -4, 0)),
            f"{side}Leg": (f"{side}UpLeg", (0, -45, 0)),
            f"{side}Foot": (f"{side}Leg", (0, -43, 0)),
            f"{side}ToeBase": (f"{side}Foot", (0, -6, 13)),
        }
    cmds.namespace(addNamespace="hero")
    for name, (parent, place) in spots.items():
        above = {"parent": f"hero:{parent}"} if parent else {}
        joint = cmds.createNode("joint", name=f"hero:{name}", skipSelect=True, **above)
        cmds.setAttr(f"{joint}.translate", *place)
        if name.endswith("ForeArm"):
            cmds.setAttr(f"{joint}.rotateOrder", 4)
    return "|hero:Hips"


def preset_rig(cmds: Any, key: str) -> dict[str, str]:
    """FK controls of a known kind, standing; each hangs in a group of its own."""
    preset = presets()[key]
    roles = preset.bones.roles
    single = {role: bones[-1] for role, bones in roles.items()}
    single.update(spine=roles["spine"][0], chest=roles["spine"][-1])
    cmds.namespace(addNamespace="hero")
    top = cmds.createNode("transform", name="hero:rig", skipSelect=True)
    paths: dict[str, str] = {}
    for bone in made_rig(fingers=False).bones:
        if bone.name not in single:
            continue
        x, y, z = np.array(bone.head) * 100
        parent = paths.get(bone.parent, top)
        offset = cmds.createNode(
            "transform", name=f"hero:{single[bone.name]}_off", parent=parent, skipSelect=True
        )
        cmds.xform(offset, worldSpace=True, translation=(x, z, -y))
        control = cmds.createNode(
            "transform", name=f"hero:{single[bone.name]}", parent=offset, skipSelect=True
        )
        cmds.createNode("nurbsCurve", name=f"hero:{single[bone.name]}Shape", parent=control, skipSelect=True)
        paths[bone.name] = control
    for setting in preset.settings:
        switch = cmds.createNode("transform", name=f"hero:{setting.bone}", parent=top, skipSelect=True)
        cmds.createNode("nurbsCurve", name=f"hero:{setting.bone}Shape", parent=switch, skipSelect=True)
        cmds.addAttr(switch, longName=setting.name, attributeType="double", defaultValue=1, keyable=True)
        for axis in "XYZ":
            cmds.setAttr(f"{switch}.rotate{axis}", lock=True)
            cmds.setAttr(f"{switch}.translate{axis}", lock=True)
    return single


def rig_motion(frames: int = 12) -> RigChannels:
    rows = np.arange(frames, dtype=np.float32)
    channels = {f"Hips/location/{axis}": array("f", (rows * k).tolist()) for k, axis in enumerate("xyz", 1)}
    for bone in ("Hips", "LeftArm"):
        for k, axis in enumerate("xyz"):
            channels[f"{bone}/rotation/{axis}"] = array("f", (rows * 0.01 * (k + 1)).tolist())
    return RigChannels(
        rate=Fraction(30000, 1001),
        frame_count=frames,
        start_time_s=0.0,
        bones=(KeyedBone("Hips", "XYZ", True), KeyedBone("LeftArm", "XYZ", False)),
        settings=(),
        channels=channels,
        source_rate=Fraction(30000, 1001),
        first_source_frame=0,
        roles={},
        notes=("A note.",),
    )


class TestRigs:
    @pytest.fixture
    def scene(self, maya: Maya, addon: Import) -> Any:
        scene = addon("host").MayaScene()
        scene.write_import(joint_result([PEOPLE[0]]), placement_of(addon))
        return scene

    def test_a_skeleton_is_described(self, scene: Any) -> None:
        from maya import cmds

        root = hero(cmds)
        (character,) = [c for c in scene.characters() if not c.human_ik]
        assert character.node == root
        rig = scene.describe_rig(character)
        assert (rig.up, rig.metres_per_unit, len(rig.bones)) == ("y", 0.01, 21)
        foot = rig.bone("LeftFoot")
        assert foot.parent == "LeftLeg"
        assert foot.head == pytest.approx((10, 8, 0))
        assert rig.bone("LeftForeArm").rotation == "YXZ"
        assert foot.keys == ("location", "rotation")

    def test_the_rest_pose_is_found_in_a_pose_and_nothing_changes(self, scene: Any, maya: Maya) -> None:
        from maya import cmds

        hero(cmds)
        character = scene.find_character("hero:Hips")
        rest = scene.describe_rig(character)
        for frame, angle in ((1, 0.0), (10, 70.0)):
            cmds.setKeyframe("hero:LeftArm", attribute="rotateZ", time=frame, value=angle)
        cmds.setAttr("hero:Spine.rotateX", 20)
        cmds.currentTime(10)
        before, done = state(maya), len(maya.queue.done)
        assert scene.describe_rig(character) == rest
        assert state(maya) == before
        assert len(maya.queue.done) == done
        assert cmds.getAttr("hero:LeftArm.rotateZ") == pytest.approx(70.0)
        assert cmds.getAttr("hero:Spine.rotateX") == pytest.approx(20)

    def test_locked_joints_take_no_keys(self, scene: Any) -> None:
        from maya import cmds

        hero(cmds)
        cmds.setAttr("hero:Head.rotateY", lock=True)
        bone = scene.describe_rig(scene.find_character("hero:Hips")).bone("Head")
        assert bone.keys == ("location",)

    def test_what_a_constraint_drives_takes_no_keys(self, scene: Any) -> None:
        from maya import cmds

        hero(cmds)
        driver = cmds.createNode("transform", name="driver", skipSelect=True)
        cmds.connectAttr(f"{driver}.rotate", "hero:Head.rotate")
        cmds.connectAttr(f"{driver}.rotateX", "hero:Neck.rotateX")
        rig = scene.describe_rig(scene.find_character("hero:Hips"))
        assert rig.bone("Head").keys == rig.bone("Neck").keys == ("location",)

    def test_a_rig_that_does_not_move_is_told(self, scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        from maya import cmds

        hero(cmds)
        cmds.setAttr("hero:Spine.rotateX", 20)
        original = cmds.setAttr

        def fails(plug: str, *args: Any, **kwargs: Any) -> Any:
            if plug.endswith("Spine.rotateX") and args == (0.0,):
                raise RuntimeError("The attribute is locked or connected and cannot be modified.")
            return original(plug, *args, **kwargs)

        monkeypatch.setattr(cmds, "setAttr", fails)
        with pytest.raises(ConflictError, match="cannot be put into its rest pose"):
            scene.describe_rig(scene.find_character("hero:Hips"))
        assert cmds.getAttr("hero:Spine.rotateX") == pytest.approx(20)

    def test_a_motion_goes_into_a_layer(self, scene: Any, maya: Maya) -> None:
        from maya import cmds

        hero(cmds)
        cmds.setKeyframe("hero:LeftArm", attribute="rotateZ", time=1, value=33.0)
        character = scene.find_character("hero:Hips")
        scene.describe_rig(character)
        before = state(maya)
        (person,) = scene.imported_people()
        assert scene.write_rig_motion(character, rig_motion(), person) == ["A note."]
        assert cmds.getAttr("hero:LeftArm.rotateZ", time=11) == pytest.approx(np.degrees(0.3), abs=1e-3)
        assert cmds.getAttr("hero:Hips.translateY", time=11) == pytest.approx(100 + 20)
        # Again: from the same rest pose, and in place of the first.
        scene.describe_rig(character)
        scene.write_rig_motion(character, rig_motion(), person)
        assert cmds.getAttr("hero:Hips.translateY", time=11) == pytest.approx(100 + 20)
        assert len(cmds.ls(type="animLayer")) == 2
        cmds.undo()
        cmds.undo()
        assert state(maya) == before
        assert cmds.getAttr("hero:LeftArm.rotateZ") == pytest.approx(33.0)

    def test_controls_are_found_with_what_carries_them(self, scene: Any) -> None:
        from maya import cmds

        top = cmds.createNode("transform", name="rig", skipSelect=True)
        above, names = top, []
        for number in range(12):
            group = cmds.createNode("transform", name=f"offset_{number}", parent=above, skipSelect=True)
            cmds.setAttr(f"{group}.translateY", 10)
            above = cmds.createNode("transform", name=f"control_{number}", parent=group, skipSelect=True)
            cmds.createNode("nurbsCurve", name=f"control_{number}Shape", parent=above, skipSelect=True)
            names.append(above)
        cmds.setAttr("control_3.rotateX", 45)
        (character,) = [c for c in scene.characters() if c.node == "|rig"]
        rig = scene.describe_rig(character)
        assert [bone.name for bone in rig.bones] == names
        assert rig.bone("control_7").parent == "control_6"
        assert rig.bone("control_7").head == pytest.approx((0, 80, 0))
        assert cmds.getAttr("control_3.rotateX") == pytest.approx(45)

    @pytest.mark.parametrize("key", ["advanced_skeleton", "mgear"])
    def test_a_walk_goes_onto_controls(self, scene: Any, maya: Maya, tmp_path: Path, key: str) -> None:
        """Through the server's own retargeting: limbs of the FK controls point as the walker's do."""
        from maya import cmds
        from maya.api import OpenMaya as om

        roles = preset_rig(cmds, key)
        walk = made_walk()
        write_npz(tmp_path / "motion.npz", walk)
        character = scene.find_character("hero:rig")
        rig = scene.describe_rig(character)
        done = _retargeted(tmp_path / "motion.npz", None, rig, {}, RetargetOptions(relock=()))
        assert done.found.preset == key
        assert done.curves.settings
        channels = RigChannels(
            rate=walk.rate,
            frame_count=len(walk),
            start_time_s=0.0,
            bones=done.curves.bones,
            settings=done.curves.settings,
            channels={n: array("f", v.tolist()) for n, v in done.curves.channels.items()},
            source_rate=walk.rate,
            first_source_frame=0,
            roles={},
        )
        (person,) = scene.imported_people()
        assert scene.write_rig_motion(character, channels, person) == []
        rate = Fraction(30000, 1001)  # the scene's
        for row in (0, 20, 55):
            cmds.currentTime(float(1 + row / walk.rate * rate))
            for begin, end in (("left_shoulder", "left_elbow"), ("right_hip", "right_knee")):
                here = joint_places(cmds, om, "hero", [roles[begin], roles[end]])
                there = walk.joints_world_m[row, [walk.joint_names.index(n) for n in (begin, end)]]
                x, y, z = there[1] - there[0]
                wanted, got = np.array((x, z, -y)), here[1] - here[0]
                cosine = wanted @ got / np.linalg.norm(wanted) / np.linalg.norm(got)
                assert np.degrees(np.arccos(min(cosine, 1.0))) < 2
        for setting in done.curves.settings:
            assert cmds.getAttr(f"hero:{setting.bone}.{setting.name}") == 0

    def test_what_is_selected(self, scene: Any) -> None:
        from maya import cmds

        hero(cmds)
        cmds.select(["hero:LeftHand", "dance_person_1:head"])
        (person,) = scene.imported_people()
        assert set(scene.selected(scene.characters())) == {"|hero:Hips", person.node}

    def test_no_character(self, scene: Any) -> None:
        with pytest.raises(InputError, match="no character 'nobody'"):
            scene.find_character("nobody")
        with pytest.raises(InputError, match="no character"):
            scene.find_character("dance_person_1:pelvis")


def baseline_file(path: Path, frames: int = 40) -> dict[int, np.ndarray]:
    """A walker as 3d-pose-baseline writes it, and where each joint is once it stands upright, in cm."""
    tilt = np.radians(110)
    lean = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    content, upright = {}, {}
    for frame in range(frames):
        swing = np.sin(frame / 5)
        turn = frame / 10
        body = {11: (0, 90, 0), 13: (0, 140, 0), 0: (0, 88, 0), 15: (0, 160, 5)}
        for hip, side, phase in ((1, -1, swing), (6, 1, -swing)):
            body[hip] = (side * 10, 90, 0)
            body[hip + 1] = (side * 10, 90 - 45 * np.cos(phase), 45 * np.sin(phase))
            body[hip + 2] = (side * 10, body[hip + 1][1] - 42, body[hip + 1][2])
        for shoulder, side, phase in ((17, 1, swing), (25, -1, -swing)):
            body[shoulder] = (side * 16, 138, 0)
            body[shoulder + 1] = (side * 16, 138 - 28 * np.cos(phase), 28 * np.sin(phase))
            body[shoulder + 2] = (side * 16, body[shoulder + 1][1] - 20, body[shoulder + 1][2] + 15)
        heading = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
        placed = {joint: heading @ place + (frame, 0, 0) for joint, place in body.items()}
        upright[frame] = placed
        content[frame] = {j: {"translate": (lean @ p * 10).tolist()} for j, p in placed.items()}
    path.write_text(json.dumps(content))
    return upright


class TestBaseline:
    @pytest.mark.parametrize("up", ["y", "z"])
    def test_joints_stand_where_the_points_are(
        self, start_maya: Callable[..., Maya], addon: Import, tmp_path: Path, up: str
    ) -> None:
        maya = start_maya(up_axis=up)
        truth = baseline_file(tmp_path / "3d_data.json")
        said = addon("commands").import_baseline(str(tmp_path / "3d_data.json"))
        assert said == ["Imported one person from 3d_data.json."]
        from maya import cmds
        from maya.api import OpenMaya as om

        namespace = "_3d_data_person_1"
        assert cmds.listRelatives(f"{namespace}:jnt_8_threed", parent=True) == [f"{namespace}:jnt_7_threed"]
        assert cmds.listRelatives(f"{namespace}:jnt_1_threed", parent=True) == [f"{namespace}:jnt_11_threed"]
        assert cmds.listRelatives(f"{namespace}:jnt_25_threed", parent=True) == [f"{namespace}:jnt_13_threed"]
        for frame in (0, 11, 39):
            cmds.currentTime(frame)
            for joint, place in truth[frame].items():
                (there,) = joint_places(cmds, om, namespace, [f"jnt_{joint}_threed"])
                wanted = place if up == "y" else (place[0], -place[2], place[1])
                assert there == pytest.approx(wanted, abs=1e-3), joint
        turns = np.array(cmds.keyframe(f"{namespace}:jnt_11_threed.rotateY", query=True, valueChange=True))
        assert np.abs(np.diff(turns)).max() < 30
        cmds.undo()
        assert "_3d_data_person_1" not in str(state(maya))

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            ("[]", "joints by frame"),
            ("{}", "lacks joint 1"),
            ('{"0": {"1": {"translate": [1, 2]}}}', "joints"),
        ],
    )
    def test_other_files_are_refused(
        self, maya: Maya, addon: Import, tmp_path: Path, content: str, why: str
    ) -> None:
        (tmp_path / "x.json").write_text(content)
        with pytest.raises(InputError, match=f"no 3d_data.json of 3d-pose-baseline: .*{why}"):
            addon("commands").import_baseline(str(tmp_path / "x.json"))
