"""Which bones of a rig are which parts of the body: what recognition finds and users share as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pose_shared.errors import InputError
from pose_shared.rig import Rig

__all__ = ["CHAINS", "LIMBS", "NEEDED", "ROLES", "TWISTED", "BoneMap", "parse_bone_map", "parse_roles"]

_SIDES = ("left", "right")
_LIMB = ("clavicle", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "toe")
#: Single bones, named by the joint of the house skeleton at their head.
LIMBS = tuple(f"{side}_{part}" for side in _SIDES for part in _LIMB)
#: Parts with as many bones as the rig has, from the pelvis on upwards.
CHAINS = ("spine", "neck")
#: Bones along a limb that share its twist.
TWISTED = tuple(f"{side}_{part}_twist" for side in _SIDES for part in ("shoulder", "elbow", "hip", "knee"))
#: Every part; ``root`` is a bone that stands on the ground and carries the body along.
ROLES = ("root", "pelvis", *CHAINS, "head", *LIMBS, *TWISTED)
#: Without these nothing walks.
NEEDED = ("pelvis", *(f"{side}_{part}" for side in _SIDES for part in ("hip", "knee", "ankle")))

_FORMAT, _VERSION = "pose-bone-map", 1
_LONGEST_TEXT = 1 << 20


@dataclass(frozen=True)
class BoneMap:
    """Bones by role.

    Raises
    ------
    InputError
        ``BONE_MAP_INVALID``: a role is unknown, a bone stands twice, or one that is needed is missing.
    """

    roles: Mapping[str, tuple[str, ...]]
    """One name for most of `ROLES`, several for `CHAINS` and `TWISTED`; absent where the rig has none."""
    name: str = ""
    """Of the kind of rig."""

    def __post_init__(self) -> None:
        seen: dict[str, str] = {}
        for role, bones in self.roles.items():
            if role not in ROLES:
                raise _invalid(self.name, f"there is no part '{role[:80]}'; there are {', '.join(ROLES)}")
            if len(bones) != 1 and role not in (*CHAINS, *TWISTED):
                raise _invalid(self.name, f"'{role}' has {len(bones)} bones, and takes one")
            for bone in bones:
                if bone in seen:
                    raise _invalid(self.name, f"'{bone[:80]}' is both {seen[bone]} and {role}")
                seen[bone] = role
        for role in NEEDED:
            if role not in self.roles:
                raise _invalid(self.name, f"it does not say which bone is {role.replace('_', ' ')}")

    def __getitem__(self, role: str) -> str:
        """Return the single bone of a role; raises KeyError where the rig has none."""
        return self.roles[role][0]

    def __contains__(self, role: str) -> bool:
        return role in self.roles

    def missing_in(self, rig: Rig) -> list[str]:
        """Return the bones that it names and the rig lacks."""
        there = {bone.name for bone in rig.bones}
        return [bone for bones in self.roles.values() for bone in bones if bone not in there]

    def to_json(self) -> str:
        """Return the map as text; `parse_bone_map` reads it."""
        roles = {
            role: list(bones) if role in (*CHAINS, *TWISTED) else bones[0]
            for role, bones in self.roles.items()
        }
        content = {"format": _FORMAT, "version": _VERSION, "name": self.name, "roles": roles}
        return json.dumps(content, indent=2, ensure_ascii=False)


def parse_bone_map(text: str, name: str = "") -> BoneMap:
    """Read what `BoneMap.to_json` wrote.

    Raises
    ------
    InputError
        ``BONE_MAP_UNREADABLE``: it is no such JSON; ``BONE_MAP_INVALID``: it maps no body.
    """
    title, roles = parse_roles(text, name)
    return BoneMap({role: bones for role, bones in roles.items() if bones}, title)


def parse_roles(text: str, name: str = "") -> tuple[str, dict[str, tuple[str, ...]]]:
    """Return the name and the bones by role of a map that may lack parts, such as a user's corrections.

    A role with an empty list is said to have no bone.

    Raises
    ------
    InputError
        ``BONE_MAP_UNREADABLE``: it is no such JSON.
    """
    try:
        content: Any = json.loads(text) if len(text) <= _LONGEST_TEXT else None
    except (ValueError, RecursionError):
        content = None
    found = content if isinstance(content, dict) else {}
    known = (found.get("format"), found.get("version")) == (_FORMAT, _VERSION)
    roles = found.get("roles") if known else None
    if not isinstance(roles, dict) or not all(map(_is_bones, roles.values())):
        raise InputError(
            f'\'{name[:80]}\' is no map of bones; it should be JSON with "format": "{_FORMAT}", '
            f'"version": {_VERSION} and the bones of each part under "roles".',
            reason="BONE_MAP_UNREADABLE",
            map=name[:80],
        )
    bones = {role: (value,) if isinstance(value, str) else tuple(value) for role, value in roles.items()}
    return str(found.get("name") or name), bones


def _is_bones(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value)
    return isinstance(value, list) and all(isinstance(bone, str) and bone for bone in value)


def _invalid(name: str, fault: str) -> InputError:
    named = f"'{name[:80]}'" if name else "This map"
    return InputError(
        f"{named} maps no body: {fault}.", reason="BONE_MAP_INVALID", map=name[:80], fault=fault
    )
