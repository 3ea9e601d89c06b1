"""How a camera travelled: structure from motion over key frames, up to one unknown factor.

Two views that show parallax are posed by an essential matrix (Nister's five points), or by a plane's
homography, and by whatever of these the views between them agree with best.  From there one key frame
after the other is placed by the points that are known already, and adds its own; bundle adjustment
keeps all of it straight: of a few key frames around each that comes, of all now and then.  A long film
is begun with a stretch of it, from which it grows both ways.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pose_server.egomotion.background import Tracks
from pose_server.egomotion.bundle import adjusted
from pose_server.egomotion.resection import loose, resected
from pose_server.egomotion.robust import NOISE_PX, cost_of
from pose_server.egomotion.scene import Freedom, Scene, away_px, seen_from
from pose_server.egomotion.turning import turned
from pose_server.pipeline.boundary import FloatArray, IntArray

__all__ = ["lengthened", "travelling"]

#: Two views to begin with share so many corners, and as much of the first one's.
_PAIR, _PAIR_SHARE = 30, 0.25
#: First views that are tried, and pairs that are begun with.
_STARTS, _SEEDS = 8, 3
#: What does not turn with the picture counts up to this much in a pair's choice.
_PARALLAX_PX = 20.0
#: A pair with less of it than this share of the best one's is left out.
_FAINT = 0.3
_RANSAC_PX = 1.5
#: A key frame that sees fewer of the known points, or a smaller share of them, cannot be placed.
_PLACED, _PLACED_SHARE = 12, 0.4
#: A point that is seen farther off than this is none.
_POINT_PX = 4.0
#: Rays that lie no farther apart do not tell a distance.
_NARROW_PX = 2.0
#: Everything is adjusted again whenever there are so many times more key frames, of a stretch and of all.
_GROWTH, _LENGTHENED = 1.25, 2.0
#: A few are adjusted now and then: those so near the last one, by what these see of the nearest.
_AROUND, _OFTEN, _REACH = 5, 2, 14


@dataclass(frozen=True)
class _Pair:
    """Two views, and where they see the corners that they share."""

    first: int
    second: int
    here: FloatArray
    there: FloatArray
    score: float


def travelling(tracks: Tracks, freedom: Freedom, check: Callable[[], None]) -> Scene | None:
    """Return the cameras of a stretch of key frames and the points they saw; None if they cannot be made out.

    Parameters
    ----------
    tracks
        Of key frames; corners are counted from 0 and seen at least twice.
    freedom
        Of a camera that travels, with what is known of its lens.
    check
        Called now and then; may raise.

    Returns
    -------
    Scene
        In the axes of the first key frame and from its place.  Points that nothing is known of are NaN.
    """
    begun = [
        _Growing.of(tracks, freedom, pair, pose, check)
        for pair in _pairs(tracks, freedom.focal_px, check)
        for pose in _poses(pair.here, pair.there, freedom.focal_px)
    ]
    sound = sorted((growing for growing in begun if growing.between()), key=lambda growing: growing.cost())
    return next((growing.scene_of_all() for growing in sound if growing.through(2)), None)


def lengthened(
    scene: Scene, placed: NDArray[np.bool_], tracks: Tracks, freedom: Freedom, report: Callable[[float], None]
) -> Scene | None:
    """Return the cameras of all key frames, from those of a stretch; None if they cannot be made out.

    Parameters
    ----------
    scene
        With (K,) cameras, of which some are known, and points that are NaN where they are not.
    placed
        (K,) which cameras are: a stretch.
    tracks, freedom
        As for `travelling`.
    report
        Told of the share of key frames that are placed; may raise.
    """

    def check() -> None:
        report(growing.share)

    growing = _Growing(tracks, freedom, scene, placed, check, _LENGTHENED)
    return growing.scene_of_all() if growing.through(1) else None


def _pairs(tracks: Tracks, focal_px: float, check: Callable[[], None]) -> list[_Pair]:
    """Return the pairs of views that show most parallax, best first."""
    found = []
    for first in np.unique(np.linspace(0, tracks.count - 2, _STARTS).astype(int)).tolist():
        check()
        best: _Pair | None = None
        for second in range(first + 1, tracks.count):
            a, b = tracks.in_row(first), tracks.in_row(second)
            names, i, j = np.intersect1d(
                tracks.corner[a], tracks.corner[b], assume_unique=True, return_indices=True
            )
            if len(names) < max(_PAIR, _PAIR_SHARE * (a.stop - a.start)):
                break
            here, there = tracks.at_px[a][i].astype(float), tracks.at_px[b][j].astype(float)
            score = _parallax_px(here, there, focal_px) * np.sqrt(len(names))
            if best is None or score > best.score:
                best = _Pair(first, second, here, there, float(score))
        if best is not None:
            found.append(best)
    found = sorted(found, key=lambda pair: -pair.score)[:_SEEDS]
    return [pair for pair in found if pair.score > _FAINT * found[0].score]


def _parallax_px(here: FloatArray, there: FloatArray, focal_px: float) -> float:
    """Return how much of what corners moved by a turn does not explain, in the median."""
    before, now = (np.column_stack([at / focal_px, np.ones(len(at))]) for at in (here, there))
    before /= np.linalg.norm(before, axis=1, keepdims=True)
    ahead = before @ turned(before, now / np.linalg.norm(now, axis=1, keepdims=True), _RANSAC_PX / focal_px).T
    rest = np.linalg.norm(focal_px * ahead[:, :2] / ahead[:, 2:] - there, axis=1)
    return min(float(np.median(rest)), _PARALLAX_PX)


def _poses(here: FloatArray, there: FloatArray, focal_px: float) -> tuple[tuple[FloatArray, FloatArray], ...]:
    """Return the turns and places that two views of the same corners may mean."""
    import cv2

    matrix = np.diag([focal_px, focal_px, 1.0])
    poses = []
    essential, inliers = cv2.findEssentialMat(here, there, matrix, cv2.RANSAC, 0.999, _RANSAC_PX)
    if essential is not None and essential.shape == (3, 3):
        _, turn, shift, _ = cv2.recoverPose(essential, here, there, matrix, mask=inliers)
        poses.append((np.asarray(turn, float), -turn.T @ shift[:, 0]))
    plane, on_plane = cv2.findHomography(here, there, cv2.RANSAC, 2 * _RANSAC_PX)
    if plane is not None:
        rays = np.column_stack([here / focal_px, np.ones(len(here))])[on_plane[:, 0] > 0]
        _, turns, shifts, normals = cv2.decomposeHomographyMat(plane, matrix)
        for turn, shift, normal in zip(turns, shifts, normals, strict=True):
            if (rays @ normal[:, 0] > 0).mean() > 0.9 and np.linalg.norm(shift) > 1e-6:
                place = -turn.T @ shift[:, 0]
                poses.append((np.asarray(turn, float), place / np.linalg.norm(place)))
    return tuple(poses)


class _Growing:
    """A scene to which key frames are added."""

    def __init__(
        self,
        tracks: Tracks,
        freedom: Freedom,
        scene: Scene,
        placed: NDArray[np.bool_],
        check: Callable[[], None],
        growth: float = _GROWTH,
    ) -> None:
        self.tracks, self.freedom, self.scene, self.placed = tracks, freedom, scene, placed
        self._check, self._growth = check, growth
        self._adjusted = int(placed.sum())
        self._origin = int(np.flatnonzero(placed)[0])

    @classmethod
    def of(
        cls,
        tracks: Tracks,
        freedom: Freedom,
        pair: _Pair,
        pose: tuple[FloatArray, FloatArray],
        check: Callable[[], None],
    ) -> _Growing:
        """Begin with two views."""
        count = tracks.count
        turns, places = np.repeat(np.eye(3)[None], count, axis=0), np.zeros((count, 3))
        turns[pair.second], places[pair.second] = pose
        placed = np.zeros(count, dtype=bool)
        placed[[pair.first, pair.second]] = True
        points = np.full((int(tracks.corner.max()) + 1, 4), np.nan)
        scene = Scene(turns, places, np.zeros(count), points, freedom.focal_px)
        growing = cls(tracks, freedom, scene, placed, check)
        growing._triangulate(np.flatnonzero(placed))
        return growing

    @property
    def share(self) -> float:
        """How many of the key frames are placed, 0 to 1."""
        return float(self.placed.mean())

    def between(self) -> bool:
        """Place what lies between the first two views and beside them; return whether all of it could be."""
        first, last = np.flatnonzero(self.placed)[[0, -1]].tolist()
        return self._grow(max(first - 1, 0), min(last + 2, len(self.placed))) and self.placed.sum() > 2

    def through(self, rounds: int) -> bool:
        """Place all key frames, and adjust everything; return whether all could be placed."""
        if not self._grow(0, self.tracks.count):
            return False
        rows = np.arange(len(self.placed))
        for _ in range(rounds):
            self._adjust(rows, rows, passes=20)
            self._triangulate(rows)
        return True

    def cost(self) -> float:
        """Return how badly the views are explained, 0 to 1."""
        rows = np.flatnonzero(self.placed)
        return cost_of(away_px(self.scene, self.tracks.of_rows(rows)), 4 * NOISE_PX) / max(
            len(self.tracks.of_rows(rows).frame), 1
        )

    def scene_of_all(self) -> Scene:
        """Return the scene in the axes of the first key frame and from its place."""
        scene = self.scene
        turn, place = scene.turns[0], scene.places[0]
        points = np.column_stack(
            [(scene.points[:, :3] - scene.points[:, 3:] * place) @ turn.T, scene.points[:, 3]]
        )
        return replace(
            scene,
            turns=scene.turns @ turn.T,
            places=(scene.places - place) @ turn.T,
            points=points / np.linalg.norm(points, axis=1, keepdims=True),
        )

    def _grow(self, first: int, last: int) -> bool:
        """Place all key frames from `first` to before `last`."""
        while True:
            self._check()
            missing = np.flatnonzero(~self.placed[first:last]) + first
            if not len(missing):
                return True
            row = next((row for row, beside in self._next(missing) if self._place(row, beside)), None)
            if row is None:
                return False
            self._triangulate(self._near(row, _REACH))
            placed = np.flatnonzero(self.placed)
            if len(placed) >= self._growth * self._adjusted:
                self._adjust(placed, placed, passes=4)
                self._adjusted = len(placed)

    def _near(self, row: int, reach: int) -> IntArray:
        """Return which key frames around one are placed."""
        first = max(row - reach, 0)
        return np.flatnonzero(self.placed[first : row + reach + 1]) + first

    def _next(self, missing: IntArray) -> list[tuple[int, int]]:
        """Return key frames beside placed ones, and these; those first that see most known points."""
        placed = np.concatenate([[False], self.placed, [False]])
        found = []
        for beside in (-1, 1):
            for row in missing[placed[missing + 1 + beside]].tolist():
                names = self.tracks.corner[self.tracks.in_row(row)]
                found.append((int(np.isfinite(self.scene.points[names, 0]).sum()), row, row + beside))
        return [(row, beside) for _, row, beside in sorted(found, reverse=True)]

    def _place(self, row: int, beside: int) -> bool:
        """Place one key frame, from where its neighbour is; return whether that is possible."""
        scene = self.scene
        names = self.tracks.corner[self.tracks.in_row(row)]
        names = names[np.isfinite(scene.points[names, 0])]
        if not len(names):
            return False
        near = self._near(row, _REACH)
        known = _cut(scene, near, names)
        unsure = loose(known, self.tracks.of(near).named(names), self.freedom)
        start = _cut(scene, np.array([beside]), names)
        there, close = resected(start, self.tracks.of(np.array([row])).named(names), self.freedom, unsure)
        if close[0] < max(_PLACED, _PLACED_SHARE * len(names)):
            return False
        scene.turns[row], scene.places[row] = there.turns[0], there.places[0]
        self.placed[row] = True
        if self.placed.sum() % _OFTEN == 0:
            self._adjust(self._near(row, _AROUND), self._near(row, _REACH), passes=2)
        return True

    def _triangulate(self, rows: IntArray) -> None:
        """Make points of the corners that two of these key frames see, and forget those that are none."""
        tracks = self.tracks.of(rows)
        names, corner = np.unique(tracks.corner, return_inverse=True)
        tracks = replace(tracks, corner=corner)
        scene = _cut(self.scene, rows, names)
        away = np.minimum(np.nan_to_num(away_px(scene, tracks), nan=100.0), 100.0)
        times = np.bincount(corner, minlength=len(names))
        asked = (times >= 2) & ~(np.bincount(corner, away, len(names)) < _POINT_PX * times)
        tracks = tracks.named(np.flatnonzero(asked))
        points = _triangulated(scene, tracks, int(asked.sum()), _distance(scene))
        away = np.nan_to_num(away_px(replace(scene, points=points), tracks), nan=100.0)
        worst = np.zeros(len(points))
        np.maximum.at(worst, tracks.corner, away)
        points[~(worst < _POINT_PX)] = np.nan
        self.scene.points[names[asked]] = points

    def _adjust(self, free: IntArray, within: IntArray, *, passes: int) -> None:
        """Adjust some key frames and all the points that they see, by what is seen of these from others."""
        scene = self.scene
        names = np.unique(self.tracks.of_rows(free).corner)
        names = names[np.isfinite(scene.points[names, 0])]
        seen = self.tracks.of(within).named(names)
        often = np.bincount(seen.corner, minlength=len(names)) >= 2
        names, seen = names[often], seen.named(np.flatnonzero(often))
        held = ~np.isin(within, free) | (within == self._origin)
        if held.all() or not len(names):
            return
        whole = len(free) == self.placed.sum()
        freedom = (
            self.freedom
            if whole and len(free) >= 4
            else replace(self.freedom, focal_px=scene.focal_px, focal_sigma=0.0)
        )
        part = _cut(scene, within, names)
        part = adjusted(part, seen, freedom, passes=passes, held=held, check=self._check)
        scene.turns[within], scene.places[within] = part.turns, part.places
        scene.points[names] = part.points
        self.scene = replace(scene, focal_px=part.focal_px, bend=part.bend)


def _cut(scene: Scene, rows: IntArray, names: IntArray) -> Scene:
    """Return a scene of some cameras and points."""
    return replace(
        scene,
        turns=scene.turns[rows],
        places=scene.places[rows],
        zooms=scene.zooms[rows],
        points=scene.points[names],
    )


def _distance(scene: Scene) -> float:
    """Return how far from the cameras points are in the median; those at infinity are farther."""
    near = scene.points[np.isfinite(scene.points[:, 0])]
    if not len(near):
        return 10.0
    before = near[:, :3] - near[:, 3:] * np.median(scene.places, axis=0)
    return float(np.median(np.linalg.norm(before, axis=1) / np.maximum(near[:, 3], 1e-6)))


def _triangulated(scene: Scene, tracks: Tracks, count: int, distance: float) -> FloatArray:
    """Return (P, 4) the points that lie nearest to their rays (the linear method), before the cameras.

    Those whose rays are parallel are put `distance` away: nearer or farther, cameras would follow them.
    """
    frame, names = tracks.frame, tracks.corner
    at = tracks.at_px / scene.focal_px
    matrix = np.concatenate([scene.turns, -scene.turns @ scene.places[..., None]], axis=2)[frame]
    rows = matrix[:, :2] - at[..., None] * matrix[:, 2:]
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    square = np.zeros((count, 4, 4))
    np.add.at(square, names, rows.transpose(0, 2, 1) @ rows)
    points = np.linalg.eigh(square)[1][:, :, 0]
    depth = seen_from(replace(scene, points=points), tracks)[0][:, 2]
    sign = np.sign(np.bincount(names, np.sign(depth), count))
    points *= np.where(sign == 0, 1.0, sign)[:, None]
    rays = np.column_stack([at, np.ones(len(at))])[:, None] @ scene.turns[frame]
    rays = rays[:, 0] / np.linalg.norm(rays, axis=2)
    first = np.zeros(count, dtype=int)
    first[names[::-1]] = np.arange(len(names))[::-1]
    wide = np.zeros(count)
    np.maximum.at(wide, names, np.linalg.norm(rays - rays[first[names]], axis=1))
    narrow = wide < _NARROW_PX / scene.focal_px
    away = scene.places[frame[first]] + distance * rays[first]
    points[narrow] = np.column_stack([away, np.ones(count)])[narrow]
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True))
