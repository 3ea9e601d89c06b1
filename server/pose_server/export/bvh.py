"""BVH, the motion capture format that nearly everything opens."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import permutations
from pathlib import Path
from typing import Literal

import numpy as np
from pose_shared.errors import InputError
from scipy.spatial.transform import Rotation

from pose_server.export.bones import rest_bones
from pose_server.export.destination import replacing
from pose_server.pipeline.boundary import FloatArray, Motion

__all__ = ["write_bvh"]

_PER_METRE = {"cm": 100.0, "m": 1.0}
_ORDERS = tuple("".join(order) for order in permutations("XYZ"))
# Our x, y, z (left, back, up) in BVH's world of y up: x, z, -y.
_AXES = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


def write_bvh(
    path: Path, motion: Motion, *, unit: Literal["cm", "m"] = "cm", rotation_order: str = "ZXY"
) -> None:
    """Write a motion as BVH: y up, a T-pose that faces +z, translation on the root alone.

    Parameters
    ----------
    path
        File to write.
    motion
        Of one person.
    unit
        Of every length in the file.
    rotation_order
        Of the channels; ``ZXY`` means R = Rz Rx Ry.

    Raises
    ------
    InputError
        There is no such unit or order, or the file cannot be written there.
    LimitError
        The disk is full.

    Notes
    -----
    The root's offset is zero, so that it does not matter whether a reader adds the position
    channels to the offset or lets them replace it.  There is no extra T-pose row.  Angles are
    continuous, and so may pass 180 degrees.
    """
    if unit not in _PER_METRE:
        raise InputError(f"There is no BVH unit '{unit}'; choose cm or m.", reason="UNIT_UNKNOWN", value=unit)
    if rotation_order not in _ORDERS:
        raise InputError(
            f"There is no rotation order '{rotation_order}'; choose from {', '.join(_ORDERS)}.",
            reason="ROTATION_ORDER_UNKNOWN",
            value=rotation_order,
        )
    scale = _PER_METRE[unit]
    tree = list(_walk(motion.parents.tolist()))
    lines = ["HIERARCHY", *_hierarchy(motion, tree, scale, rotation_order)]
    lines += ["MOTION", f"Frames: {len(motion)}", f"Frame Time: {float(1 / motion.rate)!r}", ""]

    angles = _continuous_euler_deg(motion.local_rotations_wxyz, rotation_order)
    joints = [joint for joint, _ in tree]
    root = motion.root_world_m @ _AXES.T * scale
    rows = np.concatenate([root, angles[:, joints].reshape(len(motion), -1)], axis=1)
    text = io.StringIO()
    np.savetxt(text, rows, fmt="%.6f")
    with replacing(path) as part:
        part.write_text("\n".join(lines) + text.getvalue(), encoding="utf-8")


def _walk(parents: Sequence[int], joint: int = 0, depth: int = 0) -> Iterator[tuple[int, int]]:
    """Give each joint with its depth in the order of the file, which is also that of its channels."""
    yield joint, depth
    for child, parent in enumerate(parents):
        if parent == joint:
            yield from _walk(parents, child, depth + 1)


def _hierarchy(
    motion: Motion, tree: list[tuple[int, int]], scale: float, rotation_order: str
) -> Iterator[str]:
    bones = rest_bones(motion)
    rotation = " ".join(f"{axis}rotation" for axis in rotation_order)
    for place, (joint, depth) in enumerate(tree):
        pad = "\t" * depth
        offset = motion.rest_offsets_m[joint] if depth else np.zeros(3)
        yield f"{pad}{'JOINT' if depth else 'ROOT'} {motion.joint_names[joint]}"
        yield f"{pad}{{"
        yield f"{pad}\tOFFSET {_numbers(offset, scale)}"
        yield f"{pad}\tCHANNELS " + (
            f"3 {rotation}" if depth else f"6 Xposition Yposition Zposition {rotation}"
        )
        next_depth = tree[place + 1][1] if place + 1 < len(tree) else 0
        if next_depth <= depth:
            tip = np.subtract(bones[joint].tail_m, bones[joint].head_m)
            yield from (
                f"{pad}\tEnd Site",
                f"{pad}\t{{",
                f"{pad}\t\tOFFSET {_numbers(tip, scale)}",
                f"{pad}\t}}",
            )
            closing = depth + 1 if place + 1 == len(tree) else depth - next_depth + 1
            yield from ("\t" * (depth - i) + "}" for i in range(closing))


def _numbers(offset_m: FloatArray, scale: float) -> str:
    return " ".join(f"{value:.6f}" for value in _AXES @ offset_m * scale)


def _continuous_euler_deg(local_wxyz: FloatArray, order: str) -> FloatArray:
    """Return (T, J, 3) angles in the order of the channels, each frame's as near as can be to the last one's.

    Notes
    -----
    A rotation has two triples of Euler angles, (a, b, c) and (a + 180, 180 - b, c + 180), and each
    angle may gain full turns.
    """
    # Turning the rotation vector turns the rotation into BVH's axes.
    turned = np.concatenate([local_wxyz[..., :1], local_wxyz[..., 1:] @ _AXES.T], axis=-1)
    rotations = Rotation.from_quat(turned.reshape(-1, 4), scalar_first=True)
    first = rotations.as_euler(order, degrees=True, suppress_warnings=True).reshape(*local_wxyz.shape[:2], 3)
    second = np.stack([first[..., 0] + 180, 180 - first[..., 1], first[..., 2] + 180], axis=-1)
    angles: FloatArray = first.copy()
    for frame in range(1, len(angles)):
        last = angles[frame - 1]
        near = [choice[frame] + 360 * np.round((last - choice[frame]) / 360) for choice in (first, second)]
        steps = [np.abs(choice - last).sum(axis=1, keepdims=True) for choice in near]
        angles[frame] = np.where(steps[0] <= steps[1], near[0], near[1])
    return angles
