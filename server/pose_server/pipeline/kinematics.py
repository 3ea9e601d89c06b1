"""From joint rotations to joint positions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray

__all__ = ["global_rotations", "joint_positions", "same_hemisphere", "tip_scale"]

# Hip to ankle of the 1.75 m person that the tips of `SKELETON` belong to: 0.530 - 0.039 of the
# stature (Drillis and Contini, 1966).
_TIPS_LEG_M = 0.859


def global_rotations(local_wxyz: FloatArray, parents: Sequence[int]) -> FloatArray:
    """Return the (T, J, 3, 3) rotation of each joint in the world from (T, J, 4) local quaternions.

    One that is NaN gives NaN, for everything that hangs on it too.
    """
    frames, joints = local_wxyz.shape[:2]
    quaternions = local_wxyz.reshape(-1, 4)
    missing = np.isnan(quaternions).any(axis=1)
    quaternions = np.where(missing[:, None], (1.0, 0.0, 0.0, 0.0), quaternions)
    local = Rotation.from_quat(quaternions, scalar_first=True).as_matrix()
    local[missing] = np.nan
    local = local.reshape(frames, joints, 3, 3)
    world: FloatArray = np.empty_like(local)
    for joint, parent in enumerate(parents):
        world[:, joint] = local[:, joint] if parent < 0 else world[:, parent] @ local[:, joint]
    return world


def joint_positions(
    local_wxyz: FloatArray, root_m: FloatArray, offsets_m: FloatArray, parents: Sequence[int]
) -> FloatArray:
    """Return (T, J, 3) positions by forward kinematics.

    Parameters
    ----------
    local_wxyz
        (T, J, 4) rotations about the parent, the root's in the world.
    root_m
        (T, 3) position of the root.
    offsets_m
        (J, 3) rest offset of each joint from its parent.
    parents
        (J,) -1 for the root; a parent stands before its children.
    """
    world = global_rotations(local_wxyz, parents)
    positions = np.empty((*local_wxyz.shape[:2], 3))
    for joint, parent in enumerate(parents):
        if parent < 0:
            positions[:, joint] = root_m
        else:
            positions[:, joint] = positions[:, parent] + world[:, parent] @ offsets_m[joint]
    return positions


def same_hemisphere(quaternions_wxyz: FloatArray) -> FloatArray:
    """Return (T, ..., 4) quaternions with signs chosen so that neighbours in time are close."""
    dots = np.sum(quaternions_wxyz[1:] * quaternions_wxyz[:-1], axis=-1, keepdims=True)
    signs = np.cumprod(np.where(dots < 0, -1.0, 1.0), axis=0)
    return np.concatenate([quaternions_wxyz[:1], quaternions_wxyz[1:] * signs])


def tip_scale(joint_names: Sequence[str], rest_offsets_m: FloatArray) -> float:
    """Return the factor by which the tips of `SKELETON` fit a body of (J, 3) rest offsets: by its legs."""
    legs = [i for i, name in enumerate(joint_names) if name.endswith(("_knee", "_ankle"))]
    lengths = np.linalg.norm(rest_offsets_m[legs], axis=1)
    return 2 * float(lengths.mean()) / _TIPS_LEG_M if legs else 1.0
