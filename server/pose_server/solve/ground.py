"""Which way is up, and where the floor is: from people who stand in the picture, and what is behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pose_shared.skeleton import SKELETON

from pose_server.pipeline.boundary import FloatArray, Vertical
from pose_server.solve.contacts import SOLES
from pose_server.solve.frames import across, unit

__all__ = ["LEVEL_M", "SIZE_SHARE", "Stance", "common_level", "floor_height", "upright", "world_axes"]

_IMAGE_UP = np.array([0.0, -1.0, 0.0])
#: Cameras are seldom rolled or pitched by more; a "standing" body that says so may be lying.
_ROLL_RAD = np.radians(20)
_PITCH_RAD = np.radians(30)
#: A trunk counts as this share of a body that stands, the picture's own up as that of a clip's frames.
_TRUNK_SHARE = 0.1
_PICTURE_SHARE = 0.02
_LEAN_RAD = np.radians(18)
_EXTENDED = 0.75
#: Steps further apart than this say more about the floor's slope than bodies do.
_LEVER_M = 0.2
_OFF_FLOOR_M = 0.05
#: How well a person's size is known.
SIZE_SHARE = 0.06
#: Floors of two people that differ by more, as a share of how far they lie below the camera, are two: a
#: treadmill's deck is none that others stand on.  The floor of many is known better, so somebody may be off
#: that one by less.
_SAME_FLOOR = 0.16
_PASSES = 8
#: How well bodies and steps tell what is up: so far off are they on motion capture. A background that
#: disagrees more than the latter has another of its directions taken for the upright one.
_BODIES_RAD = np.radians(5)
_AT_ODDS_RAD = np.radians(35)
#: Steps whose heights differ by less are steps on the same floor.
LEVEL_M = 0.15
#: Feet that are seen this much below the steps stand on something else: steps themselves rise and fall
#: by half of it, on a lawn or under a camera that is not quite level.
_SUNK_M = 0.30


@dataclass(frozen=True)
class Stance:
    """One person's body in the camera, as far as it tells about the ground."""

    joints_m: FloatArray
    """(T, J, 3)."""
    points_m: FloatArray
    """(T, C, 3) of `CONTACT_POINTS`, soles first."""
    clear_m: FloatArray
    """(C,) how far above the ground they lie when they touch it."""
    rests: NDArray[np.bool_]
    """(T, C)."""

    @property
    def soles_m(self) -> FloatArray:
        """(T, 4, 3)."""
        return self.points_m[:, :SOLES]

    @property
    def stands(self) -> NDArray[np.bool_]:
        """(T, 4) which soles rest."""
        return self.rests[:, :SOLES]

    def heights_m(self, up: FloatArray) -> FloatArray:
        """Return (T, C) how high the undersides of the points are."""
        return np.asarray(self.points_m @ up - self.clear_m)


def upright(people: Sequence[Stance], seen: Vertical | None = None) -> FloatArray:
    """Return the (3,) direction in the camera that is up.

    Parameters
    ----------
    people
        Everybody.
    seen
        What the background shows.

    Notes
    -----
    Stretched bodies over resting feet point up (ankles to mid-shoulder), trunks less surely, and so
    does the picture, which decides where everybody lies.  Directions that would need a camera rolled
    or pitched beyond custom count little, those far from the common direction less (Geman and McClure), so
    lying and leaping people do not tip the world.  A plane through the steps then levels what
    is left, as far as they are apart.  What the background shows is weighed against all of it by its
    certainty; where the two have nothing to do with each other, bodies are right.
    """
    standing = np.concatenate([unit(_standing(person)) for person in people])
    trunks = np.concatenate([unit(_trunk(person)) for person in people])
    evidence = np.concatenate([standing, trunks, _IMAGE_UP[None]])
    roll = np.arctan2(evidence[:, 0], -evidence[:, 1])
    pitch = np.arcsin(np.clip(evidence[:, 2], -1, 1))
    weight = np.exp(-0.5 * ((roll / _ROLL_RAD) ** 2 + (pitch / _PITCH_RAD) ** 2))
    weight[len(standing) : -1] *= _TRUNK_SHARE
    weight[-1] = _PICTURE_SHARE * len(trunks)
    up = unit((weight[:, None] * evidence).sum(axis=0))
    for _ in range(_PASSES):
        lean = np.arccos(np.clip(evidence @ up, -1, 1))
        loss = 1 / (1 + (lean / _LEAN_RAD) ** 2) ** 2
        up = unit(((weight * loss)[:, None] * evidence).sum(axis=0))
    up = _levelled(up, [person.soles_m[person.stands] for person in people])
    if seen is None or up @ seen.up < np.cos(_AT_ODDS_RAD):
        return up
    return unit(up / _BODIES_RAD**2 + seen.up / seen.sigma_rad**2)


