"""What each term of the motion solve brings, and how fast it is.

Usage: ``python tests/benchmarks/solve.py MOTIONS CLIP_FOLDER [--count N]``, with a set of
``pose-server train prepare`` and a folder with a film and its reference.  Prints two Markdown tables: the
same scenes and the same film with one thing changed at a time; and seconds of one processor per thousand
frames of clips of growing length, fitted and arranged again, with the peak of memory.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import numpy as np
import torch
from pose_server.cleanup.cleaning import cleaned_up
from pose_server.evaluate.clip import evaluate_clip, person_of
from pose_server.evaluate.motion import evaluate_motion, mean_row
from pose_server.evaluate.reference import ClipReference, read_reference
from pose_server.evaluate.shooting import Shooting, shot
from pose_server.evaluate.table import Column, Table, write_tables
from pose_server.lift.lifter import Lifter
from pose_server.lift.registry import create_lifter
from pose_server.pipeline.boundary import Camera, Pose3D, Track2D
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.solve_options import SolveOptions
from pose_server.solve import fit, ground, person, planting, proportions
from pose_server.solve.clip import arranged, fit_people
from pose_server.train.motions import MotionSet, read_motions

Part = TypeVar("Part", Track2D, Pose3D)
NEVER = 1e6


@dataclass(frozen=True)
class Variant:
    """One change: constants of modules, options, or what is seen."""

    constants: tuple[tuple[Any, str, Any], ...] = ()
    options: SolveOptions = field(default_factory=SolveOptions)
    shooting: dict[str, Any] = field(default_factory=dict)
    silent: bool = False
    """The lifter says nothing of contacts."""


VARIANTS = {
    "as it is": Variant(),
    "without keypoints": Variant(
        ((fit, "_KEYPOINT_SHARE", NEVER), (fit, "_KEYPOINT_SHARES", (NEVER, NEVER)))
    ),
    "keypoints as good in every clip": Variant(((fit, "_KEYPOINT_SHARES", (0.02, 0.02)),)),
    "without the head in the picture": Variant(
        ((person, "_MIDDLES", {name: ends for name, ends in person._MIDDLES.items() if name != "head"}),)
    ),
    "without lifted directions": Variant(((fit, "_DIRECTION", NEVER),)),
    "without the lifted root": Variant(((fit, "_ROOT_SHARE", NEVER),)),
    "without custom": Variant(((fit, "_CUSTOM_RAD", dict.fromkeys(fit._CUSTOM_RAD, (NEVER,) * 3)),)),
    "without limits of hinges": Variant(((fit, "_BACKWARDS_RAD", NEVER),)),
    "without stiffness of turns": Variant(((fit, "_TURN_RAD_S2", NEVER),)),
    "without the robust loss": Variant(
        ((fit, "_STEPS", tuple((weight, NEVER) for weight, _ in fit._STEPS)),)
    ),
    "without the person's own lengths": Variant(((proportions, "_TRUST", 0.0),)),
    "lengths as lifted": Variant(((fit, "_LENGTH_SHARE", 1e-6),)),
    "all joints equally certain": Variant(((person, "_CERTAIN_M", NEVER),)),
    "contacts by speed alone": Variant(silent=True),
    "without levelling by steps": Variant(((ground, "_LEVER_M", NEVER),)),
    "without free fall": Variant(((planting, "_FALL_M_S2", NEVER),)),
    "without contacts": Variant(options=SolveOptions(contacts="never")),
    "without contacts and floor": Variant(options=SolveOptions(contacts="never", floor="none")),
    "raw": Variant(options=SolveOptions(smoothing=0.0)),
    "calm": Variant(options=SolveOptions(smoothing=1.0)),
    "lens guessed": Variant(shooting={"lens": "guessed"}),
}


class Told:
    """A lifter that lifts everything once, and may keep contacts to itself."""

    def __init__(self, lifter: Lifter) -> None:
        self.name, self.fingerprint = lifter.name, lifter.fingerprint
        self.silent = False
        self._lifter = lifter
        self._known: dict[tuple[bytes, float], Pose3D] = {}

    def lift(self, track: Track2D, camera: Camera) -> Pose3D:
        key = (track.keypoints_px.tobytes(), float(camera.matrix[0, 0]))
        if key not in self._known:
            self._known[key] = self._lifter.lift(track, camera)
        return replace(self._known[key], contacts=None) if self.silent else self._known[key]


@contextmanager
def changed(variant: Variant) -> Iterator[None]:
    """Set a variant's constants for a while."""
    with ExitStack() as stack:
        for module, name, value in variant.constants:
            stack.enter_context(patch.object(module, name, value))
        yield


