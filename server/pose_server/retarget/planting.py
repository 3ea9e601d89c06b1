"""Feet, and hands on request, held where they are in contact: on the character's own legs, by IK.

A motion that was planted on the source's legs slides a little on others.  The smallest change of the ways
of hips and feet is sought that lets what carries rest, all of it at once: a point in contact keeps its
place from frame to frame, the lower one of a foot's points is as high as the source has it, nothing goes
through the ground, hips stay where legs can reach from, and the changes themselves are calm.  Hips follow
the feet that carry, so that legs keep their pose as far as may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from pose_server.pipeline.boundary import FloatArray, Motion
from pose_server.pipeline.quality import contact_points_m
from pose_server.retarget.posing import Posed
from pose_server.retarget.reach import bend_sides, bent, frames, steps_rad
from pose_server.solve.banded import Normal

__all__ = ["planted"]

_CARRIES = 0.5
#: Within so long changes of hips and limbs ease in and out.
_EASE_S = 0.25
#: What hips count that are not where they were, against a limb that is not as it was (1); without legs they
#: stay.
_HIPS, _STAY = 0.2, 1e9
#: Within so long a point comes to rest and to its height, off the ground, and hips within reach.
_REST_S, _HEIGHT_S, _UNDER_S, _REACH_S = 0.003, 0.02, 0.015, 0.02
#: How near to straight a leg may come, unless it was straighter.
_STRAIGHT = 0.995
#: How often it is looked what goes under the ground or out of reach, and how near is near enough.
_LOOKS, _NEAR_M = 12, 5e-4
#: No bone should turn faster than this share of its fastest; how often that is looked at, so long around
#: such a frame a limb is asked to keep its pose, and by how much more each time.
_HASTE, _CALMINGS, _CALMING_S, _KEEP = 0.998, 8, 0.08, 8.0
#: Stands for no point.
_NOWHERE_M = 1e3
_PARTS = {"leg": ("hip", "knee", "ankle"), "arm": ("shoulder", "elbow", "wrist")}


@dataclass(frozen=True)
class _Held:
    """A limb whose end may carry at P points, before it is held."""

    columns: tuple[int, int, int]
    """Of its bones, the last one at its end."""
    joints_m: tuple[FloatArray, FloatArray, FloatArray]
    """(T, 3) where they begin."""
    lengths_m: tuple[float, float]
    sides: FloatArray
    """(T, 3) where its middle joint bends to."""
    ways_m: FloatArray
    """(T, P, 3)."""
    carries: FloatArray
    """(T, P) 0..1."""
    heights_m: FloatArray
    """(T, P) that the source has, at this size."""

    def turns(self, pose: Posed, hips_m: FloatArray, end_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (T, 3, 3) of its two bones once the hips and its end are moved by (T, 3).

        They keep to the plane of the limb, as IK in the hosts has it.
        """
        start, middle, end = self.joints_m
        new_start = start + hips_m
        new_middle, new_end = bent(new_start, end + end_m, self.lengths_m, self.sides)
        across = np.cross(end - start, self.sides)
        new_across = np.cross(new_end - new_start, self.sides)
        upper = frames(new_middle - new_start, new_across) @ np.swapaxes(frames(middle - start, across), 1, 2)
        lower = frames(new_end - new_middle, new_across) @ np.swapaxes(frames(end - middle, across), 1, 2)
        return upper @ pose.turns[:, self.columns[0]], lower @ pose.turns[:, self.columns[1]]


def planted(pose: Posed, motion: Motion, limbs: Sequence[str] = ("leg",)) -> Posed:
    """Return the pose with the contacts of `motion` held.

    Parameters
    ----------
    pose
        As turned by the motion.
    motion
        The source, with its contacts.
    limbs
        ``leg``, ``arm`` or both.
    """
    for limb in ("leg", "arm"):  # legs move the hips, and so the arms
        if limb in limbs and len(motion) > 2:
            both = [_held(pose, motion, side, limb) for side in ("left", "right")]
            held = [one for one in both if one is not None]
            if held:
                pose = _calmly_held(pose, held, limb == "leg", float(motion.rate))
    return pose


