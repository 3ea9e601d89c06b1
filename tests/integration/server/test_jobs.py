"""Jobs from request to result through a real server."""

from __future__ import annotations

import itertools
import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pose_shared._generated.pose.v1 import jobs_pb2
from pose_shared.cancel_token import CancelToken
from pose_shared.client import Client
from pose_shared.errors import (
    ConflictError,
    InputError,
    InternalError,
    JobCancelledError,
    MediaError,
    NotFoundError,
    UnavailableError,
)
from pose_shared.messages import Job, JobEvent, JobState
from pose_shared.request import RemoteClip
from serving import RunningServer, StartServer, wait_for

DONE = [JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED]


def folder_of(job: Job, server: RunningServer) -> Path:
    return server.data_dir / "jobs" / job.name.removeprefix("jobs/")


def test_a_clip_becomes_a_result(client: Client, film: Path, tmp_path: Path) -> None:
    events: list[JobEvent] = []
    names: list[str] = []
    job = client.import_clip(
        film, {"detector": "steps:5"}, events.append, on_job=lambda job: names.append(job.name)
    )
    assert job.state is JobState.SUCCEEDED
    assert names == [job.name]
    assert [event.state for event in events if event.state] == DONE
    assert [event.note for event in events if event.note] == ["Half of it was guessed."]
    assert [event.people for event in events if event.people] == [job.people]
    stages = [event.progress.stage for event in events if event.progress]
    assert list(dict.fromkeys(stages)) == ["read", "upload", "detect"]
    stored = [event.seq for event in events if event.seq]
    assert stored == list(range(1, len(stored) + 1))

    paths = client.download_result(job, tmp_path / "result")
    assert {path.name for path in paths} == {"big.bin", "report.json"}
    report = json.loads((tmp_path / "result" / "report.json").read_text())
    assert report["name"] == "jump.mp4"
    assert report["bytes"] == film.stat().st_size
    assert (tmp_path / "result" / "big.bin").stat().st_size == 3 * 2**20 + 4
    assert not list(tmp_path.rglob("*.part"))


def test_options_and_media_come_back_as_they_were_sent(client: Client, film: Path) -> None:
    clip = client.upload_clip(film)
    options = {
        "people": 2,
        "persons": [1, 3],
        "start": 10,
        "end": "4.5s",
        "fps": "30000/1001",
        "input_fps": 24,
        "focal_mm": 35.0,
        "detector": "auto",
        "smoothing": 0.0,
        "formats": ["npz"],
        "allow_truncated": True,
    }
    job = client.create_job(clip, options)
    request = jobs_pb2.GetJobRequest(name=job.name)
    spec = client._connection.call(client._connection.jobs.GetJob, request).spec
    assert (spec.people, list(spec.persons), spec.start.frame, spec.end.seconds) == (2, [1, 3], 10, 4.5)
    assert (spec.fps.numerator, spec.fps.denominator, spec.input_fps.numerator) == (30000, 1001, 24)
    assert (spec.focal_mm, spec.detector, spec.solve.smoothing) == (35.0, "auto", 0.0)
    assert (list(spec.formats), spec.allow_truncated) == (["npz"], True)
    assert [file.file_name for file in spec.media.uploaded.files] == ["jump.mp4"]


def test_an_image_sequence_arrives_under_its_names(client: Client, tmp_path: Path) -> None:
    for number in (1, 2, 10):
        (tmp_path / f"shot.{number:04d}.png").write_bytes(bytes([number]) * 100)
    (tmp_path / "shot.mask.png").write_bytes(b"other")
    events: list[JobEvent] = []
    job = client.import_clip(tmp_path / "shot.%04d.png", {}, events.append)
    sent = [event.progress for event in events if event.progress and event.progress.stage == "upload"]
    assert [(step.done, step.total) for step in sent][-1] == (300, 300)
    assert all(before.done <= after.done for before, after in itertools.pairwise(sent))
    client.download_result(job, tmp_path / "result")
    report = json.loads((tmp_path / "result" / "report.json").read_text())
    assert report["pictures"] == ["shot.0001.png", "shot.0002.png", "shot.0010.png"]
    assert report["name"] == "shot.%04d.png"


