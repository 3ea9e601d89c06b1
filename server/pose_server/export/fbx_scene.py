"""The half of the FBX export that runs inside Blender: ``python -m pose_server.export.fbx_scene``.

Arguments are the arrays of `fbx.write_fbx`, the name of the mesh, and the file to write.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["export"]

Arrays = dict[str, NDArray[Any]]

_CM = 100.0
#: Unreal takes a node of this name for no bone.
_ARMATURE = "Armature"


def export(arrays: Path, name: str, target: Path) -> None:
    """Build the scene in centimetres, so that no object needs a scale, and write it."""
    import bpy

    with np.load(arrays, allow_pickle=False) as file:
        content = dict(file)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.unit_settings.system, scene.unit_settings.scale_length = "METRIC", 1 / _CM
    numerator, denominator = content["rate"].tolist()
    # Blender's frames per second are a whole number over a divisor.
    scene.render.fps = max(1, round(numerator / denominator))
    scene.render.fps_base = scene.render.fps * denominator / numerator
    frames = len(content["keys_wxyz"])
    scene.frame_start, scene.frame_end = 0, frames - 1
    person = _armature(content)
    _animate(person, content)
    if "points_m" in content:
        _dress(person, name, content)
    bpy.ops.export_scene.fbx(
        filepath=str(target),
        check_existing=False,
        object_types={"ARMATURE", "MESH"},
        add_leaf_bones=False,
        bake_anim=True,
        bake_anim_use_all_bones=True,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
        bake_anim_force_startend_keying=True,
        bake_anim_simplify_factor=0.0,
        mesh_smooth_type="OFF",
    )


def _armature(content: Arrays) -> Any:
    import bpy
    from mathutils import Vector

    data = bpy.data.armatures.new(_ARMATURE)
    person = bpy.data.objects.new(_ARMATURE, data)
    bpy.context.collection.objects.link(person)
    bpy.context.view_layer.objects.active = person
    bpy.ops.object.mode_set(mode="EDIT")
    bones: list[Any] = []
    for joint, name in enumerate(content["names"].tolist()):
        bone = data.edit_bones.new(name)
        bone.head = (content["heads_m"][joint] * _CM).tolist()
        bone.tail = (content["tails_m"][joint] * _CM).tolist()
        bone.align_roll(Vector(content["axes"][joint, :, 2].tolist()))
        parent = int(content["parents"][joint])
        if parent >= 0:
            bone.parent = bones[parent]
        bones.append(bone)
    bpy.ops.object.mode_set(mode="OBJECT")
    return person


def _animate(person: Any, content: Arrays) -> None:
    """Key every bone's rotation, and the location of those that move, a curve at a time."""
    import bpy
    from bpy_extras import anim_utils

    action = bpy.data.actions.new(_ARMATURE)
    slot = action.slots.new("OBJECT", _ARMATURE)
    curves = person.animation_data_create()
    curves.action, curves.action_slot = action, slot
    bag = anim_utils.action_ensure_channelbag_for_slot(action, slot)
    keys = content["keys_wxyz"]
    frames = np.arange(len(keys), dtype=np.float32)

    def curve(bone: Any, path: str, index: int, values: NDArray[Any]) -> None:
        line = bag.fcurves.new(bone.path_from_id(path), index=index)
        line.keyframe_points.add(len(values))
        line.keyframe_points.foreach_set("co", np.stack([frames, values], axis=1).astype(np.float32).ravel())
        line.keyframe_points.foreach_set("interpolation", np.ones(len(values), np.int32))  # linear
        line.update()

    names = content["names"].tolist()
    for joint, name in enumerate(names):
        bone = person.pose.bones[name]
        bone.rotation_mode = "QUATERNION"
        for index in range(4):
            curve(bone, "rotation_quaternion", index, keys[:, joint, index])
    for joint, moves in zip(content["moving"].tolist(), content["moves_m"], strict=True):
        for index in range(3):
            curve(person.pose.bones[names[joint]], "location", index, moves[:, index] * _CM)


def _dress(person: Any, name: str, content: Arrays) -> None:
    """Add the mesh, each of whose points moves with one bone."""
    import bpy

    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata((content["points_m"] * _CM).tolist(), [], content["triangles"].tolist())
    mesh.shade_smooth()
    body = bpy.data.objects.new(name, mesh)
    bpy.context.collection.objects.link(body)
    for joint, bone in enumerate(content["names"].tolist()):
        points = np.flatnonzero(content["joints"] == joint)
        body.vertex_groups.new(name=bone).add(points.tolist(), 1.0, "REPLACE")
    body.parent = person
    body.modifiers.new("Armature", "ARMATURE").object = person


def _main() -> None:
    arrays, name, target = sys.argv[1:]
    code = 0
    try:
        export(Path(arrays), name, Path(target))
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # bpy does not come down cleanly


if __name__ == "__main__":
    _main()
