"""The network cuts, lies or is not there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import grpc
import pytest
from pose_shared._generated.pose.v1 import system_pb2, system_pb2_grpc
from pose_shared.cancel_token import CancelToken
from pose_shared.client import Client
from pose_shared.errors import (
    ConflictError,
    DataLossError,
    InputError,
    JobCancelledError,
    LimitError,
    MediaError,
    UnavailableError,
)
from pose_shared.messages import JobEvent, JobState
from pose_shared.transfer import file_sha256
from proxy import CuttingProxy
from serving import RunningServer, StartServer, servers, wait_for

MEGABYTE = 2**20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with servers(tmp_path_factory.mktemp("server")) as start:
        yield start()


@contextmanager
def cut_line(server: RunningServer, cuts: list[int]) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(server.address, cuts)
    yield proxy
    proxy.close()


def make_film(path: Path, megabytes: int) -> Path:
    path.write_bytes(os.urandom(megabytes * MEGABYTE))
    return path


def test_an_upload_goes_on_after_ten_cuts(server: RunningServer, tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", 60)
    with cut_line(server, [5 * MEGABYTE] * 10) as proxy, Client(proxy.address) as client:
        name = client.upload(film)
        assert proxy.connections == 11
        # Only what was under way at a cut is sent again; from the beginning it would be 110.
        assert proxy.passed < 95 * MEGABYTE
    stored = server.data_dir / name
    assert stored.read_bytes() == film.read_bytes()


def test_a_film_is_sent_once(server: RunningServer, tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", 8)
    with cut_line(server, []) as proxy, Client(proxy.address) as client:
        name = client.upload(film)
        before = proxy.passed
        assert client.upload(film) == name
        assert proxy.passed - before < 10_000


def test_two_clients_with_one_film_do_no_harm(server: RunningServer, tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", 20)
    names: list[str] = []

    def send() -> None:
        with Client(server.address) as client:
            names.append(client.upload(film))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(set(names)) == 1
    assert len(names) == 4
    assert (server.data_dir / names[0]).read_bytes() == film.read_bytes()
    assert not list((server.data_dir / "uploads" / "partial").iterdir())


def test_a_film_damaged_on_the_way_is_refused_and_can_be_sent_again(
    server: RunningServer, tmp_path: Path
) -> None:
    film = make_film(tmp_path / "film.mp4", 4)
    partial = server.data_dir / "uploads" / "partial"
    (partial / f"{file_sha256(film)}.{4 * MEGABYTE}").write_bytes(b"damaged!" * 200_000)
    with Client(server.address) as client:
        with pytest.raises(DataLossError) as caught:
            client.upload(film)
        assert caught.value.reason == "UPLOAD_DAMAGED"
        assert not list(partial.iterdir())
        name = client.upload(film)
    assert (server.data_dir / name).read_bytes() == film.read_bytes()


def test_stop_interrupts_an_upload(server: RunningServer, tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", 60)
    stop = CancelToken()
    seen: list[float] = []

    def leave(event: JobEvent) -> None:
        assert event.progress
        if event.progress.stage == "upload":
            seen.append(time.monotonic())
            stop.cancel()

    with Client(server.address) as client, pytest.raises(JobCancelledError):
        client.upload(film, leave, stop)
    assert time.monotonic() - seen[0] < 1


def test_a_full_disk_is_said(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(DISK_RESERVE_BYTES=2**60)
    film = make_film(tmp_path / "film.mp4", 1)
    with Client(server.address) as client, pytest.raises(LimitError) as caught:
        client.upload(film)
    assert caught.value.reason == "DISK_FULL"
    assert [path.name for path in (server.data_dir / "uploads").rglob("*")] == ["partial"]


@pytest.mark.parametrize("content", [None, b""], ids=["missing", "empty"])
def test_a_film_that_cannot_be_sent_is_named(
    server: RunningServer, tmp_path: Path, content: bytes | None
) -> None:
    film = tmp_path / "film.mp4"
    if content is not None:
        film.write_bytes(content)
    with Client(server.address) as client, pytest.raises(MediaError, match=r"film\.mp4"):
        client.upload(film)


def test_a_download_goes_on_after_a_cut(server: RunningServer, film: Path, tmp_path: Path) -> None:
    with Client(server.address) as client:
        job = client.import_clip(film, {})
        big = next(file for file in job.files if file.path == "big.bin")
        target = tmp_path / "here" / "big.bin"
        target.parent.mkdir()
        # What an earlier download had brought.
        whole = (server.data_dir / "jobs" / job.name[5:] / "run_1" / "result" / "big.bin").read_bytes()
        target.with_name("big.bin.part").write_bytes(whole[: 2 * MEGABYTE])
        progress: list[int] = []
        client.download(job, big, target, lambda event: progress.append(event.progress.done))
        assert target.read_bytes() == whole
        assert progress[0] > 2 * MEGABYTE
        target.with_name("big.bin.part").write_bytes(b"x" * 100)
        with pytest.raises(DataLossError):
            client.download(job, big, target)
        client.download(job, big, target)
        assert list(target.parent.iterdir()) == [target]


def test_a_client_that_dies_leaves_its_job_for_another(server: RunningServer, film: Path) -> None:
    code = f"""
