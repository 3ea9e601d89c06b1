"""Runs tasks in one spawned process on this machine."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, TypeVar

import structlog
from pose_shared.errors import InternalError, JobCancelledError, PoseError

from pose_server.engine.executor import Alive, Task, TaskEvent, TaskResult, WorkerLostError
from pose_server.engine.worker import CancelTask, Failed, Finished, Hello, WorkerConfig, work

__all__ = ["LocalExecutor"]

#: How long a task may take to notice that it is cancelled before its process is killed.
CANCEL_GRACE_S = 1.2
#: How long a worker may take to load what it needs.
START_S = 180.0

T = TypeVar("T")

log = structlog.get_logger(__name__)


class LocalExecutor:
    """An `Executor` with one worker process, which is replaced when it dies.

    Every method is called from one event loop, and only one `run` at a time.
    """

    def __init__(self, config: WorkerConfig) -> None:
        self._config = config
        self._worker: _WorkerProcess | None = None
        self._launch: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def device(self) -> str:
        """What the networks run on; the asked one until the worker has said what it is."""
        return self._worker.device if self._worker else self._config.device

    async def start(self) -> None:
        """Start the worker and wait until it is ready.

        Raises
        ------
        PoseError
            The device is not there, or the worker cannot load what it needs.
        """
        await self._living_worker()

    async def run(
        self, task: Task, on_event: Callable[[TaskEvent], None], cancelled: asyncio.Event
    ) -> TaskResult:
        """Run a task; see `Executor.run`."""
        try:
            worker = await _unless(cancelled, self._living_worker(), lambda: on_event(Alive()))
        except JobCancelledError:
            raise
        except PoseError as error:
            raise WorkerLostError(error.message) from error
        stopper = asyncio.create_task(self._stop_when(cancelled, worker, task))
        ended = False
        try:
            worker.send(task)
            while True:
                message = await worker.messages.get()
                if isinstance(message, Finished | Failed | None):
                    ended = True
                if message is None:
                    if cancelled.is_set():
                        raise JobCancelledError("The job was cancelled.")
                    raise worker.loss()
                if isinstance(message, Finished):
                    return message.result
                if isinstance(message, Failed):
                    raise PoseError.from_dict(message.error)
                on_event(message)
        finally:
            stopper.cancel()
            if not ended:
                worker.kill()
            elif not worker.alive and not self._closed:  # ready before the next task comes
                self._start_launch()

    async def close(self) -> None:
        """Kill the worker, whatever it does."""
        self._closed = True
        if self._launch is not None:
            self._launch.cancel()
            with suppress(asyncio.CancelledError, PoseError):
                await self._launch
        if self._worker is not None:
            self._worker.kill()
            await self._worker.gone.wait()

    async def _living_worker(self) -> _WorkerProcess:
        while self._worker is None or not self._worker.alive:
            if self._closed:
                raise WorkerLostError("The server is stopping.")
            await asyncio.shield(self._start_launch())
        return self._worker

    def _start_launch(self) -> asyncio.Task[None]:
        """Return the task that replaces the worker."""
        if self._launch is None or self._launch.done():
            self._launch = asyncio.create_task(self._replace())
            self._launch.add_done_callback(_observe)
        return self._launch

    async def _replace(self) -> None:
        self._worker = await _launch(self._config)

    async def _stop_when(self, cancelled: asyncio.Event, worker: _WorkerProcess, task: Task) -> None:
        await cancelled.wait()
        worker.send(CancelTask(task.job_id, task.fence))
        await asyncio.sleep(CANCEL_GRACE_S)
        log.warning("worker_ignores_cancel", job_id=task.job_id, pid=worker.pid)
        worker.kill()


async def _launch(config: WorkerConfig) -> _WorkerProcess:
    worker = _WorkerProcess(config, asyncio.get_running_loop())
    message = None
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(START_S):
                message = await worker.messages.get()
    finally:
        if not isinstance(message, Hello):
            worker.kill()
            await worker.gone.wait()
    if isinstance(message, Hello):
        worker.device = message.device
        return worker
    if isinstance(message, Failed):
        raise PoseError.from_dict(message.error)
    raise InternalError(
        f"The worker process died at its start ({worker.how_it_ended}); see the log or 'pose-server doctor'.",
        reason="WORKER_START_FAILED",
        exit=worker.how_it_ended,
    )


def _observe(launch: asyncio.Task[None]) -> None:
    if not launch.cancelled() and launch.exception() is not None:
        log.error("worker_start_failed", error=str(launch.exception()))


async def _unless(cancelled: asyncio.Event, waited: Awaitable[T], tick: Callable[[], None]) -> T:
    """Wait for something, with a tick a second, or raise JobCancelledError once `cancelled` is set."""
    work = asyncio.ensure_future(waited)
    stop = asyncio.create_task(cancelled.wait())
    try:
        while not (await asyncio.wait({work, stop}, timeout=1, return_when=asyncio.FIRST_COMPLETED))[0]:
            tick()
        if cancelled.is_set():
            raise JobCancelledError("The job was cancelled.")
        return await work
    finally:
        work.cancel()
        stop.cancel()


class _WorkerProcess:
    """One spawned process, the line to it, and a thread that waits for its words."""

    def __init__(self, config: WorkerConfig, loop: asyncio.AbstractEventLoop) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        # A daemon may not use multiprocessing itself, but never keeps the server from ending.
        self._process = context.Process(target=work, args=(theirs, config), name="pose-worker", daemon=True)
        self._process.start()
        theirs.close()
        assert self._process.pid is not None
        self.pid = self._process.pid
        self.device = config.device
        #: Whether it may be given a task.
        self.alive = True
        self.gone = asyncio.Event()
        self.how_it_ended = ""
        #: What the worker says; None is the last, once the process is gone.
        self.messages: asyncio.Queue[Any] = asyncio.Queue()
        self._loop = loop
        threading.Thread(target=self._listen, args=(self._line,), name="worker", daemon=True).start()
        log.info("worker_started", pid=self.pid)

    def send(self, message: object) -> None:
        with suppress(OSError):  # its end arrives as None
            self._line.send(message)

    def kill(self) -> None:
        """End the process and all its children; safe to repeat."""
        self.alive = False
        if not self.gone.is_set():
            self._kill_group()

    def loss(self) -> WorkerLostError:
        return WorkerLostError(
            f"The worker process died during the job ({self.how_it_ended}), perhaps for lack of memory; "
            "try a shorter range, and see the server's log.",
            exit=self.how_it_ended,
        )

    def _kill_group(self) -> None:
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()

    def _listen(self, line: Connection) -> None:
        try:
            while True:
                self._post(line.recv())
        except (EOFError, OSError):
            pass
        finally:
            self._kill_group()
            self._process.join()
            self._tell(self._on_gone)

    def _post(self, message: object) -> None:
        self._tell(self.messages.put_nowait, message)

    def _tell(self, callback: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop is closed, nobody listens
            self._loop.call_soon_threadsafe(callback, *arguments)

    def _on_gone(self) -> None:
        code = self._process.exitcode
        self.how_it_ended = (
            f"signal {signal.Signals(-code).name}" if code and code < 0 else f"exit code {code}"
        )
        self.alive = False
        self._line.close()
        self.gone.set()
        self.messages.put_nowait(None)
        log.info("worker_ended", pid=self.pid, how=self.how_it_ended)
