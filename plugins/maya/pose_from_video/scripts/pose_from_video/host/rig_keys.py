"""A motion on the user's own rig, in an animation layer of its own."""

from __future__ import annotations

from array import array
from typing import Dict, List, Sequence

from maya import cmds
from pose_shared.rig_motion import RigChannels
from pose_shared.scene_nodes import Curve

from .layers import add_layer, add_link, linked
from .rig import LiveRig
from .undo_step import undo_step

__all__ = ["key_rig"]

_LAYER = "poseRetarget"


def key_rig(root: str, live: LiveRig, motion: RigChannels, times_s: Sequence[float], name: str) -> List[str]:
    """Give a rig a layer with a motion on it, in one undo step; keys that it has stay below it.

    Parameters
    ----------
    root
        Top of the rig.
    live
        Where its bones are.
    motion
        What the server made of it.
    times_s
        Of the scene, for each row.
    name
        For the layer. One that an earlier motion left on this rig goes.

    Returns
    -------
    list of str
        Sentences for the user that are no errors.
    """
    times = array("d", times_s)
    curves: Dict[str, Curve] = {}
    notes: List[str] = []
    for bone in motion.bones:
        path = live.paths[bone.name]
        for axis in "xyz":
            values = motion.channels[f"{bone.name}/rotation/{axis}"]
            plug = f"{path}.rotate{axis.upper()}"
            curves[plug] = Curve(bone.name, f"rotate{axis.upper()}", "angle", times, values)
        if not bone.moves:
            continue
        scale = live.parent_scales[bone.name]
        for axis, rest in zip("xyz", live.rest_translates_cm[bone.name]):
            moved = motion.channels[f"{bone.name}/location/{axis}"]
            values = array("d", [rest + value / scale for value in moved])
            plug = f"{path}.translate{axis.upper()}"
            curves[plug] = Curve(bone.name, f"translate{axis.upper()}", "distance", times, values)
    for setting in motion.settings:
        path = live.paths[setting.bone]
        if cmds.attributeQuery(setting.name, node=path, exists=True):
            value = array("d", [setting.value])
            curves[f"{path}.{setting.name}"] = Curve(setting.bone, setting.name, "number", times[:1], value)
        else:
            notes.append(f"'{setting.bone}' has no '{setting.name}', which rigs of this kind usually have.")
    with undo_step("Retarget Pose from Video") as step:
        layer = add_layer(step, name, curves)
        earlier = linked(root, _LAYER)
        add_link(root, _LAYER, layer)
        if earlier and cmds.objExists(earlier):
            cmds.delete(earlier)
    return notes
