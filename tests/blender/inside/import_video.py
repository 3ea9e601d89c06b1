"""Import a clip with the operator and report everything that it changed."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import harness
from scene_report import KINDS, camera_path, everything, film, person, rate, user_state


def prepare_scene(given: dict[str, Any]) -> None:
    """A user in the middle of something: an animated cube, another selection, a mode."""
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = given.get("scene_rate", (24, 1.0))
    scene.frame_set(17)
    cube, light = bpy.data.objects["Cube"], bpy.data.objects["Light"]
    cube.keyframe_insert("location", frame=3)
    cube.select_set(True)
    light.select_set(True)
    bpy.context.view_layer.objects.active = cube
    if given.get("no_camera"):
        bpy.data.objects.remove(bpy.data.objects["Camera"])
    if given.get("dolly"):
        travel(bpy.data.objects["Camera"], given["dolly"])
    if given.get("mode"):
        bpy.ops.object.mode_set(mode=given["mode"])
    bpy.ops.ed.undo_push(message="Before")


def travel(camera: Any, keys: list[list[Any]]) -> None:
    """A camera that looks along its parent's -z, which is keyed; its lens is 50 mm on 36."""
    rail = bpy.data.objects.new("Rail", None)
    bpy.context.collection.objects.link(rail)
    camera.parent, camera.matrix_parent_inverse = rail, rail.matrix_world
    camera.location, camera.rotation_euler = (0, 0, 0.5), (0, 0, 0)
    camera.data.lens, camera.data.sensor_width = 50, 36
    for frame, location, turn in keys:
        rail.location, rail.rotation_euler = location, turn
        rail.keyframe_insert("location", frame=frame)
        rail.keyframe_insert("rotation_euler", frame=frame)
    action = rail.animation_data.action
    curves = (
        action.fcurves if hasattr(action, "fcurves") else action.layers[0].strips[0].channelbags[0].fcurves
    )
    for curve in curves:
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"


def main(given: dict[str, Any]) -> dict[str, Any]:
    harness.enable()
    if given.get("resolution"):
        render = bpy.context.scene.render
        render.resolution_x, render.resolution_y = given["resolution"]
    prepare_scene(given)
    before, state, rate_before = everything(), user_state(), rate()
    work = sys.modules[f"{harness.MODULE}.work"]
    outcomes = []
    finish = work.finish
    work.finish = lambda *values: outcomes.append(finish(*values)) or outcomes[-1]
    bpy.ops.pose.import_video(**given["import"])
    after, rate_after, state_after = everything(), rate(), user_state()
    added = {kind: sorted(set(after[kind]) - set(before[kind])) for kind in KINDS}
    armatures = [ob for ob in bpy.data.objects if ob.type == "ARMATURE" and ob.name in added["objects"]]
    cameras = [ob for ob in bpy.data.objects if ob.type == "CAMERA" and ob.name in added["objects"]]
    camera = cameras[0] if cameras else None
    result = {
        "added": added,
        "people": [person(armature, camera, given.get("step", 1)) for armature in armatures],
        "notes": outcomes[0].message,
        "film": film(camera, given["film_frames"]) if given.get("film_frames") else None,
        "camera path": camera_path(camera, 8) if camera and camera.animation_data else None,
        "rate before": rate_before,
        "rate after": rate_after,
        "state before": state,
        "state after": state_after,
        "job": [c.get("pose_job") for c in bpy.data.collections if c.name in added["collections"]],
    }
    bpy.context.scene.frame_set(17)
    bpy.ops.ed.undo()
    result["left after undo"] = {
        kind: sorted(set(names) - set(before[kind])) for kind, names in everything().items()
    }
    result["lost after undo"] = {
        kind: sorted(set(before[kind]) - set(names)) for kind, names in everything().items()
    }
    result["state after undo"], result["rate after undo"] = user_state(), rate()
    return result


harness.run(main)
