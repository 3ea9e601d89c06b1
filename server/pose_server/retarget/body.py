"""The rest of a body once its legs, arms and perhaps its head are known, by how they hang together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pose_server.retarget.limbs import twist_bones
from pose_server.retarget.rest_pose import RestPose
from pose_server.retarget.shape import facing

__all__ = ["completed"]

_SIDES = ("left", "right")
#: A root stands within this share of the leg's length of the ground.
_ON_GROUND = 0.2
#: From hips (0) to shoulders (1) and on: a bone that begins above this is the end of a head.
_SKULL = 0.62
#: Bones begin in one place within this share of the height.
_ONE_PLACE = 0.015
#: The trunk's bones begin, and are even, within these shares of half the shoulders' width of the midline.
_MIDDLE, _EVEN = 0.15, 0.35
#: So many bones on one are a face, not a neck.
_FACE = 3
#: What begins in the last two thirds of a foot is a toe.
_TOES = 0.35
_LIMBS = {
    "shoulder": ("shoulder", "elbow"),
    "elbow": ("elbow", "wrist"),
    "hip": ("hip", "knee"),
    "knee": ("knee", "ankle"),
}


def completed(rest: RestPose, known: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Return bones by role.

    Parameters
    ----------
    rest
        As `shape.squared` returns it.
    known
        Bones by role: hips, knees and ankles at least; what is in here stays.
    """
    roles = dict(known)
    found = {role: bones[0] for role, bones in known.items() if bones}
    hips = [found[f"{side}_hip"] for side in _SIDES]
    shoulders = [found[f"{side}_shoulder"] for side in _SIDES if f"{side}_shoulder" in found]
    pelvis = found.get("pelvis", _pelvis(rest, hips, shoulders))
    if pelvis < 0:
        return roles
    chest = rest.shared_carrier(shoulders) if len(shoulders) == 2 else pelvis
    if chest < 0:  # controls of arms may hang on nothing that the spine carries
        chest = pelvis
    _add(roles, "pelvis", (pelvis,))
    _add(roles, "spine", _turned(rest, rest.between(pelvis, chest)))
    taken = [*hips, *shoulders]
    head = found.get("head", -1)
    above = rest.between(chest, head) if head >= 0 else _above(rest, chest, taken)
    if above:
        if head < 0:
            nth = _head(rest, above, hips, shoulders or [chest])
            above = above[: nth + 1]
        _add(roles, "head", (above[-1],))
        _add(roles, "neck", _turned(rest, above[:-1]))
    forward = facing(rest, [_leg(found, side) for side in _SIDES])[0]
    for side in _SIDES:
        if f"{side}_shoulder" in found:
            way = _turned(rest, rest.between(chest, found[f"{side}_shoulder"])[:-1])
            _add(roles, f"{side}_clavicle", way[:1])
        _add(roles, f"{side}_toe", _toe(rest, found[f"{side}_ankle"], forward))
        for part, (start, end) in _LIMBS.items():
            if f"{side}_{start}" in found and f"{side}_{end}" in found:
                along = twist_bones(rest, found[f"{side}_{start}"], found[f"{side}_{end}"])
                _add(roles, f"{side}_{part}_twist", along)
    _add(roles, "root", _root(rest, pelvis, found))
    return roles


def _leg(found: Mapping[str, int], side: str) -> tuple[int, int, int]:
    return found[f"{side}_hip"], found[f"{side}_knee"], found[f"{side}_ankle"]


def _add(roles: dict[str, tuple[int, ...]], role: str, bones: tuple[int, ...]) -> None:
    """Give a role that has no bones those that no other has."""
    if role in roles:
        return
    taken = {bone for others in roles.values() for bone in others}
    bones = tuple(bone for bone in bones if bone not in taken)
    if bones:
        roles[role] = bones


def _turned(rest: RestPose, bones: list[int]) -> tuple[int, ...]:
    return tuple(bone for bone in bones if rest.turnable[bone])


