"""How limbs and rotations turn: degrees between bones, and between frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray

__all__ = ["bone_error_deg", "bone_steps_deg", "rotation_steps_deg"]


def bone_error_deg(
    result_m: FloatArray, reference_m: FloatArray, bones: Sequence[tuple[int, int]]
) -> FloatArray:
    """Return (T, B) angles between the bones of two motions (T, J, 3); NaN where one lacks an end."""
    return _between_deg(_directions(result_m, bones), _directions(reference_m, bones))


def bone_steps_deg(joints_m: FloatArray, bones: Sequence[tuple[int, int]]) -> FloatArray:
    """Return (T - 1, B) angles by which bones turn in space from frame to frame."""
    along = _directions(joints_m, bones)
    return _between_deg(along[1:], along[:-1])


def rotation_steps_deg(quaternions_wxyz: FloatArray) -> FloatArray:
    """Return (T - 1, J) angles by which rotations (T, J, 4) turn from frame to frame."""
    frames, joints = quaternions_wxyz.shape[:2]
    if frames < 2:
        return np.empty((0, joints))
    before, after = (
        Rotation.from_quat(part.reshape(-1, 4), scalar_first=True)
        for part in (quaternions_wxyz[:-1], quaternions_wxyz[1:])
    )
    return np.asarray(np.degrees((before.inv() * after).magnitude()).reshape(frames - 1, joints))


def _directions(joints_m: FloatArray, bones: Sequence[tuple[int, int]]) -> FloatArray:
    starts, ends = (list(column) for column in zip(*bones, strict=True))
    along = joints_m[:, ends] - joints_m[:, starts]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(along / np.linalg.norm(along, axis=-1, keepdims=True))


def _between_deg(first: FloatArray, second: FloatArray) -> FloatArray:
    # Exact for small angles too, unlike the arc cosine.
    cross = np.linalg.norm(np.cross(first, second), axis=-1)
    return np.asarray(np.degrees(np.arctan2(cross, (first * second).sum(axis=-1))))
