"""How well three bones would make a leg or an arm, and what else hangs on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pose_server.pipeline.boundary import FloatArray
from pose_server.retarget.rest_pose import RestPose

__all__ = ["Limb", "best_limb", "limb_cost", "twist_bones"]

#: Upper over lower length (Drillis and Contini 1966: thigh 0.245, shin 0.246, upper arm 0.186 and
#: forearm 0.146 of the height; rigs have longer forearms), and how much a doubling or halving costs.
_RATIO = {"leg": 1.0, "arm": 1.1}
_RATIO_COSTS = 1.0
#: What costs 1: twist bones so far beside their limb as shares of its length, ...
_ASIDE = 0.3
#: ... an ankle so high above the ground as shares of the leg's height more than it is in stout rigs, ...
_ANKLE, _ANKLE_MOST = 0.25, 0.35
#: ... a leg so bent, in 1 - cos, and so much of a leg's way down left out above it or below it.
_BENT, _LEFT_OUT = 0.35, 0.25
#: A wrist has so many chains of fingers; what a hand is worth, and what costs to have none.
_FINGERS, _HAND, _HANDLESS = 3, 0.3, 0.3
#: The most that something beyond the wrist costs.
_HELD = 0.6
#: What a foot is worth: it reaches ahead, so far as a share of the shin and for what it goes down.
_FOOT, _FOOT_SHARE, _FOOT_SLOPE = 0.5, 0.2, 0.4
#: A leg at rest goes down by so much of its length.
_UPRIGHT = 0.6
#: Longest way from the trunk to a finger or toe that is looked at.
_MOST_BONES = 24
#: A bone that shares a limb's twist begins on the limb, so near as shares of its length, and inside of it.
_ON_LINE, _INSIDE = 0.06, (0.02, 0.98)


@dataclass(frozen=True)
class Limb:
    """Bones of hip, knee and ankle, or of shoulder, elbow and, unless it ends there, wrist."""

    bones: tuple[int, ...]
    cost: float
    """0 for a textbook's; 1 is bad."""


def best_limb(rest: RestPose, kind: str, way: Sequence[int], ground_m: float) -> Limb | None:
    """Return the bones of a way from the trunk outwards that make the best limb, if any do.

    Parameters
    ----------
    kind
        ``leg`` or ``arm``.
    way
        Bones, each carried by the one before.
    ground_m
        Height of the lowest point of the rig.
    """
    way = way[:_MOST_BONES]
    points = rest.heads_m[list(way)]
    tail = rest.tails_m[way[-1]]
    if kind == "arm" and np.isfinite(tail).all():
        points = np.vstack([points, tail])
    found: Limb | None = None
    for places in combinations(range(len(points)), 3):
        bones = tuple(way[place] for place in places if place < len(way))
        cost = _cost(kind, points, places, ground_m)
        if np.isfinite(cost):
            cost += _beyond(rest, kind, bones, points, places)
        if np.isfinite(cost) and (found is None or cost < found.cost):
            found = Limb(bones, cost)
    return found


def limb_cost(
    rest: RestPose, kind: str, way: Sequence[int], bones: tuple[int, ...], ground_m: float
) -> float:
    """Return what three bones of a way cost as a limb: 0 for a textbook's, infinity for none."""
    points, places = rest.heads_m[list(way)], tuple(way.index(bone) for bone in bones)
    cost = _cost(kind, points, places, ground_m)
    return cost + _beyond(rest, kind, bones, points, places) if np.isfinite(cost) else cost


def twist_bones(rest: RestPose, start: int, end: int) -> tuple[int, ...]:
    """Return the bones along a limb, from its start on, that only share its twist.

    They stand between its ends, or hang on it and carry nothing.
    """
    between = rest.between(start, end)[:-1]
    carriers = [start, *between]
    aside = [child for bone in carriers for child in rest.children[bone] if not rest.children[child]]
    a, b = rest.heads_m[start], rest.heads_m[end]
    placed = []
    for bone in {*between, *aside} - {end}:
        share, off = _along(rest.heads_m[bone], a, b)
        if off < _ON_LINE and _INSIDE[0] < share < _INSIDE[1] and rest.turnable[bone]:
            placed.append((share, bone))
    return tuple(bone for _, bone in sorted(placed))


def _cost(kind: str, points_m: FloatArray, places: tuple[int, ...], ground_m: float) -> float:
    """Return what is odd about three of the points on the way along a limb."""
    a, b, c = points_m[list(places)]
    upper, lower = float(np.linalg.norm(b - a)), float(np.linalg.norm(c - b))
    if min(upper, lower) < 1e-6:
        return np.inf
    first, second, third = places
    cost = _RATIO_COSTS * np.log2(upper / lower / _RATIO[kind]) ** 2
    for start, end, inner in (
        (a, b, points_m[first + 1 : second]),
        (b, c, points_m[second + 1 : third]),
    ):
        cost += sum(_along(point, start, end)[1] for point in inner) / _ASIDE
    # Where the limbs of both sides part is not yet a hip or a shoulder.
    cost += 1.0 if abs(a[0]) < 0.25 * abs(b[0]) else 0.0
    straight = 1 - float((b - a) @ (c - b)) / (upper * lower)
    top = points_m[0]
    if kind == "arm":
        cost += max(0.0, straight - 0.5)
        cost += max(0.0, float(np.linalg.norm(a - top)) / (upper + lower) - 0.6)
        return float(cost)
    if not a[2] > b[2] > c[2] or a[2] - c[2] < _UPRIGHT * (upper + lower):
        return np.inf
    height = max(a[2] - ground_m, 1e-9)
    cost += straight / _BENT
    cost += max(0.0, (c[2] - ground_m) / height - _ANKLE_MOST) / _ANKLE
    cost += (abs(top[2] - a[2]) / height) / _LEFT_OUT
    return float(cost)


def _beyond(
    rest: RestPose, kind: str, bones: tuple[int, ...], points_m: FloatArray, places: tuple[int, ...]
) -> float:
    """Return what is odd about the hand or the foot beyond a limb, or what it is worth."""
    if len(bones) < 3:
        return _HANDLESS
    end = bones[2]
    low, high = rest.spans_m
    _, middle_m, end_m = points_m[list(places)]
    lower = float(np.linalg.norm(end_m - middle_m))
    reach = np.maximum(np.abs(low[end] - end_m), np.abs(high[end] - end_m))
    if kind == "leg":
        ahead = float(np.linalg.norm(reach[:2]))
        down = max(float(end_m[2] - low[end, 2]), 1e-9)
        return -_FOOT if ahead / lower > _FOOT_SHARE and ahead / down > _FOOT_SLOPE else 0.0
    # What is held may be longer than any hand.
    cost = min(_HELD, max(0.0, float(np.linalg.norm(reach)) / lower - 1.0))
    chains = sum(bool(rest.sizes[child] > 1) for child in rest.children[end])
    return cost - (_HAND if chains >= _FINGERS else 0.0)


def _along(point_m: FloatArray, start_m: FloatArray, end_m: FloatArray) -> tuple[float, float]:
    """Return how far along a line a point stands, and how far aside, both as shares of its length."""
    way = end_m - start_m
    length = max(float(np.linalg.norm(way)), 1e-9)
    share = float((point_m - start_m) @ way) / length**2
    return share, float(np.linalg.norm(point_m - start_m - share * way)) / length
