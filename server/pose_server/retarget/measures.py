"""How well keys of a rig repeat a motion, in a few numbers, found by forward kinematics of the keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pose_server.pipeline.boundary import FloatArray, Motion
from pose_server.pipeline.kinematics import global_rotations
from pose_server.retarget.bone_map import BoneMap
from pose_server.retarget.character import Character, character_of
from pose_server.retarget.forward import bone_worlds
from pose_server.retarget.reach import steps_rad
from pose_server.retarget.rig_motion import RigMotion

__all__ = ["MEASURED", "Measures", "measured", "measured_bones"]

_SIDES = ("left", "right")
_CARRIES = 0.5
#: Bones whose direction is told by two joints that source and rig both have.
_LIMBS = tuple(
    (f"{side}_{start}", f"{side}_{end}")
    for side in _SIDES
    for start, end in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
)
_TURNED = (
    "pelvis",
    "head",
    *(f"{s}_{p}" for s in _SIDES for p in ("shoulder", "elbow", "hip", "knee", "ankle")),
)
#: Roles of the bones that are looked at.
MEASURED = tuple(dict.fromkeys((*_TURNED, *(name for limb in _LIMBS for name in limb))))


@dataclass(frozen=True)
class Measures:
    """Of one retargeted motion; None where there is nothing to measure."""

    direction_deg: dict[str, float]
    """Largest angle between each limb bone here and in the source, by the joint at its head."""
    slide_mm: float | None
    """Mean way of what carries along the ground, from frame to frame."""
    worst_slide_mm: float | None
    under_ground_mm: float
    """How deep heels and balls of the feet go at most."""
    jump_deg: float
    """By how much the largest turn of a bone from frame to frame exceeds that of its joint in the source; at
    most 0 where no bone jumps more."""

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data, rounded."""
        return {
            "direction_deg": {name: round(value, 3) for name, value in self.direction_deg.items()},
            "slide_mm": None if self.slide_mm is None else round(self.slide_mm, 3),
            "worst_slide_mm": None if self.worst_slide_mm is None else round(self.worst_slide_mm, 3),
            "under_ground_mm": round(self.under_ground_mm, 2),
            "jump_deg": round(self.jump_deg, 3),
        }


def measured(motion: Motion, result: RigMotion, bones: BoneMap) -> Measures:
    """Return how well `result` repeats `motion`.

    Parameters
    ----------
    motion
        The source.
    result
        It on a rig, not in place.
    bones
        The rig's map.
    """
    character = character_of(result.rig, bones)
    roles = [role for role in MEASURED if role in bones]
    return measured_bones(motion, character, roles, *bone_worlds(result, [bones[role] for role in roles]))


def measured_bones(
    motion: Motion, character: Character, roles: Sequence[str], turns: FloatArray, heads: FloatArray
) -> Measures:
    """Return how well bones repeat `motion`, however they came to stand so.

    Parameters
    ----------
    motion
        The source.
    character
        The rig.
    roles
        Those of `MEASURED` that it has.
    turns, heads
        (T, N, 3, 3) from each role's bone's axes into the rig's, and (T, N, 3) its heads in the rig's unit.
    """
    bones = character.bones
    turns = character.from_rig @ turns
    heads = heads @ character.from_rig.T * character.rig.metres_per_unit
    place = {role: i for i, role in enumerate(roles)}
    joints = {name: i for i, name in enumerate(motion.joint_names)}

    directions = {}
    for start, end in _LIMBS:
        if start in place and end in place:
            own = heads[:, place[end]] - heads[:, place[start]]
            theirs = motion.joints_world_m[:, joints[end]] - motion.joints_world_m[:, joints[start]]
            directions[start] = float(_angles_deg(own, theirs).max(initial=0.0))

    slides, lowest = [], np.inf
    for side in _SIDES:
        ankle = place[f"{side}_ankle"]
        for name, rest_m in zip(("heel", "toe"), character.sole_m(side), strict=True):
            way = _carried(character, bones[f"{side}_ankle"], rest_m, turns[:, ankle], heads[:, ankle])
            lowest = min(lowest, float(way[:, 2].min()) - character.ground_m)
            if f"{side}_{name}" in motion.contact_names:
                carries = motion.contacts[:, motion.contact_names.index(f"{side}_{name}")] > _CARRIES
                steps = np.linalg.norm(np.diff(way[:, :2], axis=0), axis=1)
                slides.append(steps[carries[1:] & carries[:-1]] * 1e3)
    slide = np.concatenate(slides) if slides else np.zeros(0)

    source = global_rotations(motion.local_rotations_wxyz.astype(np.float64), motion.parents.tolist())
    jumps = [
        _largest_step_deg(turns[:, place[role]]) - _largest_step_deg(source[:, joints[role]])
        for role in _TURNED
        if role in place
    ]
    return Measures(
        directions,
        float(slide.mean()) if len(slide) else None,
        float(slide.max()) if len(slide) else None,
        max(0.0, -lowest * 1e3),
        max(jumps),
    )


def _carried(
    character: Character, bone: str, rest_m: FloatArray, turns: FloatArray, heads_m: FloatArray
) -> FloatArray:
    place = character.index[bone]
    about = character.rest_turns[place].T @ (rest_m - character.rest_heads_m[place])
    return np.asarray(heads_m + turns @ about)


def _angles_deg(first: FloatArray, second: FloatArray) -> FloatArray:
    crossed = np.linalg.norm(np.cross(first, second), axis=1)
    return np.asarray(np.degrees(np.arctan2(crossed, np.sum(first * second, axis=1))))


def _largest_step_deg(turns: FloatArray) -> float:
    return float(np.degrees(steps_rad(turns).max(initial=0.0)))
