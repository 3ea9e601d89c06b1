"""How a camera on a tripod, or in a hand, turned: the rotations that bring the corners' rays together."""

from __future__ import annotations

import numpy as np

from pose_server.egomotion.background import Tracks
from pose_server.egomotion.scene import Scene
from pose_server.pipeline.boundary import FloatArray

__all__ = ["turned", "turning"]

_INLIER_PX = 1.5
_PASSES = 6


def turning(tracks: Tracks, focal_px: float) -> Scene:
    """Return a camera that only turns, from row to row, with all corners infinitely far away.

    Parameters
    ----------
    tracks
        Of key frames; neighbours share corners, which are counted from 0.
    focal_px
        Of the lens.
    """
    corners = int(tracks.corner.max(initial=-1)) + 1
    points = np.full((corners, 4), np.nan)
    turn = np.eye(3)
    turns = []
    for row in range(tracks.count):
        seen = tracks.in_row(row)
        names = tracks.corner[seen]
        rays = np.column_stack([tracks.at_px[seen] / focal_px, np.ones(len(names))])
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        known = np.isfinite(points[names, 0])
        if known.sum() >= 3:
            turn = turned(points[names[known], :3], rays[known], _INLIER_PX / focal_px)
        points[names[~known], :3] = rays[~known] @ turn
        turns.append(turn)
    points[:, 3] = 0.0
    count = tracks.count
    return Scene(np.array(turns).reshape(-1, 3, 3), np.zeros((count, 3)), np.zeros(count), points, focal_px)


def turned(before: FloatArray, now: FloatArray, expected_rad: float) -> FloatArray:
    """Return the (3, 3) rotation of (N, 3) rays onto others: Kabsch, robust as Geman and McClure."""
    weight = np.ones(len(before))
    turn = np.eye(3)
    for _ in range(_PASSES):
        u, _s, vt = np.linalg.svd((now * weight[:, None]).T @ before)
        turn = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
        away = np.linalg.norm(now - before @ turn.T, axis=1)
        # First what most agree on, however far off; then what agrees closely.
        spread = max(expected_rad, float(np.median(away)))
        weight = 1 / (1 + (away / spread) ** 2) ** 2
    return np.asarray(turn)
