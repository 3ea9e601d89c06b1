"""How fast the linear network is: one batch forth and back, one batch forth, and the lifter on a clip.

Usage: ``python tests/benchmarks/baseline.py``.  Prints a Markdown table; medians of rounds in which
the three take turns.  The original reports under 8 ms forth and back, and under 6 ms forth, for a
batch of 64 on a GTX 1080.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from pose_server.lift.baseline import BaselineLifter
from pose_server.lift.points import HUMAN36M_INPUTS
from pose_server.pipeline.boundary import Camera, Track2D
from pose_server.train.baseline import BaselineOptions, fresh_model
from pose_shared.skeleton import H36M_17

sys.path.append(str(Path(__file__).parents[1] / "support"))
from made_people import MATRIX, made_clips, made_joints, projected

_BATCH = 64
_FRAMES = 5000


def main() -> None:
    """Measure the published size, 1024 wide with two blocks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    model = fresh_model(made_clips(1, 20, 20), BaselineOptions())
    network = model.network.to(arguments.device)
    optimizer = torch.optim.Adam(network.parameters())
    given = torch.randn(_BATCH, 2 * len(HUMAN36M_INPUTS), device=arguments.device)
    wanted = torch.randn(_BATCH, 3 * len(model.outputs), device=arguments.device)
    track = _track(projected(made_joints(np.random.default_rng(0), _FRAMES)))
    camera = Camera(matrix=MATRIX, distortion=np.zeros(5), image_size=(1000, 1000), focal_source="given")
    lifter = BaselineLifter(model, device=arguments.device)

    def forth() -> None:
        with torch.inference_mode():
            network.eval()(given).cpu()

    def back() -> None:
        optimizer.zero_grad()
        loss = ((network.train()(given) - wanted) ** 2).mean()
        loss.backward()
        optimizer.step()
        loss.item()

    tasks: dict[str, tuple[Callable[[], object], int]] = {
        "forth and back, with Adam's step": (back, _BATCH),
        "forth": (forth, _BATCH),
        "lifter: points, median, hold, network, place": (lambda: lifter.lift(track, camera), _FRAMES),
    }
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(arguments.rounds):
        for name, (task, _) in tasks.items():
            begin = time.perf_counter()
            task()
            times[name].append(time.perf_counter() - begin)
    print("| | frames | ms | frames/s |\n| --- | ---: | ---: | ---: |")
    for name, (_, frames) in tasks.items():
        middle = statistics.median(times[name])
        print(f"| {name} | {frames} | {middle * 1e3:.1f} | {frames / middle:,.0f} |")


def _track(points_px: np.ndarray) -> Track2D:
    frames, count = points_px.shape[:2]
    return Track2D(
        keypoint_names=H36M_17.joints,
        indices=np.arange(frames),
        times_s=np.arange(frames) / 50,
        boxes_px=np.concatenate([points_px.min(axis=1), points_px.max(axis=1)], axis=1),
        keypoints_px=points_px,
        keypoint_confidence=np.ones((frames, count)),
        landmarks_m=np.full((frames, count, 3), np.nan),
    )


if __name__ == "__main__":
    main()
