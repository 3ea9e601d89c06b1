"""Feet, and hands on request, held where they are in contact: on the character's own legs, by IK.

A motion that was planted on the source's legs slides a little on others.  For each foot the
smallest change of its way is sought that lets what carries rest: a point in contact keeps its place
from frame to frame and is as high as the source has it, nothing goes through the ground, and the
change itself is calm, so that it eases in and out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from pose_server.pipeline.boundary import FloatArray, Motion
from pose_server.pipeline.quality import contact_points_m
from pose_server.retarget.posing import Posed
from pose_server.retarget.reach import bend_sides, bent, shortest_turns

__all__ = ["planted"]

_CARRIES = 0.5
#: What a step of a point in contact, its height, and a point under the ground count, against the size of
#: the change (1) and its acceleration.
_STEP, _HEIGHT, _UNDER = 1e6, 1e4, 1e4
#: How long the change takes to ease in and out.
_EASE_S = 0.12
#: How near to straight a leg may come before the hips give way, and how calmly they do.
_REACH, _GIVE_S = 0.998, 0.1
_PASSES = 5
_NEAR_M = 1e-3


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
    rate_hz = float(motion.rate)
    points_m = contact_points_m(motion)
    carries = motion.contacts > _CARRIES
    names = list(motion.contact_names)
    goals: dict[tuple[str, str], FloatArray] = {}
    for limb in limbs:
        for side in ("left", "right"):
            chain = _chain(side, limb)
            if any(role not in pose.character.bones for role in chain):
                continue
            end = pose.column(chain[2])
            ways, held, heights = [], [], []
            for name, rest_m in _points(pose, side, limb):
                if name in names:
                    ways.append(pose.point_m(end, rest_m))
                    held.append(carries[:, names.index(name)])
                    height = np.maximum(points_m[:, names.index(name), 2], 0.0)
                    heights.append(pose.scale * height + pose.character.ground_m)
            if ways:
                change = _change(
                    np.stack(ways, axis=1),
                    np.stack(held, axis=1),
                    np.stack(heights, axis=1),
                    ground_m=pose.character.ground_m,
                    rate_hz=rate_hz,
                )
                goals[side, limb] = pose.heads_m[:, end] + change
    pose = _given_way(pose, {side: goal for (side, limb), goal in goals.items() if limb == "leg"}, rate_hz)
    for (side, limb), goal in goals.items():
        pose = _reached(pose, side, limb, goal)
    return pose


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


def _change(
    ways_m: FloatArray, held: NDArray[np.bool_], heights_m: FloatArray, *, ground_m: float, rate_hz: float
) -> FloatArray:
    """Return (T, 3) by how much a limb's end moves, given (T, P, 3) the ways of its points.

    Linear least squares over all frames at once, with five diagonals; what is under the ground is known
    after a first answer, so it is asked a few times.
    """
    frames = len(ways_m)
    if frames < 3:
        return np.zeros((frames, 3))
    stay = held[1:] & held[:-1]
    calm = (_EASE_S * rate_hz) ** 4
    under = np.zeros(held.shape, dtype=np.bool_)
    change = np.zeros((frames, 3))
    for _ in range(_PASSES):
        for axis in range(3):
            bands = np.zeros((3, frames))
            right = np.zeros(frames)
            bands[0] += 1.0
            _add_acceleration(bands, calm)
            for point in range(ways_m.shape[1]):
                weight = _STEP * stay[:, point]
                wanted = -np.diff(ways_m[:, point, axis])
                bands[0, 1:] += weight
                bands[0, :-1] += weight
                bands[1, :-1] -= weight
                right[1:] += weight * wanted
                right[:-1] -= weight * wanted
                if axis == 2:
                    low = under[:, point] & ~held[:, point]
                    weight = _HEIGHT * held[:, point] + _UNDER * low
                    floor = np.where(held[:, point], heights_m[:, point], ground_m)
                    bands[0] += weight
                    right += weight * (floor - ways_m[:, point, 2])
            change[:, axis] = solveh_banded(bands, right, lower=True)
        height = ways_m[..., 2] + change[:, None, 2] - ground_m
        # What another point has lifted off the ground needs no more holding.
        below = ~held & ((height < -_NEAR_M) | (under & (height < _NEAR_M)))
        if (below == under).all():
            break
        under = below
    return change


def _add_acceleration(bands: FloatArray, weight: float) -> None:
    """Add the squared second differences to the three lower diagonals of a symmetric matrix."""
    for place, value in ((slice(None, -2), 1.0), (slice(1, -1), 4.0), (slice(2, None), 1.0)):
        bands[0, place] += weight * value
    bands[1, :-2] -= 2 * weight
    bands[1, 1:-1] -= 2 * weight
    bands[2, :-2] += weight


def _given_way(pose: Posed, goals_m: dict[str, FloatArray], rate_hz: float) -> Posed:
    """Return the pose with hips that come as near as both feet need, calmly."""
    if not goals_m or not len(pose.heads_m):
        return pose
    lack = np.zeros(len(pose.heads_m))
    for side, goal in goals_m.items():
        hip = pose.heads_m[:, pose.column(f"{side}_hip")]
        across = np.linalg.norm((goal - hip)[:, :2], axis=1)
        reach = _REACH * sum(pose.character.limb_m(side, "leg"))
        # How much lower the hip must be for the goal to come within reach.
        highest = np.sqrt(np.maximum(reach**2 - across**2, 0.0))
        lack = np.maximum(lack, (hip - goal)[:, 2] - highest)
    lack = np.maximum(lack, 0.0)
    if not lack.any():
        return pose
    rows = max(1, round(_GIVE_S * rate_hz))
    lower = gaussian_filter1d(maximum_filter1d(lack, 4 * rows + 1, mode="nearest"), rows, mode="nearest")
    pelvis = pose.column("pelvis")
    head = pose.heads_m[:, pelvis] - lower[:, None] * (0.0, 0.0, 1.0)
    return pose.moved({}, {pelvis: head})


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
