"""The process that runs jobs, seen from the inside.

The main thread runs one task after the other. A second thread listens to the parent: it hands on
tasks, raises the cancel flag, says once a second that the process lives, and ends it with all its
children when the parent is gone. Should that thread get no turn, because some library hangs without
giving Python's lock back, a timer of the system ends the process. Only plain dataclasses pass
through the pipe.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import structlog
from pose_shared.errors import InternalError, JobCancelledError, PoseError

from pose_server.cache.stages import StageCache
from pose_server.engine.device import resolve_device
from pose_server.engine.executor import (
    Alive,
    Note,
    PeopleFound,
    ResultFile,
    StageProgress,
    Task,
    TaskResult,
)
from pose_server.logs import configure_logs
from pose_server.pipeline.progress import FoundPerson
from pose_server.pipeline.report import found_people

__all__ = ["CancelTask", "Failed", "Finished", "Hello", "WorkerConfig", "work"]

_PROGRESS_S = 0.1
_NOTES_KEPT = 100

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class WorkerConfig:
    """What a worker is told at its start."""

    job_function: str
    """``package.module:function``, called as `pose_server.pipeline.importer.import_clip` is."""
    device: str
    """``auto``, ``cpu`` or ``cuda:N``."""
    cache_dir: Path
    cache_bytes: int
    log_level: str
    silence_s: float = 60.0
    """How long the process may hang before it ends itself; more than the lease of a job, so that it
    matters only where the parent is gone too."""


@dataclass(frozen=True)
class Hello:
    """The worker is ready."""

    device: str


@dataclass(frozen=True)
class Finished:
    """The task is done."""

    result: TaskResult


@dataclass(frozen=True)
class Failed:
    """The task, or the start of the worker, has failed."""

    error: dict[str, Any]


@dataclass(frozen=True)
class CancelTask:
    """The parent wants this attempt to stop."""

    job_id: str
    fence: int


def work(line: Connection, config: WorkerConfig) -> None:
    """Serve the parent at the other end of `line` until it hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # own group: the parent kills the children with us
    os.dup2(2, 1)  # stdout is where the server says its address; libraries that print do it elsewhere
    configure_logs(config.log_level)
    parent = _Parent(line, config.silence_s)
    threading.Thread(target=parent.listen, name="parent", daemon=True).start()
    try:
        device = resolve_device(config.device)
        function = _load(config.job_function)
    except PoseError as error:
        parent.send(Failed(error.to_dict()))
        return
    cache = StageCache(config.cache_dir, config.cache_bytes)
    parent.send(Hello(device))
    log.info("worker_ready", pid=os.getpid(), device=device)
    while True:
        task = parent.tasks.get()
        with structlog.contextvars.bound_contextvars(job_id=task.job_id, fence=task.fence):
            parent.end_task(_run(function, task, parent, device, cache))


def _load(dotted: str) -> Callable[..., Any]:
    module, _, name = dotted.partition(":")
    try:
        function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        log.exception("job_function_missing", function=dotted)
        raise InternalError(
            f"The worker cannot load {dotted} ({error}); run 'pose-server doctor' and reinstall.",
            reason="WORKER_START_FAILED",
            function=dotted,
        ) from error
    return function


def _run(
    function: Callable[..., Any], task: Task, parent: _Parent, device: str, cache: StageCache
) -> Finished | Failed:
    log.info("task_started")
    log.debug("task_media", clip=str(task.clip), display_name=task.display_name)
    failure: PoseError
    try:
        if task.refines is not None:
            report = _refine(task, task.refines, parent)
        else:
            report = function(
                task.clip,
                task.options,
                task.out_dir,
                device=device,
                progress=_WorkerProgress(parent),
                display_name=task.display_name,
                stage_cache=cache,
            )
        people = found_people(task.out_dir, report.people)
        result = TaskResult(people, _list_files(task.out_dir))
    except PoseError as error:
        log.info("task_stopped", reason=error.reason)
        failure = error
    except MemoryError:
        log.exception("task_out_of_memory")
        failure = InternalError(
            "The job ran out of memory; give a shorter range, or free memory on the server.",
            reason="OUT_OF_MEMORY",
        )
    except Exception:
        log.exception("task_defect")
        failure = InternalError(
            f"The job hit a defect in pose-server; its log says more about job {task.job_id}.",
            reason="DEFECT",
            job=task.job_id,
        )
    else:
        log.info("task_finished", people=len(people))
        return Finished(result)
    return Failed(failure.to_dict())


def _refine(task: Task, result: Path, parent: _Parent) -> Any:
    # What it needs is there already where imports are real.
    from pose_server.pipeline.refiner import refine

    return refine(
        result,
        task.options.solve,
        task.out_dir,
        progress=_WorkerProgress(parent),
        display_name=task.display_name,
    )


def _list_files(folder: Path) -> tuple[ResultFile, ...]:
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found.append(ResultFile(path.relative_to(folder).as_posix(), path.stat().st_size, digest))
    return tuple(found)


class _Parent:
    """The line to the parent process."""

    def __init__(self, line: Connection, silence_s: float) -> None:
        self.tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._line = line
        self._silence_s = silence_s
        self._sending = threading.Lock()
        self._cancelled = threading.Event()
        self._current: tuple[str, int] | None = None

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def send(self, message: object) -> None:
        try:
            with self._sending:
                self._line.send(message)
        except OSError:
            _end_group()

    def end_task(self, outcome: Finished | Failed) -> None:
        self._current = None
        self.send(outcome)

    def listen(self) -> None:
        try:
            while True:
                if hasattr(signal, "setitimer"):
                    signal.setitimer(signal.ITIMER_REAL, self._silence_s)
                if not self._line.poll(1.0):
                    if self._current:
                        self.send(Alive())
                    continue
                message = self._line.recv()
                if isinstance(message, Task):
                    self._current = (message.job_id, message.fence)
                    self._cancelled.clear()
                    self.tasks.put(message)
                elif isinstance(message, CancelTask) and self._current == (message.job_id, message.fence):
                    self._cancelled.set()
        except (EOFError, OSError):
            _end_group()


def _end_group() -> None:
    """Die with every child: the parent is gone, and nobody would ever read what we make."""
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


class _WorkerProgress:
    """`Progress` of the running task: thinned out, so that a stage may report every frame."""

    def __init__(self, parent: _Parent) -> None:
        self._parent = parent
        self._stage = ""
        self._stage_ended = False
        self._began = self._sent = 0.0
        self._first = 0
        self._notes = 0

    def report(self, stage: str, done: int, total: int) -> None:
        self.check()
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._stage_ended = stage, False
            self._began, self._first, self._sent = now, done, 0.0
        ends = done == total and not self._stage_ended
        if now - self._sent < _PROGRESS_S and not ends:
            return
        self._sent = now
        self._stage_ended = self._stage_ended or ends
        elapsed = now - self._began
        rate = (done - self._first) / elapsed if elapsed > 0 else 0.0
        self._parent.send(StageProgress(stage, done, total, rate))

    def note(self, message: str) -> None:
        self.check()
        self._notes += 1
        if self._notes <= _NOTES_KEPT:
            self._parent.send(Note(message))

    def people(self, found: Sequence[FoundPerson]) -> None:
        self.check()
        self._parent.send(PeopleFound(tuple(found)))

    def check(self) -> None:
        if self._parent.cancelled:
            raise JobCancelledError("The job was cancelled.")
