"""Key frames: few from which the whole clip is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pose_server.egomotion.background import Tracks
from pose_server.pipeline.boundary import FloatArray, IntArray

__all__ = ["key_rows", "moved_px", "short_lived"]

#: A frame whose corners moved this much since every key near it is the next one; or that shares fewer.
_APART_PX, _SHARED = 20.0, 0.6
#: So many keys back are compared; a frame with fewer corners tells nothing.
_BACK, _FEWEST = 8, 12
#: A corner that is seen in more key frames than this is another one from there on: who looks at the same
#: all the time would else tie every key frame to every other.
_LIFE = 40


def moved_px(tracks: Tracks, one: int, other: int) -> FloatArray:
    """Return (N,) how far the corners that two rows share moved between them."""
    a, b = tracks.in_row(one), tracks.in_row(other)
    names = tracks.corner[a]
    place = np.searchsorted(names, tracks.corner[b])
    both = np.append(names, -1)[place] == tracks.corner[b]
    return np.asarray(np.linalg.norm(tracks.at_px[a][place[both]] - tracks.at_px[b][both], axis=1))


def key_rows(tracks: Tracks, check: Callable[[], None] = lambda: None) -> IntArray:
    """Return the rows (K,) of key frames, the first and the last with enough corners among them.

    `check` is called now and then, and may raise.
    """
    counts = np.bincount(tracks.frame, minlength=tracks.count)
    rows = np.flatnonzero(counts >= _FEWEST)
    keys: list[int] = rows[:1].tolist()
    for row in rows[1:-1].tolist():
        check()
        enough = _SHARED * counts[row]
        near = (moved_px(tracks, key, row) for key in keys[: -_BACK - 1 : -1])
        if not any(len(moved) >= enough and np.median(moved) < _APART_PX for moved in near):
            keys.append(row)
    return np.array([*keys, *rows[1:][-1:]], dtype=np.int64)


def short_lived(tracks: Tracks, keys: IntArray) -> Tracks:
    """Return tracks (of rows that are not counted anew) in which no corner outlives some 40 key frames."""
    at = np.maximum(np.searchsorted(keys, tracks.frame, side="right") - 1, 0)
    born = np.zeros(int(tracks.corner.max(initial=-1)) + 1, dtype=np.int64)
    born[tracks.corner[::-1]] = at[::-1]
    lives = (at - born[tracks.corner]) // _LIFE
    if not lives.any():
        return tracks
    began = born[tracks.corner] + lives * _LIFE
    _, corner = np.unique(began * len(born) + tracks.corner, return_inverse=True)
    order = np.lexsort((corner, tracks.frame))
    return replace(tracks, corner=corner[order], at_px=tracks.at_px[order])
