from __future__ import annotations

import itertools
import sqlite3
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule
from hypothesis.strategies import booleans
from pose_server.cache.media import Media
from pose_server.engine.executor import ResultFile, StageProgress, WorkerLostError
from pose_server.jobs.model import ENDED, MAX_LOSSES, TRANSITIONS, Job, JobRequest, JobState
from pose_server.jobs.store import JobStore
from pose_server.pipeline.options import ImportOptions
from pose_server.pipeline.progress import FoundPerson
from pose_shared.errors import ConflictError, InternalError, MediaError, NotFoundError

PERSON = FoundPerson(1, 0, 9, 0.5, 0.25)
LOST = WorkerLostError("It died.", exit="signal SIGKILL")


def states(store: JobStore, job: Job) -> list[JobState]:
    events, _ = store.events(job.id, 0, 1000)
    return [event.content for event in events if isinstance(event.content, JobState)]


def test_a_job_succeeds(store: JobStore, request_: JobRequest) -> None:
    made = store.create(request_)
    assert (made.state, made.attempt, made.last_seq) == (JobState.QUEUED, 0, 1)
    job = store.claim(30)
    assert job
    assert (job.id, job.state, job.attempt, job.fence) == (made.id, JobState.RUNNING, 1, 1)
    assert store.claim(30) is None
    store.renew(job.id, job.fence, 30, StageProgress("detect", 3, 9, 1.5))
    assert store.get(job.id).progress == StageProgress("detect", 3, 9, 1.5)
    store.renew(job.id, job.fence, 30, None)
    assert store.get(job.id).progress == StageProgress("detect", 3, 9, 1.5)
    store.add_event(job.id, job.fence, "A note.")
    store.add_event(job.id, job.fence, (PERSON,))
    file = ResultFile("report.json", 12, "0" * 64)
    done = store.finish(job.id, job.fence, people=[PERSON], files=[file])
    assert (done.state, done.people, done.files, done.error) == (
        JobState.SUCCEEDED,
        (PERSON,),
        (file,),
        None,
    )
    events, ended = store.events(job.id, 0, 100)
    assert [event.seq for event in events] == [1, 2, 3, 4, 5]
    assert [event.content for event in events] == [
        JobState.QUEUED,
        JobState.RUNNING,
        "A note.",
        (PERSON,),
        JobState.SUCCEEDED,
    ]
    assert ended
    assert store.events(job.id, 0, 2)[1] is False
    assert store.events(job.id, 5, 2) == ([], True)


def test_a_failure_is_kept_whole(store: JobStore, request_: JobRequest) -> None:
    store.create(request_)
    job = store.claim(30)
    error = MediaError("Nobody is there.", reason="NOBODY_FOUND", frames=3)
    assert store.finish(job.id, job.fence, error=error).error == error


def test_everything_is_there_after_reopening(
    store: JobStore, request_: JobRequest, tmp_path: Path, clock: object
) -> None:
    store.create(request_, "6d8bcd2f-31ac-4e2e-bb4c-0f9a1f7a3c10")
    job = store.claim(30)
    store.add_event(job.id, job.fence, "A note.")
    before = store.get(job.id), store.events(job.id, 0, 100)
    store.close()
    again = JobStore(tmp_path / "jobs.sqlite3")
    assert (again.get(job.id), again.events(job.id, 0, 100)) == before
    assert again.create(request_, "6d8bcd2f-31ac-4e2e-bb4c-0f9a1f7a3c10").id == job.id
    again.close()


def test_the_oldest_is_claimed_first(store: JobStore, request_: JobRequest) -> None:
    ids = [store.create(request_).id for _ in range(3)]
    claimed = [store.claim(30) for _ in range(3)]
    assert [job.id for job in claimed] == ids
    store.give_back(ids[1], 1)
    store.give_back(ids[0], 1)
    assert store.claim(30).id == ids[0]


