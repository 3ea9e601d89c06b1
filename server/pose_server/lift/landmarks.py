"""The detector's own world landmarks, put into the camera."""

from __future__ import annotations

import numpy as np
from pose_shared.errors import InputError
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import Camera, FloatArray, Pose3D, Track2D
from pose_server.pipeline.camera import rays
from pose_server.pipeline.placement import placed

__all__ = ["LandmarkLifter"]

#: The points that place the body: the face and the hands are too near to others to add anything.
_BODY = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
#: Standard deviation of a landmark seen clearly, and what is added as it is hidden; BlazePose
#: against multi-view captures.
_CLEAR_M = 0.05
_HIDDEN_M = 0.20


class LandmarkLifter:
    """Take the depth that the detector itself reports.

    The landmarks come as if the middle of the hips, on which BlazePose centres what it looks at,
    lay on the optical axis; they are turned by the ray through it, and placed in the camera where
    they project onto the keypoints.  Expects a track that went through `cleanup.cleaning.cleaned_up`.
    """

    name = "landmarks"
    fingerprint = "landmarks-1"

    def lift(self, track: Track2D, camera: Camera) -> Pose3D:
        """Return the detector's points in the camera, under the track's own names.

        Raises
        ------
        InputError
            The detector gave no 3D landmarks (``LANDMARKS_MISSING``).
        """
        if track.found.any() and not np.isfinite(track.landmarks_m).any():
            raise InputError(
                "These 2D points come without 3D landmarks to lift from; choose --detector blazepose, or "
                "another --lifter.",
                reason="LANDMARKS_MISSING",
            )
        names = track.keypoint_names
        hips = [names.index(name) for name in ("left_hip", "right_hip")]
        centred = track.landmarks_m - track.landmarks_m[:, hips].mean(axis=1, keepdims=True)
        turn = _turn_to(rays(track.keypoints_px[:, hips].mean(axis=1), camera.matrix))
        joints = np.einsum("tij,tkj->tki", turn, centred)
        body = np.array([any(part in name for part in _BODY) for name in names])
        root = placed(joints, track.keypoints_px, track.keypoint_confidence * body, camera.matrix)
        missing = ~np.isfinite(joints).all(axis=2)
        uncertainty = _CLEAR_M + _HIDDEN_M * (1 - track.keypoint_confidence)
        return Pose3D(
            joint_names=names,
            indices=track.indices,
            times_s=track.times_s,
            joints_root_m=joints,
            uncertainty_m=np.where(missing, np.nan, uncertainty),
            root_camera_m=root,
        )


def _turn_to(directions: FloatArray) -> FloatArray:
    """Return the (T, 3, 3) smallest rotations from the optical axis to (T, 3) directions."""
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    axis = np.stack([-unit[:, 1], unit[:, 0], np.zeros(len(unit))], axis=1)
    sine = np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.arctan2(sine, unit[:, 2:])
    turn = np.nan_to_num(axis / np.maximum(sine, 1e-12) * angle)
    return np.asarray(Rotation.from_rotvec(turn).as_matrix())
