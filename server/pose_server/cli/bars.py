"""Progress on a terminal: one bar per stage with frames per second and time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from pose_server.pipeline.progress import FoundPerson

__all__ = ["ProgressBars"]

_PLAIN_INTERVAL_S = 5.0


class _RateColumn(ProgressColumn):
    """Units per second, and how long the rest takes at that pace."""

    def render(self, task: Task) -> Text:
        """Return the text beside a bar."""
        speed = task.finished_speed or task.speed
        if task.finished or not speed:
            return Text(f"{speed:.1f}/s" if speed else "", style="progress.data.speed")
        left = task.time_remaining
        remaining = "" if left is None else f", {int(left) // 60}:{int(left) % 60:02d} left"
        return Text(f"{speed:.1f}/s{remaining}", style="progress.data.speed")


class ProgressBars:
    """Follows a job on stderr; implements `pose_server.pipeline.progress.Progress`.

    On a terminal every stage is a bar; elsewhere, such as in a farm's log, a line every few seconds.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet)
        self._bars = Progress(
            TextColumn("{task.description:<11}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            _RateColumn(),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._plain = not quiet and not self._console.is_terminal
        self._stage_begin: dict[str, float] = {}
        self._last_line = ("", 0, 0.0)

    def __enter__(self) -> ProgressBars:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def report(self, stage: str, done: int, total: int) -> None:
        """Move the bar of a stage."""
        if self._plain:
            self._print_line(stage, done, total)
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=total)
        self._bars.update(self._tasks[stage], completed=done, total=total)

    def note(self, message: str) -> None:
        """Print a sentence above the bars."""
        self._console.print(message, style="yellow", highlight=False, soft_wrap=True)

    def people(self, found: Sequence[FoundPerson]) -> None:
        """Print who was found."""
        for person in found:
            self._console.print(
                f"person {person.index}: frames {person.first_frame} to {person.last_frame}, "
                f"seen in {person.coverage:.0%} of the clip",
                highlight=False,
                soft_wrap=True,
            )

    def check(self) -> None:
        """Nothing cancels from outside: Ctrl+C arrives as KeyboardInterrupt."""

    def _print_line(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        begin = self._stage_begin.setdefault(stage, now)
        last_stage, last_done, last_s = self._last_line
        if (stage, done) == (last_stage, last_done) or (done < total and now - last_s < _PLAIN_INTERVAL_S):
            return
        self._last_line = (stage, done, now)
        elapsed = now - begin
        speed = done / elapsed if done and elapsed > 0.05 else 0.0
        left = f", {(total - done) / speed:.0f} s left" if speed and done < total else ""
        pace = f" ({speed:.1f}/s{left})" if speed else ""
        print(f"{stage}: {done}/{total}{pace}", file=sys.stderr, flush=True)  # noqa: T201
