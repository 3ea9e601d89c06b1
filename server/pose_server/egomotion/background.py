"""Corners of what stands still behind the people, followed from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_server.egomotion.corners import back_and_forth, corners, grey_of, scale_of
from pose_server.pipeline.boundary import Camera, Detections, FloatArray, IntArray
from pose_server.pipeline.distortion import undistorted
from pose_server.pipeline.progress import Progress
from pose_server.video.budget import batches_ahead
from pose_server.video.prefetch import prefetch
from pose_server.video.source import FrameSource

__all__ = ["Background", "Tracks", "background"]

#: Masks of people reach this much beyond their boxes.
_AROUND = 0.1
#: New corners are looked for when fewer than this share of the last ones are left; as far from the old.
_LEFT, _APART_PX = 0.7, 8
#: A frame that keeps fewer of its corners than this share is blurred, dark, or from elsewhere.
_LOST, _FEWEST = 0.3, 8
#: So many frames later it is settled which: as many corners come back, or the film was cut.
_PATIENCE = 4
_BATCH_FRAMES, _PREFETCH_BATCHES = 8, 4
_NO_NAMES, _NO_POINTS = np.empty(0, np.int64), np.empty((0, 1, 2), np.float32)


@dataclass(frozen=True)
class Tracks:
    """Where corners of the background were seen; M observations, in the order of their frames."""

    frame: IntArray
    """(M,) rows of the clip, growing."""
    corner: IntArray
    """(M,) which corner, growing within a frame."""
    at_px: FloatArray
    """(M, 2) from the principal point, in the small pictures that corners are followed in."""
    breaks: tuple[int, ...]
    """Rows whose corners have nothing to do with those before: the film is cut, or nothing was seen."""
    count: int
    """Rows of the clip."""

    def within(self, first: int, last: int) -> Tracks:
        """Return what was seen in the rows from `first` to before `last`, which keep their numbers."""
        return self.part(slice(*np.searchsorted(self.frame, (first, last))))

    def of(self, rows: IntArray) -> Tracks:
        """Return what was seen in some rows, counted as they are in `rows`, which grows."""
        kept, place = self._in(rows)
        return Tracks(place, self.corner[kept], self.at_px[kept], (), len(rows))

    def of_rows(self, rows: IntArray) -> Tracks:
        """Return what was seen in some rows, which grow and keep their numbers."""
        kept, _ = self._in(rows)
        return Tracks(self.frame[kept], self.corner[kept], self.at_px[kept], self.breaks, self.count)

    def _in(self, rows: IntArray) -> tuple[IntArray, IntArray]:
        """Return which observations are of some rows, and at which place of `rows` each is."""
        last = np.searchsorted(self.frame, rows, side="right")
        counts = last - np.searchsorted(self.frame, rows)
        place = np.repeat(np.arange(len(rows)), counts)
        return np.arange(len(place)) + np.repeat(last - np.cumsum(counts), counts), place

    def named(self, names: IntArray) -> Tracks:
        """Return what was seen of some corners, counted as they are in `names`, which grows."""
        corner = np.searchsorted(names, self.corner)
        kept = np.flatnonzero(np.append(names, -1)[corner] == self.corner)
        return Tracks(self.frame[kept], corner[kept], self.at_px[kept], self.breaks, self.count)

    def part(self, which: slice) -> Tracks:
        """Return some observations, one after the other."""
        return Tracks(self.frame[which], self.corner[which], self.at_px[which], (), self.count)

    def in_row(self, row: int) -> slice:
        """Return which observations are of one row."""
        return slice(*np.searchsorted(self.frame, (row, row + 1)))


def background(
    source: FrameSource, found: Sequence[Detections], camera: Camera, progress: Progress
) -> Tracks:
    """Follow the background through a clip, decoded once more; people are masked out.

    Parameters
    ----------
    source
        The clip.
    found
        Everybody in each of its frames; they do not stand still.
    camera
        Its principal point and distortion.
    progress
        Told of the frames, of which all is only half; may cancel.
    """
    follower = Background(camera)
    done = 0
    ahead = batches_ahead(source.info, _BATCH_FRAMES, _PREFETCH_BATCHES)
    with prefetch(source.batches(_BATCH_FRAMES), ahead) as batches:
        for batch in batches:
            rest = found[done : done + len(batch)]
            for frame, seen in zip(batch.frames, rest, strict=True):
                follower.add(frame, seen.boxes_px)
            done += len(batch)
            progress.report("camera", done, 2 * len(found))
    return follower.tracks()


@dataclass
class _Sight:
    """Corners as the last frame that shows them has them."""

    grey: Any
    points: Any
    """(N, 1, 2) float32, as OpenCV has them."""
    names: IntArray
    """(N,)."""


class Background:
    """Follows corners through frames that are given one by one."""

    def __init__(self, camera: Camera) -> None:
        self._scale = scale_of(*camera.image_size)
        small = np.array([self._scale, self._scale, 1.0])[:, None] * camera.matrix
        self._camera = replace(camera, matrix=small)
        self._sight: _Sight | None = None
        self._lost: tuple[int, _Sight] | None = None
        self._enough = 0
        self._named = 0
        self._seen: list[tuple[IntArray, NDArray[np.float32]]] = []
        self._breaks: list[int] = []

    def add(self, frame: NDArray[np.uint8], boxes_px: FloatArray) -> None:
        """Look at the next RGB frame, in which people are in (P, 4) boxes."""
        grey = grey_of(frame)
        free = self._mask(grey.shape, boxes_px)
        row = len(self._seen)
        now = self._come_back(row, grey, free) or self._followed(self._sight, grey, free)
        if now is None:
            if self._sight is not None:
                self._lost = self._lost or (row, self._sight)
                self._breaks.append(row)
            now, self._enough = _Sight(grey, _NO_POINTS, _NO_NAMES), 0
        now = self._refilled(now, free)
        self._sight = now if len(now.names) >= _FEWEST else None
        at_px = self._from_middle(now.points[:, 0])
        shown = np.isfinite(at_px).all(axis=1)
        self._seen.append((now.names[shown], at_px[shown]))

    def tracks(self) -> Tracks:
        """Return all that was seen."""
        frame = np.repeat(np.arange(len(self._seen)), [len(names) for names, _ in self._seen])
        corner = np.concatenate([_NO_NAMES, *(names for names, _ in self._seen)])
        at_px = np.concatenate([_NO_POINTS[:, 0], *(at for _, at in self._seen)])
        return Tracks(frame, corner, at_px, tuple(self._breaks), len(self._seen))

    def _from_middle(self, points_px: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return where a pinhole with square pixels would have seen corners, from its principal point."""
        matrix = self._camera.matrix
        at_px = undistorted(points_px, self._camera) - matrix[:2, 2].astype(np.float32)
        return np.asarray(at_px * (matrix[0, 0] / matrix[[0, 1], [0, 1]]), np.float32)

    def _come_back(self, row: int, grey: Any, free: NDArray[np.uint8]) -> _Sight | None:
        """Return what was lost some frames ago, if it is seen again: they were but blurred."""
        if self._lost is None:
            return None
        since, before = self._lost
        now = self._followed(before, grey, free)
        if now is not None:
            self._seen[since:] = [(_NO_NAMES, _NO_POINTS[:, 0])] * (row - since)
            self._breaks = [at for at in self._breaks if at < since]
        if now is not None or row - since >= _PATIENCE:
            self._lost = None
        return now

    def _followed(self, sight: _Sight | None, grey: Any, free: NDArray[np.uint8]) -> _Sight | None:
        """Return the corners in this picture; None if nearly all are gone."""
        if sight is None:
            return None
        there, kept = back_and_forth(sight.grey, grey, sight.points)
        at = np.rint(there[:, 0]).astype(int)
        inside = ((at >= 0) & (at < grey.shape[::-1])).all(axis=1)
        covered = np.zeros(len(at), dtype=bool)
        covered[inside] = free[at[inside, 1], at[inside, 0]] == 0
        kept &= inside & ~covered
        if kept.sum() < max(_LOST * (~covered).sum(), _FEWEST):
            return None
        return _Sight(grey, there[kept], sight.names[kept])

    def _refilled(self, sight: _Sight, free: NDArray[np.uint8]) -> _Sight:
        import cv2

        if len(sight.names) >= _LEFT * self._enough and self._enough:
            return sight
        room = free.copy()
        for x, y in np.rint(sight.points[:, 0]).astype(int).tolist():
            cv2.circle(room, (x, y), _APART_PX, (0,), -1)
        new = corners(sight.grey, room)
        names = np.arange(self._named, self._named + len(new))
        self._named += len(new)
        self._enough = len(sight.names) + len(new)
        return _Sight(sight.grey, np.concatenate([sight.points, new]), np.concatenate([sight.names, names]))

    def _mask(self, shape: tuple[int, ...], boxes_px: FloatArray) -> NDArray[np.uint8]:
        free = np.full(shape, 255, dtype=np.uint8)
        for left, top, right, bottom in boxes_px[np.isfinite(boxes_px).all(axis=1)] * self._scale:
            wide, high = _AROUND * (right - left), _AROUND * (bottom - top)
            rows = slice(max(0, int(top - high)), max(0, int(bottom + high)))
            free[rows, max(0, int(left - wide)) : max(0, int(right + wide))] = 0
        return free
