"""A body for a skeleton: smooth limbs about the bones, each moved by one joint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pose_server.pipeline.boundary import FloatArray, IntArray
from pose_server.pipeline.kinematics import tip_scale

__all__ = ["Mesh", "mannequin"]

_SIDES = 16
_DOME_RINGS = 3
_FORWARD, _UP = np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0])
#: How far the heel lies behind the ankle, as a share of the way from there to the ball of the foot.
_HEEL = 0.3

#: Of a person of 1.75 m: along the bone, where 0 is its joint and 1 its end, the half widths across and
#: from front to back (on the foot: up), metres.
_Stations = Sequence[tuple[float, float, float]]
_LIMBS: Mapping[str, _Stations] = {
    "pelvis": ((-0.5, 0.11, 0.08), (-0.15, 0.15, 0.108), (0.3, 0.155, 0.11), (1.0, 0.135, 0.098)),
    "spine": ((-0.1, 0.128, 0.094), (0.5, 0.127, 0.094), (1.0, 0.14, 0.1)),
    "chest": (
        *((-0.1, 0.138, 0.1), (0.3, 0.16, 0.115), (0.6, 0.165, 0.115)),
        *((0.8, 0.145, 0.098), (0.95, 0.1, 0.078), (1.05, 0.06, 0.06)),
    ),
    "neck": ((-0.3, 0.07, 0.062), (0.1, 0.055, 0.056), (1.1, 0.054, 0.058)),
    "head": (
        *((-0.2, 0.042, 0.058), (0.05, 0.062, 0.084), (0.35, 0.076, 0.1)),
        *((0.6, 0.08, 0.104), (0.8, 0.07, 0.09), (0.93, 0.046, 0.06)),
    ),
    "clavicle": ((0.0, 0.05, 0.06), (0.6, 0.055, 0.065), (1.0, 0.056, 0.06)),
    "shoulder": ((0.0, 0.058, 0.06), (0.35, 0.051, 0.055), (1.0, 0.039, 0.041)),
    "elbow": ((0.0, 0.04, 0.041), (0.3, 0.042, 0.045), (1.0, 0.027, 0.032)),
    "wrist": ((0.0, 0.02, 0.03), (0.5, 0.018, 0.042), (1.0, 0.015, 0.043)),
    "hand": ((0.0, 0.014, 0.042), (0.6, 0.011, 0.038), (0.95, 0.008, 0.024)),
    "hip": ((0.0, 0.085, 0.09), (0.3, 0.083, 0.09), (1.0, 0.054, 0.06)),
    "knee": ((0.0, 0.055, 0.061), (0.3, 0.055, 0.063), (1.0, 0.037, 0.043)),
    "ankle": ((0.0, 0.033, 0.028), (0.4, 0.038, 0.036), (1.0, 0.045, 0.026)),
    "toe": ((0.0, 0.045, 0.026), (0.5, 0.044, 0.02), (0.9, 0.031, 0.014)),
}
#: How far before its bone the middle of the head lies.
_FACE_M = 0.02


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


def _limb(part: str, head: FloatArray, tail: FloatArray, scale: float) -> tuple[FloatArray, IntArray]:
    """Return points and triangles of one closed limb."""
    foot = part in ("ankle", "toe")
    if part == "ankle":
        # The foot lies on the ground, from the heel on, and not along its bone, which begins above it.
        head = np.array([*(head + _HEEL * (head - tail))[:2], tail[2]])
    length = float(np.linalg.norm(tail - head))
    along = (tail - head) / length
    deep = _UP if foot else _FORWARD
    if abs(along @ deep) > 0.95:
        deep = _FORWARD if foot else _UP
    deep = deep - (along @ deep) * along
    deep /= np.linalg.norm(deep)
    across = np.cross(along, deep)
    if part in _LIMBS:
        stations = np.array(_LIMBS[part]) * (length, scale, scale)
    else:
        thick = min(0.15 * length, 0.06 * scale)
        stations = np.array([(0, thick, thick), (length, 0.7 * thick, 0.7 * thick)])
    # The sole of a foot lies along its bone.
    rise = stations[:, 2] if foot else np.full(len(stations), _FACE_M * scale if part == "head" else 0.0)
    stations = _domed(np.column_stack([stations, rise]))
    turn = np.linspace(0, 2 * np.pi, _SIDES, endpoint=False)
    wide, high = np.cos(turn)[:, None] * across, np.sin(turn)[:, None] * deep
    rings = [head + at * along + up * deep + a * wide + b * high for at, a, b, up in stations]
    return np.concatenate([rings[0][:1], *rings[1:-1], rings[-1][:1]]), _faces(len(rings) - 2)


def _domed(stations: FloatArray) -> FloatArray:
    """Return the stations with a round end at both sides, whose last station is a point."""
    angles = np.linspace(0, np.pi / 2, _DOME_RINGS + 1)[1:]
    domes = []
    for (at, a, b, up), sign in ((stations[0], -1), (stations[-1], 1)):
        reach = sign * 0.8 * min(a, b)
        domes.append([(at + reach * np.sin(r), a * np.cos(r), b * np.cos(r), up) for r in angles])
    return np.array([*domes[0][::-1], *stations.tolist(), *domes[1]])


def _faces(rings: int) -> IntArray:
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


def _normals(points: FloatArray, triangles: IntArray) -> FloatArray:
    """Return (V, 3) the mean of the normals of each point's triangles, weighted by their areas."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    flat = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for corner in range(3):
        np.add.at(total, triangles[:, corner], flat)
    return np.asarray(total / np.linalg.norm(total, axis=1, keepdims=True))
