"""The whole way from a motion to the keys of a rig."""

from __future__ import annotations

from pose_shared.rig import Rig

from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.retarget_options import RetargetOptions
from pose_server.retarget.bone_map import BoneMap
from pose_server.retarget.character import character_of
from pose_server.retarget.controls import with_ik_controls
from pose_server.retarget.planting import planted
from pose_server.retarget.posing import posed
from pose_server.retarget.rig_motion import RigMotion, keyed
from pose_server.retarget.travel import travelled
from pose_server.retarget.twist import twisted

__all__ = ["retargeted"]

_LIMBS = {"legs": "leg", "arms": "arm"}


def retargeted(motion: Motion, rig: Rig, bones: BoneMap, options: RetargetOptions | None = None) -> RigMotion:
    """Return a motion as the keys of a rig.

    Parameters
    ----------
    motion
        Of one person.
    rig
        Whom to move.
    bones
        Which of its bones are which parts of the body.
    options
        What the user asked for.

    Raises
    ------
    InputError
        The map names bones that the rig lacks, or the rig has no legs to stand on.
    """
    options = options or RetargetOptions()
    pose = posed(motion, character_of(rig, bones))
    pose = planted(pose, motion, [_LIMBS[limbs] for limbs in options.relock])
    pose = travelled(pose, rate_hz=float(motion.rate), options=options)
    pose = with_ik_controls(twisted(pose))
    return keyed(pose, rate=motion.rate, times_s=motion.times_s)
