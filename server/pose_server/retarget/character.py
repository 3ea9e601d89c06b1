"""A rig as a body: its joints in our axes and metres, and how it stands in a T-pose.

Ours are those of `Motion`: z up, facing -y, so that left is +x.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from pose_shared.errors import InputError
from pose_shared.rig import Rig
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray, IntArray
from pose_server.retarget.bone_map import BoneMap
from pose_server.retarget.reach import shortest_turns
from pose_server.retarget.rest_pose import keyed_along

__all__ = ["ARM", "LEG", "Character", "character_of", "hinges", "limb_directions", "roll_of"]

Limb = tuple[str, str, str]
ARM: Limb = ("shoulder", "elbow", "wrist")
LEG: Limb = ("hip", "knee", "ankle")

_SIDES = ("left", "right")
#: What a rig that looks nearly along an axis means.
_SQUARE_DEG = 15.0
#: Feet of a rig stand on its z = 0 if the lowest end of them is so near above or below, as shares of the leg.
_ON_ZERO, _UNDER_ZERO = 0.15, 0.03
#: How far a heel lies behind the ankle, as a share of the way from the ankle to the ball.
_HEEL_SHARE = 0.45
#: Length of a foot without toes, as a share of the leg.
_FOOT_SHARE = 0.15
#: A limb at rest shows its hinge if the sine of its bend is more, unless that is further off than any build.
_BENT, _HINGE_DEG = 0.05, 60.0


@dataclass(frozen=True)
class Character:
    """A mapped rig; B bones in the order of the rig, M of them mapped."""

    rig: Rig
    bones: BoneMap
    parents: IntArray
    """(B,) -1 for none."""
    rest_turns: FloatArray
    """(B, 3, 3) from each bone's axes into ours."""
    rest_heads_m: FloatArray
    """(B, 3) from the origin of the rig."""
    rest_tails_m: FloatArray
    """(B, 3) NaN where the host has no tails."""
    from_rig: FloatArray
    """(3, 3) from the rig's axes into ours."""

    @cached_property
    def index(self) -> dict[str, int]:
        """Place of each bone."""
        return {bone.name: i for i, bone in enumerate(self.rig.bones)}

    def at(self, role: str) -> int:
        """Return the place of a role's bone, its first; raises KeyError where there is none."""
        return self.index[self.bones[role]]

    def head_m(self, role: str) -> FloatArray:
        """Return (3,) where a role's bone begins at rest."""
        return np.asarray(self.rest_heads_m[self.at(role)])

    @cached_property
    def ground_m(self) -> float:
        """Height of the ground that the rig stands on: 0, or that of its lowest foot if it is elsewhere."""
        parts = [f"{side}_{part}" for side in _SIDES for part in ("ankle", "toe")]
        feet = [self.at(role) for role in parts if role in self.bones]
        lowest = float(np.nanmin(np.concatenate([self.rest_heads_m[feet, 2], self.rest_tails_m[feet, 2]])))
        return 0.0 if -_UNDER_ZERO * self.leg_m <= lowest <= _ON_ZERO * self.leg_m else lowest

    @cached_property
    def leg_m(self) -> float:
        """Length of thigh and shin together, the mean of both sides."""
        return float(np.mean([sum(self.limb_m(side, "leg")) for side in _SIDES]))

    @cached_property
    def hips_m(self) -> FloatArray:
        """(3,) the middle of the hip joints at rest."""
        return np.asarray((self.head_m("left_hip") + self.head_m("right_hip")) / 2)

    def limb_m(self, side: str, limb: str) -> tuple[float, float]:
        """Return the lengths of a leg's or an arm's two bones."""
        names = {"leg": ("hip", "knee", "ankle"), "arm": ("shoulder", "elbow", "wrist")}[limb]
        a, b, c = (self.head_m(f"{side}_{name}") for name in names)
        return float(np.linalg.norm(b - a)), float(np.linalg.norm(c - b))

    def sole_m(self, side: str) -> tuple[FloatArray, FloatArray]:
        """Return heel and ball of a foot at rest, (3,) each, both on the ground."""
        ankle = self.head_m(f"{side}_ankle")
        place = self.at(f"{side}_ankle")
        ahead = self.head_m(f"{side}_toe") if f"{side}_toe" in self.bones else self.rest_tails_m[place]
        way = (ahead - ankle) * (1, 1, 0)
        if not np.isfinite(way).all() or np.linalg.norm(way) < 1e-3:
            way = np.array([0.0, -_FOOT_SHARE * self.leg_m, 0.0])
        ground = np.array([ankle[0], ankle[1], self.ground_m])
        return ground - _HEEL_SHARE * way, ground + way

    @cached_property
    def beside_pelvis(self) -> tuple[int, ...]:
        """Places of what carries a leg, does not hang on the pelvis, and is keyed to go along with it."""
        pelvis = self.at("pelvis")
        tops = (keyed_along(self.rig, self.parents, self.at(f"{side}_hip"), pelvis) for side in _SIDES)
        return tuple(dict.fromkeys(top for top in tops if top >= 0))

    @cached_property
    def limb_swings(self) -> dict[str, FloatArray]:
        """(3, 3) for each bone of arms and legs: the shortest turn from rest to where a T-pose has it."""
        swings = {}
        for side in _SIDES:
            for limb, along in limb_directions(side).items():
                for role, end in pairwise(f"{side}_{part}" for part in limb):
                    if role in self.bones and end in self.bones:
                        way = self.head_m(end) - self.head_m(role)
                        swings[role] = shortest_turns(way[None], along[None])[0]
        return swings

    @cached_property
    def t_pose_turns(self) -> dict[str, FloatArray]:
        """(3, 3) for each single role: what turns its bone at rest into a T-pose that faces -y.

        Arms and legs go where the house skeleton has them, and of those that are bent at rest the hinge does,
        too.  A foot keeps its slope and turns ahead; the trunk, clavicles and head stay as the rig has them,
        for how they are bent at rest is its build.
        """
        turns = dict(self.limb_swings)
        for side in _SIDES:
            for limb, along in limb_directions(side).items():
                roles = [f"{side}_{part}" for part in limb]
                if not all(role in self.bones for role in roles):
                    continue
                upper, lower = np.diff([self.head_m(role) for role in roles], axis=0)
                hinge = np.cross(upper, lower)
                clear = np.linalg.norm(hinge) > _BENT * np.linalg.norm(upper) * np.linalg.norm(lower)
                for role in roles[:2]:
                    roll = roll_of(turns[role] @ hinge, hinges(side)[limb], along) if clear else 0.0
                    if abs(roll) < np.radians(_HINGE_DEG):
                        turns[role] = Rotation.from_rotvec(roll * along).as_matrix() @ turns[role]
            if f"{side}_wrist" in self.bones:
                # A hand does not turn with the hinge of the elbow.
                turns[f"{side}_wrist"] = self.limb_swings.get(f"{side}_elbow", np.eye(3))
            heel, ball = self.sole_m(side)
            turns[f"{side}_ankle"] = shortest_turns((ball - heel)[None], np.array([[0.0, -1.0, 0.0]]))[0]
            if f"{side}_toe" in self.bones:
                turns[f"{side}_toe"] = turns[f"{side}_ankle"]
        return turns


