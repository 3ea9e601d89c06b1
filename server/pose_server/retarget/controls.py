"""IK controls that agree with the FK pose, so that a limb can be switched between them without a pop."""

from __future__ import annotations

import numpy as np

from pose_server.pipeline.boundary import FloatArray
from pose_server.retarget.posing import Posed
from pose_server.retarget.reach import bend_sides

__all__ = ["with_ik_controls"]


def with_ik_controls(pose: Posed) -> Posed:
    """Return the pose with the targets and poles of the rig's IK chains."""
    character = pose.character
    found: dict[int, tuple[FloatArray, FloatArray]] = {}
    for chain in character.rig.chains:
        columns = [_column(pose, name) for name in (chain.root, chain.mid, chain.end)]
        if any(column < 0 for column in columns):
            continue
        root, mid, end = columns
        target = character.index[chain.target]
        found[target] = pose.turns[:, end], pose.point_m(end, character.rest_heads_m[target])
        if chain.pole:
            pole = character.index[chain.pole]
            rest = character.rest_heads_m
            named = (chain.root, chain.mid, chain.end, chain.pole)
            a, b, c, p = (rest[character.index[name]] for name in named)
            rest_side = bend_sides(a[None], b[None], c[None], (p - b)[None] / np.linalg.norm(p - b))[0]
            joints = [pose.heads_m[:, column] for column in columns]
            side = bend_sides(joints[0], joints[1], joints[2], pose.turns[:, root] @ rest_side)
            place = pose.heads_m[:, mid] + np.linalg.norm(p - b) * side
            found[pole] = np.broadcast_to(np.eye(3), (len(place), 3, 3)), place
    return pose.joined(found)


def _column(pose: Posed, name: str) -> int:
    places = np.flatnonzero(pose.mapped == pose.character.index[name])
    return int(places[0]) if len(places) else -1
