from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pose_server.cache.media import Media, MediaFile, MediaStore
from pose_server.engine.executor import (
    Alive,
    Note,
    StageProgress,
    Task,
    TaskEvent,
    TaskResult,
    WorkerLostError,
)
from pose_server.jobs import board as board_module
from pose_server.jobs.board import JobBoard
from pose_server.jobs.model import JobEvent, JobRequest, JobState
from pose_server.jobs.store import JobStore
from pose_server.pipeline.options import ImportOptions
from pose_shared.errors import JobCancelledError, MediaError, NotFoundError, UnavailableError


class ScriptedExecutor:
    """Runs a coroutine of the test's in place of a worker."""

    device = "cpu"

    def __init__(self, script: Callable[..., Any]) -> None:
        self.script = script
        self.tasks: list[Task] = []
        self.abandoned = 0

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def run(
        self, task: Task, on_event: Callable[[TaskEvent], None], cancelled: asyncio.Event
    ) -> TaskResult:
        self.tasks.append(task)
        try:
            await self.script(task, on_event, cancelled)
        except asyncio.CancelledError:
            self.abandoned += 1
            raise
        task.out_dir.mkdir()
        return TaskResult((), ())


@pytest.fixture
def media(tmp_path: Path) -> Media:
    import hashlib

    digest = hashlib.sha256(b"film").hexdigest()
    uploads = MediaStore(tmp_path / "uploads")
    uploads.create(digest, 4)
    uploads.append(digest, 0, b"film")
    return Media("a.mp4", (MediaFile(digest, "a.mp4"),))


@asynccontextmanager
async def running(tmp_path: Path, script: Callable[..., Any]) -> AsyncIterator[JobBoard]:
    board = JobBoard(
        JobStore(tmp_path / "jobs.sqlite3"),
        ScriptedExecutor(script),
        MediaStore(tmp_path / "uploads"),
        tmp_path / "jobs",
    )
    await board.start()
    try:
        yield board
    finally:
        await board.close()


async def states(board: JobBoard, job_id: str) -> list[JobState]:
    """All of a job's states; waits for its end."""
    found = [event.content async for event in board.watch(job_id, 0) if isinstance(event, JobEvent)]
    return [content for content in found if isinstance(content, JobState)]


async def at_once(task: Task, on_event: Callable[[TaskEvent], None], cancelled: asyncio.Event) -> None:
    assert task.clip.read_bytes() == b"film"
    assert task.out_dir.parent.is_dir()


async def forever(task: Task, on_event: Callable[[TaskEvent], None], cancelled: asyncio.Event) -> None:
    on_event(StageProgress("detect", 1, 2, 1.0))
    await cancelled.wait()
    raise JobCancelledError("The job was cancelled.")


def test_jobs_run_one_after_the_other(tmp_path: Path, media: Media) -> None:
    async def play() -> None:
        async with running(tmp_path, at_once) as board:
            jobs = [await board.create(JobRequest(media, ImportOptions()), None) for _ in range(3)]
            for job in jobs:
                assert await states(board, job.id) == ["QUEUED", "RUNNING", "SUCCEEDED"]
                assert board.result_folder(await board.get(job.id)).is_dir()
                assert not (tmp_path / "jobs" / job.id / "media").exists()

    asyncio.run(play())


def test_a_silent_worker_loses_its_job(tmp_path: Path, media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_module, "LEASE_S", 0.2)
    monkeypatch.setattr(board_module, "_LEASE_LOOK_S", 0.1)

    async def silent_once(task: Task, on_event: Callable[[TaskEvent], None], cancelled: Any) -> None:
        if task.fence == 1:
            await asyncio.sleep(60)

    async def play() -> None:
        async with running(tmp_path, silent_once) as board:
            job = await board.create(JobRequest(media, ImportOptions()), None)
            assert await states(board, job.id) == ["QUEUED", "RUNNING", "QUEUED", "RUNNING", "SUCCEEDED"]
            assert (await board.get(job.id)).losses == 1

    asyncio.run(play())


