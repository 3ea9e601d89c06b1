"""How far a camera travelled, by the size of the people before it: soles at rest do not move.

What is known of a camera's way up to one factor is as much too long as everybody's feet slide against it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pose_server.pipeline.boundary import FloatArray
from pose_server.solve.contacts import resting
from pose_server.solve.frames import unit

__all__ = ["Soles", "Way", "way_of"]

#: How far off soles at rest are seen, across the view and along it.
_ACROSS_M, _ALONG_M = 0.01, 0.05
#: A step that lasts longer counts as several; a sole errs alike for so long.
_STEP_S = 0.4
_ERRS_ALIKE_S = 0.8
#: Steps between which a first guess compares, and how many it looks at.
_LAG_S = 0.1
_GUESSES, _LOOKS = 150, 3000
#: A factor that is known no better than to this share is none.
_UNSURE = 0.5
#: Cameras are carried, pushed and driven, but not at more than this.
_FASTEST_M_S = 15.0
#: Bodies whose steps nobody sees move about as fast.
_BODY_M_S = 0.8
_PASSES, _SETTLED = 5, 1e-3
#: So many expected errors make a step an outlier.
_OUTLYING = 3.0


class Soles(NamedTuple):
    """One person's soles as a moving camera has them."""

    camera_m: FloatArray
    """(T, C, 3) from the camera, in axes that stand still; NaN where unknown."""
    trust: FloatArray
    """(T, C) 0..1."""
    told: FloatArray | None
    """(T, C) 0..1 what the lifter says of contacts."""
    places: FloatArray
    """(T, 3) of the camera, from its first place, in the same axes, up to the factor."""
    root_m: FloatArray
    """(T, 3) the middle of the hips from the camera; NaN where unknown."""


class Way(NamedTuple):
    """What the steps say of a camera's way."""

    factor: float
    """By which places are multiplied to be in the people's unit."""
    error: float
    """The expected error of its logarithm."""


def way_of(people: Sequence[Soles], *, rate_hz: float) -> Way | None:
    """Return how long the way was that one camera went before all these people; None where nothing tells.

    Notes
    -----
    A first guess is the factor that leaves most soles where they were a moment ago.  Under it
    `resting` finds the steps, each of which gives an estimate by least squares, with its variance; their
    mean, outliers less (Geman and McClure), is the next guess.  Where no steps are seen, a camera that is
    much faster than people are is told from bodies that seem to fly around it.
    """
    if not people:
        return None
    people = [_known(person) for person in people]
    factor = _guess(people, rate_hz)
    way = None
    for _ in range(_PASSES if factor else 0):
        way = _measured(people, factor, rate_hz)
        if way is None or abs(way.factor / factor - 1) < _SETTLED:
            break
        factor = way.factor
    way = way or _of_bodies(people, rate_hz)
    speed = max(_speed(person.places, rate_hz) for person in people)
    return way if way and way.error < _UNSURE and way.factor * speed < _FASTEST_M_S else None


def _known(person: Soles) -> Soles:
    missing = ~np.isfinite(person.camera_m).all(axis=2)
    return person._replace(
        camera_m=np.where(missing[..., None], [0.0, 0.0, 1.0], person.camera_m),
        trust=np.where(missing, 0.0, person.trust),
    )


def _speed(places: FloatArray, rate_hz: float) -> float:
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    return rate_hz * float(np.median(steps)) if len(steps) else 0.0


def _of_bodies(people: Sequence[Soles], rate_hz: float) -> Way | None:
    """Return the factor under which hips move least."""
    moves = np.concatenate([np.diff(person.root_m, axis=0) for person in people])
    ways = np.concatenate([np.diff(person.places, axis=0) for person in people])
    known = np.isfinite(moves).all(axis=1)
    moves, ways = moves[known], ways[known]
    square = float(np.sum(ways**2))
    factor = -float(np.sum(moves * ways)) / square if square > 0 else 0.0
    if factor <= 0:
        return None
    return Way(factor, _BODY_M_S / (factor * rate_hz * math.sqrt(square / len(ways))))


def _weighed(vectors: FloatArray, sight: FloatArray) -> FloatArray:
    """Return (..., 3) vectors in expected errors of a sole that is seen along unit `sight`."""
    along = np.sum(vectors * sight, axis=-1, keepdims=True) * sight
    return np.asarray((vectors - along) / _ACROSS_M + along / _ALONG_M)


