"""How well a camera that turns tells its lens: films of a rendered room, with a hand's tremble.

PYTHONPATH=tests/support python tests/benchmarks/turning_lens.py
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from filmed_room import FilmedRoom
from pose_server.egomotion.following import followed
from pose_server.pipeline.progress import SilentProgress
from scipy.spatial.transform import Rotation

FILMS, FRAMES = 14, 60
T = np.linspace(0, 1, FRAMES)
SWAY = np.stack([np.sin(9 * T), np.sin(7 * T + 1), np.sin(5 * T)], axis=1)


def main() -> None:
    """Print a line for each film."""
    rng = np.random.default_rng(3)
    print("turn deg | tremble m | field of view deg | guess | found | one standard deviation")
    for number in range(FILMS):
        span, (fast, slow), tremble = rng.uniform(5, 45), rng.uniform(2, 7, 2), rng.choice([0, 0.002, 0.005])
        yaw = span * T if number % 2 else span / 2 * np.sin(fast * T)
        angles = np.stack([yaw, rng.uniform(0, 0.3) * span * np.sin(slow * T)], axis=1)
        turns = Rotation.from_euler("yx", angles, degrees=True).as_matrix()
        film = FilmedRoom(turns, tremble * SWAY, fov_deg=rng.uniform(35, 75))
        guess = rng.uniform(0.8, 1.25)
        matrix = film.camera.matrix.copy()
        matrix[[0, 1], [0, 1]] *= guess
        camera = replace(film.camera, matrix=matrix, focal_source="assumed", focal_sigma=0.25)
        moved = followed(film, film.seen(), camera, SilentProgress())
        found = "-" if moved.focal_px is None else f"{moved.focal_px / film.camera.matrix[0, 0]:.4f}"
        print(
            f"{span:.0f} | {tremble} | {film.fov_deg:.0f} | {guess:.2f} | {found} | {moved.focal_sigma:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