def test_a_worker_that_says_it_lives_keeps_its_job(
    tmp_path: Path, media: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_module, "LEASE_S", 0.4)
    monkeypatch.setattr(board_module, "_LEASE_LOOK_S", 0.05)
    monkeypatch.setattr(board_module, "_RENEW_S", 0.05)

    async def slow(task: Task, on_event: Callable[[TaskEvent], None], cancelled: Any) -> None:
        for _ in range(30):
            await asyncio.sleep(0.05)
            on_event(Alive())

    async def play() -> None:
        async with running(tmp_path, slow) as board:
            job = await board.create(JobRequest(media, ImportOptions()), None)
            assert await states(board, job.id) == ["QUEUED", "RUNNING", "SUCCEEDED"]

    asyncio.run(play())


def test_a_slow_watcher_gets_the_newest_progress_and_every_event(tmp_path: Path, media: Media) -> None:
    async def chatty(task: Task, on_event: Callable[[TaskEvent], None], cancelled: Any) -> None:
        for number in range(200):
            on_event(StageProgress("detect", number, 200, 1.0))
            if number % 10 == 0:
                on_event(Note(f"note {number}"))
            await asyncio.sleep(0.002)

    async def play() -> None:
        async with running(tmp_path, chatty) as board:
            job = await board.create(JobRequest(media, ImportOptions()), None)
            seen = []
            async for event in board.watch(job.id, 0):
                seen.append(event)
                await asyncio.sleep(0.02)
        progress = [event for event in seen if isinstance(event, StageProgress)]
        stored = [event for event in seen if isinstance(event, JobEvent)]
        assert 1 < len(progress) < 50
        assert [event.done for event in progress] == sorted({event.done for event in progress})
        assert [event.seq for event in stored] == list(range(1, 24))
        assert sum(not isinstance(event.content, JobState) for event in stored) == 20

    asyncio.run(play())


def test_a_quiet_job_sends_heartbeats(tmp_path: Path, media: Media) -> None:
    async def play() -> None:
        async with running(tmp_path, forever) as board:
            job = await board.create(JobRequest(media, ImportOptions()), None)
            seen = []
            async for event in board.watch(job.id, 0, heartbeat_s=0.05):
                seen.append(event)
                if seen[-3:] == [None] * 3:
                    await board.cancel(job.id)
            assert seen[-1].content is JobState.CANCELLED

    asyncio.run(play())


def test_closing_queues_the_running_job_and_sends_watchers_home(tmp_path: Path, media: Media) -> None:
    async def play() -> None:
        async with running(tmp_path, forever) as board:
            job = await board.create(JobRequest(media, ImportOptions()), None)
            watching = asyncio.create_task(states(board, job.id))
            await asyncio.sleep(0.2)
            assert (await board.get(job.id)).state is JobState.RUNNING
        with pytest.raises(UnavailableError):
            await watching
        with pytest.raises(UnavailableError):
            await states(board, job.id)
        with pytest.raises(UnavailableError):
            await board.get(job.id)
        with pytest.raises(UnavailableError):
            await board.create(JobRequest(media, ImportOptions()), None)
        async with running(tmp_path, at_once) as board:
            assert await states(board, job.id) == ["QUEUED", "RUNNING", "QUEUED", "RUNNING", "SUCCEEDED"]

    asyncio.run(play())


@pytest.mark.parametrize("moment", ["queued", "running", "ended"])
def test_cancel_at_any_moment(tmp_path: Path, media: Media, moment: str) -> None:
    script = at_once if moment == "ended" else forever

    async def play() -> None:
        async with running(tmp_path, script) as board:
            first = await board.create(JobRequest(media, ImportOptions()), None)
            job = (
                await board.create(JobRequest(media, ImportOptions()), None) if moment == "queued" else first
            )
            if moment == "running":
                while not (await board.get(job.id)).progress:
                    await asyncio.sleep(0.01)
            if moment == "ended":
                await states(board, job.id)
            await board.cancel(job.id)
            ended = (await states(board, job.id))[-1]
            assert ended is (JobState.SUCCEEDED if moment == "ended" else JobState.CANCELLED)

    asyncio.run(play())


