"""Classic filters on parts of a solved motion: on the quaternions of its joints, and on the root's place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.curves import curves_filtered
from pose_server.pipeline.kinematics import same_hemisphere
from pose_server.pipeline.solve_options import PartFilter

__all__ = ["filtered"]

_ARM = ("clavicle", "shoulder", "elbow", "wrist", "hand")
_LEG = ("hip", "knee", "ankle", "toe")


def _sides(parts: Sequence[str], *sides: str) -> tuple[str, ...]:
    return tuple(f"{side}_{part}" for side in sides for part in parts)


_JOINTS: Mapping[str, tuple[str, ...]] = {
    "root": ("pelvis",),
    "spine": ("spine", "chest"),
    "head": ("neck", "head"),
    "arms": _sides(_ARM, "left", "right"),
    "left_arm": _sides(_ARM, "left"),
    "right_arm": _sides(_ARM, "right"),
    "legs": _sides(_LEG, "left", "right"),
    "left_leg": _sides(_LEG, "left"),
    "right_leg": _sides(_LEG, "right"),
}


def filtered(
    local_wxyz: FloatArray,
    root_m: FloatArray,
    filters: Sequence[PartFilter],
    joint_names: Sequence[str],
    rate_hz: float,
) -> tuple[FloatArray, FloatArray]:
    """Return rotations and root after all filters, one after the other.

    Parameters
    ----------
    local_wxyz
        (T, J, 4) unit quaternions.
    root_m
        (T, 3) position of the root; part ``root`` and ``all`` filter it too.
    filters
        What to run, in this order.
    joint_names
        (J,) as in `pose_shared.skeleton.SKELETON`.
    rate_hz
        Rows per second.

    Notes
    -----
    Feet that were locked slide again, as much as a filter of root or legs moves them.
    """
    local, root = local_wxyz, root_m
    for one in filters:
        names = joint_names if one.part == "all" else _JOINTS[one.part]
        joints = [joint_names.index(name) for name in names if name in joint_names]
        curves = curves_filtered(local[:, joints], one.filter, rate_hz)
        local = local.copy()
        local[:, joints] = curves / np.linalg.norm(curves, axis=-1, keepdims=True).clip(1e-9)
        if one.part in ("all", "root"):
            root = curves_filtered(root[:, None], one.filter, rate_hz)[:, 0]
    return (same_hemisphere(local) if filters else local), root
