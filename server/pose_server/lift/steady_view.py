"""Lifting what a camera saw that trembles in a hand: as one sees it that turns calmly.

A lifter takes what a picture does for what the person does, and says so of contacts, too.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from pose_server.lift.lifter import Lifter
from pose_server.pipeline.boundary import Camera, CameraPath, FloatArray, Pose3D, Track2D
from pose_server.pipeline.camera import project, rays
from pose_server.pipeline.kinematics import same_hemisphere

__all__ = ["lifted_steadily"]

#: Turns that are shorter than about this are none that somebody means; and no view is turned farther.
_CALM_S = 0.5
_FARTHEST_RAD = np.radians(15)


def lifted_steadily(lifter: Lifter, track: Track2D, camera: Camera, path: CameraPath | None) -> Pose3D:
    """Return the pose in the camera's own axes in every row, lifted from a calmer view.

    Parameters
    ----------
    lifter
        Who lifts.
    track
        What was seen.
    camera
        Its lens.
    path
        How it moved; None if it stood still, and then nothing is calmed.
    """
    if path is None or len(track) < 2:
        return lifter.lift(track, camera)
    calming = _calming(path.at(track.indices).turns, float(np.median(np.diff(track.times_s))))
    seen = rays(track.keypoints_px, camera.matrix) @ np.swapaxes(calming, 1, 2)
    pose = lifter.lift(replace(track, keypoints_px=project(seen, camera.matrix)), camera)
    return replace(
        pose,
        joints_root_m=pose.joints_root_m @ calming,
        root_camera_m=(pose.root_camera_m[:, None] @ calming)[:, 0],
    )


def _calming(turns: FloatArray, row_s: float) -> FloatArray:
    """Return (T, 3, 3) rotations from the axes of a camera that turns like that into calmer ones."""
    turned = Rotation.from_matrix(turns)
    mean = gaussian_filter1d(
        same_hemisphere(turned.as_quat()[:, None]), _CALM_S / max(row_s, 1e-3), axis=0, mode="nearest"
    )
    away = (Rotation.from_quat(mean[:, 0]) * turned.inv()).as_rotvec()
    angle = np.linalg.norm(away, axis=1, keepdims=True)
    share = np.minimum(1.0, _FARTHEST_RAD / np.maximum(angle, 1e-9))
    return np.asarray(Rotation.from_rotvec(away * share).as_matrix())
