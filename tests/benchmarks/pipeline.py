"""How fast the detect stage and the whole pipeline are beside the detector alone, the preview, and memory.

Usage: ``python tests/benchmarks/pipeline.py CLIP [--rounds 3]``, or with ``--stage --frames 120`` for the
first part alone.  Prints Markdown tables.  Both sides of every ratio are measured in turn in one run, so a
machine that slows down slows both.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
from pose_server.detect.registry import create_detector
from pose_server.pipeline.boundary import FrameBatch
from pose_server.pipeline.importer import import_clip
from pose_server.pipeline.options import ImportOptions, Moment
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.report import ImportReport
from pose_server.video.open import open_clip
from pose_shared.errors import JobCancelledError

LOOPS = 5
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Spent:
    """What something took."""

    seconds: float
    processor_s: float
    """Of all threads."""

    @classmethod
    def now(cls) -> Spent:
        """Both clocks."""
        return cls(time.perf_counter(), time.process_time())

    def since(self, begin: Spent) -> Spent:
        """The difference of two readings."""
        return Spent(self.seconds - begin.seconds, self.processor_s - begin.processor_s)


def detector_alone(clip: Path, batches: Sequence[FrameBatch]) -> Spent:
    """What the detector takes over frames that are already decoded."""
    source = open_clip(clip)
    detector = create_detector("auto", "cpu")
    begin = Spent.now()
    with detector.session(source.info) as session:
        frames = sum(len(session.detect(batch)) for batch in batches) + len(session.finish())
    assert frames == sum(len(batch) for batch in batches)
    return Spent.now().since(begin)


def loop_over_file(clip: Path, frames: int) -> Spent:
    """What a plain loop takes that decodes a frame, shows it to the detector, and takes the next one."""
    source = open_clip(clip)
    detector = create_detector("auto", "cpu")
    begin = Spent.now()
    with av.open(str(clip)) as container, detector.session(source.info) as session:
        seen = 0
        for index, frame in enumerate(container.decode(video=0)):
            if index == frames:
                break
            picture = frame.to_ndarray(format="rgb24")[None]
            seen += len(session.detect(FrameBatch(picture, np.array([index]), np.array([frame.time]))))
        seen += len(session.finish())
    assert seen == frames
    return Spent.now().since(begin)


class DetectWatch(SilentProgress):
    """Reads the clocks where the detect stage begins and the next one does, and ends the import there."""

    def __init__(self) -> None:
        self.begin: Spent | None = None
        self.spent: Spent | None = None

    def report(self, stage: str, done: int, total: int) -> None:
        """Hear of a stage."""
        if stage == "detect":
            self.begin = self.begin or Spent.now()
        elif stage == "track":
            assert self.begin is not None
            self.spent = Spent.now().since(self.begin)
            raise JobCancelledError("All is measured.")


def detect_stage(clip: Path, frames: int) -> Spent:
    """What the stage takes as an import runs it: decoding, detecting and looking at the background."""
    watch = DetectWatch()
    options = ImportOptions(formats=("npz",), end=Moment.parse(str(frames)))
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(JobCancelledError):
        import_clip(clip, options, Path(folder) / "out", device="cpu", progress=watch)
    assert watch.spent is not None
    return watch.spent


def whole_import(clip: Path, formats: tuple[str, ...]) -> float:
    """Seconds for an import from file to result folder, without caches."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        imported(clip, formats, Path(folder) / "out")
        return time.perf_counter() - begin


def imported(clip: Path, formats: tuple[str, ...], target: Path) -> ImportReport:
    """Import a clip."""
    return import_clip(clip, ImportOptions(formats=formats), target, device="cpu", progress=SilentProgress())


def peak_memory_mb(clip: Path) -> float:
    """Largest resident size of a process of its own that imports a clip.

    From /proc, because `getrusage` counts what the parent had when it forked.
    """
    code = (
        "import re, sys; from pathlib import Path; sys.path.insert(0, sys.argv[2]);"
        "from pipeline import whole_import; whole_import(Path(sys.argv[1]), ('npz', 'bvh', 'preview'));"
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(clip), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout.split()[-1]) / 1024


def looped(clip: Path, times: int, target: Path) -> Path:
    """Write the clip's packets `times` times in a row, without decoding."""
    with av.open(str(clip)) as source, av.open(str(target), "w") as sink:
        stream = source.streams.video[0]
        copy = sink.add_stream_from_template(stream)
        packets = [p for p in source.demux(stream) if p.dts is not None]
        step = max(p.pts for p in packets) - min(p.pts for p in packets) + packets[-1].duration
        frames = [(bytes(p), p.pts, p.dts, p.duration, p.is_keyframe) for p in packets]
        for turn in range(times):
            for data, pts, dts, duration, key in frames:
                packet = av.Packet(data)
                packet.pts, packet.dts, packet.duration = pts + turn * step, dts + turn * step, duration
                packet.is_keyframe = key
                packet.time_base, packet.stream = stream.time_base, copy
                sink.mux(packet)
    return target


