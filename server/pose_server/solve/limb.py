"""Arms and legs: two bones and a hinge, with a twist that holds still where nothing shows it.

The bend of a limb shows its hinge axis only as well as it is bent.  So the axis is a vector
whose length is its trust (the sine of the bend) plus a little of where anatomy expects it, and
is smoothed along the clip: through a straight limb the twist is carried from the bent frames on
both sides, and a limb that is bent keeps its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pose_server.pipeline.boundary import FloatArray
from pose_server.solve.frames import across, between, framed, unit
from pose_server.solve.smoothing import smoothed

__all__ = ["hinged_limb", "steady_axis"]

#: Trust in a bend of this sine is one; it grows with the fourth power.
_CLEAR_BEND = 0.25
_TWIST_HZ = 2.5
_CLEARLY_EXPECTED = 0.1


def hinged_limb(
    upper: FloatArray,
    lower: FloatArray,
    expected_axis: FloatArray,
    lengths_m: tuple[float, float],
    rest_direction: ArrayLike,
    rest_axis: ArrayLike,
    *,
    rate_hz: float,
) -> tuple[FloatArray, FloatArray]:
    """Return the (T, 3, 3) rotations of a limb's two bones.

    Parameters
    ----------
    upper, lower
        (T, 3) directions of the two bones, of length 1.
    expected_axis
        (T, 3) where anatomy expects the hinge; its length says how strongly, against the sine of
        the bend.
    lengths_m
        Of the two bones.
    rest_direction, rest_axis
        (3,) of both bones and of the hinge at rest, about which a positive turn bends the limb.
    rate_hz
        Frames per second.

    Notes
    -----
    A joint that seems bent the wrong way is noise in depth: the limb is then straight along the
    line from its first to its last joint.
    """
    seen, expected = np.cross(upper, lower), across(expected_axis, upper)
    strength = np.linalg.norm(expected, axis=1, keepdims=True)
    ahead = expected / np.maximum(strength, 1e-6)
    # An axis that points the other way than anatomy has it is a limb bent backwards, not one turned round.
    against = np.minimum(np.sum(seen * ahead, axis=1, keepdims=True), 0.0)
    seen -= against * ahead * np.minimum(strength / _CLEARLY_EXPECTED, 1.0)
    axis = steady_axis(upper, seen + expected, rate_hz=rate_hz)
    bend = np.arctan2(np.sum(np.cross(upper, lower) * axis, axis=1), np.sum(upper * lower, axis=1))
    whole = lengths_m[0] * upper + lengths_m[1] * lower
    whole = np.where(np.linalg.norm(whole, axis=1, keepdims=True) > 1e-6, whole, upper)
    backwards = bend < 0
    upper = np.where(backwards[:, None], unit(whole), upper)
    bend = np.where(backwards, 0.0, bend)
    first = framed(upper, axis, rest_direction, rest_axis)
    hinge = unit(across(axis, upper))
    sine, cosine = np.sin(bend)[:, None], np.cos(bend)[:, None]
    second = framed(upper * cosine + np.cross(hinge, upper) * sine, hinge, rest_direction, rest_axis)
    return first, second


def steady_axis(
    bone: FloatArray, axis: FloatArray, *, rate_hz: float, cutoff_hz: float = _TWIST_HZ
) -> FloatArray:
    """Return (T, 3) unit directions across (T, 3) bones, smoothed in a frame that the bone carries along.

    The length of each direction is how far it is trusted, 1 being a lot.  The frame is moved from
    one bone direction to the next without twist (parallel transport), so it has no pole at which
    it would spin.
    """
    along = np.empty_like(bone)
    along[0] = unit(across(axis[:1], bone[:1]))[0]
    if not np.isfinite(along[0]).all():
        along[0] = unit(across(np.eye(3)[[np.argmin(np.abs(bone[0]))]], bone[:1]))[0]
    for t, turn in enumerate(between(bone[:-1], bone[1:])):
        along[t + 1] = turn @ along[t]
    aside = np.cross(bone, along)
    seen = np.stack([np.sum(axis * along, axis=1), np.sum(axis * aside, axis=1)], axis=1)
    length = np.linalg.norm(seen, axis=1)
    target = seen / np.maximum(length, 1e-6)[:, None]
    steady = smoothed(
        target, rate_hz=rate_hz, cutoff_hz=cutoff_hz, weights=np.clip((length / _CLEAR_BEND) ** 4, 1e-3, 1e3)
    )
    steady = np.where(np.linalg.norm(steady, axis=1, keepdims=True) > 1e-3, steady, target)
    return unit(steady[:, :1] * along + steady[:, 1:] * aside)
