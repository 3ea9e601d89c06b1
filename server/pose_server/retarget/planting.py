"""Feet, and hands on request, held where they are in contact: on the character's own legs, by IK.

A motion that was planted on the source's legs slides a little on others.  The smallest change of the ways
of hips and feet is sought that lets what carries rest, all of it at once: a point in contact keeps its
place from frame to frame, the lower one of a foot's points is as high as the source has it, nothing goes
through the ground, hips stay where legs can reach from, and the changes themselves are calm.  Hips follow
the feet that carry, so that legs keep their pose as far as may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from pose_server.pipeline.boundary import FloatArray, Motion
from pose_server.pipeline.quality import contact_points_m
from pose_server.retarget.least_change import LeastChange, Term
from pose_server.retarget.posing import Posed
from pose_server.retarget.reach import bend_sides, bent, shortest_turns

__all__ = ["planted"]

_CARRIES = 0.5
#: Within so long changes of a limb and of the hips ease in and out.
_EASE_S, _HIPS_EASE_S = 0.25, 0.25
#: What hips count that are not where they were, against a limb that is not as it was (1).
_HIPS = 0.2
#: Within so long a point comes to rest, to its height, off the ground, and hips within reach.
_REST_S, _HEIGHT_S, _UNDER_S, _REACH_S = 0.003, 0.02, 0.015, 0.02
#: How near to straight a leg may come, unless it was straighter.
_STRAIGHT = 0.995
_PASSES = 12
_NEAR_M = 5e-4
_POWER = 1
_NOWHERE_M = 1e3
_CALMINGS = 8
_HASTE = 0.998
_CALMING_S = 0.08
_KEEP = 8.0


@dataclass(frozen=True)
class _Held:
    """A limb's end and what of it may carry, P points."""

    side: str
    limb: str
    end: int
    """Column of the bone at its end."""
    ways_m: FloatArray
    """(T, P, 3)."""
    carries: FloatArray
    """(T, P) 0..1."""
    heights_m: FloatArray
    """(T, P) that the source has, at this size."""
    turning: tuple[int, int]
    """Columns of its other two bones."""


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
    if len(motion) < 3:
        return pose
    for limb in ("leg", "arm"):
        if limb not in limbs:
            continue
        held = [one for side in ("left", "right") if (one := _held(pose, motion, side, limb)) is not None]
        if not held:
            continue
        pose = _calmly_held(pose, held, float(motion.rate))
    return pose


def _calmly_held(pose: Posed, held: Sequence[_Held], rate_hz: float) -> Posed:
    """Return the pose with some limbs held.

    Where a bone would turn faster than it ever did, its limb is asked to keep its pose the more, and so the
    change happens where there is time for it.
    """
    keep = np.ones((len(pose.heads_m), len(held)))
    fastest = {column: _steps(pose, column).max() for one in held for column in one.turning}
    result = pose
    for _ in range(_CALMINGS):
        changes = _changes(pose, held, rate_hz, keep)
        result = pose
        if held[0].limb == "leg":
            pelvis = pose.column("pelvis")
            result = pose.moved({}, {pelvis: pose.heads_m[:, pelvis] + changes[:, 0]})
        for curve, one in enumerate(held, start=1):
            result = _reached(result, one.side, one.limb, pose.heads_m[:, one.end] + changes[:, curve])
        hasty = np.zeros_like(keep)
        for nth, one in enumerate(held):
            for column in one.turning:
                over = _steps(result, column) - _HASTE * fastest[column]
                hasty[1:, nth] = np.maximum(hasty[1:, nth], over > 0)
        if not hasty.any():
            break
        size = 2 * round(_CALMING_S * rate_hz) + 1
        keep *= 1 + _KEEP * uniform_filter1d(maximum_filter1d(hasty, size, axis=0), size, axis=0)
    return result


def _steps(pose: Posed, column: int) -> FloatArray:
    """Return (T - 1,) by how many radians a bone turns from frame to frame."""
    apart = np.linalg.norm(np.diff(pose.turns[:, column], axis=0), axis=(1, 2)) / np.sqrt(8)
    return np.asarray(2 * np.arcsin(np.clip(apart, 0, 1)))


