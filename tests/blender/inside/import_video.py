"""Import a clip with the operator and report everything that it changed."""

import math
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import harness
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

KINDS = (
    *("actions", "armatures", "cameras", "collections", "images", "movieclips", "objects"),
    *("meshes", "materials", "scenes", "worlds", "texts"),
)


def everything() -> dict[str, list[str]]:
    return {kind: sorted(item.name for item in getattr(bpy.data, kind)) for kind in KINDS}


def user_state() -> dict[str, Any]:
    """What belongs to the user and must stay."""
    scene, layer = bpy.context.scene, bpy.context.view_layer
    return {
        "mode": bpy.context.mode,
        "object modes": {ob.name: ob.mode for ob in bpy.data.objects if not ob.name.startswith("dance")},
        "active": layer.objects.active.name if layer.objects.active else None,
        "selected": sorted(ob.name for ob in layer.objects if ob.select_get()),
        "frame": scene.frame_current,
        "scene camera": scene.camera.name if scene.camera else None,
        "resolution": [scene.render.resolution_x, scene.render.resolution_y],
        "cube": [list(row) for row in bpy.data.objects["Cube"].matrix_world],
        "cube curve": curve_points(bpy.data.objects["Cube"].animation_data.action),
        "window scene": bpy.context.scene.name,
    }


def rate() -> dict[str, Any]:
    scene = bpy.context.scene
    return {
        "fps": scene.render.fps,
        "fps_base": scene.render.fps_base,
        "range": [scene.frame_start, scene.frame_end],
    }


def fcurves(action: Any) -> list[Any]:
    if not hasattr(action, "layers"):
        return list(action.fcurves)
    return [c for layer in action.layers for s in layer.strips for bag in s.channelbags for c in bag.fcurves]


def curve_points(action: Any) -> list[list[float]]:
    return [list(point.co) for curve in fcurves(action) for point in curve.keyframe_points]


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
    if given.get("mode"):
        bpy.ops.object.mode_set(mode=given["mode"])
    bpy.ops.ed.undo_push(message="Before")


def joints(armature: Any, frame: float) -> dict[str, list[float]]:
    whole = int(frame // 1)
    bpy.context.scene.frame_set(whole, subframe=frame - whole)
    evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return {b.name: list(evaluated.matrix_world @ b.matrix.translation) for b in evaluated.pose.bones}


def seen(camera: Any, points: dict[str, list[float]]) -> dict[str, list[float]]:
    """Where the scene's camera draws the points, in pixels of the render, from the upper left."""
    render = bpy.context.scene.render
    found = {}
    for name, point in points.items():
        x, y, _ = world_to_camera_view(bpy.context.scene, camera, Vector(point))
        found[name] = [x * render.resolution_x, (1 - y) * render.resolution_y]
    return found


def person(armature: Any, camera: Any, step: int) -> dict[str, Any]:
    action = armature.animation_data.action
    curves = fcurves(action)
    rotation = next(c for c in curves if c.data_path.endswith("rotation_quaternion"))
    frames = [point.co[0] for point in rotation.keyframe_points]
    places, pixels = [], []
    for frame in frames[::step]:
        places.append([frame, joints(armature, frame)])
        pixels.append([frame, seen(camera, places[-1][1]) if camera else {}])
    bones = armature.data.bones
    return {
        "name": armature.name,
        "action": action.name,
        "frames": frames,
        "interpolation": sorted({point.interpolation for c in curves for point in c.keyframe_points}),
        "joints": places,
        "seen": pixels,
        "parents": {bone.name: bone.parent.name if bone.parent else None for bone in bones},
        "located": sorted({c.data_path for c in curves if c.data_path.endswith("location")}),
        "properties": {key: armature[key] for key, _ in armature.items()},
        "paths": sorted({c.data_path for c in curves}),
        "unit": [list(armature.location), list(armature.scale)],
    }


def film(camera: Any, frames: list[int]) -> dict[str, Any]:
    background = camera.data.background_images[0]
    shown = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        if background.source == "MOVIE_CLIP":
            shown.append(frame - background.clip.frame_start)
        else:
            user = background.image_user
            shown.append(frame - user.frame_start + 1 + user.frame_offset - 1)
    return {
        "source": background.source,
        "shown": shown,
        "visible": camera.data.show_background_images,
        "turn": round(math.degrees(background.rotation)),
        "scale": background.scale,
    }


def main(given: dict[str, Any]) -> dict[str, Any]:
    harness.enable()
    if given.get("resolution"):
        render = bpy.context.scene.render
        render.resolution_x, render.resolution_y = given["resolution"]
    prepare_scene(given)
    before, state, rate_before = everything(), user_state(), rate()
    importing = sys.modules[f"{harness.MODULE}.importing"]
    outcomes = []
    finish = importing.finish
    importing.finish = lambda *values: outcomes.append(finish(*values)) or outcomes[-1]
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
