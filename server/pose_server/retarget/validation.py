"""What a map says of a rig, and what is wrong with it, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from pose_shared.rig import Rig

from pose_server.retarget.bone_map import CHAINS, ROLES, TWISTED, BoneMap
from pose_server.retarget.rest_pose import RestPose, keyed_along, rest_pose_of
from pose_server.retarget.shape import facing, squared

__all__ = ["Fault", "Validation", "faults_of", "validated"]

_SIDES = ("left", "right")
#: What should carry what, and be no further down the tree.
_CARRIED = (
    ("pelvis", "spine"),
    ("pelvis", "head"),
    ("spine", "neck"),
    ("neck", "head"),
    *(
        (above, f"{side}_{below}")
        for side in _SIDES
        for above, below in (("pelvis", "hip"), ("pelvis", "shoulder"))
    ),
    *(
        (f"{side}_{above}", f"{side}_{below}")
        for side in _SIDES
        for above, below in (
            ("hip", "knee"),
            ("knee", "ankle"),
            ("ankle", "toe"),
            ("clavicle", "shoulder"),
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
        )
    ),
    ("root", "pelvis"),
)
#: A thigh is not so many times as long as its shin, or the other way round; nor is an upper arm.
_UNEQUAL = 2.5


@dataclass(frozen=True)
class Fault:
    """What is wrong with a map.

    Attributes
    ----------
    code
        ``BONE_MISSING``, ``NOT_CARRIED``, ``NOT_KEYABLE``, ``OUT_OF_ORDER``, ``SIDES_EXCHANGED``,
        ``NOT_STANDING`` or ``UNLIKELY``.
    bones
        Which it is about.
    sentence
        For the user.
    """

    code: str
    bones: tuple[str, ...]
    sentence: str


@dataclass(frozen=True)
class Validation:
    """A map beside a rig.

    Attributes
    ----------
    mapped
        Bones by role.
    missing
        Roles that no bone has.
    extra
        Bones that have no role; they go along with what carries them.
    faults
        The gravest first; with any of them the motion will not look right.
    """

    mapped: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    faults: tuple[Fault, ...]

    @property
    def usable(self) -> bool:
        """Whether the character can be moved by it, if not well."""
        return not any(fault.code == "BONE_MISSING" for fault in self.faults)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, for reports."""
        return {
            "mapped": {role: list(bones) for role, bones in self.mapped.items()},
            "missing": list(self.missing),
            "extra": list(self.extra),
            "faults": [
                {"code": fault.code, "bones": list(fault.bones), "sentence": fault.sentence}
                for fault in self.faults
            ],
            "usable": self.usable,
        }


def validated(rig: Rig, bone_map: BoneMap) -> Validation:
    """Return what a map says of a rig, without changing anything."""
    rest = squared(rest_pose_of(rig))
    mapped = {bone for bones in bone_map.roles.values() for bone in bones}
    return Validation(
        mapped=dict(bone_map.roles),
        missing=tuple(role for role in ROLES if role not in bone_map),
        extra=tuple(name for name in rest.names if name not in mapped),
        faults=tuple(faults_of(rest, bone_map)),
    )


def faults_of(rest: RestPose, bone_map: BoneMap) -> list[Fault]:
    """Return what is wrong with a map of a rig as `shape.squared` returns it."""
    lacking = bone_map.missing_in(rest.rig)
    if lacking:
        return [
            Fault("BONE_MISSING", (bone,), f"The rig has no bone '{bone[:80]}'; the map needs another one.")
            for bone in lacking
        ]
    places = {role: [rest.index[bone] for bone in bones] for role, bones in bone_map.roles.items()}
    return [
        *_posture(rest, places),
        *_sides(rest, places),
        *_carried(rest, places),
        *_ordered(rest, places),
        *_keyable(rest, places),
    ]