def _chain(side: str, limb: str) -> tuple[str, str, str]:
    parts = {"leg": ("hip", "knee", "ankle"), "arm": ("shoulder", "elbow", "wrist")}[limb]
    a, b, c = (f"{side}_{part}" for part in parts)
    return a, b, c


def _points(pose: Posed, side: str, limb: str) -> list[tuple[str, FloatArray]]:
    """Return the contacts of a limb with where they are at rest."""
    if limb == "arm":
        return [(f"{side}_hand", pose.character.head_m(f"{side}_wrist"))]
    heel, ball = pose.character.sole_m(side)
    return [(f"{side}_heel", heel), (f"{side}_toe", ball)]


def _held(pose: Posed, motion: Motion, side: str, limb: str) -> _Held | None:
    """Return a limb with its contacts; None if the rig lacks it, or the motion tells none."""
    chain = _chain(side, limb)
    names = list(motion.contact_names)
    points = [(names.index(name), rest) for name, rest in _points(pose, side, limb) if name in names] if all(
        role in pose.character.bones for role in chain
    ) else []
    if not points:
        return None
    end = pose.column(chain[2])
    which = [place for place, _ in points]
    heights = np.maximum(contact_points_m(motion)[:, which, 2], 0.0)
    return _Held(
        side,
        limb,
        end,
        ways_m=np.stack([pose.point_m(end, rest) for _, rest in points], axis=1),
        carries=motion.contacts[:, which].astype(np.float64),
        heights_m=pose.scale * heights + pose.character.ground_m,
        turning=(pose.column(chain[0]), pose.column(chain[1])),
    )


def _changes(pose: Posed, held: Sequence[_Held], rate_hz: float, keep: FloatArray) -> FloatArray:
    """Return (T, 1 + L, 3) by how much the hips move, and the end of each limb.
    """
    frames = len(pose.heads_m)
    hips = held[0].limb == "leg"
    asked = LeastChange(frames, 1 + len(held))
    _ask_calm(asked, [(0, 1.0)], _HIPS_EASE_S * rate_hz)
    asked.ask([(0, 0, 1.0)], _HIPS if hips else 1e9)
    for curve in range(1, 1 + len(held)):
        _ask_calm(asked, [(curve, 1.0), (0, -1.0)], _EASE_S * rate_hz)
        asked.ask([(0, curve, 1.0), (0, 0, -1.0)], keep[:, curve - 1])
    found = np.zeros((frames, 1 + len(held), 3))
    for axis in (0, 1):
        along = asked.copy()
        for curve, one in enumerate(held, start=1):
            firmly = np.minimum(one.carries[1:], one.carries[:-1])
            firmly = np.where(firmly > _CARRIES, firmly**_POWER, 0.0) * (_EASE_S**2 * rate_hz / _REST_S) ** 2
            for point in range(one.ways_m.shape[1]):
                steps = -np.diff(one.ways_m[:, point, axis])
                along.ask([(1, curve, 1.0), (0, curve, -1.0)], firmly[:, point], steps)
        found[..., axis] = along.answer()
    found[..., 2] = _upright(pose, held, rate_hz, found, keep)
    return found


def _ask_calm(asked: LeastChange, curves: Sequence[tuple[int, float]], frames: float) -> None:
    terms: list[Term] = [(after, curve, factor * share) for curve, factor in curves for after, share in enumerate((1.0, -2.0, 1.0))]
    asked.ask(terms, frames**4)


