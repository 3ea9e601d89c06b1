"""What a camera did while one piece of film was taken: turn, turn and zoom, or travel.

All three are fitted to the same corners in key frames; of a long film, to those of the stretch that turning
explains worst, and the best of them to all.  A camera is only said to travel if that explains
them clearly better than turning does, even with another lens, and if its path is well determined: less is
a turn, and a path of noise is worse than none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from pose_server.egomotion.background import Tracks
from pose_server.egomotion.bundle import adjusted, doubt
from pose_server.egomotion.keys import key_rows, short_lived
from pose_server.egomotion.resection import loose, resected
from pose_server.egomotion.scene import Freedom, Scene, away_px
from pose_server.egomotion.travelling import lengthened, travelling
from pose_server.egomotion.turning import turning
from pose_server.pipeline.boundary import FloatArray, IntArray

__all__ = ["Move", "move_of"]

#: A lens that is not known is one like this, relative.
_LENS = 0.25
#: A lens is found if it is known this well, relative.
_FOUND = 0.05
#: Corners of one frame err together, most where near things hide far ones: by so much more than their
#: scatter tells the lens was off in films of rendered rooms.  A lens that changes is not looked for.
_HONEST = {"turns": 2.5, "travels": 5.0, "zooms": np.inf}
#: A hand that turns a camera moves it, too, by what near things show as so much more or less of a turn.
_TREMBLE_RAD = np.radians(0.15)
#: Corners are followed about this well; a turn that explains them so needs no other explanation, nor does
#: a zoom: with a depth for each corner of its own a path always comes a little nearer.
_NOISE_PX, _EXPLAINED_PX, _MOST = 0.25, 1.2, 0.9
#: Beyond so many times the noise an observation is wrong, not inaccurate.
_WRONG = 4.0
#: What a path, or a zoom, may cost of what a simpler explanation does.
_BETTER = 0.75
#: A path is known if it is this much larger than its doubt, of so many places.
_SURE, _ASKED = 10.0, 16
#: A lens that changed less than this did not zoom; the logarithm.
_ZOOMED = 0.08
#: Frames that see fewer known corners lie between their neighbours.
_SEEN = 8
_CHUNK = 250
#: Key frames of a stretch.
_STRETCH = 48
#: How far all is when the camera has turned, was compared, grown and adjusted.
_TURNED, _COMPARED, _GROWN, _ADJUSTED = 0.1, 0.2, 0.6, 0.75
#: Steps until an explanation can be compared, and until it stands still.
_TRIED, _PASSES = 12, 50
#: Where nothing tells, a frame lies between its keys: one standard deviation, over how far they are apart,
#: and over the usual step.
_OFF, _OFF_STILL = 0.5, 0.02


@dataclass(frozen=True)
class Move:
    """What the camera did in each of N rows."""

    kind: Literal["turns", "zooms", "travels"]
    turns: FloatArray
    """(N, 3, 3) from the first row's axes into each one's."""
    places: FloatArray
    """(N, 3) in the first row's axes and from its place, up to a factor; 0 of one that does not travel."""
    focal_px: float
    """What the corners say of the lens, in the small pictures."""
    focal_sigma: float
    """How well, relative; infinite if they do not say it well."""


def _unheard(share: float) -> None:
    """Nobody waits."""


