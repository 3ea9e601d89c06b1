"""Legs and arms of a rig found by how it stands alone, whatever its bones are called.

A body is a tree that is its own mirror image: two legs to the ground, a trunk above them, two arms.
Everything else (fingers, hair, wings, tails, helpers) makes a worse leg or arm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from pose_server.pipeline.boundary import FloatArray
from pose_server.retarget.limbs import Limb, best_limb
from pose_server.retarget.rest_pose import RestPose

__all__ = ["facing", "limbs_of", "mirror_pairs", "squared"]

Pair = tuple[int, int]

#: Bones are on the midline, or each other's mirror image, within shares of the rig's height.
_ON_MIDLINE, _MIRRORED = 0.02, 0.08
#: Siblings are compared with so many that are next to them in size.
_NEIGHBOURS = 8
#: Legs and arms that cost more are none.
_WORST = {"leg": 1.0, "arm": 1.5}
#: Length of an arm over that of a leg (Drillis and Contini 1966), and what a doubling or halving costs.
_ARM_OVER_LEG, _SIZE_COSTS = 0.68, 0.3
#: What costs an arm 1: hanging so far behind the hips, as a share of the leg, or so far below them.
_BEHIND, _BELOW = 0.5, 0.2
#: Feet point ahead, and knees bend, by more than these shares of the leg.
_FOOT, _BEND = 0.04, 0.01
#: Toes and heels are as low as each other, within a share of the leg.
_AS_LOW = 0.05
_LONGEST_WAY = 64


def squared(rest: RestPose) -> RestPose:
    """Return a rig turned about the vertical and moved so that its mirror plane is x = 0.

    Siblings that are alike show the plane: the commonest direction between them, each counted by the
    square of its size, so that legs and arms outweigh fingers.
    """
    across, middles, weights = [], [], []
    for group in (tuple(np.flatnonzero(rest.parents < 0)), *rest.children):
        ordered = sorted(group, key=lambda place: (rest.sizes[place], rest.middles_m[place, 2]))
        for nth, a in enumerate(ordered):
            for b in ordered[nth + 1 : nth + 1 + _NEIGHBOURS]:
                smaller, larger = sorted((rest.sizes[a], rest.sizes[b]))
                if smaller >= 0.8 * larger:
                    across.append(rest.middles_m[b] - rest.middles_m[a])
                    middles.append((rest.middles_m[b] + rest.middles_m[a]) / 2)
                    weights.append(float(smaller) ** 2)
    if not across:
        return rest
    ways, centres, counts = np.array(across), np.array(middles), np.array(weights)
    level = np.linalg.norm(ways[:, :2], axis=1)
    kept = level > 3 * np.abs(ways[:, 2]) + 1e-9
    if not kept.any():
        return rest
    ways, centres, counts = ways[kept], centres[kept], counts[kept]
    angles = np.degrees(np.arctan2(ways[:, 1], ways[:, 0])) % 180
    near = np.abs((angles[:, None] - np.arange(180) + 90) % 180 - 90) < 3  # (pairs, whole degrees)
    best = int(np.argmax(counts @ near))
    chosen = near[:, best]
    off = (angles[chosen] - best + 90) % 180 - 90
    angle = best + float(np.average(off, weights=counts[chosen]))
    turn = -np.radians((angle + 90) % 180 - 90)
    matrix = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1.0]])
    plane = _weighted_median((centres[chosen] @ matrix.T)[:, 0], counts[chosen])
    shift = np.array([plane, 0.0, 0.0])
    return replace(rest, heads_m=rest.heads_m @ matrix.T - shift, tails_m=rest.tails_m @ matrix.T - shift)


def mirror_pairs(rest: RestPose) -> tuple[list[Pair], dict[int, int]]:
    """Return where the two sides part, and for every bone with a mirror image that one.

    Parameters
    ----------
    rest
        As `squared` returns it.
    """
    height = max(float(np.ptp(rest.heads_m[:, 2])), 1e-9)
    flip = np.array([-1.0, 1, 1, -1, 1, 1])
    features = np.hstack([rest.heads_m, rest.middles_m])
    parts: list[Pair] = []
    image: dict[int, int] = {}
    waiting: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    roots = tuple(int(place) for place in np.flatnonzero(rest.parents < 0))
    waiting.append((roots, roots))
    while waiting:
        ours, theirs = waiting.pop()
        same = ours is theirs
        if same:
            middle = [p for p in ours if np.abs(features[p, [0, 3]]).max() < _ON_MIDLINE * height]
            waiting.extend((rest.children[place],) * 2 for place in middle)
            ours = theirs = tuple(place for place in ours if place not in set(middle))
        if not ours or not theirs:
            continue
        mine, other = features[list(ours)], features[list(theirs)] * flip
        far, to = cKDTree(other).query(mine)
        _, back = cKDTree(mine).query(other)
        for nth, place in enumerate(ours):
            partner = theirs[to[nth]]
            if back[to[nth]] != nth or far[nth] > _MIRRORED * height or partner == place or place in image:
                continue
            image[place], image[partner] = partner, place
            if same:
                parts.append((place, partner))
            waiting.append((rest.children[place], rest.children[partner]))
    return parts, image


def limbs_of(rest: RestPose) -> dict[str, tuple[Limb, Limb]]:
    """Return ``leg`` and ``arm`` where found, each with the one on x > 0 and its mirror image.

    Parameters
    ----------
    rest
        As `squared` returns it.
    """
    parts, image = mirror_pairs(rest)
    ground = float(np.nanmin(rest.spans_m[0][:, 2]))
    legs = _best("leg", rest, parts, image, ground, lambda limb: 0.0)
    if legs is None:
        return {}
    hips = rest.heads_m[[leg.bones[0] for leg in legs]].mean(axis=0)
    leg_m = _length_m(rest, legs[0])
    ahead = facing(rest, [leg.bones for leg in legs])[0]

    def strangeness(arm: Limb) -> float:
        top = rest.heads_m[arm.bones[0]]
        size = np.log2(_length_m(rest, arm) / leg_m / _ARM_OVER_LEG) ** 2 * _SIZE_COSTS
        behind = max(0.0, -ahead * float(hips[1] - top[1]) / leg_m) / _BEHIND
        return float(size + behind + max(0.0, float(hips[2] - top[2]) / leg_m) / _BELOW)

    used = {
        place for pair in parts for place in pair if any(rest.carries(place, leg.bones[0]) for leg in legs)
    }
    arms = _best("arm", rest, [pair for pair in parts if pair[0] not in used], image, ground, strangeness)
    return {"leg": legs} if arms is None else {"leg": legs, "arm": arms}


def facing(rest: RestPose, legs: Sequence[Sequence[int]]) -> tuple[int, str]:
    """Return 1 for a body that faces -y and -1 for one that faces +y, and what tells: feet, knees or nothing.

    Parameters
    ----------
    rest
        As `squared` returns it.
    legs
        Hip, knee and ankle of both.
    """
    low, high = rest.spans_m
    foot, bend, length = 0.0, 0.0, 0.0
    for hip, knee, ankle in legs:
        a, b, c = rest.heads_m[[hip, knee, ankle]]
        length += float(np.linalg.norm(b - a) + np.linalg.norm(c - b))
        foot += float((c[1] - low[ankle, 1]) - (high[ankle, 1] - c[1]))
        share = float((b - a) @ (c - a)) / max(float((c - a) @ (c - a)), 1e-12)
        bend += float(a[1] + share * (c - a)[1] - b[1])
    for value, least, told_by in ((foot, _FOOT, "feet"), (bend, _BEND, "knees")):
        if abs(value) > least * length:
            return (1 if value > 0 else -1), told_by
    return 1, ""


def _best(
    kind: str,
    rest: RestPose,
    parts: Sequence[Pair],
    image: Mapping[int, int],
    ground_m: float,
    strangeness: Callable[[Limb], float],
) -> tuple[Limb, Limb] | None:
    """Return the best limb of a kind, and its mirror image."""
    best: tuple[Limb, Limb] | None = None
    for pair in parts:
        if not all(rest.turnable[place] for place in pair):
            continue
        top, other = sorted(pair, key=lambda place: -rest.middles_m[place, 0])
        limb = best_limb(rest, kind, _way(kind, rest, top), ground_m)
        if limb is None:
            continue
        bones = tuple(image.get(bone, -1) for bone in limb.bones)
        mirrored: Limb | None = replace(limb, bones=bones) if min(bones) >= 0 else None
        mirrored = mirrored or best_limb(rest, kind, _way(kind, rest, other), ground_m)
        if mirrored is None:
            continue
        limb = replace(limb, cost=max(limb.cost, mirrored.cost) + strangeness(limb))
        if limb.cost < (best[0].cost if best else _WORST[kind]):
            best = limb, mirrored
    return best


def _way(kind: str, rest: RestPose, top: int) -> list[int]:
    """Return the bones of a limb and on to its end: to the lowest point, or to the farthest."""
    low, high = rest.spans_m
    as_low_m = _AS_LOW * float(rest.heads_m[top, 2] - low[top, 2]) + 1e-9
    way = [top]
    while len(way) < _LONGEST_WAY:
        below = [child for child in rest.children[way[-1]] if rest.turnable[child]]
        if not below:
            break
        if kind == "leg":
            # A heel is as low as the toes; more hangs on what matters.
            lowest = min(low[child, 2] for child in below) + as_low_m
            way.append(max(below, key=lambda child: (low[child, 2] <= lowest, int(rest.sizes[child]))))
        else:
            start = rest.heads_m[top]
            reach = np.maximum(np.abs(low[below] - start), np.abs(high[below] - start))
            way.append(below[int(np.argmax(np.linalg.norm(reach, axis=1)))])
    return way


def _length_m(rest: RestPose, limb: Limb) -> float:
    ends = rest.heads_m[list(limb.bones)]
    if len(ends) == 2:
        ends = np.vstack([ends, rest.tails_m[limb.bones[-1]]])
    return float(np.linalg.norm(np.diff(ends, axis=0), axis=1).sum())


def _weighted_median(values: FloatArray, weights: FloatArray) -> float:
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)])
