"""Real servers in processes of their own, and what can be seen of them from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import pytest

SUPPORT = Path(__file__).parent

#: What is no setting of the server, but tells fake jobs what to leave behind.
_FOR_JOBS = ("LARGE_BYTES", "MOTION_NPZ", "RESULT_DIR")

T = TypeVar("T")
StartServer = Callable[..., "RunningServer"]


class RunningServer:
    """A server process that answers, and the processes below it."""

    def __init__(self, data_dir: Path, logs: Path, settings: dict[str, object]) -> None:
        self.data_dir = data_dir
        self.log = logs / f"server_{time.monotonic_ns()}.log"
        given = {"PORT": 0, "DATA_DIR": data_dir, "DEVICE": "cpu", "DISK_RESERVE_BYTES": 0, **settings}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("POSE_")}
        environment |= {f"POSE_{name}": str(value) for name, value in given.items() if name.isupper()}
        environment |= {name: str(value) for name, value in settings.items() if name in _FOR_JOBS}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, SUPPORT / "fake_server.py"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
            )
        assert self.process.stdout
        line = self.process.stdout.readline()
        self.address = line.split()[-1] if line else ""

    def worker(self) -> int:
        """Pid of the worker process; waits until there is one."""
        return wait_for(lambda: next(iter(self.workers()), 0))

    def workers(self) -> list[int]:
        return [pid for pid in descendants(self.process.pid) if "spawn_main" in command_line(pid)]

    def terminate(self, timeout_s: float = 10) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        """End it by all means, with everything below it."""
        if self.process.poll() is None:
            below = descendants(self.process.pid)
            with suppress(subprocess.TimeoutExpired):
                self.terminate()
            self.kill()
            for pid in below:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def read_log(self) -> str:
        return self.log.read_text()


@contextmanager
def servers(folder: Path) -> Iterator[StartServer]:
    """Give a function that starts servers, by default one after the other on the same data folder."""
    started: list[RunningServer] = []

    def start(*, data_dir: Path | None = None, **settings: object) -> RunningServer:
        server = RunningServer(data_dir or folder / "data", folder, settings)
        started.append(server)
        return server

    try:
        yield start
    finally:
        for server in started:
            server.stop()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    with servers(tmp_path) as start:
        yield start


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """No film, but bytes enough for several chunks."""
    path = tmp_path / "jump.mp4"
    path.write_bytes(os.urandom(2_500_000))
    return path


def descendants(pid: int) -> list[int]:
    """Pids of all living processes below one."""
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *descendants(int(child))]
    return found


def alive(pid: int) -> bool:
    """Whether a process runs: a zombie does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def command_line(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def memory_bytes(pid: int) -> int:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def wait_for(look: Callable[[], T], timeout_s: float = 15, every_s: float = 0.02) -> T:
    """Return what `look` returns as soon as that is true."""
    end = time.monotonic() + timeout_s
    while not (seen := look()):
        assert time.monotonic() < end, "it never came"
        time.sleep(every_s)
    return seen
