"""Import a clip, change what came of it as a user does, refine it, and undo that."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import harness
from scene_report import camera_path, everything, fcurves, person


def people(clip: str) -> list[Any]:
    return [bpy.data.objects[f"{clip} person {number}"] for number in (1, 2)]


def as_a_user_does(clip: str, mode: str) -> None:
    """Hang things on the first armature and its action, be in a mode with it, and hide the second."""
    first, second = people(clip)
    empty = bpy.data.objects.new("Set", None)
    first.users_collection[0].objects.link(empty)
    first.parent = empty
    first["note"] = "the good take"
    limit = first.pose.bones["head"].constraints.new("LIMIT_SCALE")
    limit.name = "Mine"
    first.pose.bones["head"].keyframe_insert("scale", frame=7)
    second.hide_viewport = True
    bpy.context.view_layer.objects.active = first
    bpy.ops.object.mode_set(mode="EDIT")
    prop = first.data.edit_bones.new("prop")
    prop.head, prop.tail = (1, 2, 3), (1, 2, 4)
    prop.parent = first.data.edit_bones["left_hand"]
    bpy.ops.object.mode_set(mode=mode)


def what_plays(given: dict[str, Any], clip: str) -> dict[str, Any]:
    """Refine on another day, while the first plays an action of the user's, and the second's is gone."""
    file = given["result"] + ".blend"
    bpy.ops.wm.save_as_mainfile(filepath=file)
    bpy.ops.wm.open_mainfile(filepath=file)
    first, second = people(clip)
    mine = bpy.data.actions.new("mine")
    first.animation_data.action = mine
    first.keyframe_insert("scale", frame=5)
    bpy.data.actions.remove(second.animation_data.action)
    work = sys.modules[f"{harness.MODULE}.work"]
    said, finish = [], work.finish
    work.finish = lambda *values: said.append(finish(*values)) or said[-1]
    bpy.ops.pose.refine(armature=first.name, **given["refine"])
    return {
        "said": said[0].message,
        "plays": [ob.animation_data.action.name for ob in (first, second)],
        "mine": [len(curve.keyframe_points) for curve in fcurves(mine)],
        "theirs": [
            sorted({len(c.keyframe_points) for c in fcurves(ob.pose_import.action)}) for ob in (first, second)
        ],
        "second": person(second, bpy.data.objects[f"{clip} camera"], given["step"]),
    }


def look(clip: str, step: int) -> dict[str, Any]:
    persons, camera = people(clip), bpy.data.objects[f"{clip} camera"]
    first, second = persons
    mode = first.mode
    with_film = {
        "everything": everything(),
        "mode": [mode, bpy.context.mode],
        "note": first["note"],
        "parent": first.parent.name,
        "constraints": [item.name for item in first.pose.bones["head"].constraints],
        "prop": list(first.data.bones["prop"].head_local) if mode != "EDIT" else None,
        "scale keys": sum(
            len(c.keyframe_points) for c in fcurves(first.animation_data.action) if "scale" in c.data_path
        ),
        "hidden": second.hide_viewport,
        "jobs": [ob.pose_import.job for ob in (*persons, camera)],
        "collection": first.users_collection[0]["pose_job"],
        "settings": [[getattr(ob.pose_import, name) for name in ("smoothing", "floor")] for ob in persons],
        "spans": [[span.start, span.end, span.why, span.joints] for span in first.pose_import.weak_spans],
        "markers": sorted([m.name, m.frame] for m in bpy.context.scene.timeline_markers),
        "keys": [
            [len(c.keyframe_points) for c in fcurves(ob.animation_data.action) if "scale" not in c.data_path]
            for ob in persons
        ],
        "camera": [list(row) for row in camera.matrix_world],
        # Without going to another frame.
        "at once": at_once(first),
    }
    if mode != "EDIT":
        second.hide_viewport = False
        frame = bpy.context.scene.frame_current
        with_film["people"] = [person(ob, camera, step) for ob in persons]
        with_film["camera path"] = camera_path(camera, 8) if camera.animation_data else None
        bpy.context.scene.frame_set(frame)
        second.hide_viewport = with_film["hidden"]
    return with_film


def at_once(armature: Any) -> dict[str, list[float]]:
    evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return {bone.name: list(bone.matrix.translation) for bone in evaluated.pose.bones}


def main(given: dict[str, Any]) -> dict[str, Any]:
    harness.enable()
    scene, clip = bpy.context.scene, Path(given["import"]["filepath"]).stem
    scene.render.resolution_x, scene.render.resolution_y = 320, 180
    preferences = bpy.context.preferences.addons[harness.MODULE].preferences
    preferences.server = given["import"]["server"]
    bpy.ops.pose.import_video(**given["import"])
    if given.get("what_plays"):
        return what_plays(given, clip)
    as_a_user_does(clip, given["mode"])
    scene.frame_set(20)
    if given.get("mark"):
        bpy.ops.pose.mark_weak_spans()
    bpy.ops.ed.undo_push(message="Before")
    step = given.get("step", 6)
    report = {"before": look(clip, step)}
    scene.frame_set(20)
    if given.get("lost"):
        bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
        refuse = harness.refused(bpy.ops.pose.refine, armature=f"{clip} person 2")
        return {**report, "said": refuse, "after": look(clip, step)}
    bpy.ops.pose.refine(**given["refine"])
    report["after"] = look(clip, step)
    if given.get("only"):
        return report
    if given.get("again"):
        bpy.ops.pose.refine()
        report["again"] = look(clip, step)
    if given.get("import_again"):
        bpy.ops.pose.import_video(**given["import"])
        cameras = [ob for ob in bpy.data.objects if ob.name.startswith(f"{clip} camera")]
        report["cameras"] = [camera_path(camera, 8)["keys"] for camera in cameras]
        return report
    if given.get("again"):
        bpy.ops.ed.undo()
    bpy.ops.ed.undo()
    report["undone"] = look(clip, step)
    if given.get("mark"):
        bpy.ops.pose.show_weak_span(index=0)
        scene = bpy.context.scene  # undo has made it anew
        report["shown"] = scene.frame_current
        bpy.ops.pose.mark_weak_spans()
        report["unmarked"] = len(scene.timeline_markers)
    return report


harness.run(main)
