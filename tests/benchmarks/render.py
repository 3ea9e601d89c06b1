"""How fast films are drawn and written, and whether memory grows with their length.

Usage: ``PYTHONPATH=tests/support python tests/benchmarks/render.py [RESULT] [--clip FILM] [--size 960x540]``.
Without RESULT two made-up people walk.  Every run has a process of its own, and the fastest of three counts.
Memory is the most that the process ever held, until the motions were there and until the film was; one film
is written twenty times longer too, to see whether it grows.  CPU time per picture is what a busy machine does
not change.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from made_walker import walker
from pose_server.evaluate.table import Column, Table
from pose_server.export.render import render
from pose_server.export.subject import subject_of
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.render_options import RenderOptions
from pose_server.pipeline.results import read_people
from pose_server.video.open import open_clip

RUNS = 3
SHORT, LONG = 500, 10_000


@dataclass(frozen=True)
class Case:
    """One film to write."""

    name: str
    suffix: str = ".mp4"
    views: tuple[str, ...] = ("room",)
    options: tuple[tuple[str, float | bool], ...] = ()
    footage: bool = False
    long: bool = False
    """Whether it is written ten times longer too."""


CASES = (
    Case("room", long=True),
    Case("camera and room", views=("camera", "room")),
    Case("four views", views=("camera", "room", "side", "top")),
    Case("room, going round", options=(("turn_deg_s", 30.0),)),
    Case("room, following", options=(("follow", True),)),
    Case("room, as GIF", suffix=".gif"),
    Case("on the film, camera and room", views=("camera", "room"), footage=True),
)


def people(result: Path | None, frames: int) -> dict[int, Motion]:
    """Return whom to draw."""
    if result is not None:
        return read_people(result)
    return {1: walker(frames, -0.8, 1), 2: walker(frames, 0.9, 2)}


def one(case: Case, arguments: argparse.Namespace, frames: int) -> dict[str, float]:
    """Write one film in this process, and say how fast and in how much memory."""
    motions = people(arguments.result, frames)
    options = RenderOptions(
        views=case.views, size=RenderOptions.parse_size(arguments.size), **dict(case.options)
    )
    source = open_clip(arguments.clip) if case.footage else None
    subject = subject_of("", motions)
    prepared_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"film{case.suffix}"
        begin, begin_cpu = time.perf_counter(), time.process_time()
        count = render(
            path,
            subject,
            options,
            rate=motions[1].rate,
            source=source,
            progress=SilentProgress(),
        )
        wall_s, cpu_s = time.perf_counter() - begin, time.process_time() - begin_cpu
        return {
            "pictures": count,
            "per_second": count / wall_s,
            "cpu_ms": 1000 * cpu_s / count,
            "kbytes": path.stat().st_size / 1024 / count,
            "prepared_mb": prepared_mb,
            "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


def apart(case: int, frames: int, runs: int) -> dict[str, float]:
    """Return the fastest of some runs, each in a process of its own with our own arguments."""
    command = [sys.executable, __file__, *sys.argv[1:], "--case", str(case), "--frames", str(frames)]
    done = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(runs)]
    best = max((json.loads(text) for text in done), key=lambda row: row["per_second"])
    print(CASES[case].name, best, file=sys.stderr, flush=True)
    return best


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("result", type=Path, nargs="?", help="a result folder; made-up people without it")
    parser.add_argument("--clip", type=Path, help="its film, for the case that draws on it")
    parser.add_argument("--size", default="960x540")
    parser.add_argument("--case", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--frames", type=int, default=SHORT, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case is not None:
        print(json.dumps(one(CASES[arguments.case], arguments, arguments.frames)))
        return
    rows = []
    for place, case in enumerate(CASES):
        if case.footage and arguments.clip is None:
            continue
        rows.append({"case": case.name, **apart(place, SHORT, RUNS)})
        if case.long and arguments.result is None:
            rows.append({"case": f"{case.name}, {LONG} frames", **apart(place, LONG, 1)})
    table = Table(
        f"Writing films of {arguments.size}",
        (
            Column("case", "Film"),
            Column("pictures", "Pictures"),
            Column("per_second", "Pictures/s", 0),
            Column("cpu_ms", "CPU ms per picture", 1),
            Column("kbytes", "KB per picture", 1),
            Column("prepared_mb", "Memory before drawing MB", 0),
            Column("memory_mb", "at most MB", 0),
        ),
        rows,
    )
    print(table.to_markdown())


if __name__ == "__main__":
    main()