from pathlib import Path
from pose_shared.client import Client
client = Client({server.address!r})
clip = Path({str(film)!r})
client.import_clip(clip, {{"detector": "steps:40"}}, on_job=lambda job: print(job.name, flush=True))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    name = process.stdout.readline().strip()
    with Client(server.address) as client:
        wait_for(lambda: client.get_job(name).progress)
        process.send_signal(signal.SIGKILL)
        process.wait()
        job = client.wait(name)
        assert (job.state, job.attempt) == (JobState.SUCCEEDED, 1)


def test_a_server_that_is_not_there_is_said_within_five_seconds() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    begin = time.monotonic()
    with Client(address) as client, pytest.raises(UnavailableError) as caught:
        client.check_compatible()
    assert time.monotonic() - begin < 5.5
    assert address in caught.value.message
    assert "pose-server serve" in caught.value.message
    assert caught.value.exit_code == 2


def test_a_mute_server_is_said_within_six_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        begin = time.monotonic()
        with Client(address) as client, pytest.raises(UnavailableError, match=address):
            client.check_compatible()
        assert time.monotonic() - begin < 6


def test_a_web_server_is_no_pose_server() -> None:
    web = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    begin = time.monotonic()
    with Client(f"127.0.0.1:{web.server_port}") as client, pytest.raises(UnavailableError):
        client.check_compatible()
    assert time.monotonic() - begin < 6
    web.shutdown()
    web.server_close()


@pytest.mark.parametrize(("major", "advice"), [(2, "update the client"), (0, "update the server")])
def test_another_major_version_is_said(major: int, advice: str) -> None:
    class Foreign(system_pb2_grpc.SystemServiceServicer):
        def GetServerInfo(self, request: object, context: object) -> system_pb2.ServerInfo:
            return system_pb2.ServerInfo(version="9.9.9", protocol_major=major)

    server = grpc.server(futures.ThreadPoolExecutor(1))
    system_pb2_grpc.add_SystemServiceServicer_to_server(Foreign(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with Client(f"127.0.0.1:{port}") as client, pytest.raises(ConflictError) as caught:
        client.check_compatible()
    server.stop(None)
    assert caught.value.reason == "PROTOCOL_MISMATCH"
    assert caught.value.exit_code == 2
    assert advice in caught.value.message
    assert "9.9.9" in caught.value.message


@pytest.mark.parametrize(
    "address", ["", "host:", "host:99999", "host:name", "two words:50551", "http://host:1"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(InputError) as caught:
        Client(address)
    assert caught.value.reason == "ADDRESS_INVALID"


@pytest.mark.parametrize(
    ("address", "full"),
    [("box", "box:50551"), ("box:9", "box:9"), ("[::1]", "[::1]:50551"), ("[::1]:7", "[::1]:7")],
)
def test_an_address_is_completed(address: str, full: str) -> None:
    with Client(address) as client:
        assert client.address == full