def row(
    name: str, lifter: Told, motions: MotionSet, reference: ClipReference, track: Track2D, count: int
) -> dict[str, Any]:
    """Return the figures of one variant."""
    variant = VARIANTS[name]
    lifter.silent = variant.silent
    shooting = replace(Shooting(), count=count, options=variant.options, **variant.shooting)
    with changed(variant):
        scores = list(evaluate_motion(lifter, motions, shooting))
        film = evaluate_clip(reference, track, [("house", lifter)], options=variant.options)
    mean = mean_row([score.rows["solved"] for score in scores])
    lens = variant.shooting.get("lens", "given")
    (solved,) = (line for line in film if line["lens"] == lens and "solved" in str(line["method"]))
    return {
        "name": name,
        **mean,
        **{f"film_{key}": value for key, value in solved.items() if key not in ("method", "lens")},
    }


def longer(part: Part, times: int) -> Part:
    """Return a track or pose that goes on as it began."""
    frames = len(part)
    fields = {
        name: np.concatenate([value] * times)
        for name, value in vars(part).items()
        if isinstance(value, np.ndarray) and len(value) == frames
    }
    rows = np.arange(frames * times)
    return replace(part, **{**fields, "indices": rows, "times_s": rows / 30})


def speeds(lifter: Lifter, motions: MotionSet, lengths: Sequence[int]) -> list[dict[str, Any]]:
    """Return processor seconds per thousand frames, on one thread."""
    scene = next(shot(motions, replace(Shooting(), count=1)))
    track = cleaned_up(scene.track)
    pose = lifter.lift(track, scene.camera)
    silent, rate = SilentProgress(), Fraction(30)
    rows = []
    for length in lengths:
        times = max(1, round(length / len(track)))
        long_track, long_pose = longer(track, times), longer(pose, times)
        begin = time.process_time()
        people = fit_people([long_track], [long_pose], scene.camera, rate=rate, progress=silent)
        fitted = time.process_time()
        arranged(people, scene.camera, rate=rate, fps=None, options=SolveOptions(), progress=silent)
        done = time.process_time()
        rows.append(
            {
                "frames": len(long_track),
                "fit_s": (fitted - begin) / len(long_track) * 1e3,
                "arrange_s": (done - fitted) / len(long_track) * 1e3,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    return rows


def main() -> None:
    """Measure the shipped lifter's solve."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("motions", type=Path)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--only", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    motions, reference = read_motions(arguments.motions), read_reference(arguments.clip)
    lifter = Told(create_lifter("house", "cpu"))
    speed_rows = speeds(lifter, motions, (1_000, 3_000, 10_000))  # first: later the peak is another's
    track, _ = person_of(reference, "auto")
    ablation = Table(
        "What each term of the solve brings",
        [
            Column("name", "One thing changed"),
            Column("mpjpe_mm", "MPJPE mm", 1),
            Column("p_mpjpe_mm", "P-MPJPE mm", 1),
            Column("wa_mpjpe_mm", "WA-MPJPE mm", 0),
            Column("root_absolute_m", "Root error m", 3),
            Column("foot_slide_mm_frame", "Foot slide mm/frame", 1),
            Column("penetration_mm", "Below floor mm", 1),
            Column("acceleration_kept", "Acceleration kept", 2),
            Column("film_mpjpe_mm", "Film MPJPE mm", 1),
            Column("film_p_mpjpe_mm", "Film P-MPJPE mm", 1),
            Column("film_acceleration_error_mm_frame2", "Film acceleration error mm/frame²", 2),
        ],
        [row(name, lifter, motions, reference, track, arguments.count) for name in arguments.only],
        note=f"{arguments.count} scenes of `pose-server evaluate motion`, and the film with a reference.",
    )
    speed = Table(
        "How fast the solve is",
        [
            Column("frames", "Frames", 0),
            Column("fit_s", "Fit, s per 1,000 frames", 2),
            Column("arrange_s", "Arranged again, s per 1,000 frames", 2),
            Column("peak_mb", "Peak memory MB", 0),
        ],
        speed_rows,
        note="Processor time, one thread.",
    )
    tables = [ablation, speed]
    print("\n".join(table.to_markdown() for table in tables))
    if arguments.write:
        write_tables(arguments.write, tables)


if __name__ == "__main__":
    main()
