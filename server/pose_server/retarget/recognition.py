"""Which bones of a rig are which parts of the body, found without being told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pose_shared.errors import InputError
from pose_shared.rig import Rig
from pose_shared.skeleton import mirrored_name

from pose_server.retarget.body import completed
from pose_server.retarget.bone_map import LIMBS, NEEDED, ROLES, BoneMap
from pose_server.retarget.bone_names import named_roles
from pose_server.retarget.preset import best_preset
from pose_server.retarget.rest_pose import RestPose, rest_pose_of
from pose_server.retarget.shape import facing, limbs_of, squared
from pose_server.retarget.validation import Fault, faults_of

__all__ = ["Recognition", "recognised"]

_SIDES = ("left", "right")
_PARTS = {"leg": ("hip", "knee", "ankle"), "arm": ("shoulder", "elbow", "wrist")}
#: How sure each way is on its own, where nothing speaks against it; measured, see docs/rigs.md.
_SURE = {"preset": 0.96, "names": 0.9, "shape": 0.75}
#: What agreement with the shape adds to names, of what is lacking to 1.
_AGREED = 0.9
#: What a fault leaves of it, or that no arms were found.
_FAULTY = 0.7
#: Faults that speak against a map, rather than against the rig.
_AGAINST = ("NOT_STANDING", "OUT_OF_ORDER", "UNLIKELY")

Roles = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Recognition:
    """What was found.

    Attributes
    ----------
    bones
        The map.
    preset
        The key of the kind of rig; empty if it is none that is known.
    found_by
        ``preset``, ``names`` or ``shape``.
    confidence
        0 to 1: how often such a map is right, as measured.
    notes
        Sentences for the user: what was assumed, and what looks wrong.
    """

    bones: BoneMap
    preset: str
    found_by: str
    confidence: float
    notes: tuple[str, ...] = ()


def recognised(rig: Rig, known: Mapping[str, Sequence[str]] | None = None) -> Recognition:
    """Return which bones of a rig are which parts of the body.

    Known kinds go first, by their names; then general words; then shape alone.  The rest pose is looked at
    in any case: names that it speaks against give way to the shape.

    Parameters
    ----------
    known
        Bones by role that the user knows better, as `bone_map.parse_roles` reads them; they are kept, and
        the others are found around them.  A role without bones is left out.

    Raises
    ------
    InputError
        ``RIG_UNKNOWN``: no two legs that stand on the ground could be found in it; ``BONE_MAP_INVALID`` or
        ``BONE_MISSING``: what is said to be known cannot be.
    """
    rest = squared(rest_pose_of(rig))
    given = _given(rest, known or {})
    maps: dict[str, BoneMap] = {}
    kind = best_preset(rig)
    if kind is not None:
        roles = {role: _places(rest, bones) for role, bones in kind[1].roles.items()}
        # What lies along a control need not be a part of it.
        maps["preset"] = _named(rest, _around(rest, roles, given, complete=not kind[0].chains), kind[1].name)
    for found_by, roles in (("names", named_roles(rest)), ("shape", _shaped(rest))):
        roles = _around(rest, roles, given)
        if all(role in roles for role in NEEDED):
            maps[found_by] = _named(rest, roles, "")
    if not maps:
        raise InputError(
            f"No two legs that stand on the ground were found in '{rig.name[:80]}'; write a map that says "
            "which bones they are, or give the rig a rest pose that stands.",
            reason="RIG_UNKNOWN",
            rig=rig.name[:80],
        )
    return _best(rest, maps, kind[0].key if kind else "")


def _best(rest: RestPose, maps: Mapping[str, BoneMap], preset: str) -> Recognition:
    """Return the first of the maps that nothing speaks against, or the one with the least."""
    notes: list[str] = []
    tried: list[tuple[str, BoneMap, list[Fault]]] = []
    for found_by, bones in maps.items():
        faults = faults_of(rest, bones)
        turned = [fault for fault in faults if fault.code == "SIDES_EXCHANGED"]
        if turned and found_by != "shape":
            other = _exchanged(bones)
            if len(faults_of(rest, other)) < len(faults):
                notes += [
                    fault.sentence.replace("; exchange left and right in the map.", "; the map does so, too.")
                    for fault in turned
                ]
                bones, faults = other, faults_of(rest, other)
        tried.append((found_by, bones, faults))
    found_by, bones, faults = min(tried, key=lambda way: sum(f.code in _AGAINST for f in way[2]))
    if found_by != tried[0][0]:
        named = f"of the kind {tried[0][1].name}" if tried[0][1].name else "of a body"
        notes.append(f"Its bones have names {named}, but do not stand so; the map goes by how they stand.")
    confidence = _SURE[found_by]
    if "shape" in maps and found_by != "shape":
        confidence += (1 - confidence) * _AGREED * _agreement(bones, maps["shape"])
    armless = any(f"{side}_elbow" not in bones for side in _SIDES)
    confidence *= _FAULTY ** (len(faults) + bool(notes) + armless)
    notes += [fault.sentence for fault in faults]
    return Recognition(bones, preset if found_by == "preset" else "", found_by, confidence, tuple(notes))


def _given(rest: RestPose, known: Mapping[str, Sequence[str]]) -> Roles:
    for role, bones in known.items():
        if role not in ROLES:
            raise InputError(
                f"There is no part '{role[:80]}' to correct; there are {', '.join(ROLES)}.",
                reason="BONE_MAP_INVALID",
                role=role[:80],
            )
        for bone in bones:
            if bone not in rest.index:
                raise InputError(
                    f"'{rest.rig.name[:80]}' has no bone '{bone[:80]}' for the {role.replace('_', ' ')}; "
                    "correct the map.",
                    reason="BONE_MISSING",
                    rig=rest.rig.name[:80],
                    bone=bone[:80],
                )
    return {role: _places(rest, bones) for role, bones in known.items()}


def _places(rest: RestPose, bones: Sequence[str]) -> tuple[int, ...]:
    return tuple(rest.index[bone] for bone in bones)


def _around(rest: RestPose, found: Roles, given: Roles, complete: bool = True) -> Roles:
    """Return what was found without what the user gives otherwise, with that, and with what follows."""
    taken = {bone for bones in given.values() for bone in bones}
    roles = {role: tuple(bone for bone in bones if bone not in taken) for role, bones in found.items()}
    roles = {role: bones for role, bones in roles.items() if bones} | given
    if complete and all(roles.get(role) for role in NEEDED if role != "pelvis"):
        roles = completed(rest, roles)
    return {role: bones for role, bones in roles.items() if bones}


def _named(rest: RestPose, roles: Roles, name: str) -> BoneMap:
    return BoneMap({role: tuple(rest.names[bone] for bone in bones) for role, bones in roles.items()}, name)


def _shaped(rest: RestPose) -> Roles:
    limbs = limbs_of(rest)
    if "leg" not in limbs:
        return {}
    forward, _ = facing(rest, [leg.bones for leg in limbs["leg"]])
    found: Roles = {}
    for kind, pair in limbs.items():
        for side, limb in zip(_SIDES if forward > 0 else _SIDES[::-1], pair, strict=True):
            found |= {f"{side}_{part}": (bone,) for part, bone in zip(_PARTS[kind], limb.bones, strict=False)}
    return found


def _exchanged(bones: BoneMap) -> BoneMap:
    return BoneMap({mirrored_name(role): names for role, names in bones.roles.items()}, bones.name)


def _agreement(bones: BoneMap, others: BoneMap) -> float:
    """Return the share of the single bones in which two maps agree."""
    roles = [role for role in ("pelvis", "head", *LIMBS) if role in bones or role in others]
    return sum(bones.roles.get(role) == others.roles.get(role) for role in roles) / len(roles)
