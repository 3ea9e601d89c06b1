"""Two bones that reach a goal: the triangle of thigh and shin, or of upper arm and forearm."""

from __future__ import annotations

import numpy as np

from pose_server.pipeline.boundary import FloatArray

__all__ = ["bend_sides", "bent", "frames", "shortest_turns", "steps_rad"]

#: A limb is never stretched beyond this share of its length, or its middle joint would snap.
_STRAIGHT = 0.9995
#: A middle joint that is less off the line than this hardly shows the plane of its limb.
_CLEARLY_BENT_M = 0.01


def bent(
    root_m: FloatArray, goal_m: FloatArray, lengths_m: tuple[float, float], towards: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return where the middle joint and the end come to be.

    Parameters
    ----------
    root_m, goal_m
        (T, 3) where the limb begins, and where its end should be.
    lengths_m
        Of its two bones.
    towards
        (T, 3) the side to which the middle joint bends, about any length; need not be at a right angle.

    Returns
    -------
    tuple
        (T, 3) middle joint and end; the end is the goal unless that is out of reach.
    """
    first, second = lengths_m
    way = goal_m - root_m
    far = np.linalg.norm(way, axis=1, keepdims=True)
    along = way / np.maximum(far, 1e-9)
    reach = np.clip(far, abs(first - second) + 1e-6, _STRAIGHT * (first + second))
    # Law of cosines: how far along the way the middle joint's foot lies, and how far off it.
    foot = (first**2 - second**2 + reach**2) / (2 * reach)
    off = np.sqrt(np.maximum(first**2 - foot**2, 0.0))
    aside = towards - np.sum(towards * along, axis=1, keepdims=True) * along
    aside /= np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-9)
    return root_m + foot * along + off * aside, root_m + reach * along


def bend_sides(root_m: FloatArray, mid_m: FloatArray, end_m: FloatArray, front: FloatArray) -> FloatArray:
    """Return the (T, 3) unit directions to which limbs bend.

    Parameters
    ----------
    root_m, mid_m, end_m
        (T, 3) joints of the limb.
    front
        (T, 3) unit directions that straight limbs would bend to, which do not show it.
    """
    way = end_m - root_m
    share = np.sum((mid_m - root_m) * way, axis=1) / np.maximum(np.sum(way**2, axis=1), 1e-12)
    aside = mid_m - root_m - share[:, None] * way
    unclear = np.maximum(_CLEARLY_BENT_M - np.linalg.norm(aside, axis=1, keepdims=True), 0.0)
    side = aside + unclear * front
    return np.asarray(side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9))


def frames(along: FloatArray, across: FloatArray) -> FloatArray:
    """Return (T, 3, 3) right-handed axes as columns: along (T, 3), then as near to `across` as can be."""
    x = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
    y = across - np.sum(across * x, axis=1, keepdims=True) * x
    y /= np.maximum(np.linalg.norm(y, axis=1, keepdims=True), 1e-12)
    return np.stack([x, y, np.cross(x, y)], axis=2)


def shortest_turns(start: FloatArray, end: FloatArray) -> FloatArray:
    """Return (T, 3, 3) the shortest rotations of (T, 3) directions into others (Rodrigues' formula)."""
    a = start / np.maximum(np.linalg.norm(start, axis=1, keepdims=True), 1e-12)
    b = end / np.maximum(np.linalg.norm(end, axis=1, keepdims=True), 1e-12)
    axis = np.cross(a, b)
    cosine = np.sum(a * b, axis=1)
    skew = np.zeros((len(a), 3, 3))
    skew[:, [2, 0, 1], [1, 2, 0]] = axis
    skew[:, [1, 2, 0], [2, 0, 1]] = -axis
    share = 1 / np.maximum(1 + cosine, 1e-9)
    return np.asarray(np.eye(3) + skew + share[:, None, None] * (skew @ skew))


def steps_rad(turns: FloatArray) -> FloatArray:
    """Return (T - 1,) the angles between neighbours of (T, 3, 3) turns: |A - B| = sqrt(8) sin(angle / 2)."""
    apart = np.linalg.norm(np.diff(turns, axis=0), axis=(1, 2)) / np.sqrt(8)
    return np.asarray(2 * np.arcsin(np.clip(apart, 0, 1)))
