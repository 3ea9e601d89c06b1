"""How well one skeleton explains what was seen of a person, in a few numbers."""

from __future__ import annotations

import numpy as np
from pose_shared.skeleton import SKELETON

from pose_server.pipeline.boundary import Motion, Pose3D
from pose_server.pipeline.kinematics import global_rotations

__all__ = ["bone_fit_percent", "contact_slide_mm"]

#: Bones between points that nearly every lifter gives.
_LIMBS = tuple(side + bone for side in ("left_", "right_") for bone in ("elbow", "wrist", "knee", "ankle"))
#: The heel lies behind the ankle this share of how far the ball of the foot lies before it.
_HEEL = 0.45


def contact_slide_mm(motion: Motion) -> float | None:
    """Return how far soles slide along the ground from frame to frame while they carry; None if none does.

    The mean over heels and balls of the feet wherever `motion.contacts` says so in both frames.
    """
    turns = global_rotations(motion.local_rotations_wxyz, motion.parents.tolist())
    slides = []
    for column, name in enumerate(motion.contact_names):
        side, _, end = name.rpartition("_")
        toe, ankle = (motion.joint_names.index(f"{side}_{joint}") for joint in ("toe", "ankle"))
        offset = motion.rest_offsets_m[toe] * ((1, 1, 1) if end == "toe" else (1, -_HEEL, 1))
        points = motion.joints_world_m[:, ankle] + turns[:, ankle] @ offset
        carries = motion.contacts[:, column] > 0.5
        steps = np.linalg.norm(np.diff(points[:, :2], axis=0), axis=1)
        slides.append(steps[carries[1:] & carries[:-1]])
    every = np.concatenate(slides) if slides else np.zeros(0)
    return float(every.mean()) * 1e3 if len(every) else None


def bone_fit_percent(motion: Motion, pose: Pose3D) -> float | None:
    """Return how far limbs as lifted usually are from the skeleton's constant lengths, sizes made equal.

    The median over frames and limbs; None when the lifter gives no limb.
    """
    ratios = []
    for name in _LIMBS:
        parent = SKELETON.joints[SKELETON.parents[SKELETON.index(name)]]
        if name not in pose.joint_names or parent not in pose.joint_names:
            continue
        ends = [pose.joints_root_m[:, pose.joint_names.index(joint)] for joint in (name, parent)]
        length = np.linalg.norm(motion.rest_offsets_m[motion.joint_names.index(name)])
        ratios.append(np.linalg.norm(ends[0] - ends[1], axis=1) / length)
    every = np.concatenate(ratios) if ratios else np.zeros(0)
    every = every[np.isfinite(every)]
    return float(np.median(np.abs(every / np.median(every) - 1))) * 100 if len(every) else None