def _guess(people: Sequence[Soles], rate_hz: float) -> float:
    """Return the factor under which most soles stay; 0 for none."""
    lag = max(1, round(_LAG_S * rate_hz))
    moves, ways, weights = [np.zeros((0, 3))], [np.zeros((0, 3))], [np.zeros(0)]
    for person in people:
        soles, places = person.camera_m, person.places
        sight = unit(soles[lag:])
        way = np.broadcast_to((places[lag:] - places[:-lag])[:, None], sight.shape)
        weight = np.minimum(person.trust[lag:], person.trust[:-lag])
        if person.told is not None:
            weight = weight * np.nan_to_num(np.minimum(person.told[lag:], person.told[:-lag]))
        moves.append(_weighed(soles[lag:] - soles[:-lag], sight).reshape(-1, 3))
        ways.append(_weighed(way, sight).reshape(-1, 3))
        weights.append(weight.ravel())
    move, way, weight = (np.concatenate(parts) for parts in (moves, ways, weights))
    every = max(1, len(move) // _LOOKS)
    move, way, weight = move[::every], way[::every], weight[::every]
    square = np.sum(way**2, axis=1)
    telling = (weight > 0) & (square > 0)
    if not telling.any():
        return 0.0
    factors = -np.sum(move * way, axis=1)[telling] / square[telling]
    factors = factors[factors > 0]
    if not len(factors):
        return 0.0
    guesses = np.quantile(factors, np.linspace(0, 1, _GUESSES))
    off = np.sum((move + guesses[:, None, None] * way) ** 2, axis=2)
    return float(guesses[np.argmax((weight / (1 + off)).sum(axis=1))])


def _measured(people: Sequence[Soles], factor: float, rate_hz: float) -> Way | None:
    """Return the factor by the steps that rest under another one."""
    found, sure = [np.zeros(0)], [np.zeros(0)]
    for person in people:
        eye_m = factor * person.places
        rests = resting(
            person.camera_m + eye_m[:, None], person.trust, person.told, rate_hz=rate_hz, eye_m=eye_m
        )
        rests &= person.trust > 0
        for sole in range(rests.shape[1]):
            steps = _steps(rests[:, sole], round(_STEP_S * rate_hz))
            value, weight = _of_steps(person.camera_m[:, sole], person.places, steps)
            found.append(value)
            sure.append(weight / max(1.0, _ERRS_ALIKE_S * rate_hz))
    values, weights = np.concatenate(found), np.concatenate(sure)
    if not weights.sum() > 0:
        return None
    off = (values - factor) ** 2 * weights
    robust = weights * (_OUTLYING**2 / (_OUTLYING**2 + off)) ** 2
    mean = float(np.sum(robust * values) / robust.sum())
    return Way(mean, float(robust.sum() ** -0.5) / mean) if mean > 0 else None


def _steps(rests: NDArray[np.bool_], longest: int) -> NDArray[np.intp]:
    """Return (T,) the number of the step that each row is part of, -1 for none; long ones are several."""
    result = np.full(len(rests), -1)
    count = 0
    for first, end in pairwise(np.flatnonzero(np.diff(rests, prepend=False, append=False))):
        if rests[first]:
            parts = max(1, math.ceil((end - first) / longest))
            result[first:end] = count + np.arange(end - first) * parts // (end - first)
            count += parts
    return result


def _of_steps(
    sole_m: FloatArray, places: FloatArray, steps: NDArray[np.intp]
) -> tuple[FloatArray, FloatArray]:
    """Return (S,) the factor under which a sole stays nearest to one place in each step, and how sure it is.

    Least squares for the place and the factor; the place is eliminated.
    """
    sole_m, places, steps = sole_m[steps >= 0], places[steps >= 0], steps[steps >= 0]
    if not len(steps):
        return np.zeros(0), np.zeros(0)
    first = np.flatnonzero(np.diff(steps, prepend=-1))
    sight = unit(sole_m)
    inverse = np.eye(3) / _ACROSS_M**2 + (_ALONG_M**-2 - _ACROSS_M**-2) * sight[:, :, None] * sight[:, None]
    both = np.stack([sole_m, places], axis=2)
    middle = np.linalg.solve(np.add.reduceat(inverse, first), np.add.reduceat(inverse @ both, first))
    soles, way = _weighed(np.moveaxis(both - middle[steps], 2, 0), sight)
    square = np.add.reduceat(np.sum(way**2, axis=1), first)
    moved = np.add.reduceat(np.sum(soles * way, axis=1), first)
    return np.asarray(-moved / np.where(square > 0, square, 1.0)), square
