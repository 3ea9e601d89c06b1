"""A body for a skeleton: smooth limbs about the bones, each moved by one joint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_server.pipeline.boundary import FloatArray, IntArray
from pose_server.pipeline.kinematics import tip_scale

__all__ = ["Mesh", "mannequin"]

_SIDES = 16
_DOME_RINGS = 3
_FORWARD, _UP = np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0])
#: How far the heel lies behind the ankle, as a share of the way from there to the ball of the foot.
_HEEL = 0.3

#: Of a person of 1.75 m: along the bone, where 0 is its joint and 1 its end, the half widths across and
#: from front to back (on the foot: up), metres.  The clavicle begins inside the chest.
_Stations = Sequence[tuple[float, float, float]]
_LIMBS: Mapping[str, _Stations] = {
    "pelvis": ((-0.55, 0.10, 0.075), (-0.2, 0.145, 0.102), (0.3, 0.15, 0.105), (1.0, 0.128, 0.092)),
    "spine": ((-0.1, 0.122, 0.088), (0.5, 0.12, 0.088), (1.0, 0.132, 0.095)),
    "chest": (
        (-0.1, 0.13, 0.093),
        (0.3, 0.15, 0.108),
        (0.6, 0.148, 0.108),
        (0.85, 0.10, 0.085),
        (1.0, 0.06, 0.06),
    ),
    "neck": ((-0.2, 0.06, 0.06), (0.4, 0.052, 0.055), (1.2, 0.052, 0.056)),
    "head": (
        (0.0, 0.045, 0.055),
        (0.2, 0.062, 0.082),
        (0.45, 0.074, 0.096),
        (0.65, 0.077, 0.098),
        (0.85, 0.062, 0.08),
        (0.95, 0.04, 0.052),
    ),
    "clavicle": ((0.0, 0.045, 0.055), (0.6, 0.05, 0.06), (1.0, 0.048, 0.054)),
    "shoulder": ((0.0, 0.052, 0.055), (0.35, 0.049, 0.052), (1.0, 0.038, 0.04)),
    "elbow": ((0.0, 0.039, 0.04), (0.3, 0.041, 0.044), (1.0, 0.026, 0.031)),
    "wrist": ((0.0, 0.02, 0.03), (0.5, 0.018, 0.042), (1.0, 0.015, 0.043)),
    "hand": ((0.0, 0.014, 0.042), (0.6, 0.011, 0.038), (0.95, 0.008, 0.024)),
    "hip": ((0.0, 0.082, 0.088), (0.3, 0.08, 0.086), (1.0, 0.053, 0.058)),
    "knee": ((0.0, 0.054, 0.06), (0.3, 0.053, 0.06), (1.0, 0.036, 0.042)),
    "ankle": ((0.0, 0.033, 0.026), (0.4, 0.038, 0.034), (1.0, 0.044, 0.026)),
    "toe": ((0.0, 0.044, 0.026), (0.5, 0.043, 0.02), (0.9, 0.03, 0.014)),
}


@dataclass(frozen=True, repr=False)
class Mesh:
    """Triangles about a skeleton at rest, in the world."""

    points_m: FloatArray
    """(V, 3)."""
    normals: FloatArray
    """(V, 3) of unit length."""
    triangles: IntArray
    """(F, 3), counter-clockwise from outside."""
    joints: IntArray
    """(V,) the one joint that moves each point."""

    def in_axes(self, axes: FloatArray) -> Mesh:
        """Return the same in another world, given a (3, 3) rotation."""
        return Mesh(self.points_m @ axes.T, self.normals @ axes.T, self.triangles, self.joints)


def mannequin(joint_names: Sequence[str], heads_m: FloatArray, tails_m: FloatArray) -> Mesh:
    """Return a mannequin of a skeleton in a T-pose that faces -y.

    Parameters
    ----------
    joint_names
        (J,) those of `SKELETON` have the shape of their part of the body, others that of a rod.
    heads_m, tails_m
        (J, 3) both ends of each joint's bone in the world.
    """
    scale = tip_scale(joint_names, tails_m - heads_m)
    limbs = [
        _limb(name.removeprefix("left_").removeprefix("right_"), head, tail, scale)
        for name, head, tail in zip(joint_names, heads_m, tails_m, strict=True)
    ]
    counts = [len(points) for points, _ in limbs]
    starts = np.cumsum([0, *counts[:-1]])
    points = np.concatenate([points for points, _ in limbs])
    triangles = np.concatenate([faces + start for (_, faces), start in zip(limbs, starts, strict=True)])
    return Mesh(
        points_m=points,
        normals=_normals(points, triangles),
        triangles=triangles,
        joints=np.repeat(np.arange(len(limbs)), counts),
    )


def _limb(part: str, head: FloatArray, tail: FloatArray, scale: float) -> tuple[FloatArray, NDArray[np.intp]]:
    """Return points and triangles of one closed limb."""
    if part == "ankle":
        # The foot lies on the ground, from the heel on, and not along its bone, which begins above it.
        head = np.array([*(head + _HEEL * (head - tail))[:2], tail[2]])
    length = float(np.linalg.norm(tail - head))
    along = (tail - head) / length
    deep = _UP if part in ("ankle", "toe") else _FORWARD
    if abs(along @ deep) > 0.95:
        deep = _UP if deep is _FORWARD else _FORWARD
    deep = deep - (along @ deep) * along
    deep /= np.linalg.norm(deep)
    across = np.cross(along, deep)
    if part in _LIMBS:
        stations = np.array(_LIMBS[part]) * (length, scale, scale)
    else:
        thick = min(0.15 * length, 0.06 * scale)
        stations = np.array([(0, thick, thick), (length, 0.7 * thick, 0.7 * thick)])
    stations = _domed(stations)
    turn = np.linspace(0, 2 * np.pi, _SIDES, endpoint=False)
    ring = np.cos(turn)[:, None] * across, np.sin(turn)[:, None] * deep
    rings = [head + at * along + a * ring[0] + b * ring[1] for at, a, b in stations[1:-1]]
    points = np.concatenate([head + stations[:1, :1] * along, *rings, head + stations[-1:, :1] * along])
    return points, _faces(len(rings))


def _domed(stations: FloatArray) -> FloatArray:
    """Return the stations with a round end at both sides, whose last station is a point."""
    rise = np.linspace(0, np.pi / 2, _DOME_RINGS + 1)[1:]
    domes = []
    for (at, a, b), sign in ((stations[0], -1), (stations[-1], 1)):
        reach = sign * 0.8 * min(a, b)
        domes.append([(at + reach * np.sin(r), a * np.cos(r), b * np.cos(r)) for r in rise])
    return np.array([*domes[0][::-1], *stations.tolist(), *domes[1]])


def _faces(rings: int) -> NDArray[np.intp]:
    side = np.arange(_SIDES)
    after = (side + 1) % _SIDES
    last = rings * _SIDES + 1
    faces = [np.stack([np.zeros_like(side), 1 + side, 1 + after], axis=1)]
    for ring in range(rings - 1):
        low, high = 1 + ring * _SIDES, 1 + (ring + 1) * _SIDES
        faces.append(np.stack([low + side, high + after, low + after], axis=1))
        faces.append(np.stack([low + side, high + side, high + after], axis=1))
    top = last - _SIDES
    faces.append(np.stack([top + side, np.full_like(side, last), top + after], axis=1))
    return np.concatenate(faces)


def _normals(points: FloatArray, triangles: NDArray[np.intp]) -> FloatArray:
    """Return (V, 3) the mean of the normals of each point's triangles, weighted by their areas."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    flat = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for corner in range(3):
        np.add.at(total, triangles[:, corner], flat)
    return np.asarray(total / np.linalg.norm(total, axis=1, keepdims=True))
