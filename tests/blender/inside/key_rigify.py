"""Describe the rig that Rigify generates, or key it and say where its bones come to be."""

import json
import sys
from array import array
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bpy
import harness
from scene_report import fcurves

ROOT = Path(__file__).parents[3]


def host() -> Any:
    """Return what the add-on has for rigs, without the rest of the add-on, which talks to a server."""
    for name in ("pose_from_video", "pose_from_video.host"):
        package = ModuleType(name)
        package.__path__ = [str(ROOT / "plugins/blender" / name.replace(".", "/"))]
        sys.modules[name] = package
    sys.path.insert(0, str(ROOT / "shared"))
    from pose_from_video.host import rig, rig_keys

    return SimpleNamespace(describe_rig=rig.describe_rig, key_rig=rig_keys.key_rig)


def character() -> Any:
    import addon_utils  # a module of Blender's own, found once bpy is there

    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_human_metarig_add()
    bpy.ops.pose.rigify_generate()
    (rig,) = (ob for ob in bpy.data.objects if ob.type == "ARMATURE" and "rig_id" in ob.data)
    return rig


def channels(folder: Path) -> Any:
    """Read what the benchmark wrote: names, and the numbers of every channel one after another."""
    content = json.loads((folder / "channels.json").read_text())
    numbers = array("f", (folder / "channels.f32").read_bytes())
    rows = content["rows"]
    found = {name: numbers[i * rows : (i + 1) * rows] for i, name in enumerate(content["channels"])}
    return SimpleNamespace(
        bones=[SimpleNamespace(**bone) for bone in content["bones"]],
        settings=[SimpleNamespace(**setting) for setting in content["settings"]],
        channels=found,
    ), array("f", range(1, rows + 1))


def sampled(rig: Any, names: list[str], rows: int) -> array:
    """Return for each row and bone its 3x4 matrix in the rig, and its tail."""
    numbers = array("d")
    for row in range(rows):
        bpy.context.scene.frame_set(row + 1)
        for name in names:
            bone = rig.pose.bones[name]
            for line in bone.matrix[:3]:
                numbers.extend(line)
            numbers.extend(bone.tail)
    return numbers


def main(given: dict[str, Any]) -> dict[str, Any]:
    own = host()
    for ob in list(bpy.data.objects):
        bpy.data.objects.remove(ob)
    rig = character()
    report: dict[str, Any] = {"version": bpy.app.version_string}
    if "keys" not in given:
        return report | {"rig": own.describe_rig(rig).to_json(), "bones": [b.name for b in rig.pose.bones]}
    folder = Path(given["keys"])
    motion, frames = channels(folder)
    action = own.key_rig(rig, motion, frames, "walk")
    rests = array("d")
    for name in given["bones"]:
        for line in rig.data.bones[name].matrix_local[:3]:
            rests.extend(line)
    (folder / "rests.f64").write_bytes(rests.tobytes())
    for kind, value in (("fk", 1.0), ("ik", 0.0)):
        for curve in fcurves(action):
            if "IK_FK" in curve.data_path:
                for point in curve.keyframe_points:
                    point.co[1] = value
                curve.update()
        (folder / f"{kind}.f64").write_bytes(sampled(rig, given["bones"], len(frames)).tobytes())
    return report


harness.run(main)
