"""The joints of a motion as the bones of a T-pose, for receivers that think in bones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pose_shared.skeleton import SKELETON

from pose_server.pipeline.boundary import FloatArray, Motion
from pose_server.pipeline.kinematics import tip_scale

__all__ = ["Bone", "rest_bones"]

_SHORTEST_M = 1e-3
_FORWARD, _BACKWARD, _DOWN = (0.0, -1.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0)


@dataclass(frozen=True)
class Bone:
    """One bone at rest, in a T-pose that faces -y with z up, metres."""

    name: str
    """Of the bone and of the joint at its head."""
    parent: int
    """Index of the parent bone, -1 for the root."""
    head_m: tuple[float, float, float]
    tail_m: tuple[float, float, float]
    z_axis: tuple[float, float, float]
    """Unit vector at a right angle to the bone."""

    @property
    def axes(self) -> FloatArray:
        """(3, 3) columns: the bone's local x, y (head to tail) and z in the armature."""
        y = np.subtract(self.tail_m, self.head_m)
        y /= np.linalg.norm(y)
        z = np.asarray(self.z_axis)
        return np.stack([np.cross(y, z), y, z], axis=1)


def rest_bones(motion: Motion) -> tuple[Bone, ...]:
    """Return one bone per joint, in the order of the joints.

    Notes
    -----
    A bone runs from its joint to the joint's first child (the spine for the pelvis, the neck for
    the chest), a leaf's to the tip that `SKELETON` names, scaled by the person's legs.  The root
    stands over x = y = 0, as high as puts the lowest point of the T-pose on z = 0.

    The local axes make every hinge turn about local x, and bending positive: elbows bring the
    hand forward, knees the heel back, the trunk and the head bow, the foot points its toes.  So z
    points forward on the trunk and the arms, backward on thigh and shin, down on the foot.
    """
    heads = np.zeros((len(motion.joint_names), 3))
    for joint, parent in enumerate(motion.parents):
        if parent >= 0:
            heads[joint] = heads[parent] + motion.rest_offsets_m[joint]
    tails = heads + _tail_offsets(motion)
    lift = np.array([0.0, 0.0, -min(heads[:, 2].min(), tails[:, 2].min())])
    return tuple(
        Bone(
            name=name,
            parent=int(parent),
            head_m=_triple(head + lift),
            tail_m=_triple(tail + lift),
            z_axis=_triple(_z_axis(name, tail - head)),
        )
        for name, parent, head, tail in zip(motion.joint_names, motion.parents, heads, tails, strict=True)
    )


def _tail_offsets(motion: Motion) -> FloatArray:
    offsets = motion.rest_offsets_m.astype(np.float64)
    parents = motion.parents.tolist()
    tails = np.empty_like(offsets)
    scale = tip_scale(motion.joint_names, offsets)
    for joint, name in enumerate(motion.joint_names):
        if joint in parents:
            tails[joint] = offsets[parents.index(joint)]
        elif name in SKELETON.tips_m:
            tails[joint] = np.multiply(SKELETON.tips_m[name], scale)
        else:
            tails[joint] = offsets[joint]
        # Blender drops bones without length.
        if np.linalg.norm(tails[joint]) < _SHORTEST_M:
            tails[joint] = (0.0, 0.0, 0.01)
    return tails


def _z_axis(name: str, along: FloatArray) -> FloatArray:
    if name.endswith(("_hip", "_knee")):
        wanted = _BACKWARD
    elif name.endswith(("_ankle", "_toe")):
        wanted = _DOWN
    else:
        wanted = _FORWARD
    y = along / np.linalg.norm(along)
    z = wanted - np.dot(wanted, y) * y
    return np.asarray(z / np.linalg.norm(z))


def _triple(values: FloatArray) -> tuple[float, float, float]:
    x, y, z = (float(np.float32(value)) for value in values)
    return x, y, z
