"""``motion.npz``, the format of this project, as a recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pose_server.export.npz import read_npz
from pose_server.mocap.recording import Recording
from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.kinematics import global_rotations

__all__ = ["read_motion", "upright_recording"]

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
    return upright_recording(
        motion.joint_names, motion.parents.tolist(), motion.joints_world_m, turns, float(motion.rate)
    )


def upright_recording(
    names: Sequence[str], parents: Sequence[int], points_m: FloatArray, turns: FloatArray, rate_hz: float
) -> Recording:
    """Return joints of the house skeleton, (T, J, 3) with (T, J, 3, 3) turns and z up, as a recording."""
    return Recording(
        names=tuple(names),
        parents=np.asarray(parents, dtype=np.int64),
        points_m=points_m @ _UPRIGHT.T,
        turns=_UPRIGHT @ turns @ _UPRIGHT.T,
        rate_hz=rate_hz,
    )
