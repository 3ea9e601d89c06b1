"""A job table with a clock that stands until it is moved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pose_server.cache.media import Media, MediaFile
from pose_server.jobs.model import JobRequest
from pose_server.jobs.store import JobStore
from pose_server.pipeline.options import ImportOptions


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def request_() -> JobRequest:
    return JobRequest(Media("a.mp4", (MediaFile("0" * 64, "a.mp4"),)), ImportOptions(people=1))


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[JobStore]:
    store = JobStore(tmp_path / "jobs.sqlite3", clock=clock)
    yield store
    store.close()
