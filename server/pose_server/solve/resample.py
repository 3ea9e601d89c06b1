"""The same motion at another rate."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import numpy as np
from pose_shared.errors import InputError
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation, Slerp

from pose_server.pipeline.boundary import FloatArray, Motion
from pose_server.pipeline.kinematics import joint_positions, same_hemisphere

__all__ = ["joints_in_camera", "resampled"]

_NEARLY_WHOLE = Fraction(1, 20)


def resampled(motion: Motion, fps: Fraction) -> Motion:
    """Return the motion with `fps` rows per second; the same object if it has that rate.

    Rows lie at whole multiples of 1 / `fps` after source frame 0, so that everybody in a clip shares
    the frames of the receiver; what lies before the first and after the last of them, less than a
    frame, is left out.  Rotations are interpolated along the
    shortest turn, the root along a cubic spline, the 2D evidence, confidences and contacts linearly;
    joint positions follow from the rotations, so bone lengths stay exact.

    Raises
    ------
    InputError
        The rate is not positive (``RATE_INVALID``).
    """
    if fps <= 0:
        raise InputError(
            f"{fps} frames per second is not possible; give a positive rate.",
            reason="RATE_INVALID",
            value=fps,
        )
    if fps == motion.rate or len(motion) == 0:
        return motion
    places = _places(len(motion), float(motion.times_s[0]), motion.rate, fps)
    rows = np.arange(len(motion))

    def linear(values: FloatArray) -> FloatArray:
        before = np.minimum(places.astype(int), max(len(motion) - 2, 0))
        after = np.minimum(before + 1, len(motion) - 1)
        share = (places - before).reshape(-1, *[1] * (values.ndim - 1))
        mixed = (1 - share) * values[before] + share * values[after]
        return np.asarray(np.where(share == 0, values[before], np.where(share == 1, values[after], mixed)))

    def spline(values: FloatArray) -> FloatArray:
        return np.asarray(CubicSpline(rows, values)(places)) if len(motion) > 1 else values[:1].copy()

    local = motion.local_rotations_wxyz
    if len(motion) > 1:
        joints = [
            Slerp(rows, Rotation.from_quat(local[:, joint], scalar_first=True))(places)
            for joint in range(local.shape[1])
        ]
        local = same_hemisphere(np.stack([joint.as_quat(scalar_first=True) for joint in joints], axis=1))
    root_world = spline(motion.root_world_m)
    joints_world = joint_positions(local, root_world, motion.rest_offsets_m, motion.parents.tolist())
    to_camera = motion.world_to_camera
    if to_camera.ndim == 3 and len(motion) > 1:
        turned = np.tile(np.eye(4), (len(places), 1, 1))
        turned[:, :3, :3] = Slerp(rows, Rotation.from_matrix(to_camera[:, :3, :3]))(places).as_matrix()
        turned[:, :3, 3] = spline(to_camera[:, :3, 3])
        to_camera = turned
    joints_camera = joints_in_camera(joints_world, to_camera)
    return dataclasses.replace(
        motion,
        rate=fps,
        times_s=linear(motion.times_s),
        frames=motion.frames[np.rint(places).astype(int)],
        local_rotations_wxyz=local,
        root_world_m=root_world,
        joints_world_m=joints_world,
        joints_camera_m=joints_camera,
        root_camera_m=joints_camera[:, 0].copy(),
        confidence=linear(motion.confidence),
        contacts=linear(motion.contacts),
        keypoints_px=linear(motion.keypoints_px),
        keypoint_confidence=linear(motion.keypoint_confidence),
        world_to_camera=to_camera,
        reprojection_px=linear(motion.reprojection_px),
    )


def _places(count: int, start_time_s: float, rate: Fraction, fps: Fraction) -> FloatArray:
    """Return where the new rows lie among `count` old ones; in the old rows' own unit."""
    start = Fraction(start_time_s) * rate
    if abs(start - round(start)) < _NEARLY_WHOLE:  # else the container's rounding of timestamps shows
        start = Fraction(round(start))
    # Exact in fractions: a clip of n frames at 24 and at 48 share every second row for ever.
    first, last = math.ceil(start / rate * fps), math.floor((start + count - 1) / rate * fps)
    places = [float(row / fps * rate - start) for row in range(first, last + 1)]
    return np.array(places or [0.0])


def joints_in_camera(joints_world_m: FloatArray, world_to_camera: FloatArray) -> FloatArray:
    """Return (T, J, 3) joints in the camera, given (4, 4) or, for one that moves, (T, 4, 4)."""
    turn = world_to_camera[..., :3, :3]
    return np.asarray(joints_world_m @ np.swapaxes(turn, -1, -2) + world_to_camera[..., None, :3, 3])