def move_of(
    piece: Tracks,
    first: int,
    last: int,
    *,
    focal_px: float,
    focal_sigma: float,
    report: Callable[[float], None] = _unheard,
) -> Move:
    """Return what the camera did from row `first` to before `last`.

    Parameters
    ----------
    piece
        What was seen in these rows.
    focal_px, focal_sigma
        What is known of the lens, in the small pictures, and how well; 0 where it is known.
    report
        Told now and then how far it is, 0 to 1; may raise.
    """
    rows = np.arange(first, last)
    keys = key_rows(piece, check=partial(report, 0.0))
    piece = short_lived(piece, keys)
    seen = piece.of(keys)
    names, times = np.unique(seen.corner, return_counts=True)
    names = names[times >= 2]
    seen = seen.named(names)
    if len(keys) < 2 or not len(names):
        still = np.repeat(np.eye(3)[None], len(rows), axis=0)
        return Move("turns", still, np.zeros((len(rows), 3)), focal_px, np.inf)
    # The lens must be free here, or one that is known wrongly looks like travel.
    kind, fit = _best(seen, Freedom(focal_px, focal_sigma or _LENS), report)
    scene, seen, names = fit.known(seen, names)
    check = partial(report, _GROWN)
    scene = adjusted(scene, seen, fit.freedom, passes=_PASSES, check=check)
    sigma = _HONEST[kind] * doubt(scene, seen, fit.freedom, names[:0]).focal
    if kind == "turns":
        wide = Rotation.from_matrix(scene.turns @ scene.turns[0].T).magnitude().max()
        sigma = float(np.hypot(sigma, _TREMBLE_RAD / max(wide, _TREMBLE_RAD)))
    felt_px = scene.focal_px
    if not focal_sigma or sigma > _FOUND:
        freedom = replace(fit.freedom, focal_px=focal_px, focal_sigma=0.0)
        scene = replace(scene, focal_px=focal_px)
        scene = adjusted(scene, seen, freedom, passes=_PASSES, check=check)
    freedom = replace(fit.freedom, zooms=False)
    unsure = loose(scene, seen, freedom)
    turns, places = _everywhere(scene, keys, piece, names, rows, freedom, unsure, report)
    turns, places = turns @ turns[0].T, (places - places[0]) @ turns[0].T
    return Move(kind, turns, places, felt_px, sigma if sigma < _FOUND else np.inf)


@dataclass(frozen=True)
class _Fit:
    """One explanation of what was seen."""

    scene: Scene
    freedom: Freedom
    away: FloatArray
    """(M,) px; infinite for what it does not explain."""

    @classmethod
    def of(cls, scene: Scene, seen: Tracks, freedom: Freedom) -> _Fit:
        return cls(scene, freedom, np.nan_to_num(away_px(scene, seen), nan=np.inf))

    @classmethod
    def adjusted(cls, scene: Scene, seen: Tracks, freedom: Freedom, check: Callable[[], None]) -> _Fit:
        """Return what comes of a start after some steps."""
        return cls.of(adjusted(scene, seen, freedom, passes=_TRIED, check=check), seen, freedom)

    def known(self, seen: Tracks, names: IntArray) -> tuple[Scene, Tracks, IntArray]:
        """Return the scene of the points that are known, what was seen of them, and their names."""
        known = np.flatnonzero(np.isfinite(self.scene.points[:, 0]))
        return replace(self.scene, points=self.scene.points[known]), seen.named(known), names[known]

    @property
    def median(self) -> float:
        return float(np.median(self.away))

    def price(self, noise_px: float) -> float:
        """Return Akaike's price: what is left, robustly, and two for each unknown."""
        left = np.minimum((self.away / noise_px) ** 2, _WRONG**2).sum()
        unknowns = len(self.scene.points) * self.freedom.point + len(self.scene.turns) * self.freedom.camera
        return float(left + 2 * unknowns)


def _best(
    seen: Tracks, freedom: Freedom, report: Callable[[float], None]
) -> tuple[Literal["turns", "zooms", "travels"], _Fit]:
    start = turning(seen, freedom.focal_px)
    turns = _Fit.adjusted(start, seen, freedom, partial(report, 0.0))
    if np.quantile(turns.away, _MOST) < _EXPLAINED_PX:
        return "turns", turns
    stretch = _worst(turns, seen)
    near, names = _of_stretch(seen, stretch)
    check = partial(report, _TURNED)
    turned = turns
    start_here = start
    if len(stretch) < seen.count:
        start_here = turning(near, turns.scene.focal_px)
        turned = _Fit.adjusted(start_here, near, freedom, check)
    zooming = replace(freedom, zooms=True)
    zooms = _Fit.adjusted(start_here, near, zooming, check)
    travelled = replace(freedom, travels=True)
    scene = travelling(near, travelled, check)
    travels = None if scene is None else _Fit.of(scene, near, travelled)
    noise = max(_NOISE_PX, min(fit.median for fit in (turned, zooms, travels) if fit is not None))
    zoomed = np.ptp(zooms.scene.zooms) > _ZOOMED and zooms.price(noise) < _BETTER * turned.price(noise)
    rival = zooms.price(noise) if zoomed else turned.price(noise)
    if zoomed and np.quantile(zooms.away, _MOST) < _EXPLAINED_PX:
        travels = None
    if travels is not None and travels.price(noise) < _BETTER * rival and _sure(travels, near):
        travels = _of_all(travels, stretch, names, seen, report)
        if travels is not None:
            return "travels", travels
    if zoomed and len(stretch) < seen.count:
        zooms = _Fit.adjusted(start, seen, zooming, check)
    return ("zooms", zooms) if zoomed else ("turns", turns)