def limb_directions(side: str) -> dict[Limb, FloatArray]:
    """Return (3,) where arm and leg point in a T-pose."""
    out = 1.0 if side == "left" else -1.0
    return {ARM: np.array([out, 0.0, 0.0]), LEG: np.array([0.0, 0.0, -1.0])}


def hinges(side: str) -> dict[Limb, FloatArray]:
    """Return (3,) about which elbow and knee bend in the house skeleton's T-pose."""
    out = 1.0 if side == "left" else -1.0
    return {ARM: np.array([0.0, 0.0, -out]), LEG: np.array([1.0, 0.0, 0.0])}


def roll_of(axis: FloatArray, wanted: FloatArray, about: FloatArray) -> float:
    """Return the angle in radians about a third axis that brings one as near to another as can be."""
    return float(np.arctan2(np.cross(axis, wanted) @ about, axis @ wanted))


def character_of(rig: Rig, bones: BoneMap) -> Character:
    """Return a rig with its map in our axes.

    Raises
    ------
    InputError
        ``BONE_MISSING``: the map names a bone that the rig lacks; ``RIG_SHAPELESS``: the rig's legs have
        no length, or its left is its right.
    """
    missing = bones.missing_in(rig)
    if missing:
        raise InputError(
            f"'{rig.name[:80]}' lacks the bone '{missing[0][:80]}' that the map names; choose another map.",
            reason="BONE_MISSING",
            rig=rig.name[:80],
            bone=missing[0][:80],
        )
    places = {bone.name: i for i, bone in enumerate(rig.bones)}
    rest = np.array([bone.rest for bone in rig.bones]).reshape(-1, 4, 4)
    tails = np.array([bone.tail or (np.nan,) * 3 for bone in rig.bones])
    upright = np.eye(3) if rig.up == "z" else np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
    heads = rest[:, :3, 3] @ upright.T * rig.metres_per_unit
    hips, knees, ankles = (
        np.array([heads[places[bones[f"{side}_{part}"]]] for side in _SIDES])
        for part in ("hip", "knee", "ankle")
    )
    left, right = (hips + knees + ankles) / 3
    across = (left - right)[:2]
    if np.linalg.norm(across) < 1e-4 or np.linalg.norm(knees - hips, axis=1).min() < 1e-3:
        raise InputError(
            f"'{rig.name[:80]}' cannot be moved: its legs have no length, or are in one place; look at the "
            "map, and at the rig's unit.",
            reason="RIG_SHAPELESS",
            rig=rig.name[:80],
        )
    angle = np.degrees(np.arctan2(across[1], across[0]))
    square = 90 * round(angle / 90)
    turn = Rotation.from_euler("z", -(square if abs(angle - square) < _SQUARE_DEG else angle), degrees=True)
    from_rig = turn.as_matrix() @ upright
    return Character(
        rig,
        bones,
        parents=np.array([places[bone.parent] if bone.parent else -1 for bone in rig.bones]),
        rest_turns=from_rig @ rest[:, :3, :3],
        rest_heads_m=heads @ turn.as_matrix().T,
        rest_tails_m=tails @ from_rig.T * rig.metres_per_unit,
        from_rig=from_rig,
    )
