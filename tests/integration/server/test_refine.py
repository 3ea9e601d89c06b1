"""The result of a finished job is solved again: the import is fake, the refinement real."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from made_result import made_evidence, write_result
from pose_server.export.npz import read_npz
from pose_server.pipeline.evidence import write_evidence
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.refiner import refine
from pose_server.pipeline.solve_options import ContactEdit, SolveOptions
from pose_shared.client import Client
from pose_shared.errors import ConflictError, InputError, JobCancelledError, NotFoundError
from pose_shared.messages import Job, JobEvent, JobState
from serving import RunningServer, servers, wait_for


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "result"
    write_result(folder)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, made: Path) -> Iterator[RunningServer]:
    with servers(tmp_path_factory.mktemp("server")) as start:
        yield start(RESULT_DIR=made)


@pytest.fixture
def imported(client: Client, film: Path) -> Job:
    return client.import_clip(film, {"formats": ["npz", "bvh"]})


def test_a_refinement_is_a_job_whose_result_is_fetched_as_any(
    client: Client, imported: Job, made: Path, tmp_path: Path
) -> None:
    events: list[JobEvent] = []
    known: list[Job] = []
    job = client.refine(imported, {"smoothing": 1.0}, on_event=events.append, on_job=known.append)
    assert [one.name for one in known] == [job.name] != [imported.name]
    assert (job.state, job.refines, job.clip_name) == (JobState.SUCCEEDED, imported.name, imported.clip_name)
    assert [event.state.value for event in events if event.state] == ["QUEUED", "RUNNING", "SUCCEEDED"]
    # Nothing was decoded, detected or lifted again.
    assert {event.progress.stage for event in events if event.progress} <= {"solve", "export"}
    assert [person.index for person in job.people] == [person.index for person in imported.people] == [1, 3]

    client.download_result(job, tmp_path / "fetched")
    refine(made, SolveOptions(smoothing=1.0), tmp_path / "here", progress=SilentProgress())
    for name in ("person_01/motion.npz", "person_03/motion.npz", "person_03/motion.bvh", "evidence.npz"):
        assert (tmp_path / "fetched" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
    report = json.loads((tmp_path / "fetched" / "report.json").read_text())
    assert report["refined_from"] == imported.name
    assert report["options"]["solve"]["smoothing"] == 1.0

    before, after = client.get_motion(imported, 3), client.get_motion(job, 3)
    assert after.source_rate == before.source_rate == 30
    assert after.channels.keys() == before.channels.keys()
    name = "left_elbow/rotation/x"
    shaking = [np.abs(np.diff(motion.channels[name], 2)).mean() for motion in (before, after)]
    assert shaking[1] < 0.9 * shaking[0]


def test_the_command_line_refines_a_job(server: RunningServer, imported: Job, tmp_path: Path) -> None:
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pose_server", "refine", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)

    changes = ["--smoothing", "1", "--height", "auto", "--contact", "3:left_toe:2-9=off"]
    done = run(imported.name, "--server", server.address, "--out", "out", *changes, "--filter", "arms=rts")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    solve = report["options"]["solve"]
    assert report["refined_from"] == imported.name
    assert (solve["smoothing"], solve["height_m"], solve["floor"]) == (1, None, "auto")
    assert (solve["edits"][0]["person"], solve["filters"][0]["name"]) == (3, "rts")
    assert (tmp_path / "out" / "person_03" / "motion.npz").is_file()
    for arguments, word in (
        ((imported.name, "--server", server.address), "--out"),
        (("jobs/none", "--server", server.address, "--out", "other"), "no job none"),
        ((imported.name, "--out", "other"), "no report.json"),
    ):
        refused = run(*arguments)
        assert refused.returncode == 2
        assert word in refused.stderr.strip().splitlines()[-1]
        assert not (tmp_path / "other").exists()


def test_a_refinement_is_refined_and_outlives_its_source(
    client: Client, imported: Job, tmp_path: Path
) -> None:
    first = client.refine(imported, {"smoothing": 0.0, "height_m": 1.9})
    client.delete(imported)
    second = client.refine(first.name, {"edits": [vars(ContactEdit(3, "left_toe", 2, 9, False))]})
    assert second.refines == first.name
    client.download_result(second, tmp_path / "result")
    report = json.loads((tmp_path / "result" / "report.json").read_text())
    solve = report["options"]["solve"]
    assert (solve["smoothing"], solve["height_m"], len(solve["edits"])) == (0.0, 1.9, 1)
    assert len(read_npz(tmp_path / "result" / "person_03" / "motion.npz")) == 40


def test_the_same_request_is_the_same_job(client: Client, imported: Job) -> None:
    request_id = "6f1c2c5e-8a44-4d2b-9c39-1f6a7f2f8a10"
    jobs = [client.create_refinement(imported, {"floor": "flat"}, request_id) for _ in range(2)]
    assert jobs[0].name == jobs[1].name
    with pytest.raises(ConflictError) as caught:
        client.create_refinement(imported, {"floor": "none"}, request_id)
    assert caught.value.reason == "REQUEST_ID_REUSED"
    assert client.wait(jobs[0]).state is JobState.SUCCEEDED


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"smoothing": 2}, "SMOOTHING_INVALID"),
        ({"floor": "lava"}, "FLOOR_INVALID"),
        ({"edits": [vars(ContactEdit(2, "left_toe", 2, 9, False))]}, "CONTACT_EDIT_INVALID"),
        ({"filters": [{"part": "arms", "name": "kalman"}]}, "FILTER_INVALID"),
        ({"filters": [{"part": "arms"}]}, "OPTION_INVALID"),
        ({"fps": 24}, "OPTION_UNKNOWN"),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    client: Client, imported: Job, options: dict[str, object], reason: str
) -> None:
    count = len(list(client.list_jobs()))
    with pytest.raises(InputError) as caught:
        client.create_refinement(imported, options)
    assert caught.value.reason == reason
    assert len(list(client.list_jobs())) == count


def test_only_a_job_that_has_succeeded_is_refined(client: Client, film: Path, imported: Job) -> None:
    with pytest.raises(NotFoundError) as unknown:
        client.create_refinement("jobs/none", {})
    assert unknown.value.reason == "JOB_UNKNOWN"
    with pytest.raises(InputError):
        client.create_refinement("uploads/none", {})
    running = client.create_job(client.upload_clip(film), {"detector": "steps:1000"})
    wait_for(lambda: client.get_job(running).progress)
    waiting = client.create_refinement(imported, {})
    with pytest.raises(ConflictError, match=r"running.*wait until") as early:
        client.create_refinement(running, {})
    assert early.value.reason == "JOB_NOT_SUCCEEDED"
    # One that waits is cancelled at once, and one whose source is gone says so.
    orphan = client.create_refinement(imported, {})
    assert client.cancel(waiting).state is JobState.CANCELLED
    client.delete(imported)
    client.cancel(running)
    with pytest.raises(ConflictError, match="deleted meanwhile") as gone:
        client.wait(orphan)
    assert gone.value.reason == "RESULT_DELETED"
    for name in (waiting, running, orphan):
        with pytest.raises(ConflictError, match="has no result"):
            client.create_refinement(name, {})
    with pytest.raises(NotFoundError):
        client.create_refinement(imported, {})


def test_a_running_refinement_is_cancelled(tmp_path: Path, made: Path, film: Path) -> None:
    long = Path(shutil.copytree(made, tmp_path / "long"))
    write_evidence(long / "evidence.npz", made_evidence(frames=20_000))
    with servers(tmp_path) as start, Client(start(RESULT_DIR=long).address) as client:
        job = client.create_refinement(client.import_clip(film, {}), {})
        wait_for(lambda: client.get_job(job).state is JobState.RUNNING)
        client.cancel(job)
        with pytest.raises(JobCancelledError):
            client.wait(job)
        ended = client.get_job(job)
        assert ended.end_time is not None and ended.start_time is not None
        assert ended.end_time - ended.start_time < 5
        assert not ended.files