def in_turn(rounds: int, *sides: Callable[[], _Value]) -> Iterator[list[_Value]]:
    """Measure the sides A B C, A B C, …; give each side's values."""
    rows = [[side() for side in sides] for _ in range(rounds)]
    yield from (list(column) for column in zip(*rows, strict=True))


def decoded(clip: Path, frames: int | None) -> list[FrameBatch]:
    """Return the first frames of a clip, or all."""
    source = open_clip(clip, end=None if frames is None else Moment.parse(str(frames)))
    return [FrameBatch(np.array(b.frames), b.indices, b.times_s) for b in source.batches(8)]


def measure_stage(clip: Path, rounds: int, frames: int | None) -> dict[str, float]:
    """Return the figures of the detect stage of one clip."""
    batches = decoded(clip, frames)
    count = sum(len(batch) for batch in batches)
    alone, loop, stage = in_turn(
        rounds,
        partial(detector_alone, clip, batches),
        partial(loop_over_file, clip, count),
        partial(detect_stage, clip, count),
    )
    pairs = list(zip(alone, stage, strict=True))
    return {
        "frames": count,
        "detector_fps": count / statistics.median(a.seconds for a in alone),
        "stage_fps": count / statistics.median(s.seconds for s in stage),
        "stage_ratio": statistics.median(a.seconds / s.seconds for a, s in pairs),
        "loop_fps": count / statistics.median(one.seconds for one in loop),
        "loop_ratio": statistics.median(one.seconds / s.seconds for one, s in zip(loop, stage, strict=True)),
        "processor_ratio": statistics.median(a.processor_s / s.processor_s for a, s in pairs),
        "detector_ms": 1000 * statistics.median(a.processor_s for a in alone) / count,
        "stage_ms": 1000 * statistics.median(s.processor_s for s in stage) / count,
    }


def measure(clip: Path, rounds: int) -> dict[str, float]:
    """Return the figures of a whole import of one clip."""
    batches = decoded(clip, None)
    frames = sum(len(batch) for batch in batches)

    def alone_s() -> float:
        return detector_alone(clip, batches).seconds

    alone, whole, previewed = in_turn(
        rounds,
        alone_s,
        partial(whole_import, clip, ("npz", "bvh")),
        partial(whole_import, clip, ("npz", "bvh", "preview")),
    )
    with tempfile.TemporaryDirectory() as folder:
        long_clip = looped(clip, LOOPS, Path(folder) / f"looped{clip.suffix}")
        once, five_times = peak_memory_mb(clip), peak_memory_mb(long_clip)
    return {
        "frames": frames,
        "detector_fps": frames / statistics.median(alone),
        "pipeline_fps": frames / statistics.median(whole),
        "ratio": statistics.median(a / w for a, w in zip(alone, whole, strict=True)),
        "preview_fps": frames / statistics.median(previewed),
        "preview_cost_s": statistics.median(p - w for p, w in zip(previewed, whole, strict=True)),
        "memory_mb": once,
        "memory_growth": five_times / once - 1,
    }


def main() -> None:
    """Measure the named clips and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stage", action="store_true", help="only the detect stage")
    parser.add_argument("--frames", type=int, help="of the detect stage; all of the clip")
    parser.add_argument("--json", action="store_true", help="print figures, not a table")
    arguments = parser.parse_args()
    stages = {clip.name: measure_stage(clip, arguments.rounds, arguments.frames) for clip in arguments.clips}
    wholes = (
        {} if arguments.stage else {clip.name: measure(clip, arguments.rounds) for clip in arguments.clips}
    )
    if arguments.json:
        print(json.dumps({"stage": stages, "import": wholes}))
        return
    print("| clip | frames | detector alone, frames/s | detect stage, frames/s | ratio |", end="")
    print(" processor ms a frame, alone | in the stage | ratio |", end="")
    print(" plain loop over the file, frames/s | ratio |")
    print("|---" * 10 + "|")
    for name, r in stages.items():
        print(
            f"| {name} | {r['frames']} | {r['detector_fps']:.1f} | {r['stage_fps']:.1f} "
            f"| {r['stage_ratio']:.2f} | {r['detector_ms']:.0f} | {r['stage_ms']:.0f} "
            f"| {r['processor_ratio']:.2f} | {r['loop_fps']:.1f} | {r['loop_ratio']:.2f} |"
        )
    if wholes:
        print("\n| clip | frames | detector alone, frames/s | whole pipeline, frames/s | ratio |", end="")
        print(f" with preview, frames/s | peak memory, MB | growth at {LOOPS}x length |")
        print("|---" * 8 + "|")
    for name, r in wholes.items():
        print(
            f"| {name} | {r['frames']} | {r['detector_fps']:.1f} | {r['pipeline_fps']:.1f} "
            f"| {r['ratio']:.2f} | {r['preview_fps']:.1f} | {r['memory_mb']:.0f} | "
            f"{r['memory_growth']:+.1%} |"
        )


if __name__ == "__main__":
    main()
