"""What a turning camera saw, as one that stands still would have seen it."""

from __future__ import annotations

import dataclasses

import numpy as np

from pose_server.pipeline.boundary import Camera, FloatArray, Pose3D, Track2D
from pose_server.pipeline.camera import project, rays

__all__ = ["steadied"]

#: What the still camera would see at a steeper angle has no place in its picture.
_STEEPEST = 0.2


def steadied(track: Track2D, pose: Pose3D, camera: Camera, turns: FloatArray) -> tuple[Track2D, Pose3D]:
    """Return track and pose in the axes and the (endless) picture of the first frame's camera.

    Parameters
    ----------
    track, pose
        As the turning camera has them.
    camera
        Its lens.
    turns
        (T, 3, 3) rotations from the first frame's axes into each row's.
    """
    back = np.swapaxes(turns, 1, 2)

    def turned(points: FloatArray) -> FloatArray:
        return np.asarray(points @ np.swapaxes(back, 1, 2))

    directions = turned(rays(track.keypoints_px, camera.matrix))
    ahead = directions[..., 2] > _STEEPEST * np.linalg.norm(directions, axis=2)
    pixels = np.where(ahead[..., None], project(directions, camera.matrix), np.nan)
    return (
        dataclasses.replace(
            track,
            keypoints_px=pixels,
            keypoint_confidence=np.where(np.isfinite(pixels).all(axis=2), track.keypoint_confidence, 0.0),
        ),
        dataclasses.replace(
            pose,
            joints_root_m=turned(pose.joints_root_m),
            root_camera_m=turned(pose.root_camera_m[:, None])[:, 0],
        ),
    )
