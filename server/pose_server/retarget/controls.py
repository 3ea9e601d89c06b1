"""IK controls that agree with the FK pose, so that a limb can be switched between them without a pop."""

from __future__ import annotations

import numpy as np

from pose_server.pipeline.boundary import FloatArray
from pose_server.retarget.posing import Posed

__all__ = ["with_ik_controls"]

#: Where a limb is nearly straight its plane is that of the bone's own front, this much of its length.
_FRONT = 0.02


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
            towards = _aside(a[None], b[None], c[None])[0]
            front = p - b if np.linalg.norm(towards) < 1e-4 else towards
            side = _aside(*(pose.heads_m[:, column] for column in columns))
            side = side + _FRONT * pose.turns[:, root] @ (front / np.linalg.norm(front))
            side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
            place = pose.heads_m[:, mid] + np.linalg.norm(p - b) * side
            found[pole] = np.broadcast_to(np.eye(3), (len(place), 3, 3)), place
    return pose.joined(found)


def _column(pose: Posed, name: str) -> int:
    places = np.flatnonzero(pose.mapped == pose.character.index[name])
    return int(places[0]) if len(places) else -1


def _aside(root_m: FloatArray, mid_m: FloatArray, end_m: FloatArray) -> FloatArray:
    """Return (T, 3) how far the middle joint lies off the line from one end to the other."""
    way = end_m - root_m
    share = np.sum((mid_m - root_m) * way, axis=1) / np.maximum(np.sum(way**2, axis=1), 1e-12)
    return np.asarray(mid_m - root_m - share[:, None] * way)
