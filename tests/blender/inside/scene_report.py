"""What a scene holds, in numbers and names that can leave Blender."""

import math
from typing import Any

import bpy
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
    keyed = [key for key in armature.keys() if key.startswith("contact ")]  # noqa: SIM118, only its keys
    places, pixels, contacts = [], [], []
    for frame in frames[::step]:
        places.append([frame, joints(armature, frame)])
        contacts.append({key: armature[key] for key in keyed})
        pixels.append([frame, seen(camera, places[-1][1]) if camera else {}])
    bones = armature.data.bones
    return {
        "name": armature.name,
        "action": action.name,
        "frames": frames,
        "interpolation": sorted({point.interpolation for c in curves for point in c.keyframe_points}),
        "joints": places,
        "seen": pixels,
        "contacts": contacts,
        "parents": {bone.name: bone.parent.name if bone.parent else None for bone in bones},
        "located": sorted({c.data_path for c in curves if c.data_path.endswith("location")}),
        "properties": {key: armature[key] for key in armature.keys() if key != "pose_import"},  # noqa: SIM118
        "paths": sorted({c.data_path for c in curves}),
        "unit": [list(armature.location), list(armature.scale)],
    }


def camera_path(camera: Any, step: int) -> dict[str, Any]:
    """Where a camera is, on its keys and half-way between them."""
    curves = fcurves(camera.animation_data.action)
    frames = [point.co[0] for point in curves[0].keyframe_points]
    places = []
    for frame in [frame + half for frame in frames[:-1:step] for half in (0.0, 0.5, 1.0)]:
        bpy.context.scene.frame_set(int(frame // 1), subframe=frame % 1)
        places.append([list(row) for row in camera.matrix_world])
    return {
        "frames": frames,
        "keys": [len(curve.keyframe_points) for curve in curves],
        "paths": [f"{curve.data_path}[{curve.array_index}]" for curve in curves],
        "interpolation": sorted({point.interpolation for c in curves for point in c.keyframe_points}),
        "places": places,
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
