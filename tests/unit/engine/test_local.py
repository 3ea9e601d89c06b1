from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pose_server.engine import local as local_module
from pose_server.engine.executor import (
    Alive,
    Note,
    PeopleFound,
    StageProgress,
    Task,
    TaskEvent,
    WorkerLostError,
)
from pose_server.engine.local import LocalExecutor
from pose_server.engine.worker import WorkerConfig
from pose_server.pipeline.options import ImportOptions
from pose_shared.errors import InputError, InternalError, JobCancelledError, MediaError
from serving import alive, command_line, descendants

MakeTask = Callable[..., Task]


@pytest.fixture
def config(tmp_path: Path) -> WorkerConfig:
    return WorkerConfig("fake_jobs:run", "cpu", tmp_path / "stages", 10**9, "WARNING")


@pytest.fixture
def make_task(tmp_path: Path) -> MakeTask:
    (tmp_path / "film.mp4").write_bytes(b"film")

    def make(behaviour: str, fence: int = 1) -> Task:
        folder = tmp_path / f"run_{fence}"
        folder.mkdir()
        options = ImportOptions(detector=behaviour)
        return Task("abc", fence, tmp_path / "film.mp4", "jump.mp4", options, folder / "result")

    return make


@asynccontextmanager
async def running(config: WorkerConfig) -> AsyncIterator[LocalExecutor]:
    executor = LocalExecutor(config)
    await executor.start()
    try:
        yield executor
    finally:
        await executor.close()


def pid_of(executor: LocalExecutor) -> int:
    assert executor._worker
    return executor._worker.pid


def test_tasks_run_in_one_process_that_stays(config: WorkerConfig, make_task: MakeTask) -> None:
    async def play() -> None:
        async with running(config) as executor:
            assert executor.device == "cpu"
            pid = pid_of(executor)
            for fence in (1, 2):
                events: list[TaskEvent] = []
                task = make_task("steps:3", fence)
                result = await executor.run(task, events.append, asyncio.Event())
                assert [file.path for file in result.files] == ["big.bin", "report.json"]
                assert all(
                    file.size_bytes == (task.out_dir / file.path).stat().st_size for file in result.files
                )
                assert json.loads((task.out_dir / "report.json").read_text())["attempt"] == fence
                assert events[0] == StageProgress("detect", 0, 3, 0.0)
                assert [e for e in events if isinstance(e, Note)] == [Note("Half of it was guessed.")]
                assert [e for e in events if isinstance(e, PeopleFound)] == [PeopleFound(result.people)]
                assert pid_of(executor) == pid
        assert not alive(pid)

    asyncio.run(play())


def test_an_error_comes_back_as_it_was_raised(config: WorkerConfig, make_task: MakeTask) -> None:
    async def play() -> None:
        async with running(config) as executor:
            with pytest.raises(MediaError) as caught:
                await executor.run(make_task("refuse"), print, asyncio.Event())
            assert (caught.value.reason, caught.value.metadata) == ("NOBODY_FOUND", {"frames": "12"})

    asyncio.run(play())


@pytest.mark.parametrize(
    ("behaviour", "same_process"),
    [("steps:1000", True), ("stubborn", False), ("freeze", False), ("hog", False)],
)
def test_cancel_ends_a_task(
    config: WorkerConfig, make_task: MakeTask, behaviour: str, same_process: bool
) -> None:
    async def play() -> None:
        async with running(config) as executor:
            pid, cancelled = pid_of(executor), asyncio.Event()
            begin = 0.0

            def cancel_soon(event: TaskEvent) -> None:
                nonlocal begin
                begin = begin or time.monotonic()
                cancelled.set()

            with pytest.raises(JobCancelledError):
                await executor.run(make_task(behaviour), cancel_soon, cancelled)
            assert time.monotonic() - begin < 1.6
            await executor.run(make_task("auto", 2), print, asyncio.Event())
            assert (pid_of(executor) == pid) is same_process

    asyncio.run(play())


def test_a_death_is_told_and_the_next_task_runs(config: WorkerConfig, make_task: MakeTask) -> None:
    async def play() -> None:
        async with running(config) as executor:
            with pytest.raises(WorkerLostError, match="exit code 7"):
                await executor.run(make_task("leave:1"), print, asyncio.Event())
            await executor.run(make_task("auto", 2), print, asyncio.Event())

    asyncio.run(play())


def test_a_worker_that_hangs_for_good_ends_itself(config: WorkerConfig, make_task: MakeTask) -> None:
    async def play() -> None:
        async with running(replace(config, silence_s=1.5)) as executor:
            with pytest.raises(WorkerLostError, match="SIGALRM"):
                await executor.run(make_task("hog"), print, asyncio.Event())

    asyncio.run(play())


@pytest.mark.parametrize("pause_s", [0, 0.05, 3])
def test_a_worker_that_replaced_another_is_closed_too(
    config: WorkerConfig, make_task: MakeTask, pause_s: float
) -> None:
    async def play() -> None:
        others = set(descendants(os.getpid()))  # a server of another test may still run
        async with running(config) as executor:
            with pytest.raises(WorkerLostError):
                await executor.run(make_task("leave:1"), print, asyncio.Event())
            await asyncio.sleep(pause_s)
            family = set(descendants(os.getpid())) - others
        async with asyncio.timeout(2):
            while workers := [pid for pid in family if alive(pid) and "spawn_main" in command_line(pid)]:
                await asyncio.sleep(0.02)
        assert workers == []

    asyncio.run(play())


def test_an_abandoned_task_takes_its_process_and_children_along(
    config: WorkerConfig, make_task: MakeTask
) -> None:
    async def play() -> None:
        async with running(config) as executor:
            started = asyncio.Event()
            work = asyncio.create_task(
                executor.run(make_task("family"), lambda event: started.set(), asyncio.Event())
            )
            await started.wait()
            family = [pid_of(executor), *descendants(pid_of(executor))]
            assert len(family) == 2
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            await executor.run(make_task("auto", 2), print, asyncio.Event())
            async with asyncio.timeout(2):
                while any(alive(pid) for pid in family):
                    await asyncio.sleep(0.02)

    asyncio.run(play())


def test_a_start_that_cannot_be_says_why(config: WorkerConfig) -> None:
    async def start(changed: WorkerConfig) -> None:
        async with running(changed):
            pass

    for function in ("fake_jobs:none", "no_such_module:run"):
        with pytest.raises(InternalError) as caught:
            asyncio.run(start(replace(config, job_function=function)))
        assert caught.value.reason == "WORKER_START_FAILED"
    with pytest.raises(InternalError, match="exit code 3"):
        asyncio.run(start(replace(config, job_function="dying_job:run")))
    with pytest.raises(InputError):
        asyncio.run(start(replace(config, device="gpu")))


def test_a_task_that_waits_for_its_worker_is_alive(config: WorkerConfig, make_task: MakeTask) -> None:
    async def play() -> None:
        executor = LocalExecutor(replace(config, job_function="slow_job:run"))
        events: list[TaskEvent] = []
        await executor.run(make_task("auto"), events.append, asyncio.Event())
        await executor.close()
        assert events.count(Alive()) >= 2

    asyncio.run(play())


def test_a_start_that_takes_for_ever_is_ended(config: WorkerConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_module, "START_S", 0.05)

    async def start() -> None:
        async with running(config):
            pass

    with pytest.raises(InternalError):
        asyncio.run(start())
