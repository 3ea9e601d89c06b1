"""``motion.npz``, the format of this project, as a recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pose_server.export.npz import read_npz
from pose_server.mocap.recording import Recording
from pose_server.pipeline.kinematics import global_rotations

__all__ = ["read_motion"]

#: From z up, facing -y, to y up, facing +z, as other motion files have it.
_UPRIGHT = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


def read_motion(path: Path) -> Recording:
    """Read a motion.

    Raises
    ------
    InputError
        From `read_npz`.
    """
    motion = read_npz(path)
    turns = global_rotations(motion.local_rotations_wxyz, motion.parents.tolist())
    return Recording(
        names=motion.joint_names,
        parents=np.asarray(motion.parents, dtype=np.int64),
        points_m=motion.joints_world_m @ _UPRIGHT.T,
        turns=_UPRIGHT @ turns @ _UPRIGHT.T,
        rate_hz=float(motion.rate),
    )
