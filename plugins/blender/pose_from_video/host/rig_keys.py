"""A motion on the user's own rig, as an action of its own."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import bpy

from .keys import CONSTANT, ActionWriter

if TYPE_CHECKING:
    from pose_shared.rig_motion import RigChannels

__all__ = ["key_rig"]


def key_rig(ob: bpy.types.Object, motion: RigChannels, frames: array[float], name: str) -> bpy.types.Action:
    """Give a rig an action with a motion on it, and assign it; another action that it had stays in the file.

    Parameters
    ----------
    ob
        The armature that the motion was made for.
    motion
        Its channels.
    frames
        Scene frame of each row.
    name
        Of the action.
    """
    bones: Any = ob.pose.bones  # type: ignore[union-attr]
    action = ActionWriter(ob, name)
    for keyed in motion.bones:
        path = f'pose.bones["{bpy.utils.escape_identifier(keyed.name)}"]'
        if keyed.rotation == "quaternion":
            bones[keyed.name].rotation_mode = "QUATERNION"
            curve, axes = "rotation_quaternion", "wxyz"
        else:
            curve, axes = "rotation_euler", "xyz"
        for index, axis in enumerate(axes):
            values = motion.channels[f"{keyed.name}/rotation/{axis}"]
            action.write(f"{path}.{curve}", index, frames, values, group=keyed.name)
        if keyed.moves:
            for index, axis in enumerate("xyz"):
                values = motion.channels[f"{keyed.name}/location/{axis}"]
                action.write(f"{path}.location", index, frames, values, group=keyed.name)
    for bone in bones:
        # A chain that stretches is never quite as long as at rest, and its knee would jump from FK to IK.
        bone.ik_stretch = 0.0
    for setting in motion.settings:
        owner = bones[setting.bone]
        owner[setting.name] = type(owner[setting.name])(setting.value)
        path = f'pose.bones["{bpy.utils.escape_identifier(setting.bone)}"]'
        path += f'["{bpy.utils.escape_identifier(setting.name)}"]'
        action.write(
            path, 0, frames[:1], array("f", [setting.value]), group=setting.bone, interpolation=CONSTANT
        )
    return action.action