def floor_height(heights_m: FloatArray, supports: FloatArray) -> float:
    """Return how high one person's lowest support lies, given (T, 4) heights and supports 0..1.

    Without any support, or where the feet are much lower for a while, it is where they come lowest.
    """
    lowest = float(np.percentile(heights_m, 2))
    standing = heights_m[supports > 0.5]
    if not len(standing):
        return lowest
    # The middle of the lowest level: its lowest step is only the noisiest.
    level = float(np.median(standing[standing < np.percentile(standing, 5) + LEVEL_M]))
    return level if level - lowest < _SUNK_M else lowest


def common_level(floors_m: Sequence[float], *, flat: bool = False) -> list[float]:
    """Return the factors by which people have to grow for all their floors to be one.

    Parameters
    ----------
    floors_m
        Height of each person's floor along up, from the camera.
    flat
        Whether there is one floor and no other, whatever that makes of sizes.

    Notes
    -----
    Everybody's size, and with it distance, is known only to some percent; a floor that they share tells
    the rest.  It counts for as much as it is better known than they are; somebody whose floor lies
    elsewhere than sizes explain stands on something else and stays as they are.
    """
    below = -np.asarray(floors_m, dtype=float)
    if len(below) < 2 or (below <= _OFF_FLOOR_M).any():
        return [1.0] * len(below)
    sure = SIZE_SHARE**2 / (SIZE_SHARE**2 + (_OFF_FLOOR_M / below) ** 2)
    others = [np.median(np.delete(below, place)) for place in range(len(below))]
    most = _SAME_FLOOR * np.sqrt((1 + 1 / (len(below) - 1)) / 2)
    same = np.abs(np.log(others / below)) < most
    common = float(np.average(np.log(below), weights=np.where(same, sure, 1e-9)))
    if flat:
        return [float(factor) for factor in np.exp(common - np.log(below))]
    return [float(factor) for factor in np.exp(np.where(same, sure * (common - np.log(below)), 0.0))]


def world_axes(up: FloatArray) -> FloatArray:
    """Return the (3, 3) rotation from camera to world axes: z up, the camera looking towards +y."""
    forwards = across(np.array([0.0, 0.0, 1.0]), up)
    if np.linalg.norm(forwards) < 1e-3:  # looking straight down or up: the picture's top is ahead
        forwards = across(_IMAGE_UP, up)
    y = unit(forwards)
    return np.stack([np.cross(y, up), y, up])


def _trunk(person: Stance) -> FloatArray:
    return np.asarray(person.joints_m[:, SKELETON.index("neck")] - person.joints_m[:, 0])


def _standing(person: Stance) -> FloatArray:
    """Return (N, 3) directions that are up if the person stands."""
    joints = person.joints_m
    shoulders = (joints[:, SKELETON.index("left_shoulder")] + joints[:, SKELETON.index("right_shoulder")]) / 2
    feet = np.stack([person.stands[:, :2].any(axis=1), person.stands[:, 2:].any(axis=1)], axis=1)
    ankles = np.stack([joints[:, SKELETON.index(side + "_ankle")] for side in ("left", "right")], axis=1)
    count = feet.sum(axis=1)
    below = (ankles * feet[..., None]).sum(axis=1) / np.maximum(count, 1)[:, None]
    body = shoulders - below
    chain = ("left_ankle", "left_knee", "left_hip", "left_shoulder")
    parts = np.diff(joints[:, [SKELETON.index(name) for name in chain]], axis=1)
    reach = np.median(np.linalg.norm(parts, axis=2).sum(axis=1))
    stretched = np.linalg.norm(body, axis=1) > _EXTENDED * reach
    return np.asarray(body[(count > 0) & stretched])


def _levelled(up: FloatArray, steps: Sequence[FloatArray]) -> FloatArray:
    """Return `up` turned towards the normal of the floors through each person's (N, 3) steps."""
    steps = [points for points in steps if len(points) >= 3]
    if not steps:
        return up
    points = np.concatenate(steps)
    owner = np.repeat(np.arange(len(steps)), [len(points) for points in steps])
    sides = np.linalg.svd(up[None])[2][1:]
    weight = np.ones(len(points))
    tilt = np.zeros(2)
    for _ in range(_PASSES):
        # Height along up + tilt @ sides, about each person's own floor.
        floors = np.zeros((len(steps), 3))
        for person in range(len(steps)):
            mine = owner == person
            floors[person] = np.average(points[mine], axis=0, weights=weight[mine])
        offset = points - floors[owner]
        along, slope = offset @ up, offset @ sides.T
        normal = (weight[:, None] * slope).T @ slope + len(points) * _LEVER_M**2 * np.eye(2)
        tilt = np.linalg.solve(normal, -(weight[:, None] * slope).T @ along)
        off_m = along + slope @ tilt
        weight = 1 / (1 + (off_m / _OFF_FLOOR_M) ** 2) ** 2 + 1e-6
    return unit(up + tilt @ sides)
