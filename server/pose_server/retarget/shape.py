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
#: What the middle of all that hangs on a bone counts beside where it begins.
_HANGING = 0.15
#: Siblings are alike if the smaller has so much of the larger's bones.
_ALIKE = 0.6
#: An image is so near, as a share of the height; so many planes are tried.
_NEAR, _TRIED = 0.03, 24
#: How often a plane is found anew from the images that it gives.
_REFINED = 3
#: Siblings are compared with so many that are next to them in size.
_NEIGHBOURS = 8
#: Legs and arms that cost more are none.
_WORST = {"leg": 1.0, "arm": 1.5}
#: Length of an arm over that of a leg (Drillis and Contini 1966), and what a doubling or halving costs.
_ARM_OVER_LEG, _SIZE_COSTS = 0.68, 0.3
#: What costs an arm 1: hanging so far behind the hips, as a share of the leg, or so far below ...
_BEHIND, _BELOW = 0.25, 0.2
#: ... what is little for shoulders to be above the hips.
_RISE = 0.35
#: Arms are lower on the trunk than hair that is no better by so much.
_LOWER = 0.6
#: Feet point ahead, and knees bend, by more than these shares of the leg.
_FOOT, _BEND = 0.04, 0.01
#: Toes and heels are as low as each other, within a share of the leg.
_AS_LOW = 0.05
_LONGEST_WAY = 64


def squared(rest: RestPose) -> RestPose:
    """Return a rig turned about the vertical and moved so that its mirror plane is x = 0.

    Siblings that are alike give planes to try; the plane on whose other side most bones have an image is
    the one, and all those images say exactly where it stands.
    """
    height = max(float(np.ptp(rest.heads_m[:, 2])), 1e-9)
    ground = rest.heads_m[:, :2]
    tree = cKDTree(rest.heads_m)
    best: tuple[int, float, FloatArray, float] | None = None
    for normal, offset in _planes(rest, height):
        for _ in range(_REFINED):
            aside = ground @ normal - offset
            image = np.column_stack([ground - 2 * aside[:, None] * normal, rest.heads_m[:, 2]])
            far, to = tree.query(image, distance_upper_bound=_NEAR * height)
            found = np.isfinite(far) & (np.abs(aside) > _ON_MIDLINE * height)
            score = int(found.sum())
            if not score:
                break
            ways = (ground[found] - ground[to[found]]) * np.sign(aside[found])[:, None]
            middles = (ground[found] + ground[to[found]]) / 2
            exact = ways.sum(axis=0)
            exact /= max(float(np.linalg.norm(exact)), 1e-12)
            # Siblings near the middle say roughly where the plane is; all that they bring together, better.
            normal, offset = exact, float(np.median(middles @ exact))
            off = float(far[found].mean())
            if best is None or score > best[0] or (score == best[0] and off < best[1]):
                best = score, off, normal, offset
    if best is None:
        return rest
    (x, y), plane = best[2], best[3]
    if x < 0 or (x == 0 and y < 0):
        x, y, plane = -x, -y, -plane
    matrix = np.array([[x, y, 0.0], [-y, x, 0.0], [0.0, 0.0, 1.0]])
    shift = np.array([plane, 0.0, 0.0])
    return replace(rest, heads_m=rest.heads_m @ matrix.T - shift, tails_m=rest.tails_m @ matrix.T - shift)


def _planes(rest: RestPose, height: float) -> list[tuple[FloatArray, float]]:
    """Return upright planes, each as a unit normal and an offset, between siblings that are alike.

    Those between the largest trees come first, so that legs and arms go before fingers.
    """
    votes: dict[tuple[int, int], tuple[float, FloatArray, float]] = {}
    for group in (tuple(np.flatnonzero(rest.parents < 0)), *rest.children):
        ordered = sorted(group, key=lambda place: (rest.sizes[place], rest.middles_m[place, 2]))
        for nth, a in enumerate(ordered):
            for b in ordered[nth + 1 : nth + 1 + _NEIGHBOURS]:
                if rest.sizes[a] < _ALIKE * rest.sizes[b]:
                    break
                # Both hips may begin in one place, where the legs part.
                apart = float(np.linalg.norm(rest.heads_m[b] - rest.heads_m[a])) > _ON_MIDLINE * height
                points = rest.heads_m if apart else rest.middles_m
                way = points[b] - points[a]
                length = float(np.hypot(way[0], way[1]))
                if length < 3 * abs(way[2]) or length < 1e-3 * height:
                    continue
                normal = way[:2] / length * (1 if (way[0], way[1]) > (0, 0) else -1)
                offset = float(normal @ (points[a] + points[b])[:2]) / 2
                key = (
                    round(float(np.degrees(np.arctan2(normal[1], normal[0]))) / 2),
                    round(offset / (0.01 * height)),
                )
                weight = votes[key][0] if key in votes else 0.0
                votes[key] = weight + float(rest.sizes[a]) ** 2, normal, offset
    best = sorted(votes.values(), key=lambda vote: -vote[0])[:_TRIED]
    return [(normal, offset) for _, normal, offset in best]


