"""What the clean-up of 2D tracks brings: gaps bridged in each way, jumps taken out, points smoothed.

Usage: ``python tests/benchmarks/cleanup.py MOTIONS [--count N] [--write PATH]``, with a set of
``pose-server train prepare``.  Films people who were not trained on, damages what the detector would see,
and prints how far off the solved motion is then.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from pose_server.evaluate import motion
from pose_server.evaluate.mocap import Scene
from pose_server.evaluate.motion import evaluate_motion, mean_row
from pose_server.evaluate.motion_table import HELD_OUT
from pose_server.evaluate.shooting import Shooting, shot
from pose_server.evaluate.table import Column, Table, write_tables
from pose_server.lift.lifter import Lifter
from pose_server.lift.registry import create_lifter
from pose_server.pipeline.boundary import Track2D
from pose_server.pipeline.cleanup_options import CleanupOptions
from pose_server.train.motions import MotionSet, read_motions

Damage = Callable[[Track2D, np.random.Generator], Track2D]
#: Seconds between two gaps, and how far a jump goes, in heights of the person.
APART_S, JUMP = 0.7, 0.3


def whole(track: Track2D, rng: np.random.Generator) -> Track2D:
    """Leave the track as it is."""
    return track


def gaps(seconds: float) -> Damage:
    """Return what loses the person for so long again and again."""

    def damaged(track: Track2D, rng: np.random.Generator) -> Track2D:
        row_s = float(np.median(np.diff(track.times_s)))
        rows, apart = round(seconds / row_s), round(APART_S / row_s)
        parts = {
            name: getattr(track, name).copy()
            for name in ("boxes_px", "keypoints_px", "keypoint_confidence", "landmarks_m")
        }
        for first in range(apart // 2, len(track) - rows, rows + apart):
            for name, values in parts.items():
                values[first : first + rows] = 0.0 if name == "keypoint_confidence" else np.nan
        return replace(track, **parts)

    return damaged


def jumps(share: float) -> Damage:
    """Return what puts a share of the points elsewhere."""

    def damaged(track: Track2D, rng: np.random.Generator) -> Track2D:
        points = track.keypoints_px.copy()
        height = float(np.nanmedian(track.boxes_px[:, 3] - track.boxes_px[:, 1]))
        chosen = rng.random(points.shape[:2]) < share
        points[chosen] += rng.normal(size=(chosen.sum(), 2)) * JUMP * height
        return replace(track, keypoints_px=points)

    return damaged


@dataclass(frozen=True)
class Case:
    """What is damaged, and what is done about it."""

    damage: Damage
    cleanup: CleanupOptions = field(default_factory=CleanupOptions)
    outliers: float = 0.0


def cases() -> dict[str, Case]:
    """Return all cases by name."""
    found = {"nothing damaged": Case(whole)}
    for seconds in (0.2, 0.5, 0.9):
        for way in ("none", "hold", "linear", "rts"):
            options = CleanupOptions(gaps=way, gap_limit_s=None if way == "none" else 2.0)
            found[f"missed for {seconds:g} s, gaps {way}"] = Case(gaps(seconds), options)
    for repair in ("sides", "all"):
        found[f"3 % of the points elsewhere, repair {repair}"] = Case(
            jumps(0.03), CleanupOptions(repair=repair)
        )
        found[f"5 % of the frames elsewhere, repair {repair}"] = Case(
            whole, CleanupOptions(repair=repair), outliers=0.05
        )
    for text in ("butterworth:6", "butterworth:10", "one_euro", "rts:8", "median"):
        options = CleanupOptions(smoothing=CleanupOptions.parse_smoothing(text))
        found[f"nothing damaged, smoothed by {text}"] = Case(whole, options)
    return found


def row(name: str, case: Case, lifter: Lifter, motions: MotionSet, count: int) -> dict[str, Any]:
    """Return the figures of one case."""

    def filmed(motions: MotionSet, shooting: Shooting) -> Iterator[Scene]:
        for number, scene in enumerate(shot(motions, shooting)):
            yield replace(scene, track=case.damage(scene.track, np.random.default_rng(number)))

    shooting = Shooting(count=count, outliers=case.outliers, cleanup=case.cleanup)
    with patch.object(motion, "shot", filmed):
        scores = list(evaluate_motion(lifter, motions, shooting))
    return {"name": name, **mean_row([score.rows["solved"] for score in scores])}


def main() -> None:
    """Measure with the shipped lifter."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("motions", type=Path)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    _, held_out = read_motions(arguments.motions).split(HELD_OUT)
    lifter = create_lifter("house", "cpu")
    table = Table(
        "What the clean-up brings",
        [
            Column("name", "What the detector did, and what was done about it"),
            Column("mpjpe_mm", "MPJPE mm", 1),
            Column("p_mpjpe_mm", "P-MPJPE mm", 1),
            Column("wa_mpjpe_mm", "WA-MPJPE mm", 0),
            Column("contact_f1", "Contact F1", 3),
            Column("foot_slide_mm_frame", "Foot slide mm/frame", 1),
            Column("acceleration_kept", "Acceleration kept", 2),
        ],
        [row(name, case, lifter, held_out, arguments.count) for name, case in cases().items()],
        note=f"{arguments.count} scenes of `pose-server evaluate motion`, solved.",
    )
    print(table.to_markdown())
    if arguments.write:
        write_tables(arguments.write, [table])


if __name__ == "__main__":
    main()
