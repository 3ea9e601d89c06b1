"""The way through the room: on the rig's root bone, on its hips, or taken out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.retarget_options import RetargetOptions
from pose_server.retarget.posing import Posed

__all__ = ["travelled"]

#: A root bone turns with the hips, but not with every step.
_HEADING_S = 0.3


def travelled(pose: Posed, *, rate_hz: float, options: RetargetOptions) -> Posed:
    """Return the pose with its way where the options want it.

    A root bone goes below the hips and turns as they are headed; what it carries stays where it is in
    the world, so nothing else changes but the keys.
    """
    pelvis = pose.column("pelvis")
    if options.in_place and len(pose.heads_m):
        away = pose.heads_m[:, pelvis] - pose.character.rest_heads_m[pose.mapped[pelvis]]
        pose = replace(pose, heads_m=pose.heads_m - (away * (1.0, 1.0, 0.0))[:, None])
    if "root" not in pose.character.bones:
        return pose
    root = pose.column("root")
    turns, heads = pose.turns.copy(), pose.heads_m.copy()
    rest = pose.character.rest_heads_m[pose.mapped[root]]
    heads[:, root] = rest
    turns[:, root] = np.eye(3)
    if options.root_motion == "root":
        turns[:, root] = _headings(pose.turns[:, pelvis], rate_hz)
        # The root's head stands off the hips at rest as it does here.
        off = (rest - pose.character.rest_heads_m[pose.mapped[pelvis]]) * (1.0, 1.0, 0.0)
        place = pose.heads_m[:, pelvis] + turns[:, root] @ off
        heads[:, root, :2] = place[:, :2]
    return replace(pose, turns=turns, heads_m=heads)


def _headings(turns: FloatArray, rate_hz: float) -> FloatArray:
    """Return (T, 3, 3) turns about z as the hips are headed, calmly; a body that lies keeps its heading."""
    left = turns[:, :2, 0]
    upright = np.linalg.norm(left, axis=1)
    angle = np.unwrap(np.arctan2(left[:, 1], left[:, 0]))
    weight = np.maximum(upright, 1e-3)
    sigma = _HEADING_S * rate_hz
    calm = gaussian_filter1d(angle * weight, sigma, mode="nearest") / gaussian_filter1d(
        weight, sigma, mode="nearest"
    )
    return np.asarray(Rotation.from_euler("z", calm[:, None]).as_matrix())
