"""What it costs to put the neck into the spine's slot, as 3d-pose-baseline's OpenPose script does.

Usage: ``python tests/benchmarks/neck.py baseline.npz motions.npz``, with a network trained on projected
points of Human3.6M and a set of ``pose-server train prepare``.  Lifts the projections of the subjects
that are held out, mapped both ways from what a detector of COCO's points would see; prints a table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from pose_server.lift.baseline_file import read_baseline
from pose_server.lift.points import HUMAN36M_INPUTS, network_points
from pose_server.train.baseline_source import MotionSource
from pose_shared.skeleton import COCO_17


def main() -> None:
    """Measure both mappings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("motions", type=Path)
    arguments = parser.parse_args()
    model = read_baseline(arguments.model)
    if model.inputs != HUMAN36M_INPUTS:
        parser.error(f"{arguments.model} takes other points than Human3.6M's sixteen.")
    source = MotionSource(arguments.motions)
    clips = source.clips(source.test_subjects, COCO_17.joints)
    truth = np.concatenate([clip.joints_mm(model.outputs) for clip in clips])
    points = np.concatenate([clip.points_px for clip in clips])
    print("| mapping | MPJPE mm | torso leans off by degrees |\n| --- | ---: | ---: |")
    for name, mapped in (("here", here(points)), ("as published", published(points))):
        found = model.lifted_mm(mapped)
        # The pelvis counts as the seventeenth, as in the evaluation.
        error = np.linalg.norm(found - truth, axis=2).sum(axis=1).mean() / (len(model.outputs) + 1)
        neck = model.outputs.index("neck")
        up, true_up = (x[:, neck] / np.linalg.norm(x[:, neck], axis=1, keepdims=True) for x in (found, truth))
        lean = np.degrees(np.arccos(np.clip((up * true_up).sum(axis=1), -1, 1))).mean()
        print(f"| {name} | {error:.1f} | {lean:.1f} |")


def here(points: np.ndarray) -> np.ndarray:
    """(T, 16, 2) where the network has learned them."""
    return network_points(points, COCO_17.joints, HUMAN36M_INPUTS)


def published(points: np.ndarray) -> np.ndarray:
    """(T, 16, 2) the neck in Spine, the nose in Head, Thorax extrapolated below the neck."""
    slots = here(points)
    left, right, nose = (
        points[:, COCO_17.index(name)] for name in ("left_shoulder", "right_shoulder", "nose")
    )
    neck = (left + right) / 2
    for slot, values in (("spine", neck), ("head_top", nose), ("neck", 2 * neck - (nose + neck) / 2)):
        slots[:, HUMAN36M_INPUTS.index(slot)] = values
    return slots


if __name__ == "__main__":
    main()
