"""The jobs of a server as hosts list them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_pose_server import FakeServer
from pose_shared._generated.pose.v1 import jobs_pb2, types_pb2
from pose_shared.clips import Clip
from pose_shared.errors import UnavailableError
from pose_shared.job_list import JobList, JobRow
from pose_shared.messages import Job
from pose_shared.session import ImportRequest, Session

NOW = 1_000_000.0


def job(state: str, **given: Any) -> jobs_pb2.Job:
    spec = jobs_pb2.ImportSpec(media=jobs_pb2.Media(display_name="jump.mp4"))
    number = jobs_pb2.JobState.Value(f"JOB_STATE_{state}")
    return jobs_pb2.Job(**{"name": f"jobs/{state.lower()}", "spec": spec, "state": number, **given})


def row(state: str, **given: Any) -> JobRow:
    return JobRow(Job.from_proto(job(state, **given)), NOW)


def until(jobs: JobList, look: Callable[[], Any]) -> None:
    end = time.monotonic() + 10
    while not look():
        assert time.monotonic() < end
        jobs.wait(0.1)


class TestJobRow:
    @pytest.mark.parametrize(
        ("state", "given", "words", "can"),
        [
            ("QUEUED", {}, "Waiting", "fetch cancel"),
            ("RUNNING", {}, "Running", "fetch cancel"),
            ("CANCELLING", {}, "Cancelling", ""),
            ("SUCCEEDED", {"people": [jobs_pb2.Person(index=1)]}, "Done, 1 person", "fetch delete"),
            ("FAILED", {}, "Failed", "delete"),
            ("CANCELLED", {}, "Cancelled", "delete"),
        ],
    )
    def test_states(self, state: str, given: dict[str, Any], words: str, can: str) -> None:
        seen = row(state, **given)
        assert seen.state == words
        assert [n for n in ("fetch", "cancel", "delete") if getattr(seen, f"can_{n}")] == can.split()
        assert seen.factor is None

    def test_progress(self) -> None:
        seen = row("RUNNING", progress=jobs_pb2.StageProgress(stage="detect", done=1, total=4))
        assert (seen.state, seen.factor) == ("Finding people", 0.25)

    def test_why_it_failed(self) -> None:
        error = types_pb2.Error(kind="MediaError", code="INVALID_ARGUMENT", message="Nobody is there.")
        assert row("FAILED", error=error).why == "Nobody is there."
        cancelled = types_pb2.Error(kind="JobCancelledError", code="CANCELLED", message="Cancelled.")
        assert row("CANCELLED", error=cancelled).why == ""

    def test_a_refinement_says_so(self) -> None:
        assert row("SUCCEEDED", refines="jobs/first").clip == "jump.mp4 (refined)"

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (-5, "just now"),
            (59, "just now"),
            (60, "1 min ago"),
            (7300, "2 h ago"),
            (86_400, "1 day ago"),
            (300_000, "3 days ago"),
        ],
    )
    def test_age(self, seconds: float, words: str) -> None:
        assert row("SUCCEEDED", create_time=NOW - seconds).age == words


class TestJobList:
    def test_newest_first_with_what_was_asked(self, server: FakeServer, film: Path) -> None:
        server.others = [job("FAILED")]
        options = {"smoothing": 0.25, "floor": "flat", "start": 7}
        session = Session(ImportRequest(Clip.from_path(film), server.address, options))
        assert session.wait(20)
        jobs = JobList(server.address)
        assert not jobs.known and not jobs.busy
        jobs.refresh()
        assert jobs.busy
        until(jobs, lambda: jobs.known)
        assert [found.name for found in jobs.jobs] == ["jobs/dance", "jobs/failed"]
        found = jobs.find("jobs/dance")
        assert found is not None
        assert (found.solve, found.first_source_frame) == ({"smoothing": 0.25, "floor": "flat"}, 7)
        assert jobs.find("jobs/none") is None
        assert [seen.job.name for seen in jobs.rows(NOW)] == ["jobs/dance", "jobs/failed"]

    def test_a_range_in_seconds_has_no_first_frame(self, server: FakeServer, film: Path) -> None:
        session = Session(ImportRequest(Clip.from_path(film), server.address, {"start": "1.5s"}))
        assert session.wait(20)
        jobs = JobList(server.address)
        jobs.refresh()
        until(jobs, lambda: jobs.known)
        assert jobs.jobs[0].first_source_frame is None

    def test_what_is_asked_for_is_done_in_order(self, server: FakeServer) -> None:
        server.others = [job("RUNNING"), job("FAILED"), job("CANCELLED")]
        jobs = JobList(server.address)
        jobs.refresh()
        jobs.cancel("jobs/running")
        jobs.delete("jobs/failed")
        jobs.delete("jobs/cancelled")
        jobs.refresh()  # one is under way
        until(jobs, lambda: not jobs.busy)
        assert server.cancel_calls == 1
        assert server.deleted == ["jobs/failed", "jobs/cancelled"]
        assert [found.name for found in jobs.jobs] == ["jobs/running"]

    def test_trouble_is_kept_and_taken_back(self, server: FakeServer) -> None:
        jobs = JobList("127.0.0.1:1")
        jobs.refresh()
        until(jobs, lambda: jobs.error)
        assert isinstance(jobs.error, UnavailableError)
        assert not jobs.known
        jobs.server = server.address
        jobs.refresh()
        until(jobs, lambda: jobs.known)
        assert jobs.error is None
