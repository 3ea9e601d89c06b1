"""A pose from the joints of a network that says neither how sure it is nor where the person stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pose_server.pipeline.boundary import Camera, FloatArray, Pose3D, Track2D
from pose_server.pipeline.placement import placed

__all__ = ["placed_pose"]

#: What is added to a joint's standard deviation as its keypoint is hidden.
_HIDDEN_M = 0.20


def placed_pose(
    track: Track2D,
    names: Sequence[str],
    joints_m: FloatArray,
    camera: Camera,
    *,
    clear_m: float,
    root_camera_m: FloatArray | None = None,
) -> Pose3D:
    """Return the pose of a track.

    Parameters
    ----------
    track
        What was lifted; its confidence says how sure each joint is.
    names
        Of the joints.
    joints_m
        (T, J, 3) about the middle of the hips, camera axes; NaN where there is no answer.
    camera
        In which the person stands where the limbs project onto their keypoints.
    clear_m
        Standard deviation of a joint that is seen clearly.
    root_camera_m
        (T, 3) of a network that knows the place after all.
    """
    confidence = np.ones(joints_m.shape[:2])
    keypoints = np.full((*joints_m.shape[:2], 2), np.nan)
    for column, name in enumerate(names):
        if name in track.keypoint_names:
            place = track.keypoint_names.index(name)
            confidence[:, column] = track.keypoint_confidence[:, place]
            keypoints[:, column] = track.keypoints_px[:, place]
    if root_camera_m is None:
        # The midline of a detector is not where the network's is; the limbs are.
        limbs = np.array([name.startswith(("left_", "right_")) for name in names])
        root_camera_m = placed(joints_m, keypoints, confidence * limbs, camera.matrix)
    uncertainty = clear_m + _HIDDEN_M * (1 - confidence)
    return Pose3D(
        joint_names=tuple(names),
        indices=track.indices,
        times_s=track.times_s,
        joints_root_m=joints_m,
        uncertainty_m=np.where(np.isfinite(joints_m).all(axis=2), uncertainty, np.nan),
        root_camera_m=np.where(track.found[:, None], root_camera_m, np.nan),
    )
