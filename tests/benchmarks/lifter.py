"""How fast the house lifter is on one person, everything included.

Usage: ``python tests/benchmarks/lifter.py [--frames 10000] [--rounds 5] [--threads N]``.  Prints a Markdown
table; medians of rounds in which all lines take turns.  Processor time is what a busy machine does
not change much.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import torch
from pose_server.lift.lifter import Lifter
from pose_server.lift.registry import create_lifter
from pose_server.pipeline.boundary import Track2D
from pose_server.pipeline.camera import camera_of_clip
from pose_shared.skeleton import SEEN_27

SIZE = (1920, 1080)


def made_track(frames: int, *, landmarks: bool) -> Track2D:
    """Somebody of no meaning: the numbers decide nothing about the speed."""
    rng = np.random.default_rng(0)
    keypoints = rng.normal(500, 100, (1, len(SEEN_27), 2)) + rng.normal(0, 3, (frames, len(SEEN_27), 2))
    points = rng.normal(0, 0.3, (frames, len(SEEN_27), 3))
    return Track2D(
        keypoint_names=SEEN_27.joints,
        indices=np.arange(frames),
        times_s=np.arange(frames) / 30,
        boxes_px=np.tile([0.0, 0.0, 1.0, 1.0], (frames, 1)),
        keypoints_px=keypoints,
        keypoint_confidence=np.ones((frames, len(SEEN_27))),
        landmarks_m=points if landmarks else np.full_like(points, np.nan),
    )


def timed(lifter: Lifter, track: Track2D) -> tuple[float, float]:
    """Return seconds of wall and of processor time."""
    wall, busy = time.perf_counter(), time.process_time()
    lifter.lift(track, camera_of_clip(SIZE))
    return time.perf_counter() - wall, time.process_time() - busy


def main() -> None:
    """Measure the shipped weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    lifter = create_lifter("house", "cpu")
    lines = {
        "2D and landmarks": made_track(arguments.frames, landmarks=True),
        "2D only": made_track(arguments.frames, landmarks=False),
    }
    for track in lines.values():
        timed(lifter, track)  # the first run of a shape prepares it
    rounds = [{name: timed(lifter, track) for name, track in lines.items()} for _ in range(arguments.rounds)]
    print(f"| Input ({arguments.threads} threads) | frames/s | frames per second of processor time |")
    print("|---|---:|---:|")
    for name in lines:
        wall, busy = (statistics.median(row[name][i] for row in rounds) for i in (0, 1))
        print(f"| {name} | {arguments.frames / wall:,.0f} | {arguments.frames / busy:,.0f} |")


if __name__ == "__main__":
    main()
