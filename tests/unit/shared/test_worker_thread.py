from __future__ import annotations

import threading
import time

import pytest
from pose_shared.cancel_token import CancelToken
from pose_shared.errors import InternalError, JobCancelledError, MediaError
from pose_shared.messages import JobEvent, JobState, StageProgress
from pose_shared.worker_thread import WorkerThread


def progress(stage: str, done: int) -> JobEvent:
    return JobEvent(progress=StageProgress(stage, done, 100))


def test_it_hands_over_events_and_a_result() -> None:
    def work(post: object, stop: CancelToken) -> str:
        assert threading.current_thread() is not threading.main_thread()
        assert threading.current_thread().daemon
        post(JobEvent(seq=1, state=JobState.QUEUED))
        post(JobEvent(seq=2, note="A note."))
        return "done"

    worker = WorkerThread(work)
    assert worker.join(5)
    assert worker.done
    assert [event.seq for event in worker.poll()] == [1, 2]
    assert worker.poll() == []
    assert worker.result() == "done"


def test_a_host_that_does_not_look_gets_the_newest_progress_only() -> None:
    def work(post: object, stop: CancelToken) -> None:
        for stage in ("upload", "detect"):
            for done in range(10_000):
                post(progress(stage, done))
            post(JobEvent(seq=1, note=f"{stage} through"))

    worker = WorkerThread(work)
    worker.join(10)
    assert worker.poll() == [
        progress("upload", 9999),
        JobEvent(seq=1, note="upload through"),
        progress("detect", 9999),
        JobEvent(seq=1, note="detect through"),
    ]


def test_errors_come_as_ours() -> None:
    def refuse(post: object, stop: CancelToken) -> None:
        raise MediaError("Nobody is there.")

    def break_down(post: object, stop: CancelToken) -> None:
        raise ZeroDivisionError("oops")

    for work, kind in ((refuse, MediaError), (break_down, InternalError)):
        worker = WorkerThread(work)
        worker.join(5)
        with pytest.raises(kind):
            worker.result()


def test_cancel_returns_at_once_and_ends_the_work() -> None:
    worker = WorkerThread(lambda post, stop: stop.wait(60))
    with pytest.raises(InternalError):
        worker.result()
    begin = time.monotonic()
    worker.cancel()
    worker.cancel()
    assert worker.join(5)
    assert time.monotonic() - begin < 2
    with pytest.raises(JobCancelledError):
        worker.result()


def test_work_that_finishes_in_spite_of_cancel_keeps_its_result() -> None:
    go = threading.Event()

    def work(post: object, stop: CancelToken) -> str:
        go.wait(5)
        return "done"

    worker = WorkerThread(work)
    worker.cancel()
    go.set()
    worker.join(5)
    assert worker.result() == "done"