def _held(pose: Posed, motion: Motion, side: str, limb: str) -> _Held | None:
    """Return a limb with its contacts; None if the rig lacks it, or the motion tells none."""
    character = pose.character
    chain = [f"{side}_{part}" for part in _PARTS[limb]]
    if any(role not in character.bones for role in chain):
        return None
    names = list(motion.contact_names)
    points = [(names.index(name), rest) for name, rest in _points(pose, side, limb) if name in names]
    if not points:
        return None
    columns = (pose.column(chain[0]), pose.column(chain[1]), pose.column(chain[2]))
    start, middle, end = (pose.heads_m[:, column] for column in columns)
    # In a T-pose a knee bends forward, an elbow back.
    ahead = np.array([0.0, -1.0, 0.0]) if limb == "leg" else np.array([0.0, 1.0, 0.0])
    front = pose.turns[:, columns[0]] @ np.linalg.inv(character.t_pose_turns[chain[0]]) @ ahead
    which = [place for place, _ in points]
    heights = np.maximum(contact_points_m(motion)[:, which, 2], 0.0)
    return _Held(
        columns,
        (start, middle, end),
        character.limb_m(side, limb),
        bend_sides(start, middle, end, front),
        ways_m=np.stack([pose.point_m(columns[2], rest) for _, rest in points], axis=1),
        carries=np.where(motion.contacts[:, which] > _CARRIES, motion.contacts[:, which], 0.0),
        heights_m=pose.scale * heights + character.ground_m,
    )


def _points(pose: Posed, side: str, limb: str) -> list[tuple[str, FloatArray]]:
    """Return the contacts of a limb with where they are at rest."""
    if limb == "arm":
        return [(f"{side}_hand", pose.character.head_m(f"{side}_wrist"))]
    heel, ball = pose.character.sole_m(side)
    return [(f"{side}_heel", heel), (f"{side}_toe", ball)]


def _calmly_held(pose: Posed, held: Sequence[_Held], hips_give: bool, rate_hz: float) -> Posed:
    """Return the pose with some limbs held.

    Where a bone would turn faster than it ever did, its limb is asked to keep its pose the more, and so the
    change happens where there is time for it.
    """
    keep = np.ones((len(pose.heads_m), len(held)))
    fastest = [[_HASTE * steps_rad(pose.turns[:, c]).max() for c in one.columns[:2]] for one in held]
    size = 2 * round(_CALMING_S * rate_hz) + 1
    changes = np.zeros((len(keep), 1 + len(held), 3))
    turns: dict[int, FloatArray] = {}
    for _ in range(_CALMINGS):
        changes = _changes(pose, held, keep, hips_give, rate_hz)
        hasty = np.zeros_like(keep)
        for nth, one in enumerate(held):
            found = one.turns(pose, changes[:, 0], changes[:, 1 + nth])
            turns |= dict(zip(one.columns[:2], found, strict=True))
            for turn, most in zip(found, fastest[nth], strict=True):
                hasty[1:, nth] = np.maximum(hasty[1:, nth], steps_rad(turn) > most)
        if not hasty.any():
            break
        keep *= 1 + _KEEP * uniform_filter1d(maximum_filter1d(hasty, size, axis=0), size, axis=0)
    pelvis = pose.column("pelvis")
    heads = {pelvis: pose.heads_m[:, pelvis] + changes[:, 0]} if hips_give else {}
    return pose.moved(turns, heads)


