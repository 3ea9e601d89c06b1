"""The server dies or stops, and nothing is lost and nothing is left behind."""

from __future__ import annotations

import os
import random
import socket
import sqlite3
import threading
import time
from pathlib import Path

import grpc
import pytest
from pose_shared._generated.pose.v1 import jobs_pb2, jobs_pb2_grpc, motion_pb2, motion_pb2_grpc
from pose_shared.client import Client
from pose_shared.errors import InternalError, UnavailableError
from pose_shared.messages import JobEvent, JobState
from serving import RunningServer, StartServer, alive, descendants, memory_bytes, wait_for

TWICE = [JobState.QUEUED, JobState.RUNNING, JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED]


def run_job(server: RunningServer, film: Path, behaviour: str) -> str:
    """Create a job and return its name once it runs."""
    with Client(server.address) as client:
        job = client.create_job(client.upload_clip(film), {"detector": behaviour})
        wait_for(lambda: client.get_job(job).progress)
        return job.name


@pytest.mark.parametrize("behaviour", ["steps:30", "family"])
def test_sigterm_leaves_no_process_and_keeps_the_job(
    start_server: StartServer, film: Path, behaviour: str
) -> None:
    server = start_server()
    name = run_job(server, film, behaviour)
    below = descendants(server.process.pid)
    assert len(below) >= 2
    with Client(server.address, patience_s=0) as client:
        words: list[UnavailableError] = []

        def watch() -> None:
            try:
                list(client.watch(name))
            except UnavailableError as error:
                words.append(error)

        watcher = threading.Thread(target=watch)
        watcher.start()
        assert server.terminate(timeout_s=5) == 0
        watcher.join(5)
    assert "SERVER_STOPPING" in [error.reason for error in words]
    assert name in words[0].message
    wait_for(lambda: not any(alive(pid) for pid in below), timeout_s=3)
    again = start_server()
    with Client(again.address) as client:
        if behaviour == "family":
            assert client.get_job(name).state in (JobState.QUEUED, JobState.RUNNING)
            client.cancel(name)
            return
        assert client.wait(name).attempt == 2
        states = [event.state for event in client.watch(name) if event.state]
        assert states == TWICE
        assert not any(event.note and "lost" in event.note for event in client.watch(name))


def test_sigterm_after_a_worker_was_replaced_leaves_no_process(start_server: StartServer, film: Path) -> None:
    server = start_server()
    first = server.worker()
    name = run_job(server, film, "stubborn")
    with Client(server.address) as client:
        client.cancel(name)
    replaced = wait_for(lambda: next((pid for pid in server.workers() if pid != first), 0))
    wait_for(lambda: f'"pid": {replaced}, "device"' in server.read_log())
    assert server.terminate(timeout_s=5) == 0
    wait_for(lambda: not alive(replaced), timeout_s=3)


@pytest.mark.parametrize("behaviour", ["steps:30", "family"])
def test_kill_9_leaves_no_process_and_keeps_the_job(
    start_server: StartServer, film: Path, behaviour: str
) -> None:
    server = start_server()
    name = run_job(server, film, behaviour)
    below = descendants(server.process.pid)
    server.kill()
    wait_for(lambda: not any(alive(pid) for pid in below), timeout_s=5)
    again = start_server()
    with Client(again.address) as client:
        if behaviour == "family":
            wait_for(lambda: client.get_job(name).attempt == 2)
            return
        assert client.wait(name).attempt == 2
        assert [event.state for event in client.watch(name) if event.state] == TWICE


def test_a_job_that_takes_the_server_along_is_given_up(start_server: StartServer, film: Path) -> None:
    server = start_server()
    name = run_job(server, film, "steps:10000")
    for _ in range(2):
        server.kill()
        server = start_server()
        with Client(server.address) as client:
            wait_for(lambda: client.get_job(name).progress)
    server.kill()
    server = start_server()
    with Client(server.address) as client:
        with pytest.raises(InternalError) as caught:
            client.wait(name)
        assert caught.value.reason == "WORKER_LOST"
        assert client.get_job(name).attempt == 3


def test_a_cancelled_job_stays_cancelled_after_a_crash(start_server: StartServer, film: Path) -> None:
    server = start_server()
    name = run_job(server, film, "stubborn")
    with Client(server.address) as client:
        client.cancel(name)
    server.kill()
    with Client(start_server().address) as client:
        assert client.get_job(name).state is JobState.CANCELLED


