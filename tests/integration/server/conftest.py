"""Real servers in processes of their own, with fake jobs, and real clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pose_shared.client import Client
from serving import RunningServer, film, servers, start_server

__all__ = ["film", "start_server"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One for the tests that leave it as it was."""
    with servers(tmp_path_factory.mktemp("server")) as start:
        yield start()


@pytest.fixture
def client(server: RunningServer) -> Iterator[Client]:
    with Client(server.address) as client:
        yield client
