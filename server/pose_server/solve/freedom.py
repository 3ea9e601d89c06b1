"""Degrees of freedom of a body: the root's place and turns of some joints, and how points follow them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.kinematics import global_rotations

__all__ = ["Freedom"]


class Freedom:
    """First the root's place, then turns about axes of each joint's parent.

    Parameters
    ----------
    balls
        Joints that turn about three axes.
    hinges
        Joints that turn about one, with it.
    """

    def __init__(self, balls: Sequence[str], hinges: Mapping[str, tuple[float, float, float]]) -> None:
        turns = [(joint, axis) for joint in balls for axis in np.eye(3)]
        turns += [(joint, np.array(axis)) for joint, axis in hinges.items()]
        self.turned = (*balls, *hinges)
        self.joints = np.array([SKELETON.index(joint) for joint, _ in turns])
        self.axes = np.array([axis for _, axis in turns])
        self.count = 3 + len(turns)

    def columns(self, joint: str) -> NDArray[np.intp]:
        """Return which of them turn a joint."""
        return 3 + np.flatnonzero(self.joints == SKELETON.index(joint))

    def derivatives(
        self, local_wxyz: FloatArray, joints_m: FloatArray, points_m: FloatArray, carriers: Sequence[int]
    ) -> FloatArray:
        """Return (T, N, D, 3): how points (T, N, 3), each fixed to its carrier, move with each of them."""
        rotations = global_rotations(local_wxyz, SKELETON.parents)
        parents = np.array(SKELETON.parents)[self.joints]
        frame = np.where((parents >= 0)[:, None, None], rotations[:, parents], np.eye(3))
        axes = np.einsum("tdij,dj->tdi", frame, self.axes)
        result = np.empty((*points_m.shape[:2], self.count, 3))
        result[:, :, :3] = np.eye(3)
        result[:, :, 3:] = np.cross(axes[:, None], points_m[:, :, None] - joints_m[:, None, self.joints])
        moves = np.array([[joint in _chain(carrier) for joint in self.joints] for carrier in carriers])
        result[:, :, 3:] *= moves[..., None]
        return result

    def moved(
        self, local_wxyz: FloatArray, root_m: FloatArray, step: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return rotations and root places after small changes (T, D)."""
        local = local_wxyz.copy()
        for joint in self.turned:
            index, columns = SKELETON.index(joint), self.columns(joint)
            turn = Rotation.from_rotvec(step[:, columns] @ self.axes[columns - 3])
            now = Rotation.from_quat(local[:, index], scalar_first=True)
            local[:, index] = (turn * now).as_quat(scalar_first=True)
        return local, root_m + step[:, :3]

    def accelerations(self, local_wxyz: FloatArray, root_m: FloatArray) -> FloatArray:
        """Return (T - 2, D) second differences of each of them, per frame squared."""
        frames = len(root_m)
        speeds = np.empty((max(frames - 1, 0), self.count))
        speeds[:, :3] = np.diff(root_m, axis=0)
        for joint in self.turned:
            turns = Rotation.from_quat(local_wxyz[:, SKELETON.index(joint)], scalar_first=True)
            columns = self.columns(joint)
            if frames > 1:
                speeds[:, columns] = (turns[1:] * turns[:-1].inv()).as_rotvec() @ self.axes[columns - 3].T
        return np.diff(speeds, axis=0)


def _chain(joint: int) -> set[int]:
    """Return a joint and all above it."""
    found = set()
    while joint >= 0:
        found.add(joint)
        joint = SKELETON.parents[joint]
    return found
