from __future__ import annotations

from collections.abc import Iterator

import pytest
from file_server import FileServer


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    server = FileServer(bytes(range(256)) * 8192)
    yield server
    server.close()