def test_a_hundred_requests_with_one_id_are_one_job(client: Client, film: Path) -> None:
    clip = client.upload_clip(film)
    request_id = str(uuid.uuid4())
    begin = time.time()
    with ThreadPoolExecutor(20) as pool:
        jobs = list(pool.map(lambda _: client.create_job(clip, {}, request_id), range(100)))
    assert len({job.name for job in jobs}) == 1
    assert sum(job.create_time >= begin for job in client.list_jobs()) == 1
    with pytest.raises(ConflictError) as caught:
        client.create_job(clip, {"people": 1}, request_id)
    assert caught.value.reason == "REQUEST_ID_REUSED"


@pytest.mark.parametrize(
    ("behaviour", "kind", "reason"),
    [
        ("refuse", MediaError, "NOBODY_FOUND"),
        ("break", InternalError, "DEFECT"),
        ("allocate", InternalError, "OUT_OF_MEMORY"),
    ],
)
def test_a_failed_job_says_why(
    client: Client, server: RunningServer, film: Path, behaviour: str, kind: type, reason: str
) -> None:
    worker = server.worker()
    with pytest.raises(kind) as caught:
        client.import_clip(film, {"detector": behaviour})
    assert caught.value.reason == reason
    assert "secret" not in caught.value.message
    if behaviour == "refuse":
        assert caught.value.metadata == {"frames": "12"}
    job = next(client.list_jobs())
    assert job.state is JobState.FAILED
    assert job.error == caught.value
    assert not folder_of(job, server).exists()
    assert server.worker() == worker


@pytest.mark.parametrize("behaviour", ["steps:1000", "stubborn"])
def test_cancel_takes_effect_within_two_seconds(
    client: Client, server: RunningServer, film: Path, behaviour: str
) -> None:
    job = client.create_job(client.upload_clip(film), {"detector": behaviour})
    wait_for(lambda: client.get_job(job).progress)
    begin = time.monotonic()
    assert client.cancel(job).state is JobState.CANCELLING
    client.cancel(job)
    states = [event.state for event in client.watch(job) if event.state]
    assert time.monotonic() - begin < 2
    assert states == [JobState.QUEUED, JobState.RUNNING, JobState.CANCELLING, JobState.CANCELLED]
    with pytest.raises(JobCancelledError):
        client.wait(job)
    assert client.cancel(job).state is JobState.CANCELLED
    assert not folder_of(job, server).exists()
    assert client.import_clip(film, {}).state is JobState.SUCCEEDED


def test_a_queued_job_is_cancelled_at_once_and_jobs_keep_their_order(client: Client, film: Path) -> None:
    clip = client.upload_clip(film)
    first, second, third = (client.create_job(clip, {"detector": "steps:20"}) for _ in range(3))
    assert client.cancel(second).state is JobState.CANCELLED
    client.wait(third)
    assert client.get_job(first).end_time <= client.get_job(third).start_time


def test_stop_cancels_the_job_and_interrupts_the_wait(client: Client, film: Path) -> None:
    stop = CancelToken()
    jobs = []

    def on_event(event: JobEvent) -> None:
        if event.progress and event.progress.stage == "detect":
            threading.Timer(0.2, stop.cancel).start()

    with pytest.raises(JobCancelledError):
        client.import_clip(film, {"detector": "stubborn"}, on_event, stop, on_job=jobs.append)
    wait_for(lambda: client.get_job(jobs[0]).state is JobState.CANCELLED, timeout_s=2)


def test_closing_the_client_interrupts_a_blocked_watch(server: RunningServer, film: Path) -> None:
    client = Client(server.address)
    job = client.create_job(client.upload_clip(film), {"detector": "steps:20"})
    begin = time.monotonic()
    threading.Timer(0.3, client.close).start()
    with pytest.raises(UnavailableError) as caught:
        list(client.watch(job))
    assert caught.value.reason == "CLIENT_CLOSED"
    assert time.monotonic() - begin < 2
    with pytest.raises(UnavailableError):
        client.get_job(job)


def test_a_watcher_who_comes_back_sees_every_event_once(client: Client, film: Path) -> None:
    job = client.create_job(client.upload_clip(film), {"detector": "steps:10"})
    seen: list[JobEvent] = []
    last = 0
    while not seen or seen[-1].state is None or not seen[-1].state.ended:
        for event in client.watch(job, after_seq=last):
            if event.seq:
                seen.append(event)
                last = event.seq
                break
    assert [event.seq for event in seen] == list(range(1, len(seen) + 1))
    assert [event.state for event in seen if event.state] == DONE
    assert list(client.watch(job, after_seq=last)) == []


