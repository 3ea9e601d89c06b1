"""Where the keys of a rig take its bones: forward kinematics, as a host does it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray
from pose_server.retarget.rig_motion import RigMotion

__all__ = ["bone_worlds", "rest_locals"]


def rest_locals(motion: RigMotion) -> FloatArray:
    """Return (B, 4, 4) of each bone at rest about its parent, in the rig's unit."""
    rest = np.array([bone.rest for bone in motion.rig.bones]).reshape(-1, 4, 4)
    index = {bone.name: i for i, bone in enumerate(motion.rig.bones)}
    above = np.array([rest[index[bone.parent]] if bone.parent else np.eye(4) for bone in motion.rig.bones])
    return np.asarray(np.linalg.inv(above) @ rest)


def bone_worlds(motion: RigMotion, bones: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Return how some bones stand in the rig, in every frame.

    Parameters
    ----------
    motion
        Keys; what has none rests.
    bones
        (N,) names.

    Returns
    -------
    tuple
        (T, N, 3, 3) from each bone's axes into the rig's, and (T, N, 3) heads in the rig's unit.
    """
    rig = motion.rig
    index = {bone.name: i for i, bone in enumerate(rig.bones)}
    wanted: set[int] = set()
    for name in bones:
        while name:
            wanted.add(index[name])
            name = rig.bones[index[name]].parent
    column_of = {name: column for column, name in enumerate(motion.bones)}
    locals_ = rest_locals(motion)
    turns: dict[int, FloatArray] = {}
    heads: dict[int, FloatArray] = {}
    for place in sorted(wanted):
        bone = rig.bones[place]
        turn, head = locals_[place, :3, :3], np.broadcast_to(locals_[place, :3, 3], (len(motion), 3))
        column = column_of.get(bone.name)
        if column is not None:
            if motion.moves[column]:
                head = head + motion.locations[:, column] @ turn.T
            keyed = Rotation.from_quat(motion.rotations_wxyz[:, column], scalar_first=True).as_matrix()
            turn = turn @ keyed
        if bone.parent:
            above = index[bone.parent]
            head = heads[above] + np.einsum("tij,tj->ti", turns[above], head)
            turn = turns[above] @ turn
        turns[place] = np.broadcast_to(turn, (len(motion), 3, 3))
        heads[place] = head
    places = [index[name] for name in bones]
    return np.stack([turns[i] for i in places], axis=1), np.stack([heads[i] for i in places], axis=1)
