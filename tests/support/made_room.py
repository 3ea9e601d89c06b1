"""A small data set of VideoPose3D's format: made-up people who move in Human3.6M's room."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from pose_server.train.human36m import JOINTS_OF_32, cameras_of
from pose_server.train.pose_sets import write_keypoints, write_positions
from pose_server.train.screen import projected
from pose_shared.skeleton import COCO_17, H36M_17
from scipy.spatial.transform import Rotation

#: Each joint after its parent: rest offset in metres, x to the person's left, z up, facing -y; how
#: much it swings, in radians.
_TREE = {
    "right_hip": ("pelvis", (-0.13, 0, 0), 0.0),
    "right_knee": ("right_hip", (0, 0, -0.44), 0.6),
    "right_ankle": ("right_knee", (0, 0, -0.45), 0.4),
    "left_hip": ("pelvis", (0.13, 0, 0), 0.0),
    "left_knee": ("left_hip", (0, 0, -0.44), 0.6),
    "left_ankle": ("left_knee", (0, 0, -0.45), 0.4),
    "spine": ("pelvis", (0, 0, 0.233), 0.15),
    "neck": ("spine", (0, 0, 0.257), 0.15),
    "nose": ("neck", (0, -0.05, 0.121), 0.2),
    "head_top": ("nose", (0, 0.02, 0.115), 0.1),
    "left_shoulder": ("neck", (0.15, 0, 0), 0.1),
    "left_elbow": ("left_shoulder", (0, 0, -0.28), 0.8),
    "left_wrist": ("left_elbow", (0, 0, -0.25), 0.7),
    "right_shoulder": ("neck", (-0.15, 0, 0), 0.1),
    "right_elbow": ("right_shoulder", (0, 0, -0.28), 0.8),
    "right_wrist": ("right_elbow", (0, 0, -0.25), 0.7),
}


def made_person(seed: int, frames: int, *, swing: float = 1.0) -> np.ndarray:
    """(T, 17, 3) joints in the room, metres, at 50 frames per second; each seed a body of its own.

    All people move their joints together, in four ways that they have in common, as real ones do.
    """
    rng = np.random.default_rng(seed)
    t = np.arange(frames) / 50

    def path(size: float, axes: int = 3) -> np.ndarray:
        speeds, starts = rng.uniform(0.1, 0.9, size=(3, axes)), rng.uniform(0, 6.28, size=(3, axes))
        return size * np.sin(6.28 * t[:, None, None] * speeds + starts).sum(axis=1) / 1.5

    size = rng.uniform(0.92, 1.08)
    lengths = {name: size * rng.uniform(0.94, 1.06) for name in H36M_17.joints}
    for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist"):
        lengths[f"right_{part}"] = lengths[f"left_{part}"]
    ways, mixed = path(1.0, 4), np.random.default_rng(0)
    facing = Rotation.from_euler("z", rng.uniform(0, 6.28) + path(1.0, 1))
    turns = {"pelvis": facing * Rotation.from_rotvec(path(0.1))}
    joints = {"pelvis": np.array([0, 0, 0.92]) * size + path(0.6) * [1, 1, 0.06]}
    for name, (parent, offset, own) in _TREE.items():
        joints[name] = joints[parent] + turns[parent].apply(np.array(offset) * lengths[name])
        turns[name] = turns[parent] * Rotation.from_rotvec(swing * own * ways @ mixed.normal(size=(4, 3)))
    return np.stack([joints[name] for name in H36M_17.joints], axis=1)


def write_made_set(
    folder: Path,
    subjects: dict[str, int],
    *,
    recordings: int = 2,
    layout: str = "h36m",
    keypoints: str = "gt",
    noise_px: float = 0.0,
    swing: float = 1.0,
) -> None:
    """Write `recordings` of so many frames of each subject, seen by Human3.6M's cameras."""
    positions: dict[str, dict[str, np.ndarray]] = {}
    points: dict[str, dict[str, list[np.ndarray]]] = {}
    for subject, frames in subjects.items():
        for recording in range(recordings):
            action = ("Walking", "Sitting", "Walking 1", "Posing")[recording % 4]
            seed = 100 * int(subject[1:]) + recording
            joints = made_person(seed, frames, swing=swing)
            whole = np.zeros((frames, 32, 3), np.float32)
            whole[:, JOINTS_OF_32] = joints
            positions.setdefault(subject, {})[action] = whole
            rng = np.random.default_rng(seed)
            views = []
            for camera in cameras_of(subject):
                seen = torch.from_numpy(camera.seen(joints).astype(np.float32))[None]
                lens = torch.from_numpy(camera.lens)[None]
                pixels = camera.pixels(projected(seen, lens)[0].numpy())
                pixels = pixels + noise_px * rng.normal(size=pixels.shape)
                views.append((pixels if layout == "h36m" else as_coco(pixels)).astype(np.float32))
            points.setdefault(subject, {})[action] = views
    write_positions(folder / "data_3d_h36m.npz", positions)
    write_keypoints(folder / f"data_2d_h36m_{keypoints}.npz", points, layout=layout)


def as_coco(points: np.ndarray) -> np.ndarray:
    """COCO's points of Human3.6M's: limbs as they are, the face around the nose of a face."""
    result = np.empty((len(points), 17, 2))
    neck, top = points[:, H36M_17.index("neck")], points[:, H36M_17.index("head_top")]
    left, right = (points[:, H36M_17.index(f"{side}_shoulder")] for side in ("left", "right"))
    for k, name in enumerate(COCO_17.joints):
        if name in H36M_17.joints and name != "nose":
            result[:, k] = points[:, H36M_17.index(name)]
        else:
            aside = {"left": left - neck, "right": right - neck}.get(name.split("_")[0], 0 * neck)
            result[:, k] = neck + 0.7 * (top - neck) + 0.3 * aside
    return result
