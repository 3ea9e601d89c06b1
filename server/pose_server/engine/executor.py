"""The seam between the job table and whatever runs jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pose_shared.errors import InternalError

from pose_server.pipeline.options import ImportOptions
from pose_server.pipeline.progress import FoundPerson

__all__ = [
    "Alive",
    "Executor",
    "Note",
    "PeopleFound",
    "ResultFile",
    "StageProgress",
    "Task",
    "TaskEvent",
    "TaskResult",
    "WorkerLostError",
]


@dataclass(frozen=True)
class Task:
    """One attempt at one job."""

    job_id: str
    fence: int
    """Grows with each attempt, so that a late word of an old one is told apart."""
    clip: Path | None
    """The film to import; none for a refinement."""
    display_name: str
    """What the user calls the clip, or the job that is refined."""
    options: ImportOptions
    out_dir: Path
    """Does not exist yet; its parent does, and belongs to this attempt alone."""
    refines: Path | None = None
    """The result folder to solve again."""


@dataclass(frozen=True)
class StageProgress:
    """How far a stage is; a newer one replaces it."""

    stage: str
    done: int
    total: int
    per_second: float
    """Units per second since the stage began."""


@dataclass(frozen=True)
class Note:
    """One sentence for the user."""

    message: str


@dataclass(frozen=True)
class PeopleFound:
    """Who is in the clip."""

    people: tuple[FoundPerson, ...]


@dataclass(frozen=True)
class Alive:
    """The worker is still there, or on its way."""


TaskEvent = StageProgress | Note | PeopleFound | Alive


@dataclass(frozen=True)
class ResultFile:
    """A file of the result."""

    path: str
    """Relative to the result, with forward slashes."""
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class TaskResult:
    """What a finished task left in its `out_dir`."""

    people: tuple[FoundPerson, ...]
    files: tuple[ResultFile, ...]


class WorkerLostError(InternalError):
    """The process that ran the task died, or nobody has heard of it for too long."""

    default_reason = "WORKER_LOST"


class Executor(Protocol):
    """Runs tasks, one at a time."""

    @property
    def device(self) -> str:
        """What the networks run on, such as ``cuda:0``."""

    async def start(self) -> None:
        """Get ready to run.

        Raises
        ------
        PoseError
            It never will, and why.
        """

    async def run(
        self, task: Task, on_event: Callable[[TaskEvent], None], cancelled: asyncio.Event
    ) -> TaskResult:
        """Run a task to its end, telling `on_event` on the way: something at least every few seconds.

        Once `cancelled` is set, the task ends within 1.5 seconds. Cancelling the coroutine itself
        abandons the task: its worker is killed at once.

        Raises
        ------
        JobCancelledError
            `cancelled` was set.
        WorkerLostError
            The worker died; the task may be tried again.
        PoseError
            What the task itself failed with.
        """

    async def close(self) -> None:
        """Stop every process; nothing runs afterwards."""