def test_cancel_right_after_create_never_hangs(tmp_path: Path, media: Media) -> None:
    async def play() -> None:
        async with running(tmp_path, forever) as board:
            for pause_s in (0, 0, 0.001, 0.002, 0.005, 0.01):
                job = await board.create(JobRequest(media, ImportOptions()), None)
                await asyncio.sleep(pause_s)
                await board.cancel(job.id)
                async with asyncio.timeout(2):
                    assert (await states(board, job.id))[-1] is JobState.CANCELLED

    asyncio.run(play())


def test_a_lost_worker_and_an_error_are_told_apart(tmp_path: Path, media: Media) -> None:
    async def script(task: Task, on_event: Callable[[TaskEvent], None], cancelled: Any) -> None:
        if task.fence == 1:
            raise WorkerLostError("It died.")
        raise MediaError("Nobody is there.", reason="NOBODY_FOUND")

    async def play() -> None:
        async with running(tmp_path, script) as board:
            job = await board.create(JobRequest(media, ImportOptions()), None)
            assert await states(board, job.id) == ["QUEUED", "RUNNING", "QUEUED", "RUNNING", "FAILED"]
            assert (await board.get(job.id)).error.reason == "NOBODY_FOUND"
            assert not (tmp_path / "jobs" / job.id).exists()

    asyncio.run(play())


def test_a_defect_of_the_server_fails_the_job_and_no_other(tmp_path: Path, media: Media) -> None:
    async def script(task: Task, on_event: Callable[[TaskEvent], None], cancelled: Any) -> None:
        if task.options.people == 1:
            raise ZeroDivisionError

    async def play() -> None:
        async with running(tmp_path, script) as board:
            bad = await board.create(JobRequest(media, ImportOptions(people=1)), None)
            good = await board.create(JobRequest(media, ImportOptions()), None)
            assert (await states(board, good.id))[-1] is JobState.SUCCEEDED
            assert (await board.get(bad.id)).error.reason == "DEFECT"

    asyncio.run(play())


def test_a_full_disk_of_the_table_does_not_stop_the_board(
    tmp_path: Path, media: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    monkeypatch.setattr(board_module, "LEASE_S", 0.2)
    monkeypatch.setattr(board_module, "_LEASE_LOOK_S", 0.1)
    monkeypatch.setattr(board_module, "_RENEW_S", 0.1)
    finish, failures = JobStore.finish, [1, 2]

    def finish_on_a_full_disk(self: JobStore, *arguments: Any, **named: Any) -> Any:
        if failures:
            failures.pop()
            raise sqlite3.OperationalError("database or disk is full")
        return finish(self, *arguments, **named)

    monkeypatch.setattr(JobStore, "finish", finish_on_a_full_disk)

    async def play() -> None:
        async with running(tmp_path, at_once) as board:
            job = await board.create(JobRequest(media, ImportOptions()), None)
            async with asyncio.timeout(10):
                assert (await states(board, job.id))[-1] is JobState.SUCCEEDED
            assert (await board.get(job.id)).losses == 2

    asyncio.run(play())


def test_watchers_hear_of_a_deletion(tmp_path: Path, media: Media) -> None:
    async def play() -> None:
        async with running(tmp_path, at_once) as board:
            with pytest.raises(NotFoundError):
                await states(board, "none")
            job = await board.create(JobRequest(media, ImportOptions()), None)
            await states(board, job.id)
            await board.delete(job.id)
            with pytest.raises(NotFoundError):
                await states(board, job.id)
            assert board._live == {}

    asyncio.run(play())


def test_the_start_removes_what_no_job_owns(tmp_path: Path, media: Media) -> None:
    orphan = tmp_path / "jobs" / "orphan" / "run_1"
    orphan.mkdir(parents=True)

    async def play() -> None:
        async with running(tmp_path, at_once) as board:
            job = await board.create(JobRequest(media, ImportOptions()), None)
            await states(board, job.id)
        async with running(tmp_path, at_once) as board:
            assert [path.name for path in (tmp_path / "jobs").iterdir()] == [job.id]
            assert board.result_folder(await board.get(job.id)).is_dir()

    asyncio.run(play())