def _upright(pose: Posed, held: Sequence[_Held], rate_hz: float, across: FloatArray, keep: FloatArray) -> FloatArray:
    """Return (T, C) the changes in height, given (T, C, 3) those along the ground.

    What goes under the ground or out of reach is known after a first answer, so it is asked a few times.
    """
    frames = len(pose.heads_m)
    hips = held[0].limb == "leg"
    asked = LeastChange(frames, 1 + len(held))
    _ask_calm(asked, [(0, 1.0)], _HIPS_EASE_S * rate_hz)
    asked.ask([(0, 0, 1.0)], _HIPS if hips else 1e9)
    rooms = []
    for curve, one in enumerate(held, start=1):
        _ask_calm(asked, [(curve, 1.0), (0, -1.0)], _EASE_S * rate_hz)
        asked.ask([(0, curve, 1.0), (0, 0, -1.0)], keep[:, curve - 1])
        # Of heel and ball the lower one carries, and the other goes with the turn of the foot.
        carries = one.carries > _CARRIES
        lowest = np.where(carries, one.ways_m[..., 2], _NOWHERE_M).min(axis=1)
        height = np.where(carries, one.heights_m, _NOWHERE_M).min(axis=1)
        firmly = np.where(carries, one.carries, 0.0).max(axis=1) ** _POWER
        asked.ask([(0, curve, 1.0)], firmly * (_EASE_S / _HEIGHT_S) ** 4, height - lowest)
        rooms.append(_room(pose, one, across[:, curve] - across[:, 0]))
    floors = [pose.character.ground_m - one.ways_m[..., 2].min(axis=1) for one in held]
    low = np.zeros((frames, len(held)), dtype=np.bool_)
    far = np.zeros((frames, len(held)), dtype=np.bool_)
    for _ in range(_PASSES):
        more = asked.copy()
        for curve, (floor, room) in enumerate(zip(floors, rooms, strict=True), start=1):
            more.ask([(0, curve, 1.0)], low[:, curve - 1] * (_EASE_S / _UNDER_S) ** 4, floor)
            if hips:
                more.ask([(0, 0, 1.0), (0, curve, -1.0)], far[:, curve - 1] * (_EASE_S / _REACH_S) ** 4, room)
        found = more.answer()
        gap = np.stack([found[:, c] - floor for c, floor in enumerate(floors, start=1)], axis=1)
        over = np.stack([found[:, 0] - found[:, c] - room for c, room in enumerate(rooms, start=1)], axis=1)
        now_low = (gap < -_NEAR_M) | (low & (gap < _NEAR_M))
        now_far = (over > _NEAR_M) | (far & (over > -_NEAR_M)) if hips else far
        if (now_low == low).all() and (now_far == far).all():
            break
        low, far = now_low, now_far
    return found


def _room(pose: Posed, one: _Held, across_m: FloatArray) -> FloatArray:
    """Return (T,) by how much the root of a limb may rise over its end."""
    start = pose.heads_m[:, pose.column(_chain(one.side, one.limb)[0])]
    way = start - pose.heads_m[:, one.end]
    length = sum(pose.character.limb_m(one.side, one.limb))
    most = np.maximum(np.linalg.norm(way, axis=1), _STRAIGHT * length)
    level = np.linalg.norm((way - across_m)[:, :2], axis=1)
    return np.asarray(np.sqrt(np.maximum(most**2 - level**2, 0.0)) - way[:, 2])


def _reached(pose: Posed, side: str, limb: str, goal_m: FloatArray) -> Posed:
    """Return the pose with a limb's end at its goal, turned as it was, its middle joint in its plane."""
    root, middle, end = (pose.column(role) for role in _chain(side, limb))
    start, knee, foot = (pose.heads_m[:, column] for column in (root, middle, end))
    # In a T-pose a knee bends forward, an elbow back.
    ahead = np.array([0.0, -1.0, 0.0]) if limb == "leg" else np.array([0.0, 1.0, 0.0])
    front = pose.turns[:, root] @ np.linalg.inv(pose.character.t_pose_turns[_chain(side, limb)[0]]) @ ahead
    sides = bend_sides(start, knee, foot, front)
    new_knee, new_foot = bent(start, goal_m, pose.character.limb_m(side, limb), sides)
    upper = shortest_turns(knee - start, new_knee - start) @ pose.turns[:, root]
    lower = shortest_turns(foot - knee, new_foot - new_knee) @ pose.turns[:, middle]
    return pose.moved({root: upper, middle: lower}, {})
