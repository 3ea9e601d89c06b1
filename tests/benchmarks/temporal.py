"""How fast VideoPose3D's network runs here, beside its plain dilated form, and in how much memory.

Usage: ``python tests/benchmarks/temporal.py [--threads N] [--rounds N]``.  Prints Markdown tables.  All forms
run in turn in every round, so that a busy machine slows all of them; speeds are those of the best
round, ratios the median of the rounds.  Every form computes a clip and its mirror image.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from pose_server.lift.folded import FoldedModel, Stream
from pose_server.lift.temporal import TemporalForm, TemporalModel
from torch import Tensor

__all__ = ["Round", "measure", "peak_mib"]

FORM = TemporalForm()


class Round:
    """The forms to compare, on one clip."""

    def __init__(self, frames: int) -> None:
        torch.manual_seed(0)
        model = TemporalModel(FORM)
        with torch.no_grad():
            for _ in range(3):
                model(torch.randn(2, 300, 17, 2))
        self.model = model.eval()
        self.clip = torch.randn(2, frames, 17, 2)
        exact = FoldedModel(model)
        half = FoldedModel(model, precision=torch.bfloat16)
        self.forms: dict[str, Callable[[], Tensor]] = {
            "plain dilated, float32": self.plain,
            "plain dilated, one clip at a time": lambda: torch.cat(
                [self.plain(clip[None]) for clip in self.clip]
            ),
            "folded and streamed, float32": lambda: exact(self.clip),
            "folded and streamed, bfloat16": lambda: half(self.clip),
        }

    @torch.inference_mode()
    def plain(self, clip: Tensor | None = None) -> Tensor:
        """The published formulation: padded, batch norm as it is, all layers over the whole clip."""
        clip = self.clip if clip is None else clip
        before, after = FORM.padding
        padded = torch.cat(
            [clip[:, :1].expand(-1, before, -1, -1), clip, clip[:, -1:].expand(-1, after, -1, -1)], dim=1
        )
        return self.model(padded)


def measure(frames: int, rounds: int) -> list[tuple[str, float, float, float]]:
    """Return, for each form, frames/s, how many times the plain form's, and how far off it is."""
    task = Round(frames)
    seconds: dict[str, list[float]] = {name: [] for name in task.forms}
    truth = task.plain()
    off = {}
    for name, run in task.forms.items():
        off[name] = float((run() - truth).abs().mean() / truth.abs().mean())
    for _ in range(rounds):
        for name, run in task.forms.items():
            begin = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - begin)
    plain = seconds["plain dilated, float32"]
    return [
        (
            name,
            frames / min(took),
            statistics.median(p / t for p, t in zip(plain, took, strict=True)),
            off[name],
        )
        for name, took in seconds.items()
    ]


def peak_mib(form: str, frames: int) -> float:
    """Return how much memory a form takes beyond the network, in a process of its own."""
    code = f"import temporal; temporal.report_peak({form!r}, {frames})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=sys.path[0]
    )
    return float(done.stdout)


def report_peak(form: str, frames: int) -> None:
    """Print how far this process's memory grows while a form runs (Linux)."""
    task = Round(64)
    task.forms[form]()
    task.clip = torch.randn(2, frames, 17, 2)
    Path("/proc/self/clear_refs").write_text("5")
    before = _memory_kib("VmRSS")
    task.forms[form]()
    print((_memory_kib("VmHWM") - before) / 1024)


def _memory_kib(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(field)))


def live_ms(frames: int = 50) -> float:
    """Return the median time that the causal network takes for one more frame, with its mirror image."""
    model = TemporalModel(TemporalForm(causal=True)).eval()
    stream = Stream(FoldedModel(model, precision=torch.bfloat16))
    stream.push(torch.randn(2, 1, 17, 2).expand(-1, 242, -1, -1))
    took = []
    for _ in range(frames):
        begin = time.perf_counter()
        stream.push(torch.randn(2, 1, 17, 2))
        took.append(time.perf_counter() - begin)
    return statistics.median(took) * 1000


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, nargs="*", default=[250, 1000, 4000])
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"VideoPose3D, 243 frames, 1024 channels, {arguments.threads} threads, torch {torch.__version__}\n")
    print("| Frames | Form | Frames/s | Times plain | Mean difference |\n| ---: | --- | ---: | ---: | ---: |")
    for frames in arguments.frames:
        for name, speed, ratio, off in measure(frames, arguments.rounds):
            print(f"| {frames} | {name} | {speed:.0f} | {ratio:.2f} | {off:.1e} |", flush=True)
    print(f"\nCausal, one frame at a time: {live_ms():.1f} ms\n")
    print("| Form | Frames | Memory MiB |\n| --- | ---: | ---: |")
    for form in ("plain dilated, float32", "folded and streamed, float32", "folded and streamed, bfloat16"):
        for frames in (1000, 4000, 16000):
            print(f"| {form} | {frames} | {peak_mib(form, frames):.0f} |", flush=True)


if __name__ == "__main__":
    main()
