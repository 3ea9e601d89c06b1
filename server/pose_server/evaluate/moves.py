"""Cameras that move while they film: on a tripod's head, in a hand, on a rail, around or beside somebody."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.transform import Rotation

from pose_server.evaluate.cleanup import filtered
from pose_server.pipeline.boundary import CameraPath, FloatArray
from pose_server.solve.frames import between, unit

__all__ = ["MOVES", "TRAVELS", "moved_before"]

#: What travels beside that it turns.
TRAVELS = ("handheld", "dolly", "orbit", "beside")
MOVES = ("still", "turning", *TRAVELS)

#: Whoever holds a camera follows the person no faster than this, and trembles this much, so fast.
_FOLLOWS_HZ = 0.5
_SWAY_M, _SWAY_RAD, _SWAY_HZ, _SWAYS = 0.04, math.radians(1.0), (0.2, 2.5), 6
_DOLLY_M_S = 0.5
_ORBIT_RAD_S = math.radians(18)


def moved_before(
    root_m: FloatArray, up: FloatArray, move: str, *, rate_hz: float, rng: np.random.Generator
) -> CameraPath:
    """Return how a camera moves before somebody, in metres.

    Parameters
    ----------
    root_m
        (T, 3) the middle of the hips in the axes of a camera that stands still.
    up
        (3,) up in these axes.
    move
        One of `MOVES`; `still` does not.
    rate_hz
        Frames per second.
    rng
        Draws how hands sway, and which way the others go.
    """
    seconds = np.arange(len(root_m)) / rate_hz
    calm = filtered(root_m[:, None], rate_hz, _FOLLOWS_HZ)[:, 0]
    places = np.zeros_like(root_m)
    turns = np.tile(np.eye(3), (len(root_m), 1, 1))
    side = unit(np.cross(up, calm[0]))
    sign = rng.choice([-1.0, 1.0])
    if move == "dolly":
        places = sign * _DOLLY_M_S * seconds[:, None] * side
    elif move == "orbit":
        about = Rotation.from_rotvec(sign * _ORBIT_RAD_S * seconds[:, None] * up)
        middle = calm.mean(axis=0)
        places = middle - about.apply(middle)
    elif move == "beside":
        way = calm - calm[0]
        places = way - (way @ up)[:, None] * up
    if move in ("handheld", "beside"):
        places = places + _swayed(seconds, _SWAY_M, rng)
    if move != "still":  # whoever films keeps the person in the same place of the picture
        sight = calm - places
        turns = between(sight, np.broadcast_to(sight[0], sight.shape))
        turns = Rotation.from_rotvec(_swayed(seconds, _SWAY_RAD, rng)).as_matrix() @ turns
    return CameraPath(np.arange(len(root_m)), turns, places if move in TRAVELS else None, metric=True)


def _swayed(seconds: FloatArray, size: float, rng: np.random.Generator) -> FloatArray:
    """Return (T, 3) a sway of about this standard deviation, from none at the start."""
    hertz = np.exp(rng.uniform(math.log(_SWAY_HZ[0]), math.log(_SWAY_HZ[1]), (_SWAYS, 1, 3)))
    phase = rng.uniform(0, 2 * math.pi, (_SWAYS, 1, 3))
    # Slow swings are the wide ones.
    share = hertz**-1 / np.sqrt(np.sum(hertz**-2, axis=0))
    swing = np.sum(share * np.sin(2 * math.pi * hertz * seconds[:, None] + phase), axis=0)
    return np.asarray(math.sqrt(2) * size * (swing - swing[:1]))
