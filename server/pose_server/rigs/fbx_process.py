"""Runs inside Blender's module: ``python -m pose_server.rigs.fbx_process FILE.fbx RIG.json``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

__all__: list[str] = []


def _main(source: str, target: str) -> None:
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.fbx(filepath=source, use_anim=False, use_custom_props=False)
    armatures = [thing for thing in bpy.data.objects if thing.type == "ARMATURE"]
    if not armatures:
        sys.exit("it has no armature")
    armature = max(armatures, key=lambda found: len(found.data.bones))
    rig = {
        "format": "pose-rig",
        "version": 1,
        "name": Path(source).stem[:200],
        "up": "z",
        "metres_per_unit": 1.0,
        "bones": [_bone(armature.matrix_world, bone) for bone in armature.data.bones],
    }
    Path(target).write_text(json.dumps(rig), encoding="utf-8")


def _bone(world: Any, bone: Any) -> dict[str, Any]:
    matrix = world @ bone.matrix_local
    rest = matrix.to_quaternion().to_matrix().to_4x4()
    rest.translation = matrix.translation
    return {
        "name": bone.name,
        "parent": bone.parent.name if bone.parent else "",
        "rest": [value for row in rest for value in row],
        "tail": list(world @ bone.tail_local),
        "keys": ["location", "rotation"],
    }


if __name__ == "__main__":
    _main(*sys.argv[1:3])
