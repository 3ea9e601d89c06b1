"""Somebody of human build who walks, as long as wanted, seen by a camera that stands still."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from pose_server.pipeline.boundary import Camera, Motion
from pose_server.pipeline.kinematics import joint_positions
from pose_shared.skeleton import SKELETON

RATE = Fraction(30)

# One side of a T-pose that faces -y, deliberately not along the axes everywhere.
_OFFSETS = {
    "pelvis": (0, 0, 0),
    "spine": (0, 0.01, 0.12),
    "chest": (0, 0.02, 0.14),
    "neck": (0, -0.01, 0.24),
    "head": (0, -0.02, 0.11),
    "left_clavicle": (0.03, 0, 0.19),
    "left_shoulder": (0.15, 0.01, 0.01),
    "left_elbow": (0.28, 0, 0),
    "left_wrist": (0.26, 0, 0),
    "left_hand": (0.09, 0, 0),
    "left_hip": (0.1, 0, -0.02),
    "left_knee": (0, 0, -0.43),
    "left_ankle": (0, 0.01, -0.42),
    "left_toe": (0, -0.13, -0.07),
}


def rest_offsets(scale: float = 1.0) -> np.ndarray:
    rows = []
    for name in SKELETON.joints:
        x, y, z = _OFFSETS[name.replace("right_", "left_")]
        rows.append((-x if name.startswith("right_") else x, y, z))
    return np.array(rows, dtype=np.float32) * np.float32(scale)


def walker(frames: int, side_m: float, seed: int) -> Motion:
    """Somebody who walks up and down."""
    rng = np.random.default_rng(seed)
    times_s = np.arange(frames) / float(RATE)
    offsets = rest_offsets()
    local = np.zeros((frames, len(SKELETON), 4))
    swing = 0.25 * np.sin(5 * times_s[:, None] + rng.uniform(0, 6, len(SKELETON)))
    local[..., 0], local[..., 1] = np.cos(swing), np.sin(swing)
    root = np.column_stack([np.full(frames, side_m), 2 * np.sin(0.4 * times_s), np.full(frames, 0.95)])
    world = joint_positions(local, root, offsets, SKELETON.parents)
    to_camera = np.array([[1, 0, 0, 0], [0, 0, -1, 1.4], [0, 1, 0, 6.0], [0, 0, 0, 1.0]])
    camera = world @ to_camera[:3, :3].T + to_camera[:3, 3]
    standing = np.sin(5 * times_s[:, None] + np.array([0.0, 0.4, np.pi, np.pi + 0.4]))
    return Motion(
        rate=RATE,
        times_s=times_s,
        frames=np.arange(frames),
        joint_names=SKELETON.joints,
        parents=np.array(SKELETON.parents),
        rest_offsets_m=offsets,
        local_rotations_wxyz=local.astype(np.float32),
        root_world_m=root.astype(np.float32),
        joints_world_m=world.astype(np.float32),
        joints_camera_m=camera.astype(np.float32),
        root_camera_m=camera[:, 0].astype(np.float32),
        confidence=np.ones((frames, len(SKELETON)), np.float32),
        contact_names=("left_heel", "left_toe", "right_heel", "right_toe"),
        contacts=standing.clip(0, 1).astype(np.float32),
        keypoint_names=("nose",),
        keypoints_px=np.full((frames, 1, 2), np.nan, np.float32),
        keypoint_confidence=np.zeros((frames, 1), np.float32),
        camera=Camera(
            np.array([[1000.0, 0, 640], [0, 1000, 360], [0, 0, 1]]), np.zeros(5), (1280, 720), "given"
        ),
        world_to_camera=to_camera,
        reprojection_px=np.full((frames, len(SKELETON)), np.nan, np.float32),
    )
