"""Joints as they were seen, frame by frame, drawn as a person in the room of the solved motion."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from pose_server.export.figure import figure_of, side_colour
from pose_server.export.subject import Shown
from pose_server.pipeline.boundary import FloatArray, IntArray, Motion, Pose3D

__all__ = ["placed_in_room", "rows_of", "shown_of_pose"]

_SIDES = ("left_", "right_")
_FEET = ("heel", "big_toe")
#: From a point of the trunk, or from one of the same side, along points of that side.
_CHAINS = (
    ("neck", "shoulder", "elbow", "wrist"),
    ("pelvis", "hip", "knee", "ankle", "big_toe"),
    ("ankle", "heel"),
)
_TRUNK = {"pelvis": "hip", "neck": "shoulder", "head": "ear"}
#: Beyond the ears, as a share of what lies between them and the neck.
_CROWN = 0.65


def placed_in_room(pose: Pose3D, motion: Motion) -> tuple[FloatArray, FloatArray]:
    """Return (T, J, 3) a pose's joints in the world of a motion of the same person, and in its camera.

    They are scaled as a whole, so that the person is usually as far away as in the motion.
    """
    rows = rows_of(pose, motion)
    ratios = np.linalg.norm(motion.root_camera_m[rows], axis=1) / np.linalg.norm(pose.root_camera_m, axis=1)
    camera = (pose.joints_root_m + pose.root_camera_m[:, None]) * np.nanmedian(ratios)
    to_camera = np.broadcast_to(motion.world_to_camera, (len(motion), 4, 4))[rows]
    world = (camera - to_camera[:, None, :3, 3]) @ to_camera[:, :3, :3]
    return world, camera


def rows_of(pose: Pose3D, motion: Motion) -> IntArray:
    """Return (T,) the motion's row that is nearest to each of the pose's."""
    after = np.clip(np.searchsorted(motion.times_s, pose.times_s), 1, max(len(motion) - 1, 1))
    after = np.minimum(after, len(motion) - 1)
    before = np.maximum(after - 1, 0)
    nearer = pose.times_s - motion.times_s[before] <= motion.times_s[after] - pose.times_s
    return np.asarray(np.where(nearer, before, after))


def shown_of_pose(pose: Pose3D, motion: Motion, number: int, *, sides: bool = False) -> Shown:
    """Return a pose as a person with the colours of the solved one; joints that it lacks are left out."""
    look = figure_of(motion, number, sides=sides)
    world, camera = placed_in_room(pose, motion)
    trunk = [*_TRUNK, "crown"]
    limbs = [side + part for side in _SIDES for chain in _CHAINS for part in chain[1:]]
    place = {name: i for i, name in enumerate([*trunk, *dict.fromkeys(limbs)])}
    ends = [(place[a], place[b], a) for a, b in pairwise(trunk)]
    for side in _SIDES:
        for chain in _CHAINS:
            names = [name if name in _TRUNK else side + name for name in chain]
            ends += [(place[a], place[b], b) for a, b in pairwise(names)]
    figure = replace(
        look,
        times_s=pose.times_s,
        points_world_m=_drawn(pose, world, tuple(place)),
        points_camera_m=_drawn(pose, camera, tuple(place)),
        bones=tuple((a, b, side_colour(name, look.colour, sides=sides)) for a, b, name in ends),
        head=(place["head"], place["crown"]),
    )
    silent = np.zeros((len(pose), 2 * len(_FEET)))
    return Shown(
        figure=figure,
        camera=motion.camera,
        frames=pose.indices,
        touching_m=np.stack([_point(pose, world, s + part) for s in _SIDES for part in _FEET], axis=1),
        carries=silent if pose.contacts is None else np.nan_to_num(pose.contacts),
        keypoints_px=motion.keypoints_px[rows_of(pose, motion)],
    )


def _drawn(pose: Pose3D, joints_m: FloatArray, names: tuple[str, ...]) -> FloatArray:
    """Return (T, P, 3) points for drawing, those of the trunk from the middles of both sides."""
    points = {
        name: np.mean([_point(pose, joints_m, side + part) for side in _SIDES], axis=0)
        for name, part in _TRUNK.items()
    }
    points["crown"] = points["head"] + _CROWN * (points["head"] - points["neck"])
    return np.stack([points[n] if n in points else _point(pose, joints_m, n) for n in names], axis=1)


def _point(pose: Pose3D, joints_m: FloatArray, name: str) -> FloatArray:
    if name not in pose.joint_names:
        return np.full((len(pose), 3), np.nan)
    return joints_m[:, pose.joint_names.index(name)]
