"""A real server for the tests that need one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server in a process of its own, with the real pipeline."""
    folder = tmp_path_factory.mktemp("server")
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "pose_server", "serve", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "POSE_DATA_DIR": str(folder / "data")},
        )
    assert server.stdout is not None
    line = server.stdout.readline()
    assert line, (folder / "log").read_text()
    yield line.split()[-1]
    server.terminate()
    assert server.wait(20) == 0