def _pelvis(rest: RestPose, hips: list[int], shoulders: list[int]) -> int:
    """Return what carries legs and arms, else the legs, else the arms."""
    for bones in ([*hips, *shoulders], hips, shoulders):
        carrier = rest.shared_carrier(bones) if bones else -1
        if carrier >= 0:
            return carrier
    return -1


def _above(rest: RestPose, chest: int, taken: list[int]) -> list[int]:
    """Return the bones from the chest upwards on the midline."""
    low, high = rest.spans_m
    half = max(abs(float(rest.heads_m[taken[-1], 0])), 1e-9)
    way: list[int] = []
    here = chest
    while True:
        below = [
            child
            for child in rest.children[here]
            if rest.turnable[child]
            and abs(rest.heads_m[child, 0]) < _MIDDLE * half
            and abs(low[child, 0] + high[child, 0]) < _EVEN * half
            and not any(rest.carries(child, bone) for bone in taken)
            and high[child, 2] > rest.heads_m[chest, 2]
        ]
        if not below:
            return way
        here = max(below, key=lambda child: float(high[child, 2]))
        way.append(here)


def _head(rest: RestPose, above: list[int], hips: list[int], shoulders: list[int]) -> int:
    """Return which of the bones above the chest is the head: one with a face, or the last before the top."""
    low, top = rest.heads_m[hips, 2].mean(), rest.heads_m[shoulders, 2].mean()
    for nth, bone in enumerate(above):
        if len(rest.children[bone]) >= _FACE and rest.heads_m[bone, 2] > top:
            return nth - _in_one_place(rest, above[: nth + 1])
    last = len(above) - 1
    while last > 0 and rest.heads_m[above[last], 2] - low > (1 + _SKULL) * (top - low):
        last -= 1
    return last


def _in_one_place(rest: RestPose, way: list[int]) -> int:
    """Return how many bones before the last one begin where it does."""
    gaps = np.linalg.norm(rest.heads_m[way[:-1]] - rest.heads_m[way[-1]], axis=1)
    far = np.flatnonzero(gaps[::-1] > _ONE_PLACE * np.ptp(rest.heads_m[:, 2]))
    return int(far[0]) if len(far) else len(gaps)


def _toe(rest: RestPose, ankle: int, forward: int) -> tuple[int, ...]:
    """Return the bone at the ball of a foot."""
    ahead_m = -forward * (rest.heads_m[:, 1] - rest.heads_m[ankle, 1])
    back = forward * (rest.tails_m[:, 1] - rest.heads_m[:, 1]) > 0  # what ends behind where it begins
    low, high = rest.spans_m
    end = low[ankle, 1] if forward > 0 else high[ankle, 1]
    length = -forward * float(end - rest.heads_m[ankle, 1])
    level = [child for child in rest.children[ankle] if rest.turnable[child]]
    while level and length > 1e-6:
        toes = [bone for bone in level if ahead_m[bone] > _TOES * length and not back[bone]]
        if toes:
            # Of several toes it is the big one.
            return (max(toes, key=lambda b: (rest.sizes[b] > 1, -abs(rest.heads_m[b, 0]))),)
        level = [child for bone in level for child in rest.children[bone] if rest.turnable[child]]
    return ()


def _root(rest: RestPose, pelvis: int, found: Mapping[str, int]) -> tuple[int, ...]:
    """Return the nearest bone on the ground that carries the body."""
    low = float(np.nanmin(rest.spans_m[0][[found[f"{side}_ankle"] for side in _SIDES], 2]))
    hip, ankle = (rest.heads_m[found[f"left_{part}"], 2] for part in ("hip", "ankle"))
    for bone in rest.ancestors(pelvis):
        near = abs(rest.heads_m[bone, 2] - low) < _ON_GROUND * (hip - ankle)
        if near and rest.turnable[bone]:
            return (bone,)
    return ()
