"""A figure of 33 points that walks, turns and waves before a camera."""

from __future__ import annotations

import numpy as np
from pose_server.pipeline.boundary import Camera, Track2D
from pose_server.pipeline.camera import camera_of_clip, project, rays
from pose_shared.skeleton import BLAZEPOSE_33, mirrored_name
from scipy.spatial.transform import Rotation

#: Half the figure, metres about the middle of the hips, camera axes, facing the camera.
_LEFT = {
    "hip": (0.1, 0.0, 0.0),
    "knee": (0.1, 0.42, -0.02),
    "ankle": (0.1, 0.84, 0.02),
    "heel": (0.1, 0.9, 0.06),
    "big_toe": (0.12, 0.9, -0.12),
    "shoulder": (0.17, -0.5, 0.0),
    "elbow": (0.25, -0.25, 0.03),
    "wrist": (0.27, 0.0, -0.05),
    "index": (0.27, 0.08, -0.08),
    "pinky": (0.29, 0.07, -0.04),
    "thumb": (0.24, 0.05, -0.09),
    "ear": (0.07, -0.7, 0.0),
    "eye": (0.03, -0.73, -0.09),
    "mouth": (0.02, -0.66, -0.09),
}


def _rest(name: str) -> np.ndarray:
    if name == "nose":
        return np.array([0.0, -0.69, -0.11])
    part = name.split("_", 1)[1].replace("_inner", "").replace("_outer", "")
    return np.array(_LEFT[part]) * ([1, 1, 1] if name.startswith("left_") else [-1, 1, 1])


REST = np.stack([_rest(name) for name in BLAZEPOSE_33.joints])
PHASE = np.array(
    [
        0.0 if mirrored_name(name) == name else (1.0 if name.startswith("left_") else -1.0)
        for name in BLAZEPOSE_33.joints
    ]
)


def figure(
    fps: float, *, seconds: float = 3.0, turn_deg_s: float = 25.0, noise: float = 1.0, seed: int = 0
) -> tuple[Track2D, np.ndarray, Camera]:
    """Return the track, the true points (T, 33, 3) in the camera, and the camera."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * fps)) / fps
    points = np.tile(REST, (len(t), 1, 1))
    legs = np.clip(REST[:, 1], 0, None)
    arms = np.where(np.abs(REST[:, 0]) > 0.18, np.clip(REST[:, 1] + 0.5, 0, None), 0)
    points[..., 2] += 0.35 * np.sin(2 * np.pi * t)[:, None] * PHASE * (legs - arms)
    turns = Rotation.from_euler("y", (20 + turn_deg_s * t)[:, None], degrees=True).as_matrix()
    points = points @ turns.transpose(0, 2, 1)
    root = np.stack([-0.8 + 0.5 * t, 0.03 * np.sin(4 * np.pi * t), 4 + 0.2 * t], axis=1)
    camera = camera_of_clip((1280, 720), fov_deg=55)
    keypoints = project(points + root[:, None], camera.matrix)
    keypoints += noise * 2.0 * rng.normal(size=keypoints.shape)
    sight = rays(project(root, camera.matrix), camera.matrix)
    sight /= np.linalg.norm(sight, axis=1, keepdims=True)
    axis = np.cross([0.0, 0.0, 1.0], sight)
    angle = np.arcsin(np.linalg.norm(axis, axis=1))
    turned = Rotation.from_rotvec(axis / np.sin(angle)[:, None] * angle[:, None]).inv().as_matrix()
    landmarks = points @ turned.transpose(0, 2, 1) + noise * 0.02 * rng.normal(size=points.shape)
    track = Track2D(
        keypoint_names=BLAZEPOSE_33.joints,
        indices=np.arange(len(t)),
        times_s=t,
        boxes_px=np.concatenate([keypoints.min(axis=1), keypoints.max(axis=1)], axis=1),
        keypoints_px=keypoints,
        keypoint_confidence=np.full((len(t), 33), 0.95),
        landmarks_m=landmarks,
    )
    return track, points + root[:, None], camera