def _posture(rest: RestPose, places: Mapping[str, list[int]]) -> list[Fault]:
    faults = []
    for side in _SIDES:
        chain = [places[f"{side}_{part}"][0] for part in ("hip", "knee", "ankle")]
        names = tuple(rest.names[place] for place in chain)
        heights = rest.heads_m[chain, 2]
        if not heights[0] > heights[1] > heights[2]:
            faults.append(
                Fault(
                    "NOT_STANDING",
                    names,
                    f"At rest the {side} hip ('{names[0][:80]}'), knee ('{names[1][:80]}') and ankle "
                    f"('{names[2][:80]}') do not stand above each other; give the rig a rest pose that "
                    "stands, or correct the map.",
                )
            )
    for side in _SIDES:
        for upper, middle, lower in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
            roles = [f"{side}_{part}" for part in (upper, middle, lower)]
            if not all(role in places for role in roles):
                continue
            points = rest.heads_m[[places[role][0] for role in roles]]
            first, second = np.linalg.norm(np.diff(points, axis=0), axis=1)
            if max(first, second) > _UNEQUAL * min(first, second):
                names = tuple(rest.names[places[role][0]] for role in roles)
                faults.append(
                    Fault(
                        "UNLIKELY",
                        names,
                        f"From {side} {upper} to {middle} it is {first:.3g} m, and from there to the {lower} "
                        f"{second:.3g} m; see whether '{names[0][:80]}', '{names[1][:80]}' and "
                        f"'{names[2][:80]}' are meant.",
                    )
                )
    return faults


def _sides(rest: RestPose, places: Mapping[str, list[int]]) -> list[Fault]:
    legs = [[places[f"{side}_{part}"][0] for part in ("hip", "knee", "ankle")] for side in _SIDES]
    forward, told_by = facing(rest, legs)
    across = [float(np.mean(rest.heads_m[leg, 0])) for leg in legs]
    faults = []
    if told_by == "feet" and (across[0] - across[1]) * forward < 0:
        names = tuple(rest.names[leg[0]] for leg in legs)
        faults.append(
            Fault(
                "SIDES_EXCHANGED",
                names,
                f"By its feet the rig faces so that '{names[0][:80]}' is on its right and "
                f"'{names[1][:80]}' on its left; exchange left and right in the map.",
            )
        )
    arms = [places.get(f"{side}_elbow", [-1])[0] for side in _SIDES]
    if min(arms) >= 0:
        apart = float(rest.heads_m[arms[0], 0] - rest.heads_m[arms[1], 0])
        if apart * (across[0] - across[1]) < 0:
            names = tuple(rest.names[arm] for arm in arms)
            faults.append(
                Fault(
                    "SIDES_EXCHANGED",
                    names,
                    f"'{names[0][:80]}' is on the other side than the left leg; exchange the arms, or the "
                    "legs, in the map.",
                )
            )
    return faults


def _carried(rest: RestPose, places: Mapping[str, list[int]]) -> list[Fault]:
    faults = []
    for above, below in _CARRIED:
        if above not in places or below not in places:
            continue
        upper, lower = places[above][-1], places[below][0]
        if upper == lower or rest.carries(upper, lower):
            continue
        if below.endswith("_hip") and keyed_along(rest.rig, rest.parents, lower, upper) >= 0:
            continue
        names = rest.names[upper], rest.names[lower]
        said = [role.replace("_", " ") for role in (above, below)]
        turned = rest.carries(lower, upper)
        faults.append(
            Fault(
                "OUT_OF_ORDER" if turned else "NOT_CARRIED",
                names,
                f"The {said[1]} '{names[1][:80]}' "
                + ("carries" if turned else "is not carried by")
                + f" the {said[0]} '{names[0][:80]}'"
                + ("; it should be the other way round." if turned else ", so it will not go along with it."),
            )
        )
    return faults


def _ordered(rest: RestPose, places: Mapping[str, list[int]]) -> list[Fault]:
    faults = []
    for role in (*CHAINS, *TWISTED):
        chain = places.get(role, [])
        for before, after in pairwise(chain):
            wrong = not rest.carries(before, after) if role in CHAINS else rest.carries(after, before)
            if wrong:
                names = rest.names[before], rest.names[after]
                faults.append(
                    Fault(
                        "OUT_OF_ORDER",
                        names,
                        f"'{names[1][:80]}' follows '{names[0][:80]}' in the {role.replace('_', ' ')}, but "
                        "is not carried by it; name them from the pelvis outwards.",
                    )
                )
    return faults


def _keyable(rest: RestPose, places: Mapping[str, list[int]]) -> list[Fault]:
    faults = []
    for role, chain in places.items():
        for place in chain:
            if not rest.turnable[place]:
                name = rest.names[place]
                faults.append(
                    Fault(
                        "NOT_KEYABLE",
                        (name,),
                        f"The {role.replace('_', ' ')} '{name[:80]}' takes no rotation keys; choose its "
                        "control.",
                    )
                )
    return faults
