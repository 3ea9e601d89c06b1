"""A Human3.6M of made-up people, in the files that others prepare from the real one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from made_people import made_joints
from pose_server.train.human36m import JOINTS_OF_32, cameras_of
from pose_server.train.pose_sets import write_keypoints, write_positions
from pose_shared.skeleton import H36M_17

#: Actions as the archives name them; the second take of each has a number.
ACTIONS = ("Sitting", "Sitting 1", "SittingDown 1")


def write_pose_set(folder: Path, *, subjects: tuple[str, ...] = ("S1", "S9"), frames: int = 40) -> None:
    """Write ``data_3d_h36m.npz``, and ``data_2d_h36m_gt.npz`` with the projections of all cameras."""
    rng = np.random.default_rng(0)
    rooms: dict[str, dict[str, np.ndarray]] = {}
    points: dict[str, dict[str, list[np.ndarray]]] = {}
    for subject in subjects:
        cameras = cameras_of(subject)
        for action in ACTIONS:
            first = made_joints(rng, frames)
            rotation, translation = cameras[0].rotation, cameras[0].translation_m
            assert rotation is not None
            assert translation is not None
            world = (first - translation) @ rotation
            all_32 = np.zeros((frames, 32, 3), dtype=np.float32)
            all_32[:, JOINTS_OF_32] = world
            rooms.setdefault(subject, {})[action] = all_32
            views = []
            for camera in cameras:
                joints = camera.seen(world)
                assert camera.lens is not None
                screen = joints[..., :2] / joints[..., 2:] * camera.lens[:2] + camera.lens[2:4]
                # Films run a little longer than the capture.
                views.append(np.concatenate([camera.pixels(screen), np.zeros((3, 17, 2))]).astype(np.float32))
            points.setdefault(subject, {})[action] = views
    write_positions(folder / "data_3d_h36m.npz", rooms)
    write_keypoints(folder / "data_2d_h36m_gt.npz", points, layout="h36m")
    assert len(H36M_17) == len(JOINTS_OF_32)
