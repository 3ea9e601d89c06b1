"""When soles stand on something, and hands and knees on the floor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pose_shared.skeleton import SKELETON
from scipy.ndimage import label, maximum_filter1d, uniform_filter1d

from pose_server.pipeline.boundary import FloatArray
from pose_server.solve.frames import unit
from pose_server.solve.proportions import Proportions

__all__ = ["CARRIERS", "SOLES", "clearances", "contact_points", "flying", "resting", "supporting"]

#: The speed at which the odds are even, and how much its logarithm counts: alone, and beside the lifter.
_ALONE_M_S, _ALONE = 0.20, 1.8
_BESIDE_M_S, _BESIDE = 0.35, 1.0
#: A point begins to rest where the odds are better than even, and goes on down to these.
_OFF_ODDS = -1.0
_WINDOW_S = 0.08
_SHORTEST_S = 0.08
#: Those of `CONTACT_POINTS` that are soles; lifters know of no others.
SOLES = 4
#: The joint that each of `CONTACT_POINTS` turns with: a knee is the end of its thigh.
CARRIERS = tuple(
    SKELETON.index(side + joint)
    for joint, sides in (
        ("_ankle", ("left", "left", "right", "right")),
        ("_wrist", ("left", "right")),
        ("_hip", ("left", "right")),
    )
    for side in sides
)
#: How thick hands, and knees about their joint, are as a share of the stature; soles are their own ground.
_HAND, _KNEE = 0.015, 0.035
#: A foot held still in the air is no support while the other stands this much lower.
_LOWEST_M = 0.2
#: As far from the floor is on it; hands and knees are known less well.
_ON_GROUND_M = 0.06
_TOUCHING_M = 0.10
_RAMP_S = 0.05
#: How long people fly, and how fast hips seem to fall while they do.
_HOP_S = (0.12, 1.2)
_FALL_M_S2 = (5.0, 16.0)
#: A foot that is missed for less on both sides goes on doing what it did.
_MISSED_S = 0.1
#: Of a foot that is nowhere within this time told more surely than the second, its surest moment is as sure
#: as that, if it is surer than the first.
_STANCE_S = 0.3
_LEAST_SURE, _SURE = 0.1, 0.6


def contact_points(joints_m: FloatArray, rotations: FloatArray, person: Proportions) -> FloatArray:
    """Return (T, C, 3) where `CONTACT_POINTS` are: under the soles, in the middle of hands and of knees.

    Parameters
    ----------
    joints_m
        (T, J, 3) of `SKELETON`.
    rotations
        (T, J, 3, 3) of the joints in the same axes.
    person
        Whose they are.
    """
    hands, knees = (
        [person.rest_offsets_m[SKELETON.index(side + name)] for side in ("left_", "right_")]
        for name in ("hand", "knee")
    )
    offsets = [person.heel_m, person.ball_m] * 2 + [hand / 2 for hand in hands] + knees
    return np.stack(
        [
            joints_m[:, joint] + rotations[:, joint] @ offset
            for joint, offset in zip(CARRIERS, offsets, strict=True)
        ],
        axis=1,
    )


def clearances(person: Proportions) -> FloatArray:
    """Return (C,) how far above the ground each of `contact_points` lies when it touches it."""
    return person.stature_m * np.array([0.0] * SOLES + [_HAND] * 2 + [_KNEE] * 2)


def resting(
    points_m: FloatArray,
    trust: FloatArray,
    told: FloatArray | None,
    *,
    rate_hz: float,
    eye_m: FloatArray | None = None,
) -> NDArray[np.bool_]:
    """Return (T, C) which points rest.

    Parameters
    ----------
    points_m
        (T, C, 3); their speed counts across the view: depth is too noisy to ask.
    trust
        (T, C) how well each is seen.
    told
        (T, S) probability that the lifter gives of the first S, or None.  Nothing else is known to rest
        where trust is 0 for longer than a moment.
    rate_hz
        Frames per second.
    eye_m
        (T, 3) where the camera stands, if not at the origin.

    Notes
    -----
    Odds of the lifter's probability times odds of the speed, with hysteresis.  A probability counts beside
    the largest that the foot has for a while, see `_raised`.
    """
    if len(points_m) < 2:
        return np.zeros(points_m.shape[:2], dtype=bool)
    velocity = np.gradient(points_m, 1 / rate_hz, axis=0)
    sight = unit(points_m if eye_m is None else points_m - eye_m[:, None])
    velocity -= np.sum(velocity * sight, axis=2, keepdims=True) * sight
    window = max(1, round(_WINDOW_S * rate_hz))
    speed = np.linalg.norm(uniform_filter1d(velocity, window, axis=0, mode="nearest"), axis=2)
    speed = np.maximum(speed, 1e-3)
    reach = 2 * round(_MISSED_S * rate_hz) + 1
    seen = maximum_filter1d(trust, reach, axis=0, mode="nearest") > 0
    odds = np.where(seen, _ALONE * np.log(_ALONE_M_S / speed), -np.inf)
    if told is not None:
        sure = np.clip(_raised(_bridged(told, trust > 0, rate_hz), rate_hz), 0.01, 0.99)
        beside = _BESIDE * np.clip(np.log(_BESIDE_M_S / speed[:, : told.shape[1]]), -3, 1)
        odds[:, : told.shape[1]] = np.log(sure / (1 - sure)) + beside
    shortest = max(1, round(_SHORTEST_S * rate_hz))
    rests = np.zeros(odds.shape, dtype=bool)
    for point in range(odds.shape[1]):
        possible = odds[:, point] > _OFF_ODDS
        spans, count = label(possible)
        sure_of = np.bincount(spans[possible & (odds[:, point] > 0)], minlength=count + 1)
        keep = (sure_of > 0) & (np.bincount(spans, minlength=count + 1) >= shortest)
        keep[0] = False
        rests[:, point] = keep[spans]
    return rests


def _bridged(told: FloatArray, seen: NDArray[np.bool_], rate_hz: float) -> FloatArray:
    """Return (T, S) what is told, over moments in which a sole is not seen what is told beside them."""
    result = np.nan_to_num(told)
    rows = np.arange(len(told))
    for sole in range(told.shape[1]):
        places = np.flatnonzero(seen[:, sole] & np.isfinite(told[:, sole]))
        if len(places):
            after = np.clip(np.searchsorted(places, rows), 1, max(len(places) - 1, 1))
            after = np.minimum(after, len(places) - 1)
            near = np.minimum(np.abs(places[after] - rows), np.abs(places[np.maximum(after - 1, 0)] - rows))
            missed = (near > 0) & (near <= max(1, round(_MISSED_S * rate_hz)))
            result[missed, sole] = np.interp(rows[missed], places, told[places, sole])
    return result


def _raised(told: FloatArray, rate_hz: float) -> FloatArray:
    """Return (T, S) what is told of feet that a lifter is never sure of, as those of who runs.

    The surest moment of a foot within a short time counts as sure, unless it is most unsure: the rest
    beside it in proportion.
    """
    reach = 2 * round(_STANCE_S * rate_hz) + 1
    feet = np.repeat(told.reshape(len(told), -1, 2).max(axis=2), 2, axis=1)
    surest = maximum_filter1d(feet, reach, axis=0, mode="nearest")
    unsure = (surest > _LEAST_SURE) & (surest < _SURE)
    return np.where(unsure, told * _SURE / np.maximum(surest, _LEAST_SURE), told)


def supporting(
    rests: NDArray[np.bool_], heights_m: FloatArray, floor_m: float, mode: str, *, rate_hz: float
) -> FloatArray:
    """Return (T, C) 0..1: which of `CONTACT_POINTS` carry; soft at the ends.

    Parameters
    ----------
    rests
        (T, C) of `resting`.
    heights_m, floor_m
        (T, C) heights of their undersides, and that of the floor.
    mode
        One of `CONTACT_MODES`: ``auto`` those that rest, if no other is much lower; ``always``, ``never``;
        ``ground`` those near the floor, at rest or not.  Hands and knees carry only near the floor.
    rate_hz
        Frames per second.
    """
    soles_m = heights_m[:, :SOLES]
    low = np.abs(heights_m - floor_m) < _TOUCHING_M
    low[:, :SOLES] = soles_m - soles_m.min(axis=1, keepdims=True) < _LOWEST_M
    carries = {
        "auto": rests & low,
        "always": np.where(np.arange(rests.shape[1]) < SOLES, True, rests & low),
        "never": np.zeros_like(rests),
        "ground": np.abs(heights_m - floor_m) < _ON_GROUND_M,
    }[mode]
    ramp = 2 * round(_RAMP_S * rate_hz / 2) + 1
    return np.asarray(uniform_filter1d(carries.astype(float), ramp, axis=0, mode="nearest"))


def flying(contacts: FloatArray, height_m: FloatArray, *, rate_hz: float) -> NDArray[np.bool_]:
    """Return (T,) when the whole body flies: between a jump and its landing nothing pulls but gravity.

    Parameters
    ----------
    contacts
        (T, C) 0..1.
    height_m
        (T,) of the root.  Only where it falls about as bodies do is somebody in the air, and not sitting,
        or lying, or with feet that nobody saw.
    rate_hz
        Frames per second.
    """
    spans, count = label(~(contacts > 0).any(axis=1))
    result = np.zeros(len(contacts), dtype=bool)
    for span in range(1, count + 1):
        rows = np.flatnonzero(spans == span)
        bounded = rows[0] > 0 and rows[-1] < len(contacts) - 1
        if bounded and len(rows) >= 4 and _HOP_S[0] <= len(rows) / rate_hz <= _HOP_S[1]:
            fall_m_s2 = -2 * np.polyfit(rows / rate_hz, height_m[rows], 2)[0]
            result[rows] = _FALL_M_S2[0] < fall_m_s2 < _FALL_M_S2[1]
    return result
