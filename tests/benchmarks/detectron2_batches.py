"""How fast the detector detectron2 is beside Detectron2's own predictor, one call per frame.

Usage, where Detectron2 is installed (docs/detectors.md)::

    python tests/benchmarks/detectron2_batches.py CLIP [--device cuda:0] [--frames 64] [--at-once 1,4,16]

Prints a Markdown table.  Weights are seeded random ones: speed does not depend on what they know.  All
ways see the same decoded frames and are measured in turn in one run, so a machine that slows down slows all.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import detectron2
import numpy as np
import torch
from detectron2.config import get_cfg
from detectron2.engine import DefaultPredictor
from pose_server.detect.detectron2 import Detectron2Session
from pose_server.detect.keypoint_rcnn import KeypointRcnn
from pose_server.detect.keypoint_rcnn_files import ZOO_MODELS, KeypointRcnnFiles
from pose_server.pipeline.boundary import FrameBatch
from pose_server.video.open import open_clip

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from made_keypoint_rcnn import write_weights

#: People in a frame, as many as a film of a few has.
PEOPLE = 4


def one_call_per_frame(predictor: Any, batches: list[FrameBatch], device: str) -> float:
    """Seconds for Detectron2's predictor."""
    begin = time.perf_counter()
    for batch in batches:
        for frame in batch.frames:
            predictor(frame[..., ::-1])["instances"].to("cpu")
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - begin


def in_batches(network: KeypointRcnn, at_once: int, batches: list[FrameBatch]) -> float:
    """Seconds for a session of the detector."""
    begin = time.perf_counter()
    with Detectron2Session(network, at_once) as session:
        found = [frame for batch in batches for frame in session.detect(batch)] + session.finish()
    assert len(found) == sum(len(batch) for batch in batches)
    return time.perf_counter() - begin


def ways(
    folder: Path, options: argparse.Namespace, batches: list[FrameBatch]
) -> dict[str, Callable[[], float]]:
    """Return what is measured, by name, the predictor first."""
    zoo = Path(detectron2.__file__).parent / "model_zoo" / "configs" / "COCO-Keypoints"
    config = folder / "config.yaml"
    config.write_text(f"_BASE_: {zoo / options.model}.yaml\nTEST: {{DETECTIONS_PER_IMAGE: {PEOPLE}}}\n")
    weights = write_weights(config, folder / "random.pth")
    settings = get_cfg()
    settings.merge_from_file(str(config))
    settings.MODEL.WEIGHTS, settings.MODEL.DEVICE = str(weights), options.device
    settings.MODEL.ROI_HEADS.SCORE_THRESH_TEST = 0.3
    predictor = DefaultPredictor(settings)
    files = KeypointRcnnFiles("random", config, weights, registered=False)
    network = KeypointRcnn(files, options.device, 0.3)
    height, width = batches[0].frames.shape[1:3]
    usual = network.frames_at_once(height, width)
    chosen = [int(n) for n in options.at_once.split(",")] if options.at_once else [usual]
    measured = {"one call per frame": partial(one_call_per_frame, predictor, batches, options.device)}
    for n in chosen:
        name = f"{n} at once" + (", as the detector does here" if n == usual else "")
        measured[name] = partial(in_batches, network, n, batches)
    return measured


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--model", choices=ZOO_MODELS, default=ZOO_MODELS[0])
    parser.add_argument("--at-once", help="numbers of frames to compute together")
    options = parser.parse_args()
    source = open_clip(options.clip)
    batches = [
        FrameBatch(np.array(b.frames), b.indices, b.times_s)
        for b in islice(source.batches(min(4, options.frames)), max(1, options.frames // 4))
    ]
    frames = sum(len(batch) for batch in batches)
    with tempfile.TemporaryDirectory() as folder:
        measured = ways(Path(folder), options, batches)
        for measure in measured.values():
            measure()  # the first run of each makes what later ones keep
        rows = [[measure() for measure in measured.values()] for _ in range(options.rounds)]
    print(f"{options.clip.name}, {frames} frames, {options.model}, {options.device}\n")
    print("| way | frames/s | times as fast |\n|---|---|---|")
    for i, name in enumerate(measured):
        fps = frames / statistics.median(row[i] for row in rows)
        print(f"| {name} | {fps:.2f} | {statistics.median(row[0] / row[i] for row in rows):.2f} |")


if __name__ == "__main__":
    main()