def test_cancel(store: JobStore, request_: JobRequest) -> None:
    queued = store.create(request_)
    assert store.cancel(queued.id).state is JobState.CANCELLED
    assert store.cancel(queued.id).last_seq == 2
    store.create(request_)
    job = store.claim(30)
    assert store.cancel(job.id).state is JobState.CANCELLING
    assert store.cancel(job.id).last_seq == 3
    assert store.finish(job.id, job.fence, people=[PERSON]).state is JobState.CANCELLED
    assert store.get(job.id).people == ()


@pytest.mark.parametrize("how", ["finish", "fail", "give_back", "lost", "recover"])
def test_a_job_that_is_being_cancelled_ends_cancelled(
    store: JobStore, request_: JobRequest, how: str
) -> None:
    store.create(request_)
    job = store.claim(30)
    store.cancel(job.id)
    if how == "finish":
        store.finish(job.id, job.fence)
    elif how == "fail":
        store.finish(job.id, job.fence, error=LOST)
    elif how == "recover":
        store.recover(LOST)
    else:
        store.give_back(job.id, job.fence, LOST if how == "lost" else None)
    assert store.get(job.id).state is JobState.CANCELLED


def test_a_lost_job_is_tried_again_and_then_given_up(store: JobStore, request_: JobRequest) -> None:
    store.create(request_)
    for loss in range(1, MAX_LOSSES + 1):
        job = store.claim(30)
        assert (job.attempt, job.fence) == (loss, loss)
        job = store.give_back(job.id, job.fence, LOST)
    assert job.state is JobState.FAILED
    assert job.error == LOST
    assert store.claim(30) is None


def test_a_server_that_stops_costs_nothing(store: JobStore, request_: JobRequest) -> None:
    store.create(request_)
    for _ in range(2 * MAX_LOSSES):
        job = store.claim(30)
        job = store.give_back(job.id, job.fence)
    assert (job.state, job.losses, job.attempt) == (JobState.QUEUED, 0, 2 * MAX_LOSSES)


def test_recovery_gives_back_what_was_claimed(store: JobStore, request_: JobRequest) -> None:
    ended, running, cancelling, queued = (store.create(request_).id for _ in range(4))
    for _ in range(3):
        store.claim(30)
    store.finish(ended, 1)
    store.cancel(cancelling)
    found = {job.id: job.state for job in store.recover(LOST)}
    assert found == {running: JobState.QUEUED, cancelling: JobState.CANCELLED}
    assert store.get(queued).losses == 0
    assert store.get(running).losses == 1
    assert store.recover(LOST) == []


def test_an_old_attempt_changes_nothing(store: JobStore, request_: JobRequest) -> None:
    store.create(request_)
    old = store.claim(30)
    store.give_back(old.id, old.fence, LOST)
    for fence in (old.fence, old.fence + 1):
        for call in (
            lambda fence=fence: store.finish(old.id, fence),
            lambda fence=fence: store.give_back(old.id, fence),
            lambda fence=fence: store.renew(old.id, fence, 30, None),
            lambda fence=fence: store.add_event(old.id, fence, "late"),
        ):
            with pytest.raises(ConflictError) as caught:
                call()
            assert caught.value.reason == "FENCE_STALE"
        if fence == old.fence:
            store.claim(30)
            store.finish(old.id, old.fence + 1)
    assert store.get(old.id).state is JobState.SUCCEEDED


def test_leases_run_out_unless_renewed(store: JobStore, request_: JobRequest, clock: object) -> None:
    first, second = (store.create(request_).id for _ in range(2))
    store.claim(30)
    store.claim(30)
    clock.now += 20
    store.renew(first, 1, 30, None)
    assert store.expired() == []
    clock.now += 20
    assert [job.id for job in store.expired()] == [second]
    store.finish(second, 1)
    assert store.expired() == []


def test_one_request_id_is_one_job(store: JobStore, request_: JobRequest) -> None:
    request_id = str(uuid.uuid4())
    first = store.create(request_, request_id)
    assert store.create(request_, request_id) == first
    assert store.create(request_).id != first.id
    other = JobRequest(request_.media, ImportOptions(people=2))
    with pytest.raises(ConflictError) as caught:
        store.create(other, request_id)
    assert caught.value.reason == "REQUEST_ID_REUSED"


