"""How well one skeleton explains what was seen of a person, in a few numbers."""

from __future__ import annotations

import numpy as np
from pose_shared.skeleton import SKELETON

from pose_server.pipeline.boundary import FloatArray, Motion, Pose3D
from pose_server.pipeline.kinematics import global_rotations

__all__ = ["bone_fit_percent", "contact_points_m", "contact_slide_mm", "lean_deg"]

#: Bones between points that nearly every lifter gives.
_LIMBS = tuple(side + bone for side in ("left_", "right_") for bone in ("elbow", "wrist", "knee", "ankle"))
#: Where heel and ball of the sole lie from the ankle, as shares of the offset of the toes, whose joint lies
#: above the ball; `solve.proportions` makes both of the stature.
_SOLES = {"heel": (1.0, -0.030 / 0.067, 0.039 / 0.025), "toe": (1.0, 1.0, 0.039 / 0.025)}


def contact_points_m(motion: Motion) -> FloatArray:
    """Return (T, K, 3) `contact_names` in the world: under soles, in the middle of hands and of knees."""
    if not motion.contact_names:
        return np.zeros((len(motion), 0, 3))
    turns = global_rotations(motion.local_rotations_wxyz, motion.parents.tolist())
    joints = motion.joint_names

    def point(name: str) -> FloatArray:
        side, _, part = name.rpartition("_")
        if part == "knee":
            return np.asarray(motion.joints_world_m[:, joints.index(name)])
        if part == "hand":
            hand = motion.joints_world_m[:, [joints.index(name), joints.index(f"{side}_wrist")]]
            return np.asarray(hand.mean(axis=1))
        ankle, toe = joints.index(f"{side}_ankle"), joints.index(f"{side}_toe")
        offset = motion.rest_offsets_m[toe] * _SOLES[part]
        return np.asarray(motion.joints_world_m[:, ankle] + turns[:, ankle] @ offset)

    return np.stack([point(name) for name in motion.contact_names], axis=1)


def contact_slide_mm(motion: Motion) -> float | None:
    """Return how far what carries slides along the ground from frame to frame; None if nothing carries.

    The mean over all points wherever `motion.contacts` says so in both frames.
    """
    carries = motion.contacts > 0.5
    steps = np.linalg.norm(np.diff(contact_points_m(motion)[..., :2], axis=0), axis=2)
    held = steps[carries[1:] & carries[:-1]]
    return float(held.mean()) * 1e3 if len(held) else None


def lean_deg(motion: Motion) -> float:
    """Return how far the trunk usually is from upright."""
    trunk = motion.joints_world_m[:, motion.joint_names.index("neck")] - motion.joints_world_m[:, 0]
    return float(np.degrees(np.median(np.arccos(trunk[:, 2] / np.linalg.norm(trunk, axis=1)))))


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
