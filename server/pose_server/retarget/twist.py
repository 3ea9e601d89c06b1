"""Twist bones: the roll of an arm or a leg, spread over the bones that a rig has along it.

The roll of an upper arm or thigh begins at its joint, where the skin does not roll; that of a forearm or
shin comes from the hand or foot.  A bone part of the way along takes that part of it.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray, Motion
from pose_server.pipeline.kinematics import global_rotations
from pose_server.retarget.posing import Posed

__all__ = ["twisted"]

#: For each part along which twist is spread: what its roll is measured against, the part that rolls, where
#: the part ends, and whether the roll starts at its beginning.
_ROLLS = {
    "shoulder": ("clavicle", "shoulder", "elbow", True),
    "elbow": ("elbow", "wrist", "wrist", False),
    "hip": ("pelvis", "hip", "knee", True),
    "knee": ("knee", "ankle", "ankle", False),
}


def twisted(pose: Posed, motion: Motion) -> Posed:
    """Return the pose with the rig's twist bones."""
    roles = pose.character.bones.roles
    wanted = [role for role in roles if role.endswith("_twist")]
    if not wanted:
        return pose
    names = list(motion.joint_names)
    source = global_rotations(motion.local_rotations_wxyz.astype(np.float64), motion.parents.tolist())
    found: dict[int, tuple[FloatArray, FloatArray]] = {}
    for role in wanted:
        side, part, _ = role.split("_")
        against, rolls, end, own = _ROLLS[part]
        if f"{side}_{part}" not in roles or f"{side}_{end}" not in roles:
            continue
        still = against if against == "pelvis" else f"{side}_{against}"
        roll = _roll(source[:, names.index(still)], source[:, names.index(f"{side}_{rolls}")], side, part)
        limb = pose.column(f"{side}_{part}")
        start = pose.character.head_m(f"{side}_{part}")
        along = pose.character.head_m(f"{side}_{end}") - start
        for name in roles[role]:
            place = pose.character.index[name]
            rest = pose.character.rest_heads_m[place]
            share = float(np.clip((rest - start) @ along / (along @ along), 0.0, 1.0))
            axis = pose.turns[:, limb] @ (along / np.linalg.norm(along))
            angle = -(1 - share) * roll if own else share * roll
            turn = Rotation.from_rotvec(axis * angle[:, None]).as_matrix() @ pose.turns[:, limb]
            found[place] = turn, pose.point_m(limb, rest)
    return pose.joined(found)


def _roll(still: FloatArray, rolls: FloatArray, side: str, part: str) -> FloatArray:
    """Return (T,) how far one part is rolled against another, in radians, about the limb in a T-pose.

    The twist of the swing-twist decomposition (Dobrowolski, Swing-twist decomposition in Clifford
    algebra, 2015).
    """
    out = 1.0 if side == "left" else -1.0
    limb = np.array([out, 0.0, 0.0] if part in ("shoulder", "elbow") else [0.0, 0.0, -1.0])
    turn = Rotation.from_matrix(np.swapaxes(still, 1, 2) @ rolls).as_quat(scalar_first=True)
    angle = 2 * np.arctan2(turn[:, 1:] @ limb, turn[:, 0])
    return np.asarray(np.unwrap((angle + np.pi) % (2 * np.pi) - np.pi))
