"""What a camera with a known path sees of points, as tracks, without any pictures."""

from __future__ import annotations

import numpy as np
from pose_server.egomotion.background import Tracks

#: Half of the picture's width and height.
HALF = np.array([320.0, 180.0])
#: Of the points that are in the picture, so many are followed.
FOLLOWED = 120


def corners_of(
    turns: np.ndarray,
    places: np.ndarray,
    points: np.ndarray,
    *,
    focal_px: float = 550.0,
    noise_px: float = 0.3,
    wrong: float = 0.05,
    seed: int = 0,
) -> Tracks:
    """Return tracks of points (P, 3); a share of them is wrong and drifts."""
    rng = np.random.default_rng(seed)
    drift = rng.normal(0, 1.5, (len(points), 2)) * (rng.random(len(points)) < wrong)[:, None]
    name = np.full(len(points), -1)
    alive = np.zeros(len(points), dtype=bool)
    named = 0
    frames, corners, at = [], [], []
    for row, (turn, place) in enumerate(zip(turns, places, strict=True)):
        there = (points - place) @ turn.T
        with np.errstate(divide="ignore", invalid="ignore"):
            seen = focal_px * there[:, :2] / there[:, 2:] + drift * row
        visible = (there[:, 2] > 0.2) & (np.abs(seen) < HALF).all(axis=1) & (rng.random(len(points)) > 0.01)
        alive &= visible
        new = rng.permutation(np.flatnonzero(visible & ~alive))[: max(0, FOLLOWED - alive.sum())]
        name[new] = named + np.arange(len(new))
        named += len(new)
        alive[new] = True
        ids = np.flatnonzero(alive)
        ids = ids[np.argsort(name[ids])]
        frames.append(np.full(len(ids), row))
        corners.append(name[ids])
        at.append(seen[ids] + rng.normal(0, noise_px, (len(ids), 2)))
    return Tracks(np.concatenate(frames), np.concatenate(corners), np.concatenate(at), (), len(turns))


def room_points(seed: int = 0) -> np.ndarray:
    """Return (900, 3) points on the walls of a room and of what stands in it."""
    rng = np.random.default_rng(seed)
    walls = rng.uniform(-1, 1, (600, 3)) * [6, 2, 8] + [0, 0, 6]
    side = rng.integers(0, 4, 600)
    walls[side == 0, 0], walls[side == 1, 0], walls[side == 2, 1], walls[side == 3, 2] = -6, 6, 2, 14
    inside = rng.uniform(-1, 1, (300, 3)) * [4, 1.5, 3] + [0, 0.5, 7]
    return np.concatenate([walls, inside])
