"""Twist bones: the roll of an arm or a leg, spread over the bones that a rig has along it.

The roll of an upper arm or thigh begins at its joint, where the skin does not roll; that of a forearm or
shin comes from the hand or foot.  A bone part of the way along takes that part of it.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray
from pose_server.retarget.posing import Posed

__all__ = ["twisted"]

#: For each part along which twist is spread: where the part ends, and whether the roll starts at its
#: beginning.
_ROLLS = {
    "shoulder": ("elbow", True),
    "elbow": ("wrist", False),
    "hip": ("knee", True),
    "knee": ("ankle", False),
}


def twisted(pose: Posed) -> Posed:
    """Return the pose with the rig's twist bones; none is twisted at rest."""
    character = pose.character
    roles = character.bones.roles
    found: dict[int, tuple[FloatArray, FloatArray]] = {}
    for role in (role for role in roles if role.endswith("_twist")):
        side, part, _ = role.split("_")
        end, own = _ROLLS[part]
        if f"{side}_{part}" not in roles or f"{side}_{end}" not in roles:
            continue
        limb = pose.column(f"{side}_{part}")
        start = character.head_m(f"{side}_{part}")
        along = character.head_m(f"{side}_{end}") - start
        unit = along / np.linalg.norm(along)
        if own:
            swing = character.limb_swings[f"{side}_{part}"]
            still = pose.turns[:, _carrier(pose, side, part)]
            roll = _roll(np.swapaxes(still, 1, 2) @ pose.turns[:, limb] @ swing.T, swing @ unit)
        else:
            last = pose.turns[:, pose.column(f"{side}_{end}")]
            roll = _roll(np.swapaxes(pose.turns[:, limb], 1, 2) @ last, unit)
        for name in roles[role]:
            place = character.index[name]
            rest = character.rest_heads_m[place]
            share = float(np.clip((rest - start) @ along / (along @ along), 0.0, 1.0))
            angle = -(1 - share) * roll if own else share * roll
            axis = pose.turns[:, limb] @ unit
            turn = Rotation.from_rotvec(axis * angle[:, None]).as_matrix() @ pose.turns[:, limb]
            found[place] = turn, pose.point_m(limb, rest)
    return pose.joined(found) if found else pose


def _carrier(pose: Posed, side: str, part: str) -> int:
    """Return the column of what a limb's roll is measured against: what carries it of the trunk."""
    roles = pose.character.bones.roles
    if part == "hip":
        return pose.column("pelvis")
    if f"{side}_clavicle" in roles:
        return pose.column(f"{side}_clavicle")
    return pose.column("spine", -1) if "spine" in roles else pose.column("pelvis")


def _roll(turns: FloatArray, axis: FloatArray) -> FloatArray:
    """Return (T,) how far (T, 3, 3) turns roll about an axis, in radians.

    The twist of the swing-twist decomposition (Dobrowolski, Swing-twist decomposition in Clifford
    algebra, 2015).
    """
    turn = Rotation.from_matrix(turns).as_quat(scalar_first=True)
    angle = 2 * np.arctan2(turn[:, 1:] @ axis, turn[:, 0])
    return np.asarray(np.unwrap((angle + np.pi) % (2 * np.pi) - np.pi))
