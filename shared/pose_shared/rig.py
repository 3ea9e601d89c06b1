"""A character's rig as a host tells it: bones at rest, what may be keyed, and chains that IK moves.

All that retargeting knows of a rig is in here, so that Blender, Maya and the command line give the same
numbers.  Written as JSON, it can be kept beside the character; `docs/retargeting.md` describes it.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from pose_shared.errors import InputError

__all__ = ["KEYS", "ROTATIONS", "IkChain", "Rig", "RigBone", "Setting", "Switch", "parse_rig"]

#: What a bone's rotation is keyed as; the letters are the axes in the order in which they turn a vector.
ROTATIONS = ("quaternion", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")
#: What may be keyed of a bone.
KEYS = ("location", "rotation")

_FORMAT, _VERSION = "pose-rig", 1
_MOST_BONES = 10_000
_LONGEST_NAME = 255
_LONGEST_TEXT = 64 << 20
_OFF_SQUARE = 1e-3

Vector = Tuple[float, float, float]


@dataclass(frozen=True)
class RigBone:
    """A bone, joint or control at rest.

    Attributes
    ----------
    name
        Unique in the rig.
    parent
        The bone that carries it along, whatever the host's constraints are called; empty for none.
    rest
        Row-major 4x4 from the bone's axes to the rig's, in the rig's unit, without scale.
    tail
        Where the bone ends, in the rig; None in hosts whose joints have no end.
    rotation
        One of `ROTATIONS`.
    keys
        Which of `KEYS` may be written.
    location_axes
        Row-major 3x3 from the axes in which its location is keyed to the rig's, at rest; the bone's own
        when None.
    """

    name: str
    parent: str
    rest: Tuple[float, ...]
    tail: Optional[Vector] = None
    rotation: str = "quaternion"
    keys: Tuple[str, ...] = ("rotation",)
    location_axes: Optional[Tuple[float, ...]] = None

    @property
    def head(self) -> Vector:
        """Where it begins, in the rig."""
        return self.rest[3], self.rest[7], self.rest[11]


@dataclass(frozen=True)
class Switch:
    """A custom property that says whether IK or FK moves a limb.

    Attributes
    ----------
    bone, name
        Whose property it is, and its name.
    ik, fk
        Its values.
    """

    bone: str
    name: str
    ik: float
    fk: float


@dataclass(frozen=True)
class IkChain:
    """Two bones that bend, and the controls that IK moves them by.

    Attributes
    ----------
    root, mid, end
        The bones of thigh, shin and foot, or of upper arm, forearm and hand.
    target
        The control that says where the end is and how it is turned.
    pole
        The control that the knee or elbow points to; empty for none.
    switch
        None where IK is always on, or there is nothing to key.
    """

    root: str
    mid: str
    end: str
    target: str
    pole: str = ""
    switch: Optional[Switch] = None

    @property
    def bones(self) -> Tuple[str, ...]:
        """Every bone of the rig that it names; the switch may be anywhere."""
        return tuple(name for name in (self.root, self.mid, self.end, self.target, self.pole) if name)


@dataclass(frozen=True)
class Setting:
    """A custom property that must have a value for the rig to move as described.

    Attributes
    ----------
    bone, name
        Whose property it is, and its name.
    value
        Which value.
    """

    bone: str
    name: str
    value: float


@dataclass(frozen=True)
class Rig:
    """A rig; checks itself.

    Attributes
    ----------
    name
        As the user knows the character.
    bones
        A parent stands before its children.
    chains
        What IK moves.
    settings
        What must be set first.
    metres_per_unit
        Of all lengths in it.
    up
        ``y`` or ``z``.

    Raises
    ------
    InputError
        It is no rig that anything could move by (``RIG_INVALID``); says which bone and why.
    """

    name: str
    bones: Tuple[RigBone, ...]
    chains: Tuple[IkChain, ...] = ()
    metres_per_unit: float = 1.0
    up: str = "z"
    settings: Tuple[Setting, ...] = ()

    def __post_init__(self) -> None:
        if not self.bones:
            raise _invalid(self.name, "it has no bones")
        if len(self.bones) > _MOST_BONES:
            raise _invalid(self.name, f"it has {len(self.bones)} bones; {_MOST_BONES} are the most")
        if self.up not in ("y", "z"):
            raise _invalid(self.name, f"its up axis is '{self.up[:20]}'; y and z are possible")
        if not (math.isfinite(self.metres_per_unit) and 1e-6 < self.metres_per_unit < 1e6):
            raise _invalid(self.name, "its unit in metres is no usable number")
        seen: Dict[str, None] = {}
        for bone in self.bones:
            _check_bone(self.name, bone, seen)
            seen[bone.name] = None
        for chain in self.chains:
            for bone_name in chain.bones:
                if bone_name not in seen:
                    raise _invalid(self.name, f"an IK chain names '{bone_name[:80]}', which is no bone of it")

    def bone(self, name: str) -> RigBone:
        """Return a bone; raises KeyError if there is none of that name."""
        for bone in self.bones:
            if bone.name == name:
                return bone
        raise KeyError(name)

    def to_json(self) -> str:
        """Return the rig as text; `parse_rig` reads it."""
        content = {
            "format": _FORMAT,
            "version": _VERSION,
            "name": self.name,
            "up": self.up,
            "metres_per_unit": self.metres_per_unit,
            "bones": [_bone_fields(bone) for bone in self.bones],
            "chains": [_chain_fields(chain) for chain in self.chains],
            "settings": [dict(vars(setting)) for setting in self.settings],
        }
        return json.dumps(content, indent=1, ensure_ascii=False)


def parse_rig(text: str, name: str = "") -> Rig:
    """Read what `Rig.to_json` wrote; bones may stand in any order.

    Raises
    ------
    InputError
        ``RIG_UNREADABLE``: it is no such JSON; ``RIG_INVALID``: it describes no usable rig.
    """
    if len(text) > _LONGEST_TEXT:
        raise _unreadable(name, "it is longer than any rig")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise _unreadable(name, "it is not JSON") from None
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise _unreadable(name, f'it lacks "format": "{_FORMAT}"')
    if content.get("version") != _VERSION:
        raise _unreadable(
            name, f"it is of version {str(content.get('version'))[:20]}, and this reads {_VERSION}"
        )
    try:
        bones = [_bone_of(fields) for fields in content["bones"]]
        chains = tuple(_chain_of(fields) for fields in content.get("chains", ()))
        settings = tuple(
            Setting(str(fields["bone"]), str(fields["name"]), float(fields["value"]))
            for fields in content.get("settings", ())
        )
        title, unit = str(content.get("name") or name), float(content.get("metres_per_unit", 1.0))
        up = str(content.get("up", "z"))
    except KeyError as error:
        raise _unreadable(name, f"{error} is missing") from None
    except (TypeError, ValueError, AttributeError):
        raise _unreadable(name, "a field is of another kind than it should be") from None
    return Rig(title, _parents_first(title, bones), chains, unit, up, settings)


def _check_bone(rig: str, bone: RigBone, before: Mapping[str, None]) -> None:
    if not bone.name or len(bone.name) > _LONGEST_NAME:
        raise _invalid(rig, "a bone has no name, or one that is too long")
    if bone.name in before:
        raise _invalid(rig, f"two bones are called '{bone.name[:80]}'")
    if bone.parent and bone.parent not in before:
        raise _invalid(rig, f"the parent of '{bone.name[:80]}' does not stand before it")
    if bone.rotation not in ROTATIONS:
        raise _invalid(
            rig, f"'{bone.name[:80]}' turns by '{bone.rotation[:20]}'; choose from {', '.join(ROTATIONS)}"
        )
    if not set(bone.keys) <= set(KEYS):
        raise _invalid(rig, f"'{bone.name[:80]}' has keys other than {' and '.join(KEYS)}")
    if len(bone.rest) != 16 or not all(map(math.isfinite, (*bone.rest, *(bone.tail or ())))):
        raise _invalid(rig, f"the rest pose of '{bone.name[:80]}' is not 16 numbers")
    axes = bone.location_axes
    if axes is not None and not (len(axes) == 9 and _is_rotation(_rest_of(axes))):
        raise _invalid(rig, f"the axes that '{bone.name[:80]}' moves along are no turn of the rig's")
    if not _is_rotation(bone.rest):
        raise _invalid(
            rig,
            f"the rest pose of '{bone.name[:80]}' is scaled, sheared or mirrored; apply that first",
        )


def _rest_of(axes: Tuple[float, ...]) -> Tuple[float, ...]:
    return (*axes[:3], 0.0, *axes[3:6], 0.0, *axes[6:], 0.0, 0.0, 0.0, 0.0, 1.0)


def _is_rotation(rest: Tuple[float, ...]) -> bool:
    rows = [rest[i : i + 3] for i in (0, 4, 8)]
    products = [sum(a * b for a, b in zip(rows[i], rows[j])) for i in range(3) for j in range(3)]
    square = all(abs(value - (i % 4 == 0)) < _OFF_SQUARE for i, value in enumerate(products))
    (a, b, c), (d, e, f), (g, h, i) = rows
    return square and a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) > 0


def _parents_first(rig: str, bones: List[RigBone]) -> Tuple[RigBone, ...]:
    """Sort bones so that a parent stands before its children, otherwise as they stood."""
    known = {bone.name for bone in bones}
    for bone in bones:
        if bone.parent and bone.parent not in known:
            raise _invalid(rig, f"the parent of '{bone.name[:80]}', '{bone.parent[:80]}', is no bone of it")
    children: Dict[str, List[RigBone]] = {}
    for bone in bones:
        children.setdefault(bone.parent, []).append(bone)
    ordered: List[RigBone] = []
    waiting = list(reversed(children.get("", [])))
    while waiting:
        bone = waiting.pop()
        ordered.append(bone)
        if len(ordered) > len(bones):
            break  # a name that stands twice has its children twice; `Rig` says so
        waiting.extend(reversed(children.get(bone.name, [])))
    if len(ordered) < len(bones):
        reached = {bone.name for bone in ordered}
        left = next(bone.name for bone in bones if bone.name not in reached)
        raise _invalid(rig, f"'{left[:80]}' is among its own ancestors")
    return tuple(ordered)


def _bone_of(fields: Mapping[str, Any]) -> RigBone:
    tail, axes = fields.get("tail"), fields.get("location_axes")
    return RigBone(
        name=str(fields["name"]),
        parent=str(fields.get("parent") or ""),
        rest=tuple(float(value) for value in fields["rest"]),
        tail=None if tail is None else _vector(tail),
        rotation=str(fields.get("rotation", "quaternion")),
        keys=tuple(str(key) for key in fields.get("keys", ("rotation",))),
        location_axes=None if axes is None else tuple(float(value) for value in axes),
    )


def _vector(values: Iterable[Any]) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _bone_fields(bone: RigBone) -> Dict[str, Any]:
    fields: Dict[str, Any] = {
        "name": bone.name,
        "parent": bone.parent,
        "rest": list(bone.rest),
        "rotation": bone.rotation,
        "keys": list(bone.keys),
    }
    if bone.tail is not None:
        fields["tail"] = list(bone.tail)
    if bone.location_axes is not None:
        fields["location_axes"] = list(bone.location_axes)
    return fields


def _chain_of(fields: Mapping[str, Any]) -> IkChain:
    root, mid, end, target = (str(fields[name]) for name in ("root", "mid", "end", "target"))
    found = fields.get("switch")
    switch = None
    if found is not None:
        switch = Switch(str(found["bone"]), str(found["name"]), float(found["ik"]), float(found["fk"]))
    return IkChain(root, mid, end, target, str(fields.get("pole") or ""), switch)


def _chain_fields(chain: IkChain) -> Dict[str, Any]:
    fields: Dict[str, Any] = dict(vars(chain))
    if chain.switch is not None:
        fields["switch"] = dict(vars(chain.switch))
    return fields


def _invalid(rig: str, fault: str) -> InputError:
    named = f"'{rig[:80]}'" if rig else "This"
    return InputError(
        f"{named} is no rig that can be moved: {fault}.", reason="RIG_INVALID", rig=rig[:80], fault=fault
    )


def _unreadable(name: str, fault: str) -> InputError:
    named = f"'{name[:80]}'" if name else "This"
    return InputError(
        f"{named} is no description of a rig ({fault}); write it with 'pose-server rig'.",
        reason="RIG_UNREADABLE",
        rig=name[:80],
        fault=fault,
    )