def _changes(
    pose: Posed, held: Sequence[_Held], keep: FloatArray, hips_give: bool, rate_hz: float
) -> FloatArray:
    """Return (T, 1 + L, 3) by how much the hips move, and the end of each of L limbs.

    Parameters
    ----------
    keep
        (T, L) what a limb counts that is not as it was.

    Notes
    -----
    Unknown are how the hips move, and beside them the ends of the limbs.
    """
    asked = Normal(len(keep), 1 + len(held))
    each = np.arange(1 + len(held))
    asked.own[:, each, each] = np.insert(keep, 0, _HIPS if hips_give else _STAY, axis=1)
    calm = np.full(1 + len(held), (_EASE_S * rate_hz) ** 4)
    asked.add_bending(np.zeros((max(len(keep) - 2, 0), 1 + len(held))), calm)
    points = _sums([one.ways_m.shape[1] for one in held], len(keep))
    ways = np.concatenate([one.ways_m for one in held], axis=1)
    carries = np.concatenate([one.carries for one in held], axis=1)
    rest = np.minimum(carries[1:], carries[:-1]) * (_EASE_S**2 * rate_hz / _REST_S) ** 2
    found = np.zeros((len(keep), 1 + len(held), 3))
    for axis in (0, 1):
        along = deepcopy(asked)
        along.add_difference(points, np.diff(ways[..., axis, None], axis=0), rest)
        found[..., axis] = along.solved()
    found[..., 2] = _upward(asked, pose, held, found, hips_give)
    found[:, 1:] += found[:, :1]
    return found


def _sums(points: Sequence[int], frames: int) -> FloatArray:
    """Return (T, N, 1 + L, 1): points of each limb move as the hips do, and as its end beside them."""
    which = np.repeat(np.arange(len(points)), points)
    sums = np.zeros((len(which), 1 + len(points), 1))
    sums[:, 0] = 1.0
    sums[np.arange(len(which)), 1 + which] = 1.0
    return np.asarray(np.broadcast_to(sums, (frames, *sums.shape)))


def _upward(
    asked: Normal, pose: Posed, held: Sequence[_Held], across_m: FloatArray, hips_give: bool
) -> FloatArray:
    """Return (T, 1 + L) the changes in height, given (T, 1 + L, 3) with those along the ground.

    What goes under the ground or out of reach is known after a first answer, so it is asked a few times.
    """
    asked = deepcopy(asked)
    ends = _sums([1] * len(held), len(across_m))
    # Of heel and ball the lower one carries, and the other goes with the turn of the foot.
    height = np.stack(
        [
            np.where(one.carries > 0, one.heights_m, _NOWHERE_M).min(axis=1)
            - np.where(one.carries > 0, one.ways_m[..., 2], _NOWHERE_M).min(axis=1)
            for one in held
        ],
        axis=1,
    )
    firmly = np.stack([one.carries.max(axis=1) for one in held], axis=1)
    asked.add(ends, height[..., None], firmly * (_EASE_S / _HEIGHT_S) ** 4)
    floors = np.stack([pose.character.ground_m - one.ways_m[..., 2].min(axis=1) for one in held], axis=1)
    rooms = np.stack([_room(one, across_m[:, 1 + nth]) for nth, one in enumerate(held)], axis=1)
    beside = ends * np.concatenate([np.zeros(1), np.ones(len(held))])[:, None]
    low = np.zeros(floors.shape, dtype=np.bool_)
    far = np.zeros(rooms.shape, dtype=np.bool_)
    found = asked.solved()
    for _ in range(_LOOKS):
        gap, over = found[:, 1:] + found[:, :1] - floors, -found[:, 1:] - rooms
        now_low = (gap < -_NEAR_M) | (low & (gap < _NEAR_M))
        now_far = hips_give & ((over > _NEAR_M) | (far & (over > -_NEAR_M)))
        if (now_low == low).all() and (now_far == far).all():
            break
        low, far = now_low, now_far
        more = deepcopy(asked)
        more.add(ends, floors[..., None], low * (_EASE_S / _UNDER_S) ** 4)
        more.add(beside, -rooms[..., None], far * (_EASE_S / _REACH_S) ** 4)
        found = more.solved()
    return found


def _room(one: _Held, across_m: FloatArray) -> FloatArray:
    """Return (T,) by how much the root of a limb may rise over its end, given (T, 3) how far that moves."""
    way = one.joints_m[0] - one.joints_m[2]
    most = np.maximum(np.linalg.norm(way, axis=1), _STRAIGHT * sum(one.lengths_m))
    level = np.linalg.norm((way - across_m)[:, :2], axis=1)
    return np.asarray(np.sqrt(np.maximum(most**2 - level**2, 0.0)) - way[:, 2])
