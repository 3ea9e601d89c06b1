"""Key frames: few from which the whole clip is seen."""

from __future__ import annotations

import numpy as np

from pose_server.egomotion.background import Tracks
from pose_server.pipeline.boundary import FloatArray, IntArray

__all__ = ["key_rows", "moved_px"]

#: A frame whose corners moved this much since every key near it is the next one; or that shares fewer.
_APART_PX, _SHARED = 20.0, 0.6
#: So many keys back are compared; a frame with fewer corners tells nothing.
_BACK, _FEWEST = 8, 12


def moved_px(tracks: Tracks, one: int, other: int) -> FloatArray:
    """Return (N,) how far the corners that two rows share moved between them."""
    a, b = tracks.in_row(one), tracks.in_row(other)
    _, i, j = np.intersect1d(tracks.corner[a], tracks.corner[b], assume_unique=True, return_indices=True)
    return np.asarray(np.linalg.norm(tracks.at_px[a][i] - tracks.at_px[b][j], axis=1))


def key_rows(tracks: Tracks) -> IntArray:
    """Return the rows (K,) of key frames, the first and the last with enough corners among them."""
    counts = np.bincount(tracks.frame, minlength=tracks.count)
    rows = np.flatnonzero(counts >= _FEWEST)
    keys: list[int] = rows[:1].tolist()
    for row in rows[1:-1].tolist():
        near = [moved_px(tracks, key, row) for key in keys[-_BACK:]]
        enough = _SHARED * counts[row]
        close = any(len(moved) >= enough and np.median(moved) < _APART_PX for moved in near)
        if not close:
            keys.append(row)
    return np.array([*keys, *rows[1:][-1:]], dtype=np.int64)