def test_a_watcher_follows_a_server_that_comes_back(start_server: StartServer, film: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = start_server(PORT=port)
    events: list[JobEvent] = []
    with Client(server.address) as client:
        job = client.create_job(client.upload_clip(film), {"detector": "steps:40"})
        waiter = threading.Thread(target=client.wait, args=(job, events.append))
        waiter.start()
        wait_for(lambda: any(event.progress and event.progress.done > 5 for event in events))
        server.kill()
        start_server(PORT=port)
        waiter.join(30)
        assert not waiter.is_alive()
        assert client.get_job(job).state is JobState.SUCCEEDED
    assert [event.state for event in events if event.state] == TWICE
    stored = [event.seq for event in events if event.seq]
    assert stored == list(range(1, len(stored) + 1))


def test_the_table_survives_a_copy_in_the_middle_of_writing(
    start_server: StartServer, film: Path, tmp_path: Path
) -> None:
    server = start_server()
    name = run_job(server, film, "steps:60")
    for number in range(5):
        copy = tmp_path / f"copy{number}"
        copy.mkdir()
        for path in server.data_dir.glob("jobs.sqlite3*"):
            (copy / path.name).write_bytes(path.read_bytes())
        database = sqlite3.connect(copy / "jobs.sqlite3")
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        row = database.execute("SELECT id, state FROM jobs").fetchone()
        assert row == (name.removeprefix("jobs/"), "RUNNING")
        database.close()


def test_clients_that_leave_at_random_touch_nothing(start_server: StartServer, film: Path) -> None:
    server = start_server()
    worker = server.worker()
    rng = random.Random(5)
    with Client(server.address) as keeper:
        job = keeper.create_job(keeper.upload_clip(film), {"detector": "steps:40"})

        def leave(delay_s: float, upload: bool) -> None:
            client = Client(server.address)
            threading.Timer(delay_s, client.close).start()
            try:
                if upload:
                    part = film.with_name(f"{delay_s}.mp4")
                    part.write_bytes(os.urandom(20_000_000))
                    client.upload(part)
                while True:
                    list(client.watch(job))
            except UnavailableError:
                pass

        leavers = [threading.Thread(target=leave, args=(rng.uniform(0, 1.5), i % 4 == 0)) for i in range(20)]
        for thread in leavers:
            thread.start()
        for thread in leavers:
            thread.join(20)
        assert keeper.wait(job).attempt == 1
        assert server.worker() == worker
        assert keeper.import_clip(film, {}).attempt == 1
    assert "defect" not in server.read_log()


def test_random_bytes_on_the_port_disturb_nobody(start_server: StartServer, film: Path) -> None:
    server = start_server()
    host, port = server.address.split(":")
    rng = random.Random(7)
    with Client(server.address) as client:
        job = client.create_job(client.upload_clip(film), {"detector": "steps:20"})
        for number in range(30):
            with socket.create_connection((host, int(port))) as line:
                preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" if number % 2 else b""
                line.sendall(preface + rng.randbytes(rng.randrange(1, 5000)))
        with grpc.insecure_channel(server.address) as channel:
            for method in ("CreateJob", "WatchJob", "GetJob"):
                call = channel.unary_stream(f"/pose.v1.JobService/{method}")
                with pytest.raises(grpc.RpcError):
                    list(call(rng.randbytes(300), timeout=5))
        assert client.wait(job).attempt == 1


def test_slow_readers_do_not_make_the_server_grow(start_server: StartServer, film: Path) -> None:
    server = start_server(LARGE_BYTES=200_000_000)
    pid = server.process.pid
    with Client(server.address) as client, grpc.insecure_channel(server.address) as channel:
        warm = client.import_clip(film, {})
        before = memory_bytes(pid)
        job = client.create_job(client.upload_clip(film), {"detector": "flood"})
        jobs, motion = jobs_pb2_grpc.JobServiceStub(channel), motion_pb2_grpc.MotionServiceStub(channel)
        watchers = [jobs.WatchJob(jobs_pb2.WatchJobRequest(name=job.name)) for _ in range(20)]
        request = motion_pb2.GetFileRequest(job=warm.name, path="large.bin")
        readers = [motion.GetFile(request) for _ in range(5)]
        for reader in readers:
            next(reader)
        client.wait(job)
        time.sleep(0.5)
        assert memory_bytes(pid) - before < 60_000_000
        states = [[e.state for e in watcher if e.WhichOneof("event") == "state"] for watcher in watchers]
        assert states == [[1, 2, 4]] * 20
        assert sum(len(chunk.data) for chunk in readers[0]) == 200_000_000 - 2**20
        for reader in readers:
            reader.cancel()
