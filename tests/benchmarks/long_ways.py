"""How fast, in how much memory and how well long ways of a camera are found, from corners without pictures.

PYTHONPATH=tests/support python tests/benchmarks/long_ways.py [FRAMES [WAY]]
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
from pose_server.egomotion.background import Tracks
from pose_server.egomotion.models import Move, move_of
from scipy.spatial.transform import Rotation
from seen_corners import FOLLOWED, HALF

RATE_HZ, SPEED_M_S, FOCAL_PX, NOISE_PX, NEAR_M = 30.0, 1.2, 550.0, 0.3, 14.0


def ways(frames: int) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return turns, places, and points: past a wall, between two, around a room, and first on the spot."""
    t, rng = np.arange(frames) / RATE_HZ, np.random.default_rng(0)
    ahead, bob = SPEED_M_S * t, 0.03 * np.sin(9 * t)
    late = np.maximum(ahead - 0.6 * ahead[-1], 0)
    pitch, count = 2 * np.sin(2.9 * t), int(ahead[-1] + 40) * 150

    def turned(yaw: np.ndarray) -> np.ndarray:
        return Rotation.from_euler("yx", np.stack([yaw, pitch], axis=1), degrees=True).as_matrix()

    along = rng.uniform(-8, ahead[-1] + 32, count)
    wall = np.column_stack([along, rng.uniform(-2, 2, count), rng.uniform(2.5, 9, count)])
    walls = np.column_stack(
        [along, rng.uniform(-2, 2, count), rng.uniform(2, 6, count) * rng.choice([-1, 1], count)]
    )[::3]
    angle = 0.25 * t
    room = rng.uniform(-1, 1, (4000, 3)) * [7, 2, 7]
    far = np.hypot(room[:, 0], room[:, 2])
    return {
        "past a wall": (
            turned(6 * np.sin(0.8 * t)),
            np.stack([ahead, bob, 0.1 * np.sin(0.5 * t)], axis=1),
            wall,
        ),
        "between walls": (
            turned(90 + 20 * np.sin(0.8 * t)).transpose(0, 2, 1),
            np.stack([ahead, bob, 0.3 * np.sin(0.5 * t)], axis=1),
            walls,
        ),
        "around a room": (
            turned(5 * np.sin(t) - np.degrees(angle)).transpose(0, 2, 1),
            np.stack([2 * np.sin(angle), bob, -2 * np.cos(angle)], axis=1),
            room[(far > 3) | ((far > 0.5) & (far < 1.3))],
        ),
        "first on the spot": (turned(15 * np.sin(0.8 * t)), np.stack([late, 0 * t, 0 * t], axis=1), wall),
    }


def seen(turns: np.ndarray, places: np.ndarray, points: np.ndarray) -> Tracks:
    """Return tracks as `corners_of` makes them; of a long way, by looking only at the points near."""
    rng = np.random.default_rng(1)
    points = points[np.argsort(points[:, 0])]
    drift = rng.normal(0, 1.5, (len(points), 2)) * (rng.random(len(points)) < 0.05)[:, None]
    name, since = np.full(len(points), -1), np.zeros(len(points), dtype=int)
    alive = np.zeros(len(points), dtype=bool)
    named, kept = 0, []
    for row, (turn, place) in enumerate(zip(turns, places, strict=True)):
        first, last = np.searchsorted(points[:, 0], [place[0] - NEAR_M, place[0] + NEAR_M])
        there = (points[first:last] - place) @ turn.T
        lived = alive[first:last]
        with np.errstate(divide="ignore", invalid="ignore"):
            at = FOCAL_PX * there[:, :2] / there[:, 2:]
        at += drift[first:last] * np.where(lived, row - since[first:last], 0)[:, None]
        visible = (there[:, 2] > 0.2) & (np.abs(at) < HALF).all(axis=1) & (rng.random(len(at)) > 0.01)
        lived = lived & visible
        new = rng.permutation(np.flatnonzero(visible & ~lived))[: max(0, FOLLOWED - lived.sum())]
        name[first + new], since[first + new] = named + np.arange(len(new)), row
        named += len(new)
        alive[:] = False
        alive[first:last] = lived
        alive[first + new] = True
        ids = np.flatnonzero(alive)
        ids = ids[np.argsort(name[ids])]
        noise = rng.normal(0, NOISE_PX, (len(ids), 2))
        kept.append((np.full(len(ids), row), name[ids], (at[ids - first] + noise).astype(np.float32)))
    return Tracks(*(np.concatenate(part) for part in zip(*kept, strict=True)), (), len(turns))


def told(move: Move, turns: np.ndarray, places: np.ndarray) -> str:
    """Return how far turns, way and local scale (over a second) are off."""
    away = Rotation.from_matrix(move.turns).inv() * Rotation.from_matrix(turns @ turns[0].T)
    true = (places - places[0]) @ turns[0].T
    found, wanted = move.places - move.places.mean(axis=0), true - true.mean(axis=0)
    u, s, vt = np.linalg.svd(wanted.T @ found)
    sign = np.diag([1, 1, np.linalg.det(u @ vt)])
    factor = (s * np.diag(sign)).sum() / (found**2).sum()
    off = np.linalg.norm(factor * found @ (u @ sign @ vt).T - wanted, axis=1).max()
    second = int(RATE_HZ)
    lengths = [
        np.linalg.norm(path[second::second] - path[:-second:second], axis=1)
        for path in (factor * move.places, places)
    ]
    moved = lengths[1] > 0.1
    scale = lengths[0][moved] / lengths[1][moved]
    way = np.linalg.norm(np.diff(true, axis=0), axis=1).sum()
    return (
        f"{np.degrees(away.magnitude()).max():.2f} | {off / way:.2%} | {scale.min():.3f} to {scale.max():.3f}"
    )


def main() -> None:
    """Print a line for each way."""
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("way | kind | lens | frames/s | most MB so far | turns off by deg | way off by | local scale")
    for name, (turns, places, points) in ways(frames).items():
        if name not in (sys.argv[2:3] or [name]):
            continue
        tracks = seen(turns, places, points)
        begun = time.process_time()
        move = move_of(tracks, 0, frames, focal_px=0.9 * FOCAL_PX, focal_sigma=0.25)
        rate = frames / (time.process_time() - begun)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        lens = f"{move.focal_px / FOCAL_PX:.4f}"
        print(
            f"{name} | {move.kind} | {lens} | {rate:.0f} | {memory:.0f} | {told(move, turns, places)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
