"""Made-up people in front of Human3.6M's mean camera: bodies of constant lengths that swing smoothly."""

from __future__ import annotations

import numpy as np
from pose_server.lift.baseline_model import HUMAN36M_CENTRE_PX, HUMAN36M_FOCAL_PX
from pose_server.lift.points import HUMAN36M_INPUTS
from pose_server.train.baseline import PoseClip
from pose_shared.skeleton import H36M_17
from scipy.spatial.transform import Rotation

#: Each joint after its parent, with its rest offset in metres, camera axes: somebody who faces us.
OFFSETS_M = {
    "right_hip": ("pelvis", (-0.13, 0, 0)),
    "right_knee": ("right_hip", (0, 0.44, 0)),
    "right_ankle": ("right_knee", (0, 0.45, 0)),
    "left_hip": ("pelvis", (0.13, 0, 0)),
    "left_knee": ("left_hip", (0, 0.44, 0)),
    "left_ankle": ("left_knee", (0, 0.45, 0)),
    "spine": ("pelvis", (0, -0.233, 0)),
    "neck": ("spine", (0, -0.257, 0)),
    "nose": ("neck", (0, -0.121, 0)),
    "head_top": ("nose", (0, -0.115, 0)),
    "left_shoulder": ("neck", (0.15, 0, 0)),
    "left_elbow": ("left_shoulder", (0, 0.28, 0)),
    "left_wrist": ("left_elbow", (0, 0.25, 0)),
    "right_shoulder": ("neck", (-0.15, 0, 0)),
    "right_elbow": ("right_shoulder", (0, 0.28, 0)),
    "right_wrist": ("right_elbow", (0, 0.25, 0)),
}
MATRIX = np.array(
    [
        [HUMAN36M_FOCAL_PX[0], 0, HUMAN36M_CENTRE_PX[0]],
        [0, HUMAN36M_FOCAL_PX[1], HUMAN36M_CENTRE_PX[1]],
        [0, 0, 1],
    ]
)


def made_joints(rng: np.random.Generator, frames: int, *, turn_rad: float = 1.0) -> np.ndarray:
    """(T, 17, 3) joints of Human3.6M in the camera, metres."""
    t = np.arange(frames) / 50

    def swing(size: float) -> np.ndarray:
        """A smooth random path, (T, 3)."""
        waves = rng.uniform(0.2, 1.0, size=(3, 3)), rng.uniform(0, 6.28, size=(3, 3))
        return size * sum(np.sin(6.28 * waves[0][i] * t[:, None] + waves[1][i]) for i in range(3)) / 1.5

    turned = turn_rad * (rng.uniform(-1, 1) + 0.3 * swing(1.0)[:, :1])
    turns = {"pelvis": Rotation.from_rotvec(turned * [0, 1, 0]) * Rotation.from_rotvec(swing(0.1))}
    joints = {"pelvis": np.zeros((frames, 3))}
    for name, (parent, offset) in OFFSETS_M.items():
        joints[name] = joints[parent] + turns[parent].apply(np.array(offset, dtype=float))
        size = 0.15 if name in ("spine", "neck", "nose") else 0.5
        turns[name] = turns[parent] * Rotation.from_rotvec(swing(size))
    body = np.stack([joints[name] for name in H36M_17.joints], axis=1)
    place = np.array([rng.uniform(-0.8, 0.8), rng.uniform(0, 0.3), rng.uniform(4, 6)])
    return body + place + swing(0.1)[:, None]


def projected(joints_m: np.ndarray, matrix: np.ndarray = MATRIX) -> np.ndarray:
    """(..., 2) pixels."""
    plane = joints_m[..., :2] / joints_m[..., 2:]
    return plane * matrix[[0, 1], [0, 1]] + matrix[:2, 2]


def made_clips(
    seed: int, count: int, frames: int, *, inputs: tuple[str, ...] = HUMAN36M_INPUTS
) -> list[PoseClip]:
    """Clips of one subject each, walking or sitting by turns, as far as their labels go."""
    rng = np.random.default_rng(seed)
    clips = []
    for i in range(count):
        joints = made_joints(rng, frames)
        points = projected(joints)[:, [H36M_17.index(name) for name in inputs]]
        clips.append(PoseClip(f"S{seed}{i}", "Walking" if i % 2 else "Sitting", points, joints))
    return clips
