"""Import a clip, move a generated Rigify rig as its person does, look, and undo."""

import math
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import harness
from mathutils import Vector
from scene_report import fcurves

LIMBS = (
    ("left_shoulder", "left_elbow", "ORG-upper_arm.L", "ORG-forearm.L"),
    ("left_elbow", "left_wrist", "ORG-forearm.L", "ORG-hand.L"),
    ("right_shoulder", "right_elbow", "ORG-upper_arm.R", "ORG-forearm.R"),
    ("right_elbow", "right_wrist", "ORG-forearm.R", "ORG-hand.R"),
    ("left_hip", "left_knee", "ORG-thigh.L", "ORG-shin.L"),
    ("left_knee", "left_ankle", "ORG-shin.L", "ORG-foot.L"),
    ("right_hip", "right_knee", "ORG-thigh.R", "ORG-shin.R"),
    ("right_knee", "right_ankle", "ORG-shin.R", "ORG-foot.R"),
)
JOINTS = tuple(f"ORG-{name}.{side}" for name in ("forearm", "hand", "shin", "foot", "toe") for side in "LR")


def character() -> Any:
    import addon_utils  # a module of Blender's own, found once bpy is there

    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_human_metarig_add()
    meta = bpy.context.object
    bpy.ops.pose.rigify_generate()
    (rig,) = (ob for ob in bpy.data.objects if ob.type == "ARMATURE" and "rig_id" in ob.data)
    meta.hide_viewport = True
    return rig


def place(armature: Any, bone: str) -> Vector:
    evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return armature.matrix_world @ evaluated.pose.bones[bone].matrix.translation


def switched(rig: Any, ik: bool) -> None:
    """Say by which of the two its limbs move, as a user does who changes the keys."""
    for curve in fcurves(rig.animation_data.action):
        if "IK_FK" in curve.data_path:
            for point in curve.keyframe_points:
                point.co[1] = 0.0 if ik else 1.0


def look(person: Any, rig: Any, frames: list[int]) -> tuple[dict[str, float], list[list[float]]]:
    """Return the largest angle between each limb of both in degrees, and where the rig's joints are."""
    worst: dict[str, float] = {}
    places = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        for start, end, bone, next_bone in LIMBS:
            wanted = place(person, end) - place(person, start)
            found = place(rig, next_bone) - place(rig, bone)
            worst[start] = max(worst.get(start, 0.0), math.degrees(wanted.angle(found)))
        places.append([value for joint in JOINTS for value in place(rig, joint)])
    return worst, places


def apart(one: list[float], other: list[float]) -> float:
    return max(map(abs, map(float.__sub__, one, other)))


def main(given: dict[str, Any]) -> dict[str, Any]:
    harness.enable()
    preferences = bpy.context.preferences.addons[harness.MODULE].preferences
    preferences.server = given["import"]["server"]
    bpy.ops.pose.import_video(**given["import"])
    person = bpy.data.objects[f"{Path(given['import']['filepath']).stem} person 1"]
    rig = character()
    rig.pose.bones["hand_fk.L"].rotation_quaternion = (0.9, 0.1, 0.3, 0.2)
    bpy.context.view_layer.update()
    before = {bone.name: list(bone.matrix.translation) for bone in rig.pose.bones}
    for ob in bpy.context.selected_objects:
        ob.select_set(False)
    person.select_set(True)
    rig.select_set(True)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.ed.undo_push(message="Before")
    report: dict[str, Any] = {
        "done": sorted(bpy.ops.pose.retarget("EXEC_DEFAULT", True, **given["retarget"]))
    }
    frames = given["frames"]
    switched(rig, ik=False)
    report["fk deg"], fk = look(person, rig, frames)
    switched(rig, ik=True)
    report["ik deg"], ik = look(person, rig, frames)
    report["pop m"] = max(map(apart, fk, ik))
    report["steps m"] = list(map(apart, fk, fk[1:]))
    report["keys"] = sorted({len(curve.keyframe_points) for curve in fcurves(rig.animation_data.action)})
    report["bones"] = sorted(before)
    bpy.ops.ed.undo()
    rig = bpy.data.objects["rig"]
    report["undone"] = rig.animation_data is None or rig.animation_data.action is None
    return report


harness.run(main)
