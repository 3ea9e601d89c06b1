"""Finds new people: the person detector on the whole picture and on tiles of it, a few per frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pose_server.detect.networks import PERSON_PIXELS, PersonNetwork
from pose_server.detect.roi import Picture, Roi

__all__ = ["Candidate", "Scanner", "tiles"]

#: The detector sees people who are a fifth of its picture or larger.  Tiles of the picture's short side
#: and of this part of it see them from about a ninth of the short side on.
_SMALL_TILE = 0.55
_OVERLAP = 0.4
_SMALLEST_TILE_PX = 200
#: A person's square times this is a good tile to look for them again.
_LOCAL_TILE = 1.8
#: Candidates closer than this, in units of the larger square, are one.
_SAME_PLACE = 0.2


@dataclass(frozen=True)
class Candidate:
    """Where somebody might be."""

    roi: Roi
    score: float
    """0..1 of the person detector."""


def tiles(width: int, height: int, *, small: bool = True) -> list[Roi]:
    """Return squares that cover a picture in up to three sizes, the largest first.

    Parameters
    ----------
    width, height
        Of the picture, pixels.
    small
        False for the one square around the whole picture.
    """
    long_side, short_side = max(width, height), min(width, height)
    squares = [Roi(width / 2, height / 2, float(long_side), 0.0)]
    for side in (float(short_side), short_side * _SMALL_TILE) if small else ():
        if side < _SMALLEST_TILE_PX or side > 0.9 * squares[-1].side:
            continue
        squares += [Roi(x, y, side, 0.0) for y in _centres(height, side) for x in _centres(width, side)]
    return squares


def _centres(length: int, side: float) -> list[float]:
    count = 1 + math.ceil(max(0.0, length - side) / (side * (1 - _OVERLAP)) - 1e-9)
    if count == 1:
        return [length / 2]
    return [float(x) for x in np.linspace(side / 2, length - side / 2, count)]


class Scanner:
    """Looks at every tile once per cycle, and at places that somebody has been lost from.

    The first frame gets all tiles, later ones take turns.

    Parameters
    ----------
    network
        The person detector.
    squares
        What `tiles` returned.
    cycle
        Frames in which to look at all of them.
    """

    def __init__(self, network: PersonNetwork, squares: Sequence[Roi], cycle: int) -> None:
        self._network = network
        self._squares = squares
        self._pace = len(squares) / cycle
        self._due = float(len(squares))
        self._next = 0
        self._asked: list[Roi] = []

    def start(self, picture: Picture, lost: Sequence[Roi]) -> None:
        """Begin to look at this frame's share of the tiles, and around each lost person."""
        self._asked = [Roi(roi.x, roi.y, roi.side * _LOCAL_TILE, 0.0) for roi in lost]
        while self._due >= 1:
            self._asked.append(self._squares[self._next])
            self._next = (self._next + 1) % len(self._squares)
            self._due -= 1
        self._due += self._pace
        for square in self._asked:
            self._network.send(square.crop(picture, PERSON_PIXELS))

    def finish(self) -> list[Candidate]:
        """Return whom this frame's tiles show, the surest first, each place once."""
        found = []
        for square, rows in zip(self._asked, self._network.receive(), strict=True):
            for score, *points in rows:
                hips_px, rim_px = square.to_px(np.array(points).reshape(2, 2))
                found.append(Candidate(Roi.from_points(hips_px, rim_px), float(score)))
        found.sort(key=lambda candidate: -candidate.score)
        kept: list[Candidate] = []
        for candidate in found:
            if all(candidate.roi.distance(other.roi) > _SAME_PLACE for other in kept):
                kept.append(candidate)
        return kept
