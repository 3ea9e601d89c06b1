"""The worker process dies, and the job does not hang."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from pose_shared.client import Client
from pose_shared.errors import InternalError
from pose_shared.messages import JobState
from serving import RunningServer, StartServer, alive, descendants, wait_for


@pytest.fixture
def server(start_server: StartServer) -> RunningServer:
    return start_server()


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not alive(pid))


def test_an_idle_worker_is_replaced(server: RunningServer, film: Path) -> None:
    first = server.worker()
    kill(first)
    with Client(server.address) as client:
        assert client.import_clip(film, {}).attempt == 1
    assert server.worker() != first


@pytest.mark.parametrize("step", [0, 3, 20])
def test_a_killed_worker_costs_one_attempt(server: RunningServer, film: Path, step: int) -> None:
    with Client(server.address) as client:
        job = client.create_job(client.upload_clip(film), {"detector": "steps:40"})
        for event in client.watch(job):
            if event.progress and event.progress.done >= step:
                kill(server.worker())
                break
        done = client.wait(job)
        events = list(client.watch(job))
    assert done.attempt == 2
    assert [event.state for event in events if event.state] == [
        JobState.QUEUED,
        JobState.RUNNING,
        JobState.QUEUED,
        JobState.RUNNING,
        JobState.SUCCEEDED,
    ]
    assert "The worker was lost; the job starts again (loss 1 of 3)." in [event.note for event in events]
    runs = server.data_dir / "jobs" / job.name.removeprefix("jobs/")
    assert [path.name for path in runs.iterdir()] == ["run_2"]


def test_a_worker_killed_again_at_its_start_is_replaced_again(server: RunningServer, film: Path) -> None:
    with Client(server.address) as client:
        job = client.create_job(client.upload_clip(film), {"detector": "steps:10"})
        wait_for(lambda: client.get_job(job).progress)
        first = server.worker()
        kill(first)
        kill(wait_for(lambda: next((pid for pid in server.workers() if pid != first), 0)))
        # The second death counts only if the job was waiting for that worker already.
        assert client.wait(job).attempt in (2, 3)


def test_a_job_that_kills_every_worker_is_given_up(server: RunningServer, film: Path) -> None:
    with Client(server.address) as client:
        with pytest.raises(InternalError) as caught:
            client.import_clip(film, {"detector": "leave:99"})
        assert caught.value.reason == "WORKER_LOST"
        assert "exit code 7" in caught.value.message
        job = next(client.list_jobs())
        assert job.state is JobState.FAILED
        assert job.attempt == 3
        assert client.import_clip(film, {}).state is JobState.SUCCEEDED
    assert not (server.data_dir / "jobs" / job.name.removeprefix("jobs/")).exists()


def test_cancel_kills_a_stubborn_worker_with_its_children(server: RunningServer, film: Path) -> None:
    with Client(server.address) as client:
        job = client.create_job(client.upload_clip(film), {"detector": "family"})
        wait_for(lambda: client.get_job(job).progress)
        family = descendants(server.worker())
        assert len(family) == 1
        begin = time.monotonic()
        client.cancel(job)
        wait_for(lambda: client.get_job(job).state is JobState.CANCELLED, timeout_s=2)
        assert time.monotonic() - begin < 2
        wait_for(lambda: not alive(family[0]), timeout_s=2)


def test_cancel_while_the_worker_is_being_replaced(server: RunningServer, film: Path) -> None:
    with Client(server.address) as client:
        job = client.create_job(client.upload_clip(film), {"detector": "steps:100"})
        wait_for(lambda: client.get_job(job).progress)
        kill(server.worker())
        begin = time.monotonic()
        client.cancel(job)
        wait_for(lambda: client.get_job(job).state is JobState.CANCELLED, timeout_s=2)
        assert time.monotonic() - begin < 2
        assert client.import_clip(film, {}).state is JobState.SUCCEEDED
