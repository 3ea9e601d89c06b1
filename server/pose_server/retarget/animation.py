"""Keys of a rig as a moving skeleton that the writers of files take."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from pose_server.export.animation import Animation
from pose_server.pipeline.boundary import FloatArray, IntArray
from pose_server.pipeline.kinematics import same_hemisphere
from pose_server.retarget.forward import rest_locals
from pose_server.retarget.rig_motion import RigMotion

__all__ = ["rig_animation"]

#: From y up to z up.
_UPRIGHT = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
#: Length of a bone that nothing tells the end of.
_TIP_M = 0.05


def rig_animation(motion: RigMotion, name: str) -> Animation:
    """Return all bones of a rig as they move: z up, in metres; what has no keys rests.

    A rig with several roots gets one above them, for files that allow but one.
    """
    rig = motion.rig
    names = [bone.name for bone in rig.bones]
    index = {name: i for i, name in enumerate(names)}
    parents = np.array([index[bone.parent] if bone.parent else -1 for bone in rig.bones])
    rest = rest_locals(motion)
    rest[:, :3, 3] *= rig.metres_per_unit
    upright = np.eye(4)
    upright[:3, :3] = _UPRIGHT if rig.up == "y" else np.eye(3)
    tips = _tips(motion, parents, rest)
    roots = np.flatnonzero(parents < 0)
    added = len(roots) > 1
    if added:
        top = rig.name or "root"
        while top in index:
            top += "_"
        names.insert(0, top)
        rest = np.concatenate([upright[None], rest])
        tips = np.concatenate([np.array([[0.0, _TIP_M, 0.0]]), tips])
        parents = np.concatenate([[-1], parents + 1])
    else:
        rest[roots] = upright @ rest[roots]
    turns = rest[:, :3, :3]
    still = Rotation.from_matrix(turns).as_quat(scalar_first=True)
    local = np.broadcast_to(still, (len(motion), *still.shape)).copy()
    moves: dict[int, FloatArray] = {}
    for column, bone in enumerate(motion.bones):
        joint = index[bone] + added
        keys = Rotation.from_quat(motion.rotations_wxyz[:, column], scalar_first=True)
        turned = Rotation.from_matrix(turns[joint]) * keys
        local[:, joint] = turned.as_quat(scalar_first=True)
        if motion.moves[column]:
            away = motion.locations[:, column] * rig.metres_per_unit
            moves[joint] = rest[joint, :3, 3] + away @ turns[joint].T
    return Animation(
        name=name,
        rate=motion.rate,
        start_s=float(motion.times_s[0]),
        joint_names=tuple(names),
        parents=parents,
        rest_translations_m=rest[:, :3, 3].copy(),
        rest_rotations_wxyz=still,
        local_rotations_wxyz=same_hemisphere(local),
        translations_m=moves,
        tips_m=tips,
    )


def _tips(motion: RigMotion, parents: IntArray, rest: FloatArray) -> FloatArray:
    """Return (B, 3) where bones end in their own axes: where the rig says, else at their only child."""
    tips = np.zeros((len(parents), 3))
    tips[:, 1] = _TIP_M
    for place, bone in enumerate(motion.rig.bones):
        children = np.flatnonzero(parents == place)
        if bone.tail is not None:
            axes = np.array(bone.rest).reshape(4, 4)
            away = (np.array(bone.tail) - axes[:3, 3]) * motion.rig.metres_per_unit
            tips[place] = axes[:3, :3].T @ away
        elif len(children) == 1:
            tips[place] = rest[children[0], :3, 3]
        if np.linalg.norm(tips[place]) < 1e-6:
            tips[place] = (0.0, _TIP_M, 0.0)
    return tips
