"""A motion that nobody filmed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from pose_server.pipeline.boundary import Camera, Motion
from pose_server.pipeline.kinematics import joint_positions
from pose_shared.skeleton import SKELETON

FRAMES, RATE = 3000, Fraction(30000, 1001)


def make_motion() -> Motion:
    """Somebody who turns on the spot."""
    joints = len(SKELETON)
    rng = np.random.default_rng(3)
    angle = np.linspace(0, 9, FRAMES)
    rotations = np.zeros((FRAMES, joints, 4))
    rotations[..., 0] = np.cos(angle)[:, None]
    rotations[..., 3] = np.sin(angle)[:, None]
    offsets = rng.uniform(0.05, 0.3, (joints, 3)).astype(np.float32)
    offsets[0] = 0
    root = rng.normal(size=3) + np.outer(angle, [0.1, 0.2, 0])
    world = joint_positions(rotations, root, offsets, SKELETON.parents)
    return Motion(
        rate=RATE,
        times_s=(7 + np.arange(FRAMES)) / float(RATE),
        frames=7 + np.arange(FRAMES),
        joint_names=SKELETON.joints,
        parents=np.array(SKELETON.parents),
        rest_offsets_m=offsets,
        local_rotations_wxyz=rotations.astype(np.float32),
        root_world_m=root.astype(np.float32),
        joints_world_m=world.astype(np.float32),
        joints_camera_m=world.astype(np.float32),
        root_camera_m=root.astype(np.float32),
        confidence=np.ones((FRAMES, joints), np.float32),
        contact_names=("left_heel",),
        contacts=np.zeros((FRAMES, 1), np.float32),
        keypoint_names=("nose",),
        keypoints_px=np.zeros((FRAMES, 1, 2), np.float32),
        keypoint_confidence=np.zeros((FRAMES, 1), np.float32),
        camera=Camera(np.diag([900.0, 900.0, 1.0]), np.zeros(5), (640, 360), "assumed"),
        world_to_camera=np.eye(4),
        reprojection_px=np.zeros((FRAMES, joints), np.float32),
    )