def _worst(turns: _Fit, seen: Tracks) -> IntArray:
    """Return the rows of the stretch that turning explains worst."""
    count = seen.count
    off = np.bincount(seen.frame, np.minimum(turns.away / _NOISE_PX, _WRONG) ** 2, count)
    total = np.concatenate([[0.0], np.cumsum(off)])
    length = min(_STRETCH, count)
    return int(np.argmax(total[length:] - total[:-length])) + np.arange(length)


def _of_stretch(seen: Tracks, stretch: IntArray) -> tuple[Tracks, IntArray]:
    """Return what was seen in a stretch, and of which corners: those that were so twice."""
    near = seen.of(stretch)
    names, times = np.unique(near.corner, return_counts=True)
    return near.named(names[times >= 2]), names[times >= 2]


def _of_all(
    travels: _Fit, stretch: IntArray, names: IntArray, seen: Tracks, report: Callable[[float], None]
) -> _Fit | None:
    """Return the travel of all key frames, from that of a stretch; None if that is no way on."""
    count, scene = seen.count, travels.scene
    if len(stretch) == count:
        return travels
    turns, places = np.repeat(np.eye(3)[None], count, axis=0), np.zeros((count, 3))
    turns[stretch], places[stretch] = scene.turns, scene.places
    points = np.full((int(seen.corner.max()) + 1, 4), np.nan)
    points[names] = scene.points
    placed = np.isin(np.arange(count), stretch)
    scene = replace(scene, turns=turns, places=places, zooms=np.zeros(count), points=points)

    def told(share: float) -> None:
        report(_COMPARED + (_GROWN - _COMPARED) * share)

    grown = lengthened(scene, placed, seen, travels.freedom, told)
    return None if grown is None else _Fit.of(grown, seen, travels.freedom)


def _sure(fit: _Fit, seen: Tracks) -> bool:
    """Return whether a path is more than its doubt."""
    scene, seen, _ = fit.known(seen, np.arange(len(fit.scene.points)))
    asked = np.unique(np.linspace(1, len(scene.turns) - 1, _ASKED).astype(int))
    unsure = doubt(scene, seen, fit.freedom, asked)
    spread = scene.places - scene.places.mean(axis=0)
    return bool(_SURE * np.sqrt((unsure.places**2).mean()) < np.sqrt((spread**2).mean()))


def _everywhere(
    scene: Scene,
    keys: IntArray,
    piece: Tracks,
    names: IntArray,
    rows: IntArray,
    freedom: Freedom,
    unsure: FloatArray,
    report: Callable[[float], None],
) -> tuple[FloatArray, FloatArray]:
    """Return (N, 3, 3) turns and (N, 3) places of all rows, from the known points."""
    turns, places = _between(keys, scene.turns, scene.places, rows)
    zooms = np.interp(rows, keys, scene.zooms)
    step = np.linalg.norm(np.diff(scene.places, axis=0), axis=1)
    around = step[np.clip(np.searchsorted(keys, rows, side="right") - 1, 0, len(step) - 1)]
    off = _OFF * around + _OFF_STILL * np.sqrt((step**2).mean())
    close = np.zeros(len(rows), dtype=int)
    for start in range(0, len(rows), _CHUNK):
        report(_ADJUSTED + (1 - _ADJUSTED) * start / len(rows))
        part = slice(start, start + _CHUNK)
        seen = piece.of(rows[part]).named(names)
        own = Scene(turns[part], places[part], zooms[part], scene.points, scene.focal_px)
        there, close[part] = resected(own, seen, freedom, unsure, off=off[part])
        turns[part], places[part] = there.turns, there.places
    good = np.flatnonzero(close >= _SEEN)
    if len(good):
        turns, places = _between(rows[good], turns[good], places[good], rows)
    return turns, places


def _between(
    known: IntArray, turns: FloatArray, places: FloatArray, rows: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return turns and places of all rows from those of some; beyond them as the nearest."""
    if len(known) == 1:
        return np.repeat(turns, len(rows), axis=0), np.repeat(places, len(rows), axis=0)
    within = np.clip(rows, known[0], known[-1])
    turned = Slerp(known, Rotation.from_matrix(turns))(within).as_matrix()
    placed = np.stack([np.interp(within, known, axis) for axis in places.T], axis=1)
    return turned, placed
