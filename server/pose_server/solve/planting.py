"""What stands stays where it stands: limbs and root moved a little, so that what rests does not slide.

The pose is right but for centimetres; what is asked here is small and local.  Soles at rest, and hands
and knees on the floor, keep their place, those on the floor its height, none sinks into it; the rest of
the body stays where the picture shows it; and the change itself is calm, which eases every lock in and
out.  Who flies follows a parabola.
"""

from __future__ import annotations

import math

import numpy as np
from pose_shared.skeleton import SKELETON

from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.kinematics import global_rotations, joint_positions
from pose_server.solve.banded import Normal
from pose_server.solve.contacts import CARRIERS, SOLES, clearances, contact_points, flying
from pose_server.solve.frames import unit
from pose_server.solve.freedom import Freedom
from pose_server.solve.ground import LEVEL_M
from pose_server.solve.proportions import Proportions

__all__ = ["planted"]

_LEGS = ("left_hip", "right_hip", "left_ankle", "right_ankle")
_KNEES = {"left_knee": (1.0, 0.0, 0.0), "right_knee": (1.0, 0.0, 0.0)}
_ELBOWS = {"left_elbow": (0.0, 0.0, -1.0), "right_elbow": (0.0, 0.0, 1.0)}
#: Arms give way only in clips in which hands are on the floor.
_STANDING = Freedom(_LEGS, _KNEES)
_LEANING = Freedom((*_LEGS, "left_shoulder", "right_shoulder"), {**_KNEES, **_ELBOWS})
#: How far each may be turned, in radians, and the root moved across and along the view.
_TURNS_RAD = {"hip": 0.15, "knee": 0.20, "ankle": 0.25, "shoulder": 0.15, "elbow": 0.20}
_ACROSS_M = 0.02
_ALONG_M = 0.10
#: Knees and feet, elbows and wrists, in the picture, at the person.
_SEEN_M = 0.02
#: What is left of a resting point's speed, and of its height about the floor.
_SLIP_M_S = 0.01
_HEIGHT_M = 0.01
#: What moves faster than this between two frames did not rest after all.
_SLIPPED_M_S = 0.6
#: The change moves slower than this.
_CHANGE_HZ = 1.5
#: How much else than gravity pulls at hips in the air: limbs swing about them.
_GRAVITY_M_S2 = 9.81
_FALL_M_S2 = 4.0
_PASSES = 4
#: What stays where the picture shows it: with hips, no floor pulls the body off the film.
_SHOWN = tuple(side + part for part in ("hip", "knee", "ankle") for side in ("left_", "right_"))
_SHOWN_ARMS = tuple(side + part for part in ("elbow", "wrist") for side in ("left_", "right_"))
_HANDS = slice(SOLES, SOLES + 2)
_CHUNK = 600
_AHEAD = 60


