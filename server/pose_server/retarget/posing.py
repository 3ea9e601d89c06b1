"""The pose of a character in every frame, bones turned as the motion has them.

A bone's pose here is the turn away from its rest, in our axes and from the world: of a bone whose
joint the house skeleton has, the source's own turn after the one that brings the bone into the T-pose.
So limbs point as in the source, however the rig was built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray, IntArray, Motion
from pose_server.pipeline.kinematics import global_rotations
from pose_server.retarget.character import Character

__all__ = ["Posed", "posed"]

#: The source's joints along which the turns of a rig's spine and neck are spread, with where each stands.
_SPREAD = {
    "spine": (("pelvis", 0.0), ("spine", 0.5), ("chest", 1.0)),
    "neck": (("chest", 0.0), ("neck", 1.0)),
}
#: Height of the ankle over the sole, in heights of the ankle over the toe's joint; see `pipeline.quality`.
_SOLE_UNDER = 0.039 / 0.025


@dataclass(frozen=True)
class Posed:
    """A character through T frames."""

    character: Character
    mapped: IntArray
    """(M,) places of the bones that are posed; a parent stands before its children."""
    above: IntArray
    """(M,) which of them carries each, -1 for none."""
    turns: FloatArray
    """(T, M, 3, 3) away from rest, in our axes and from the world."""
    heads_m: FloatArray
    """(T, M, 3) in the world."""
    scale: float
    """Metres here for a metre of the source."""

    def column(self, role: str, nth: int = 0) -> int:
        """Return which of the mapped bones is a role's; raises KeyError where there is none."""
        name = self.character.bones.roles[role][nth]
        return int(np.flatnonzero(self.mapped == self.character.index[name])[0])

    def point_m(self, column: int, rest_m: FloatArray) -> FloatArray:
        """Return (T, 3) where a point goes that a bone carries, given where it is at rest."""
        about = rest_m - self.character.rest_heads_m[self.mapped[column]]
        return np.asarray(self.heads_m[:, column] + self.turns[:, column] @ about)

    def moved(self, turns: Mapping[int, FloatArray], heads_m: Mapping[int, FloatArray]) -> Posed:
        """Return the same with some columns turned and placed otherwise, and what they carry with them."""
        new_turns, new_heads = self.turns.copy(), self.heads_m.copy()
        for column, turn in turns.items():
            new_turns[:, column] = turn
        _carry(self.character, self.mapped, self.above, new_turns, new_heads, heads_m)
        return replace(self, turns=new_turns, heads_m=new_heads)

    def joined(self, bones: Mapping[int, tuple[FloatArray, FloatArray]]) -> Posed:
        """Return the same with more bones, by place: (T, 3, 3) how each is turned and (T, 3) where it is."""
        known = {int(place): (self.turns[:, i], self.heads_m[:, i]) for i, place in enumerate(self.mapped)}
        known |= bones
        places = sorted(known)
        column_of = {place: column for column, place in enumerate(places)}
        return replace(
            self,
            mapped=np.array(places),
            above=np.array([_carrier(place, self.character.parents, column_of) for place in places]),
            turns=np.stack([known[place][0] for place in places], axis=1),
            heads_m=np.stack([known[place][1] for place in places], axis=1),
        )


def posed(motion: Motion, character: Character) -> Posed:
    """Return a character that moves as the motion does, its hips at its own height.

    Notes
    -----
    Hips, and with them stride and root, go by the ratio of the legs' lengths; ankles of a straight standing
    leg are as high as the rig has them.
    """
    source = global_rotations(motion.local_rotations_wxyz.astype(np.float64), motion.parents.tolist())
    turns_of = _turns_of(source, motion.joint_names, character)
    places = sorted(turns_of)
    mapped = np.array(places)
    column_of = {place: column for column, place in enumerate(places)}
    above = np.array([_carrier(place, character.parents, column_of) for place in places])
    turns = np.stack([turns_of[place] for place in places], axis=1)
    pelvis = column_of[character.at("pelvis")]
    scale, hips_m = _hips(motion, source, character)
    heads = np.empty((len(motion), len(places), 3))
    heads[:] = character.rest_heads_m[mapped]
    at_pelvis = turns[:, pelvis] @ (character.head_m("pelvis") - character.hips_m)
    _carry(character, mapped, above, turns, heads, {pelvis: hips_m + at_pelvis})
    return Posed(character, mapped, above, turns, heads, scale)


