"""What the stages of one run leave for its report: how long each took, and what the user should know."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from pose_server.pipeline.progress import Progress
from pose_server.pipeline.report import StageTiming

__all__ = ["StageLog"]


class StageLog:
    """Collects timings and notes, and hands the notes on.

    Parameters
    ----------
    progress
        Hears of every note, and may cancel between stages.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.notes: list[str] = []
        self.timings: list[StageTiming] = []

    def note(self, message: str) -> None:
        """Tell the user something in one sentence, and keep it."""
        self.notes.append(message)
        self.progress.note(message)

    @contextmanager
    def stage(self, name: str, frames: int) -> Iterator[None]:
        """Time what happens inside."""
        self.progress.check()
        begin = time.monotonic()
        yield
        seconds = time.monotonic() - begin
        rate = frames / seconds if frames and seconds > 0 else None
        self.timings.append(StageTiming(name, round(seconds, 3), rate and round(rate, 1)))
