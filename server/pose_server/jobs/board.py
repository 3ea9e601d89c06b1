"""Moves jobs from state to state, and tells those who watch."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog
from pose_shared.errors import (
    ConflictError,
    InternalError,
    JobCancelledError,
    NotFoundError,
    PoseError,
    UnavailableError,
)

from pose_server.cache.media import MediaStore
from pose_server.engine.executor import (
    Alive,
    Executor,
    Note,
    PeopleFound,
    StageProgress,
    Task,
    TaskEvent,
    TaskResult,
    WorkerLostError,
)
from pose_server.jobs.model import Job, JobEvent, JobRequest, JobState
from pose_server.jobs.store import JobStore

__all__ = ["JobBoard"]

#: A job whose worker is silent for so long is taken from it.
LEASE_S = 30.0
_LEASE_LOOK_S = 5.0
_RENEW_S = 1.0
HEARTBEAT_S = 15.0
_EVENT_PAGE = 100

T = TypeVar("T")

log = structlog.get_logger(__name__)


class _Live:
    """What watchers of an active job wait for: only the newest progress is kept."""

    def __init__(self) -> None:
        self.progress: StageProgress | None = None
        self.stored = 0
        """Counts the changes that are in the table."""
        self.changed = asyncio.Event()

    def touch(self, *, stored: bool) -> None:
        """Wake everybody who waits for the present `changed`."""
        self.stored += stored
        self.changed.set()
        self.changed = asyncio.Event()


@dataclass
class _Running:
    cancelled: asyncio.Event
    work: asyncio.Task[TaskResult]
    renewed: float = 0.0
    suspect: bool = False
    lost: bool = False


class JobBoard:
    """Owns the job table, runs its jobs on an executor, and streams their events.

    Everything is called from one event loop; the table has a thread of its own.

    Parameters
    ----------
    store
        The table; closed with the board.
    executor
        Runs one job at a time; started and closed by whoever made it.
    media
        Where the clips are.
    folder
        Takes one folder per job: its clip and its result.
    """

    def __init__(self, store: JobStore, executor: Executor, media: MediaStore, folder: Path) -> None:
        self._store = store
        self._executor = executor
        self._media = media
        self._folder = folder
        self._table = ThreadPoolExecutor(1, thread_name_prefix="jobs")
        self._live: dict[str, _Live] = {}
        self._running: dict[str, _Running] = {}
        self._queued = asyncio.Event()
        self._stopping = asyncio.Event()
        self._dispatcher: asyncio.Task[None] | None = None
        self._lease_watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up what an earlier server left, and begin to run jobs."""
        gone = WorkerLostError(
            "The server died while it ran this job; see its log, and the memory of the machine."
        )
        for job in await self._in_table(self._store.recover, gone):
            log.warning("job_recovered", job_id=job.id, state=job.state, losses=job.losses)
            await self._clean(job, keep_result=False)
        await asyncio.to_thread(self._sweep, await self._in_table(self._store.ids))
        self._dispatcher = asyncio.create_task(self._dispatch())
        self._lease_watch = asyncio.create_task(self._watch_leases())

    async def close(self) -> None:
        """Stop the running job, which is queued for the next start, and send every watcher home."""
        self._stopping.set()
        for live in self._live.values():
            live.touch(stored=False)
        for running in self._running.values():
            running.work.cancel()
        self._queued.set()
        if self._lease_watch:
            self._lease_watch.cancel()
        if self._dispatcher:
            await self._dispatcher
        closing = self._table.submit(self._store.close)
        self._table.shutdown(wait=False)  # whoever comes now is sent home, not to a closed table
        await asyncio.wrap_future(closing)

    async def create(self, request: JobRequest, request_id: str | None) -> Job:
        """Queue a job; see `JobStore.create`. The clip, or the result to refine, must be there."""
        self._check_open()
        if request.refines is None:
            await asyncio.to_thread(self._media.check, request.media)
        else:
            await self.finished(request.refines)
        job = await self._in_table(self._store.create, request, request_id)
        log.info("job_created", job_id=job.id)
        self._queued.set()
        return job

    async def get(self, job_id: str) -> Job:
        """Return a job; raises `NotFoundError`."""
        job = await self._in_table(self._store.get, job_id)
        live = self._live.get(job_id)
        return replace(job, progress=live.progress) if live and live.progress else job

    async def finished(self, job_id: str) -> Job:
        """Return a job that has a result.

        Raises
        ------
        NotFoundError
            There is no such job.
        ConflictError
            It has not succeeded (``JOB_NOT_SUCCEEDED``).
        """
        job = await self._in_table(self._store.get, job_id)
        if job.state is not JobState.SUCCEEDED:
            raise ConflictError(
                f"jobs/{job_id} is {job.state.lower()} and has no result; wait until one has succeeded.",
                reason="JOB_NOT_SUCCEEDED",
                job=f"jobs/{job_id}",
                state=job.state,
            )
        return job

    async def newest(self, limit: int, before: int | None) -> Sequence[Job]:
        """Return jobs, newest first; see `JobStore.newest`."""
        return await self._in_table(self._store.newest, limit, before)

    async def cancel(self, job_id: str) -> Job:
        """Ask for the end of a job; within two seconds it has ended. Repeating changes nothing."""
        job = await self._in_table(self._store.cancel, job_id)
        running = self._running.get(job_id)
        if running and job.state is JobState.CANCELLING:
            running.cancelled.set()
        self._announce(job)
        return job

    async def delete(self, job_id: str) -> None:
        """Remove an ended job with its files; see `JobStore.delete`."""
        await self._in_table(self._store.delete, job_id)
        self._forget(job_id)
        await asyncio.to_thread(shutil.rmtree, self._folder / job_id, True)

    def result_folder(self, job: Job) -> Path:
        """Return where the files of a job that has succeeded are."""
        return self._run_folder(job.id, job.fence) / "result"

    async def watch(
        self, job_id: str, after_seq: int, heartbeat_s: float = HEARTBEAT_S
    ) -> AsyncGenerator[JobEvent | StageProgress | None]:
        """Yield what happens to a job until it has ended; None when nothing did for a while.

        Events after `after_seq` come once each and in order, however slow the reader is; of
        progress only the newest is kept for it.

        Raises
        ------
        NotFoundError
            There is no such job (any more).
        UnavailableError
            The server stops; the job goes on at its next start.
        """
        live = self._live.setdefault(job_id, _Live())
        seen: int | None = None
        shown: StageProgress | None = None
        while True:
            changed = live.changed
            if seen != live.stored:
                seen = live.stored
                try:
                    events, ended = await self._in_table(self._store.events, job_id, after_seq, _EVENT_PAGE)
                except NotFoundError:
                    self._forget(job_id)
                    raise
                for event in events:
                    after_seq = event.seq
                    yield event
                if ended:
                    self._forget(job_id)
                    return
                if len(events) == _EVENT_PAGE:
                    seen = None
            if live.progress is not None and live.progress is not shown:
                shown = live.progress
                yield shown
            if seen is None:
                continue
            self._check_open()
            try:
                async with asyncio.timeout(heartbeat_s):
                    await changed.wait()
            except TimeoutError:
                seen = None
                yield None

    def _check_open(self) -> None:
        if self._stopping.is_set():
            raise UnavailableError(
                "The server is stopping; its jobs go on when it is started again.", reason="SERVER_STOPPING"
            )

    async def _in_table(self, call: Callable[..., T], *arguments: Any, **named: Any) -> T:
        try:
            future = self._table.submit(call, *arguments, **named)
        except RuntimeError:  # closed
            self._check_open()
            raise
        return await asyncio.wrap_future(future)

    async def _dispatch(self) -> None:
        while not self._stopping.is_set():
            self._queued.clear()
            try:
                job = await self._in_table(self._store.claim, LEASE_S)
                if job is None:
                    await self._queued.wait()
                else:
                    self._announce(job)
                    await self._run(job)
            except Exception:  # a full disk, say; the lease brings the job back
                log.exception("dispatch_failed")
                await asyncio.sleep(_RENEW_S)

    async def _run(self, job: Job) -> None:
        """Run one claimed job, and write down how it ended."""
        cancelled = asyncio.Event()
        work = asyncio.create_task(self._work(job, cancelled))
        running = self._running[job.id] = _Running(cancelled, work)
        if self._stopping.is_set():
            work.cancel()
        settle: Callable[[], Job]
        done: TaskResult | None = None
        try:
            done = await work
            settle = partial(self._store.finish, job.id, job.fence, people=done.people, files=done.files)
        except asyncio.CancelledError:
            silent = WorkerLostError("The worker was silent for too long; see the server's log.")
            settle = partial(self._store.give_back, job.id, job.fence, silent if running.lost else None)
        except WorkerLostError as error:
            lost = None if self._stopping.is_set() else error
            settle = partial(self._store.give_back, job.id, job.fence, lost)
        except PoseError as error:
            settle = partial(self._store.finish, job.id, job.fence, error=error)
        except Exception:
            log.exception("job_defect", job_id=job.id)
            defect = InternalError(
                f"The server hit a defect while it ran job {job.id}; see its log.",
                reason="DEFECT",
                job=job.id,
            )
            settle = partial(self._store.finish, job.id, job.fence, error=defect)
        finally:
            del self._running[job.id]
        await self._clean(job, keep_result=done is not None)  # whoever sees the end sees no remains
        job = await self._in_table(settle)
        if done is not None and job.state is not JobState.SUCCEEDED:  # cancelled in the last moment
            await self._clean(job, keep_result=False)
        self._settled(job)

    def _settled(self, job: Job) -> None:
        self._announce(job)
        log.info("job_ended" if job.ended else "job_queued_again", job_id=job.id, state=job.state)
        self._queued.set()

    async def _work(self, job: Job, cancelled: asyncio.Event) -> TaskResult:
        if (await self.get(job.id)).state is JobState.CANCELLING:  # asked for before we could hear it
            raise JobCancelledError("The job was cancelled.")
        task = await self._task(job)
        await asyncio.to_thread(task.out_dir.parent.mkdir, parents=True, exist_ok=True)
        return await self._executor.run(task, lambda event: self._on_event(job, event), cancelled)

    async def _task(self, job: Job) -> Task:
        out_dir = self._run_folder(job.id, job.fence) / "result"
        media, options = job.request.media, job.request.options
        if job.request.refines is not None:
            try:
                source = await self.finished(job.request.refines)
            except NotFoundError:
                raise ConflictError(
                    f"jobs/{job.request.refines}, which was to be refined, was deleted meanwhile; "
                    "import the clip again.",
                    reason="RESULT_DELETED",
                    job=job.request.refines,
                ) from None
            result = self.result_folder(source)
            return Task(job.id, job.fence, None, f"jobs/{source.id}", options, out_dir, refines=result)
        place = asyncio.to_thread(self._media.place, media, self._folder / job.id / "media")
        placing = asyncio.create_task(place)
        while not (await asyncio.wait({placing}, timeout=_RENEW_S))[0]:  # a disk without links
            self._on_event(job, Alive())
        clip = placing.result()
        return Task(job.id, job.fence, clip, media.clip_name, options, out_dir)

    def _on_event(self, job: Job, event: TaskEvent) -> None:
        live = self._live.setdefault(job.id, _Live())
        running = self._running[job.id]
        if isinstance(event, Note):
            self._write(live, self._store.add_event, job.id, job.fence, event.message)
        elif isinstance(event, PeopleFound):
            self._write(live, self._store.add_event, job.id, job.fence, event.people)
        elif isinstance(event, StageProgress):
            live.progress = event
            live.touch(stored=False)
        now = asyncio.get_running_loop().time()
        if now - running.renewed >= _RENEW_S:
            running.renewed = now
            running.suspect = False
            self._write(None, self._store.renew, job.id, job.fence, LEASE_S, live.progress)

    def _write(self, live: _Live | None, call: Callable[..., object], *arguments: object) -> None:
        """Write to the table without waiting; what was written before is there first."""
        loop = asyncio.get_running_loop()

        def written(future: Future[object]) -> None:
            error = future.exception()
            if error is not None and not isinstance(error, ConflictError | NotFoundError):
                log.error("event_not_written", error=repr(error))
            if live is not None:
                with suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(lambda: live.touch(stored=True))

        self._table.submit(call, *arguments).add_done_callback(written)

    def _announce(self, job: Job) -> None:
        live = self._live.setdefault(job.id, _Live())
        if job.state is not JobState.RUNNING:
            live.progress = None
        live.touch(stored=True)
        if job.ended:
            self._forget(job.id)

    def _forget(self, job_id: str) -> None:
        """Drop what is kept of an active job; whoever watches it looks into the table again."""
        live = self._live.pop(job_id, None)
        if live:
            live.touch(stored=True)

    async def _watch_leases(self) -> None:
        """Take jobs from workers that are silent: found so twice, as the clock may have jumped."""
        while True:
            await asyncio.sleep(_LEASE_LOOK_S)
            for job in await self._in_table(self._store.expired):
                running = self._running.get(job.id)
                if running is None:  # its end could not be written
                    silent = WorkerLostError("The end of the job could not be written; see the server's log.")
                    await self._clean(job, keep_result=False)
                    give_back = self._store.give_back
                    self._settled(await self._in_table(give_back, job.id, job.fence, silent))
                elif running.suspect:
                    log.error("worker_silent", job_id=job.id)
                    running.lost = True
                    running.work.cancel()
                else:
                    running.suspect = True

    async def _clean(self, job: Job, *, keep_result: bool) -> None:
        """Remove what an attempt left on the disk."""
        folder = self._folder / job.id
        await asyncio.to_thread(shutil.rmtree, folder / "media", True)
        if not keep_result:
            await asyncio.to_thread(shutil.rmtree, self._run_folder(job.id, job.fence), True)
            with suppress(OSError):
                folder.rmdir()

    def _sweep(self, known: set[str]) -> None:
        """Remove folders of jobs that were deleted while the server died."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for folder in self._folder.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)

    def _run_folder(self, job_id: str, fence: int) -> Path:
        return self._folder / job_id / f"run_{fence}"
