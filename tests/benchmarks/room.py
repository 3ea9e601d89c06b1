"""Whether lens and vertical are as uncertain as `egomotion.room` says, on made rooms, and on none.

Usage: ``PYTHONPATH=tests/support python tests/benchmarks/room.py [COUNT]``
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from made_lines import SIZE, Shot, made_clutter, made_lines, made_room, made_shot
from pose_server.egomotion.room import Room, seen_room
from pose_server.pipeline.camera import camera_of_clip, with_focal

Lines = Callable[[np.random.Generator, Shot], np.ndarray]


def room(rng: np.random.Generator, shot: Shot) -> np.ndarray:
    """Return a room with furniture and clutter."""
    return np.concatenate([made_lines(rng, made_room(rng), shot), made_clutter(rng, rng.integers(5, 60))])


def sheared(rng: np.random.Generator, shot: Shot) -> np.ndarray:
    """Return a room whose walls do not stand at right angles: 71 degrees."""
    edges_m = made_room(rng, 0.1) @ np.array([[1, 0, 0.35], [0, 1, 0], [0, 0, 1]]).T
    return np.concatenate([made_lines(rng, edges_m, shot), made_clutter(rng, rng.integers(5, 60))])


def turned(rng: np.random.Generator, shot: Shot) -> np.ndarray:
    """Return furniture, each piece turned another way, without a room."""
    lines = made_lines(rng, made_room(rng, 1.0)[12:], shot)
    return np.concatenate([lines, made_clutter(rng, rng.integers(5, 60))])


KINDS: dict[str, Lines] = {
    "rooms": room,
    "turned furniture": turned,
    "sheared rooms": sheared,
    "clutter": lambda rng, _: made_clutter(rng, rng.integers(20, 200)),
    "bundles": lambda rng, _: made_clutter(rng, rng.integers(10, 80), bundles=10),
}


def main() -> None:
    """Print a line for each kind of scene."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    camera = camera_of_clip(SIZE)
    for name, lines in KINDS.items():
        found: list[tuple[Room, Shot]] = []
        began = time.perf_counter()
        for seed in range(count):
            rng = np.random.default_rng(seed)
            shot = made_shot(rng)
            seen = seen_room(lines(rng, shot), camera)
            if seen is not None:
                found.append((seen, shot))
        each_s = (time.perf_counter() - began) / count
        print(f"{name}: {count} scenes, {each_s:.2f} s each, vertical told in {len(found)}", end="")
        if found:
            off = np.array([np.arccos(np.clip(seen.vertical.up @ shot.up, -1, 1)) for seen, shot in found])
            sigma = np.array([seen.vertical.sigma_rad for seen, _ in found])
            # Two angles together: 95 % of them are within 2.45 standard deviations.
            print(f", off by {np.degrees(np.median(off)):.2f} degrees", end="")
            print(
                f" (95 %: {np.degrees(np.percentile(off, 95)):.1f}), {(off < 2.45 * sigma).mean():.1%}",
                end="",
            )
            print(" within 95 %", end="")
        told = [
            (
                np.log(seen.focal_px / shot.focal_px),
                seen.focal_sigma,
                np.log(camera.matrix[0, 0] / shot.focal_px),
            )
            for seen, shot in found
            if with_focal(camera, seen.focal_px, seen.focal_sigma).focal_source == "estimated"
        ]
        print(f"; lens told in {len(told)}", end="")
        if told:
            off, sigma, assumed = np.abs(told).T
            print(f", off by {np.median(off):.1%} (assumed: {np.median(assumed):.1%})", end="")
            print(f", {(off < 2 * sigma).mean():.1%} within 2 sigma", end="")
        print()


if __name__ == "__main__":
    main()