def mirror_pairs(rest: RestPose) -> tuple[list[Pair], dict[int, int]]:
    """Return where the two sides part, and for every bone with a mirror image that one.

    Parameters
    ----------
    rest
        As `squared` returns it.
    """
    height = max(float(np.ptp(rest.heads_m[:, 2])), 1e-9)
    flip = np.array([-1.0, 1, 1, -1, 1, 1])
    # Where a limb begins counts more than what hangs on it, which may be a sword in one hand.
    features = np.hstack([rest.heads_m, _HANGING * rest.middles_m])
    parts: list[Pair] = []
    image: dict[int, int] = {}
    waiting: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    roots = tuple(int(place) for place in np.flatnonzero(rest.parents < 0))
    waiting.append((roots, roots))
    while waiting:
        ours, theirs = waiting.pop()
        if not ours or not theirs:
            continue
        same = ours is theirs
        mine, other = features[list(ours)], features[list(theirs)] * flip
        far, to = cKDTree(other).query(mine)
        _, back = cKDTree(mine).query(other)
        for nth, place in enumerate(ours):
            partner = theirs[to[nth]]
            alike = back[to[nth]] == nth and far[nth] < _MIRRORED * height and partner != place
            if alike and place not in image:
                image[place], image[partner] = partner, place
                if same:
                    parts.append((place, partner))
                waiting.append((rest.children[place], rest.children[partner]))
            elif same and not alike and abs(rest.heads_m[place, 0]) < _ON_MIDLINE * height:
                waiting.append((rest.children[place],) * 2)
    return parts, image


def limbs_of(rest: RestPose) -> dict[str, tuple[Limb, Limb]]:
    """Return ``leg`` and ``arm`` where found, each with the one on x > 0 and its mirror image.

    Parameters
    ----------
    rest
        As `squared` returns it.
    """
    parts, image = mirror_pairs(rest)
    if not image:
        return {}
    ground = float(np.fmin(rest.heads_m, rest.tails_m)[list(image), 2].min())
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
        return float(size + behind + max(0.0, _RISE - float(top[2] - hips[2]) / leg_m) / _BELOW)

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
    found: list[tuple[Limb, Limb, int]] = []
    for pair in parts:
        if not all(rest.turnable[place] for place in pair):
            continue
        limbs = [best_limb(rest, kind, _way(kind, rest, top), ground_m) for top in pair]
        if limbs[0] is None or limbs[1] is None:
            continue
        # The better side says where the joints are on both: the other may hold a sword.
        better, other = sorted(limbs, key=lambda limb: limb.cost if limb else np.inf)
        assert better is not None and other is not None
        bones = tuple(image.get(bone, -1) for bone in better.bones)
        other = replace(better, bones=bones) if min(bones) >= 0 else other
        cost = better.cost + strangeness(better)
        if cost < _WORST[kind]:
            left, right = sorted((better, other), key=lambda limb: -rest.heads_m[limb.bones[0], 0])
            found.append((replace(left, cost=cost), right, int(rest.parents[pair[0]])))
    if not found:
        return None
    best = min(found, key=lambda pair: pair[0].cost)
    for limbs_on in found:
        below, above = limbs_on[2], best[2]
        lower = below != above and min(below, above) >= 0 and rest.carries(below, above)
        if kind == "arm" and lower and limbs_on[0].cost < best[0].cost + _LOWER:
            best = limbs_on
    return best[:2]


def _way(kind: str, rest: RestPose, top: int) -> list[int]:
    """Return the bones of a limb and on to its end: to the lowest point, or where most hangs."""
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
            far = np.linalg.norm(reach, axis=1)
            way.append(max(zip(rest.sizes[below], far, below, strict=True))[2])
    return way


def _length_m(rest: RestPose, limb: Limb) -> float:
    ends = rest.heads_m[list(limb.bones)]
    if len(ends) == 2:
        ends = np.vstack([ends, rest.tails_m[limb.bones[-1]]])
    return float(np.linalg.norm(np.diff(ends, axis=0), axis=1).sum())