def _carry(
    character: Character,
    mapped: IntArray,
    above: IntArray,
    turns: FloatArray,
    heads_m: FloatArray,
    given_m: Mapping[int, FloatArray],
) -> None:
    """Put (T, M, 3) heads where bones are carried, but some columns where they are given to be.

    The pelvis is held back by no root; what stands beside it goes along with it.
    """
    places = mapped.tolist()
    pelvis = places.index(character.at("pelvis"))
    carriers = {column: int(carrier) for column, carrier in enumerate(above)}
    carriers |= {places.index(place): pelvis for place in character.beside_pelvis}
    carriers[pelvis] = -1
    rest = character.rest_heads_m[mapped]
    waiting = list(range(len(places)))
    done: set[int] = {-1}
    while waiting:
        ready = [column for column in waiting if carriers[column] in done or column in given_m]
        for column in ready:
            carrier = carriers[column]
            if column in given_m:
                heads_m[:, column] = given_m[column]
            elif carrier >= 0:
                way = rest[column] - rest[carrier]
                heads_m[:, column] = heads_m[:, carrier] + turns[:, carrier] @ way
        done |= set(ready)
        waiting = [column for column in waiting if column not in done]


def _turns_of(source: FloatArray, names: Sequence[str], character: Character) -> dict[int, FloatArray]:
    """Return (T, 3, 3) for the place of each mapped bone."""
    places = {name: i for i, name in enumerate(names)}
    turns: dict[int, FloatArray] = {}
    bones = character.bones
    for role in ("pelvis", "head"):
        if role in bones:
            turns[character.at(role)] = source[:, places[role]]
    for role, knots in _SPREAD.items():
        chain = bones.roles.get(role, ())
        for nth, name in enumerate(chain, start=1):
            turns[character.index[name]] = _between(source, places, knots, nth / len(chain))
    for role, still in character.t_pose_turns.items():
        turns[character.at(role)] = source[:, places[role]] @ still
    for side in ("left", "right"):
        clavicle = f"{side}_clavicle"
        if clavicle in bones:
            turns[character.at(clavicle)] = source[:, places[clavicle]]
    for place in character.beside_pelvis:
        turns.setdefault(place, source[:, places["pelvis"]])
    if "root" in bones:
        turns[character.at("root")] = np.broadcast_to(np.eye(3), (len(source), 3, 3))
    return turns


def _between(
    source: FloatArray, places: Mapping[str, int], knots: Sequence[tuple[str, float]], share: float
) -> FloatArray:
    """Return (T, 3, 3) the turn so far along a chain of joints, on the shortest way between two of them."""
    for (name, start), (next_name, end) in pairwise(knots):
        if share <= end + 1e-9:
            a = Rotation.from_matrix(source[:, places[name]])
            b = Rotation.from_matrix(source[:, places[next_name]])
            part = (share - start) / (end - start)
            return np.asarray((a * Rotation.from_rotvec(part * (a.inv() * b).as_rotvec())).as_matrix())
    raise AssertionError(f"{share} lies beyond the chain")


def _carrier(place: int, parents: IntArray, column_of: Mapping[int, int]) -> int:
    parent = int(parents[place])
    while parent >= 0 and parent not in column_of:
        parent = int(parents[parent])
    return column_of[parent] if parent >= 0 else -1


def _hips(motion: Motion, source: FloatArray, character: Character) -> tuple[float, FloatArray]:
    """Return the scale, and (T, 3) where the middle of the character's hips is."""
    names = list(motion.joint_names)
    offsets = motion.rest_offsets_m.astype(np.float64)
    hips, knees, ankles, toes = (
        [names.index(f"{side}_{part}") for side in ("left", "right")]
        for part in ("hip", "knee", "ankle", "toe")
    )
    leg_m = float(np.linalg.norm(offsets[knees + ankles], axis=1).sum()) / 2
    ankle_m = float(np.mean(-offsets[toes, 2])) * _SOLE_UNDER
    own_ankle_m = float(np.mean([character.head_m(f"{side}_ankle")[2] for side in ("left", "right")]))
    scale = character.leg_m / leg_m
    placed = motion.joints_world_m[:, hips].mean(axis=1) * scale
    placed[:, 2] += own_ankle_m - scale * ankle_m
    return scale, placed