def test_progress_floods_nobody(client: Client, film: Path) -> None:
    job = client.create_job(client.upload_clip(film), {"detector": "flood"})
    events = list(client.watch(job))
    assert sum(event.progress is not None for event in events) < 1000
    assert sum(event.note is not None for event in events) == 100
    assert [event.state for event in events if event.state] == DONE


def test_jobs_are_listed_newest_first_and_page_by_page(client: Client, film: Path) -> None:
    clip = client.upload_clip(film)
    names = [client.create_job(clip, {}).name for _ in range(52)]
    assert [job.name for job in client.list_jobs()][:52] == names[::-1]
    client.wait(names[-1])


def test_an_ended_job_can_be_deleted(client: Client, server: RunningServer, film: Path) -> None:
    clip = client.upload_clip(film)
    running = client.create_job(clip, {"detector": "stubborn"})
    with pytest.raises(ConflictError) as caught:
        client.delete(running)
    assert caught.value.reason == "JOB_ACTIVE"
    client.cancel(running)
    job = client.wait(client.create_job(clip, {}))
    assert folder_of(job, server).exists()
    client.delete(job)
    with pytest.raises(NotFoundError):
        client.get_job(job)
    with pytest.raises(NotFoundError):
        list(client.watch(job))
    assert not folder_of(job, server).exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"start": -1}, "RANGE_INVALID"),
        ({"start": 9, "end": 9}, "RANGE_EMPTY"),
        ({"formats": ["fbx9"]}, "FORMAT_UNKNOWN"),
        ({"smoothing": 3}, "SMOOTHING_INVALID"),
        ({"people": -1}, "PEOPLE_INVALID"),
        ({"speed": 3}, "OPTION_UNKNOWN"),
        ({"start": "soon"}, "OPTION_INVALID"),
        ({"fps": "1/0"}, "OPTION_INVALID"),
    ],
)
def test_impossible_options_are_refused(client: Client, film: Path, options: dict, reason: str) -> None:
    before = [job.name for job in client.list_jobs()]
    with pytest.raises(InputError) as caught:
        client.create_job(client.upload_clip(film), options)
    assert caught.value.reason == reason
    assert [job.name for job in client.list_jobs()] == before


def test_a_job_needs_its_media(client: Client) -> None:
    unknown = RemoteClip("a.mp4", uploads=(("uploads/" + "0" * 64, "a.mp4"),))
    with pytest.raises(NotFoundError):
        client.create_job(unknown, {})
    for clip in (RemoteClip("a.mp4"), RemoteClip("a.mp4", uploads=(("uploads/" + "0" * 64, "../a.mp4"),))):
        with pytest.raises(InputError):
            client.create_job(clip, {})


def test_a_path_is_read_below_a_media_root_only(
    start_server: StartServer, film: Path, tmp_path: Path
) -> None:
    root = tmp_path / "films"
    root.mkdir()
    (root / "good.mp4").write_bytes(b"film")
    (root / "out.mp4").symlink_to(film)
    server = start_server(MEDIA_ROOTS=root)
    with Client(server.address) as client:
        job = client.wait(client.create_job(RemoteClip("", path=str(root / "good.mp4")), {}))
        assert job.state is JobState.SUCCEEDED
        for path in (film, root / "out.mp4", root / ".." / film.name):
            with pytest.raises(InputError) as caught:
                client.create_job(RemoteClip("", path=str(path)), {})
            assert caught.value.reason == "MEDIA_ROOT_REFUSED"
            assert "--media-root" in caught.value.message
        with pytest.raises(MediaError):
            client.create_job(RemoteClip("", path=str(root / "none.mp4")), {})
    assert (root / "good.mp4").read_bytes() == b"film"


def test_a_running_job_shows_how_far_it_is(client: Client, film: Path) -> None:
    job = client.create_job(client.upload_clip(film), {"detector": "steps:200"})
    step = wait_for(lambda: (p := client.get_job(job).progress) and p.done > 20 and p)
    assert (step.stage, step.total) == ("detect", 200)
    assert 10 < step.per_second < 25
    client.cancel(job)
