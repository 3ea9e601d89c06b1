"""Parts of the body read from bones' names in general words, where no kind of rig is known by them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import product

from pose_server.retarget.limbs import limb_cost
from pose_server.retarget.preset import short_names
from pose_server.retarget.rest_pose import RestPose

__all__ = ["named_roles", "read_name"]

#: What each part is called without its side, surest first; the same word may be said of two neighbours.
_WORDS = {
    "pelvis": "pelvis hips hip cog",
    "head": "head skull",
    "clavicle": "clavicle collar collarbone clav scapula shoulder shldr",
    "shoulder": "upperarm uparm armupper humerus bicep shldr arm shoulder",
    "elbow": "forearm lowerarm lowarm armlower elbow ulna radius",
    "wrist": "hand wrist palm",
    "hip": "thigh upperleg upleg legupper femur buttock leg hip",
    "knee": "calf shin lowerleg lowleg leglower crus knee tibia leg",
    "ankle": "foot ankle feet tarsus",
    "toe": "toebase toes toe ball",
}
#: What a word costs that comes so late in its list.
_LATE = 0.1
#: Said beside the part, and of no meaning here.
_FILLERS = (
    "def",
    "org",
    "bone",
    "jnt",
    "joint",
    "bip",
    "bind",
    "skin",
    "bend",
    "b",
    "j",
    "c",
    "fk",
    "ctrl",
    "control",
    "rig",
    "bn",
    "sk",
)
_SIDES = {word: side for side in ("left", "right") for word in (side, side[0], f"{side[0]}{side[-1]}")}
_SIDES |= {"lft": "left", "rgt": "right", "rht": "right"}
_TOKENS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
#: So many bones of one name are looked at.
_MOST = 12
_LONGEST_WAY = 24
_CACHED = 10_000
#: A limb that costs more is none.
_WORST = 2.5
_BOTH = ("left", "right")
_LIMBS = {"leg": ("hip", "knee", "ankle"), "arm": ("shoulder", "elbow", "wrist")}


@lru_cache(maxsize=_CACHED)
def read_name(name: str) -> tuple[str, dict[str, float]]:
    """Return the side that a bone's name tells, if any, and what each part that it may mean costs."""
    tokens = [token.lower() for token in _TOKENS.findall(name)]
    side = ""
    for token in (*tokens[-1:], *tokens):  # the last one first: 'l' may be a prefix of all bones
        if not side:
            side = _SIDES.get(token, "")
    words = [token for token in tokens if token not in _FILLERS and token not in _SIDES]
    said = "".join(words)
    if not side and said and said not in _costs() and said[0] in "lr" and said[1:] in _costs():
        side, said = _SIDES[said[0]], said[1:]
    parts = {part: cost for part, cost in _costs().get(said, {}).items() if part not in ("head",) or not side}
    if not side:
        parts = {part: cost for part, cost in parts.items() if part in ("pelvis", "head")}
    else:
        parts.pop("pelvis", None)
    return side, parts


def named_roles(rest: RestPose) -> dict[str, tuple[int, ...]]:
    """Return bones by role, as far as their names say and what they say can be a body.

    Parameters
    ----------
    rest
        As `shape.squared` returns it.

    Notes
    -----
    Where a word may mean two bones (Mixamo's arm is an upper arm, and its shoulder a clavicle), the three
    that make the best limb are meant.
    """
    called: dict[tuple[str, str], list[tuple[int, float]]] = {}
    names = list(short_names(rest.rig).values())
    for place, name in enumerate(names):
        side, parts = read_name(name)
        for part, cost in parts.items():
            found = called.setdefault((side, part), [])
            if rest.turnable[place] and len(found) < _MOST:
                found.append((place, cost))
    roles: dict[str, int] = {}
    twins = {_without_side(name): place for place, name in enumerate(names)}
    ground = float(rest.spans_m[0][rest.parents < 0, 2].min())
    for kind, joints in _LIMBS.items():
        best: dict[str, tuple[float, tuple[int, ...]]] = {}
        for side in _BOTH:
            best[side] = _limb(rest, kind, [called.get((side, part), []) for part in joints], ground)
        # The better side says how the other's are called: that one may hold a sword.
        better, other = sorted(_BOTH, key=lambda side: best[side][0])
        same = [twins.get((other, _without_side(names[place])[1]), -1) for place in best[better][1]]
        if same and min(same) >= 0:
            best[other] = best[better][0], tuple(same)
        for side, (_, limb) in best.items():
            roles |= {f"{side}_{part}": place for part, place in zip(joints, limb, strict=False)}
    for side in _BOTH:
        _add_nearest(rest, roles, called, side)
    for part in ("pelvis", "head"):
        places = [place for place, _ in sorted(called.get(("", part), []), key=lambda found: found[1])]
        if places and places[0] not in roles.values():
            roles[part] = places[0]
    return {role: (place,) for role, place in roles.items()}


def _limb(
    rest: RestPose, kind: str, called: Sequence[Sequence[tuple[int, float]]], ground_m: float
) -> tuple[float, tuple[int, ...]]:
    """Return what the three of the called bones cost that make the best limb, and them; none if none do."""
    best: tuple[float, tuple[int, ...]] = (_WORST, ())
    for found in product(*called):
        bones = tuple(place for place, _ in found)
        if len(set(bones)) < 3 or not all(map(rest.carries, bones, bones[1:])):
            continue
        tops = [place for place, _ in called[0] if rest.carries(place, bones[0])]
        top = min(tops)  # a parent stands before its children
        if rest.depths[bones[2]] - rest.depths[top] > _LONGEST_WAY:
            continue
        way = [top, *rest.between(top, bones[2])]
        cost = limb_cost(rest, kind, way, bones, ground_m) + sum(cost for _, cost in found)
        if cost < best[0]:
            best = cost, bones
    return best


def _add_nearest(
    rest: RestPose,
    roles: dict[str, int],
    called: dict[tuple[str, str], list[tuple[int, float]]],
    side: str,
) -> None:
    """Add the clavicle above a shoulder and the toe below an ankle."""
    shoulder, ankle = roles.get(f"{side}_shoulder", -1), roles.get(f"{side}_ankle", -1)
    taken = set(roles.values())
    for place, _ in sorted(called.get((side, "clavicle"), []), key=lambda found: found[1]):
        if shoulder >= 0 and place not in taken and rest.carries(place, shoulder):
            roles[f"{side}_clavicle"] = place
            break
    for place, _ in sorted(called.get((side, "toe"), []), key=lambda found: found[1]):
        if ankle >= 0 and place not in taken and rest.carries(ankle, place):
            roles[f"{side}_toe"] = place
            break


def _without_side(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the side that a name tells, and all else that it says."""
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)]
    return read_name(name)[0], tuple(word for word in words if word not in _SIDES)


@cache
def _costs() -> dict[str, dict[str, float]]:
    """Return what each word may mean and what that costs."""
    costs: dict[str, dict[str, float]] = {}
    for part, words in _WORDS.items():
        for nth, word in enumerate(words.split()):
            costs.setdefault(word, {})[part] = _LATE * nth
    return costs