def planted(
    local_wxyz: FloatArray,
    root_m: FloatArray,
    body: Proportions,
    contacts: FloatArray,
    up: FloatArray,
    floor_m: float | None,
    *,
    level: bool,
    rate_hz: float,
    eye_m: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Return (T, J, 4) rotations and (T, 3) root places of which what rests rests.

    Parameters
    ----------
    local_wxyz, root_m
        The motion so far, in axes that stand still.
    body
        Whose motion it is.
    contacts
        (T, C) 0..1 of `CONTACT_POINTS`.
    up, floor_m
        Unit direction in these axes, and the floor's height along it; None where there is no floor.
    level
        Whether every sole at rest is on that floor, or only what is near it.
    rate_hz
        Frames per second.
    eye_m
        (T, 3) where the camera stands, if not at the origin.
    """
    eye_m = np.zeros_like(root_m) if eye_m is None else eye_m
    local, root = local_wxyz.copy(), root_m.copy()
    if len(root) < 3:
        return local, root
    free = _LEANING if _leans(local, root, body, contacts, up, floor_m) else _STANDING
    change = np.zeros((len(root), free.count))
    for start in range(0, len(root), _CHUNK):
        # A long clip goes piece by piece; each begins with the last rows of the one before.
        held = min(start, 2)
        rows = slice(start - held, min(len(root), start + _CHUNK + _AHEAD))
        local[rows], root[rows], change[rows] = _piece(
            (local_wxyz[rows], root_m[rows]),
            (local[rows], root[rows], change[rows]),
            free,
            held,
            body,
            contacts[rows],
            up,
            floor_m,
            level,
            rate_hz,
            eye_m[rows],
        )
    return local, root


def _piece(
    first: tuple[FloatArray, FloatArray],
    now: tuple[FloatArray, FloatArray, FloatArray],
    free: Freedom,
    held: int,
    body: Proportions,
    contacts: FloatArray,
    up: FloatArray,
    floor_m: float | None,
    level: bool,
    rate_hz: float,
    eye_m: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return rotations, root and how far they were changed; the `held` first rows are as they shall be."""
    first_local, first_root = first
    local, root, change = now
    frames = len(root)
    shown = [SKELETON.index(name) for name in (_SHOWN if free is _STANDING else (*_SHOWN, *_SHOWN_ARMS))]
    carriers = [*CARRIERS, *(SKELETON.parents[joint] for joint in shown)]
    in_picture = [*range(SOLES), *range(len(CARRIERS), len(carriers))]
    under_m = clearances(body)
    wanted = _points(first_local, first_root, body, shown)[:, in_picture]
    # The picture is the plane across the way to the body, wherever the camera is turned.
    ahead = unit(first_root - eye_m)[:, None]
    depth = np.maximum(_along(wanted - eye_m[:, None], ahead), 0.1)
    shown_at = (wanted - eye_m[:, None]) / depth
    tight = _tightness(free, first_root - eye_m)
    slow = (2 * math.sin(math.pi * min(_CHANGE_HZ / rate_hz, 0.5))) ** -4
    stiffness = slow * np.diagonal(tight, axis1=1, axis2=2)
    rests = np.minimum(contacts[1:], contacts[:-1])
    falls = flying(contacts, first_root @ up, rate_hz=rate_hz)
    free_fall = np.zeros((frames - 2, free.count))
    free_fall[:, :3] = (falls[1:-1] * (rate_hz**2 / _FALL_M_S2) ** 2)[:, None]
    for _ in range(_PASSES):
        points = _points(local, root, body, shown)
        joints = joint_positions(local, root, body.rest_offsets_m, SKELETON.parents)
        moves = free.derivatives(local, joints, points, carriers)
        normal = Normal(frames, free.count)
        normal.own += tight
        normal.right -= (tight @ change[..., None])[..., 0]
        normal.add_bending(np.diff(change, 2, axis=0), stiffness[1:-1])

        fall = np.zeros((frames - 2, free.count))
        fall[:, :3] = np.diff(root, 2, axis=0) + _GRAVITY_M_S2 / rate_hz**2 * up
        normal.add_bending(fall, free_fall)

        there, how = points[:, in_picture], moves[:, in_picture]
        seen = there - eye_m[:, None]
        plane = seen / np.maximum(_along(seen, ahead), 0.1)
        slope = how - plane[:, :, None] * _along(how, ahead[:, None])
        normal.add(slope / _SEEN_M, (shown_at - plane) * depth / _SEEN_M, np.ones(there.shape[:2]))

        held_points, along = points[:, : len(CARRIERS)], moves[:, : len(CARRIERS)]
        slip = np.diff(held_points, axis=0)
        loose = 1 / (1 + np.sum(slip**2, axis=2) * (rate_hz / _SLIPPED_M_S) ** 2) ** 2
        normal.add_difference(along, slip, rests * loose * (rate_hz / _SLIP_M_S) ** 2)
        if floor_m is not None:
            height = held_points @ up - under_m - floor_m
            everywhere = level & (np.arange(len(CARRIERS)) < SOLES)
            near = contacts * (everywhere | (np.abs(height) < LEVEL_M))
            weight = np.maximum(near, (height < 0) & (everywhere | (height > -LEVEL_M)))
            normal.add((along @ up)[..., None], -height[..., None], weight / _HEIGHT_M**2)
        normal.own[:held] += np.eye(free.count) * 1e12
        step = np.clip(normal.solved(), -0.3, 0.3)
        change = change + step
        local, root = free.moved(local, root, step)
    return local, root, change


def _along(vectors: FloatArray, axes: FloatArray) -> FloatArray:
    """Return the (..., 1) part of vectors along unit axes."""
    return np.asarray(np.sum(vectors * axes, axis=-1, keepdims=True))


def _points(local: FloatArray, root: FloatArray, body: Proportions, shown: list[int]) -> FloatArray:
    """Return (T, C + N, 3): `contact_points`, then the joints that are `shown`."""
    joints = joint_positions(local, root, body.rest_offsets_m, SKELETON.parents)
    held = contact_points(joints, global_rotations(local, SKELETON.parents), body)
    return np.concatenate([held, joints[:, shown]], axis=1)


def _leans(
    local: FloatArray,
    root: FloatArray,
    body: Proportions,
    contacts: FloatArray,
    up: FloatArray,
    floor_m: float | None,
) -> bool:
    """Return whether a hand is, or should be, on the floor in any row."""
    if floor_m is None or (contacts[:, _HANDS] > 0).any():
        return bool((contacts[:, _HANDS] > 0).any())
    height = (_points(local, root, body, [])[:, _HANDS] @ up) - clearances(body)[_HANDS] - floor_m
    return bool(((height < 0) & (height > -LEVEL_M)).any())


def _tightness(free: Freedom, root: FloatArray) -> FloatArray:
    """Return (T, D, D) how strongly each degree of freedom stays: the root loosely along the view."""
    expected = np.full(free.count, _ACROSS_M)
    for joint in free.turned:
        expected[free.columns(joint)] = _TURNS_RAD[joint.rpartition("_")[2]]
    tight = np.tile(np.diag(1 / expected**2), (len(root), 1, 1))
    sight = unit(root)
    tight[:, :3, :3] += (1 / _ALONG_M**2 - 1 / _ACROSS_M**2) * sight[:, :, None] * sight[:, None, :]
    return tight
