"""BVH, the motion capture format that nearly everything opens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pose_server.export.animation import Y_UP, Animation
from pose_server.export.destination import replacing
from pose_server.export.euler import continuous_euler_deg
from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.file_options import PER_METRE, FileOptions

__all__ = ["write_bvh"]


def write_bvh(path: Path, animation: Animation, options: FileOptions) -> None:
    """Write an animation as BVH: joints without rest rotations, and translation where joints move.

    Parameters
    ----------
    path
        File to write.
    animation
        A person's has translation on the root alone, and a T-pose that faces +z with y up.
    options
        Centimetres, y up and ``ZXY`` where they leave the choice.

    Raises
    ------
    InputError
        The file cannot be written there.
    LimitError
        The disk is full.

    Notes
    -----
    The root's offset is zero, so that it does not matter whether a reader adds the position
    channels to the offset or lets them replace it; the position channels of any other joint replace
    its offset, as Blender reads and writes them.  There is no extra T-pose row.  Angles are
    continuous, and so may pass 180 degrees.
    """
    scale, order = PER_METRE[options.unit or "cm"], options.rotation_order or "ZXY"
    moving = animation.unrotated()
    if options.up != "z":
        moving = moving.in_axes(Y_UP)
    tree = list(_walk(moving.parents.tolist()))
    joints = [joint for joint, _ in tree]
    head = [
        "HIERARCHY",
        *_hierarchy(moving, tree, scale, order),
        "MOTION",
        f"Frames: {len(moving)}",
        f"Frame Time: {float(1 / moving.rate)!r}",
        "",
    ]
    places = [joint for joint in joints if joint == 0 or joint in moving.translations_m]
    rows = np.empty((len(moving), 3 * (len(joints) + len(places))))
    column = 0
    for joint in joints:
        if joint in places:
            still = moving.rest_translations_m[joint]
            rows[:, column : column + 3] = moving.translations_m.get(joint, still) * scale
            column += 3
        rows[:, column : column + 3] = continuous_euler_deg(moving.local_rotations_wxyz[:, joint], order)
        column += 3
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(head))
        np.savetxt(file, rows, fmt="%.6f")


def _walk(parents: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Give each joint with its depth in the order of the file, which is also that of its channels."""
    children: list[list[int]] = [[] for _ in parents]
    for child, parent in enumerate(parents):
        if parent >= 0:
            children[parent].append(child)
    waiting = [(0, 0)]
    while waiting:
        joint, depth = waiting.pop()
        yield joint, depth
        waiting += [(child, depth + 1) for child in reversed(children[joint])]


def _hierarchy(moving: Animation, tree: list[tuple[int, int]], scale: float, order: str) -> Iterator[str]:
    rotation = " ".join(f"{axis}rotation" for axis in order)
    for place, (joint, depth) in enumerate(tree):
        pad = "\t" * depth
        offset = moving.rest_translations_m[joint] if depth else np.zeros(3)
        yield f"{pad}{'JOINT' if depth else 'ROOT'} {moving.joint_names[joint]}"
        yield f"{pad}{{"
        yield f"{pad}\tOFFSET {_numbers(offset * scale)}"
        yield f"{pad}\tCHANNELS " + (
            f"6 Xposition Yposition Zposition {rotation}"
            if joint == 0 or joint in moving.translations_m
            else f"3 {rotation}"
        )
        next_depth = tree[place + 1][1] if place + 1 < len(tree) else 0
        if next_depth <= depth:
            yield from (
                f"{pad}\tEnd Site",
                f"{pad}\t{{",
                f"{pad}\t\tOFFSET {_numbers(moving.tips_m[joint] * scale)}",
                f"{pad}\t}}",
            )
            closing = depth + 1 if place + 1 == len(tree) else depth - next_depth + 1
            yield from ("\t" * (depth - i) + "}" for i in range(closing))


def _numbers(values: FloatArray) -> str:
    return " ".join(f"{value:.6f}" for value in values)
