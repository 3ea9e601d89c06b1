"""Somebody who walks straight ahead: legs swing, arms against them, soles rest while they carry."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from pose_server.pipeline.boundary import Camera, Motion
from pose_server.pipeline.kinematics import joint_positions
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation

_OFFSETS = {
    "spine": (0, 0, 0.12),
    "chest": (0, 0.01, 0.14),
    "neck": (0, 0.01, 0.22),
    "head": (0, -0.01, 0.10),
    "left_clavicle": (0.03, 0, 0.15),
    "left_shoulder": (0.14, 0, 0.01),
    "left_elbow": (0.28, 0, 0),
    "left_wrist": (0.26, 0, 0),
    "left_hand": (0.09, 0, 0),
    "left_hip": (0.095, 0, 0),
    "left_knee": (0, 0, -0.42),
    "left_ankle": (0, 0, -0.43),
    "left_toe": (0, -0.12, -0.043),
}
_SOLE_M = 0.043 * 39 / 25


def made_walk(frames: int = 90, rate: Fraction = Fraction(30)) -> Motion:
    """Return steps of 0.9 s; contacts are told by the left and right halves of each cycle."""
    offsets = np.zeros((len(SKELETON), 3))
    for name, offset in _OFFSETS.items():
        offsets[SKELETON.index(name)] = offset
        if name.startswith("left_"):
            offsets[SKELETON.index("right_" + name[5:])] = np.multiply(offset, (-1, 1, 1))
    t = np.arange(frames) / float(rate)
    phase = 2 * np.pi * t / 0.9
    wxyz = np.zeros((frames, len(SKELETON), 4))
    wxyz[..., 0] = 1.0

    def turn(name: str, axis: str, degrees: np.ndarray) -> None:
        quaternions = Rotation.from_euler(axis, degrees[:, None], degrees=True).as_quat(scalar_first=True)
        wxyz[:, SKELETON.index(name)] = quaternions

    for side, sign, shift in (("left", 1.0, 0.0), ("right", -1.0, np.pi)):
        turn(f"{side}_hip", "x", -25 * np.sin(phase + shift))
        turn(f"{side}_knee", "x", 25 - 25 * np.cos(phase + shift))
        turn(f"{side}_ankle", "x", 8 * np.sin(phase + shift))
        turn(f"{side}_shoulder", "y", np.full(frames, sign * 70.0))
        turn(f"{side}_elbow", "z", -sign * (20 + 10 * np.sin(phase + shift)))
    turn("pelvis", "z", 6 * np.sin(phase))
    turn("chest", "z", -8 * np.sin(phase))
    turn("head", "z", 5 * np.sin(phase / 2))
    root = np.stack([0 * t, -1.2 * t, 0.85 + _SOLE_M - 0.03 + 0.02 * np.cos(2 * phase)], axis=1)
    world = joint_positions(wxyz, root, offsets, SKELETON.parents)
    left = np.sin(phase + 0.5) > 0
    contacts = np.stack([left, left, ~left, ~left], axis=1).astype(np.float64)
    return Motion(
        rate=rate,
        times_s=t,
        frames=np.arange(frames),
        joint_names=SKELETON.joints,
        parents=np.array(SKELETON.parents),
        rest_offsets_m=offsets,
        local_rotations_wxyz=wxyz,
        root_world_m=root,
        joints_world_m=world,
        joints_camera_m=world,
        root_camera_m=root,
        confidence=np.ones((frames, len(SKELETON))),
        contact_names=("left_heel", "left_toe", "right_heel", "right_toe"),
        contacts=contacts,
        keypoint_names=(),
        keypoints_px=np.zeros((frames, 0, 2)),
        keypoint_confidence=np.zeros((frames, 0)),
        camera=Camera(np.diag([900.0, 900.0, 1.0]), np.zeros(5), (640, 360), "assumed"),
        world_to_camera=np.eye(4),
        reprojection_px=np.full((frames, len(SKELETON)), np.nan),
    )