def test_pages(store: JobStore, request_: JobRequest) -> None:
    ids = [store.create(request_).id for _ in range(5)]
    first = store.newest(2)
    rest = store.newest(10, before=first[-1].number)
    assert [job.id for job in [*first, *rest]] == ids[::-1]
    assert store.newest(10, before=rest[-1].number) == []
    assert store.ids() == set(ids)


def test_only_ended_jobs_are_deleted(store: JobStore, request_: JobRequest) -> None:
    job = store.create(request_)
    with pytest.raises(ConflictError):
        store.delete(job.id)
    store.cancel(job.id)
    store.delete(job.id)
    for call in (store.get, store.cancel, store.delete):
        with pytest.raises(NotFoundError):
            call(job.id)


def test_one_server_owns_the_table(store: JobStore, tmp_path: Path) -> None:
    with pytest.raises(ConflictError) as caught:
        JobStore(tmp_path / "jobs.sqlite3", busy_s=0.1)
    assert caught.value.reason == "DATA_DIR_IN_USE"


def test_a_newer_table_is_left_alone(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "jobs.sqlite3")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(ConflictError) as caught:
        JobStore(tmp_path / "jobs.sqlite3")
    assert caught.value.reason == "DATA_DIR_NEWER"


def test_no_other_transition_is_possible(store: JobStore, request_: JobRequest) -> None:
    for before, after in itertools.product(JobState, JobState):
        if after in TRANSITIONS[before]:
            continue
        job = store.create(request_)
        store._db.execute("UPDATE jobs SET state = ? WHERE id = ?", (before, job.id))
        with pytest.raises(InternalError), store._writing():
            store._move(store.get(job.id), after)
        assert store.get(job.id).state is before


class StoreMachine(RuleBasedStateMachine):
    """Whatever is called in whatever order: the events tell a path along the transitions."""

    jobs: Bundle[str] = Bundle("jobs")
    claims: Bundle[Job] = Bundle("claims")

    @initialize()
    def open(self) -> None:
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "jobs.sqlite3"
        self.store = JobStore(self.path)

    @rule(target=jobs)
    def create(self) -> str:
        return self.store.create(JobRequest(Media("", path="/a.mp4"), ImportOptions())).id

    @rule(target=claims)
    def claim(self) -> object:
        job = self.store.claim(30)
        return job if job else multiple()

    @rule(claim=consumes(claims), failed=booleans())
    def finish(self, claim: Job, failed: bool) -> None:
        self._held(claim, lambda: self.store.finish(claim.id, claim.fence, error=LOST if failed else None))

    @rule(claim=consumes(claims), lost=booleans())
    def give_back(self, claim: Job, lost: bool) -> None:
        self._held(claim, lambda: self.store.give_back(claim.id, claim.fence, LOST if lost else None))

    @rule(claim=claims)
    def note(self, claim: Job) -> None:
        self._held(claim, lambda: self.store.add_event(claim.id, claim.fence, "A note."))

    @rule(job=jobs)
    def cancel(self, job: str) -> None:
        self.store.cancel(job)

    @rule()
    def crash(self) -> None:
        self.store.close()
        self.store = JobStore(self.path)
        self.store.recover(LOST)

    def _held(self, claim: Job, call: object) -> None:
        now = self.store.get(claim.id)
        held = now.fence == claim.fence and now.state in (JobState.RUNNING, JobState.CANCELLING)
        if held:
            call()
            return
        with pytest.raises(ConflictError):
            call()

    @invariant()
    def tells_a_possible_story(self) -> None:
        for job in self.store.newest(1000):
            path = states(self.store, job)
            assert path[0] is JobState.QUEUED
            assert path[-1] is job.state
            assert all(after in TRANSITIONS[before] for before, after in itertools.pairwise(path))
            events, ended = self.store.events(job.id, 0, 1000)
            assert [event.seq for event in events] == list(range(1, job.last_seq + 1))
            assert ended is (job.state in ENDED)
            assert job.losses <= MAX_LOSSES
            assert (job.end_time is not None) is (job.state in ENDED)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
