"""The durable job table.

One SQLite file in WAL mode, synced at every commit, written by one connection.  The connection
keeps SQLite's exclusive lock as long as it lives, so that a second server on the same folder is
refused, and whatever is RUNNING at the start belongs to a server that is gone.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pose_shared.errors import ConflictError, InternalError, NotFoundError, PoseError

from pose_server.engine.executor import ResultFile, StageProgress
from pose_server.jobs.model import ENDED, MAX_LOSSES, TRANSITIONS, Job, JobEvent, JobRequest, JobState
from pose_server.pipeline.progress import FoundPerson

__all__ = ["JobStore"]

_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    request_id TEXT UNIQUE,
    request TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    losses INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    lease_until REAL,
    create_time REAL NOT NULL,
    start_time REAL,
    end_time REAL,
    error TEXT,
    progress TEXT,
    people TEXT NOT NULL DEFAULT '[]',
    files TEXT NOT NULL DEFAULT '[]',
    last_seq INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX jobs_by_state ON jobs (state, number);
CREATE TABLE events (
    job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    time REAL NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (job, seq)
) WITHOUT ROWID;
"""


class JobStore:
    """Jobs and their events; to be used from one thread at a time.

    Every method raises `NotFoundError` (``JOB_UNKNOWN``) for an id that it does not know. Methods
    that take a `fence` raise `ConflictError` (``FENCE_STALE``) when a later attempt holds the job,
    or nobody does.

    Parameters
    ----------
    path
        The database; made when it does not exist.
    clock
        Seconds since the epoch.

    Raises
    ------
    ConflictError
        Another server uses it (``DATA_DIR_IN_USE``), or a newer version wrote it
        (``DATA_DIR_NEWER``).
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time, busy_s: float = 2.0) -> None:
        self._clock = clock
        self._db = sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        try:
            self._open(path)
        except sqlite3.OperationalError as error:
            self._db.close()
            if "locked" not in str(error):
                raise
            raise ConflictError(
                f"Another pose server uses '{path.parent}'; stop it, or give this one its own --data-dir.",
                reason="DATA_DIR_IN_USE",
                path=path.parent,
            ) from None
        except BaseException:
            self._db.close()
            raise

    def _open(self, path: Path) -> None:
        for pragma in (
            "locking_mode = EXCLUSIVE",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            self._db.execute(f"PRAGMA {pragma}")
        with self._writing():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > _SCHEMA_VERSION:
                raise ConflictError(
                    f"A newer pose server wrote '{path}'; update this one, or use another --data-dir.",
                    reason="DATA_DIR_NEWER",
                    path=path,
                )
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def create(self, request: JobRequest, request_id: str | None = None) -> Job:
        """Queue a job; the same `request_id` gives the same job again.

        Raises
        ------
        ConflictError
            The `request_id` belongs to a different request (``REQUEST_ID_REUSED``).
        """
        text = _to_json(request.to_dict())
        with self._writing():
            if request_id is not None:
                known = self._db.execute("SELECT * FROM jobs WHERE request_id = ?", (request_id,)).fetchone()
                if known and known["request"] != text:
                    raise ConflictError(
                        f"The request id {request_id} was used for another request; take a new one.",
                        reason="REQUEST_ID_REUSED",
                        requestId=request_id,
                    )
                if known:
                    return _job(known)
            job_id = uuid.uuid4().hex[:12]
            self._db.execute(
                "INSERT INTO jobs (id, request_id, request, state, create_time) VALUES (?, ?, ?, ?, ?)",
                (job_id, request_id, text, JobState.QUEUED, self._clock()),
            )
            self._append(job_id, "state", JobState.QUEUED)
            return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """Return a job."""
        row = self._db.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if row is None:
            raise _unknown(job_id)
        return _job(row)

    def ids(self) -> set[str]:
        """Return the ids of all jobs."""
        return {row["id"] for row in self._db.execute("SELECT id FROM jobs")}

    def newest(self, limit: int, before: int | None = None) -> Sequence[Job]:
        """Return the newest jobs, at most `limit`, of those whose number is below `before`."""
        rows = self._db.execute(
            "SELECT * FROM jobs WHERE number < ? ORDER BY number DESC LIMIT ?",
            (before if before is not None else 2**62, limit),
        )
        return [_job(row) for row in rows]

    def events(self, job_id: str, after_seq: int, limit: int) -> tuple[Sequence[JobEvent], bool]:
        """Return up to `limit` events after one, and whether the job has ended with the last of them."""
        job = self._brief(job_id)
        rows = self._db.execute(
            "SELECT * FROM events WHERE job = ? AND seq > ? ORDER BY seq LIMIT ?",
            (job["number"], after_seq, limit),
        )
        found = [_event(row) for row in rows]
        last = found[-1].seq if found else after_seq
        return found, job["state"] in ENDED and last >= job["last_seq"]

    def claim(self, lease_s: float) -> Job | None:
        """Give the oldest queued job to the caller for `lease_s`, or None; its fence is new."""
        with self._writing():
            row = self._db.execute(
                "SELECT * FROM jobs WHERE state = ? ORDER BY number LIMIT 1", (JobState.QUEUED,)
            ).fetchone()
            if row is None:
                return None
            now = self._clock()
            return self._move(
                _job(row),
                JobState.RUNNING,
                attempt=row["attempt"] + 1,
                fence=row["fence"] + 1,
                lease_until=now + lease_s,
                start_time=now,
                progress=None,
            )

    def renew(self, job_id: str, fence: int, lease_s: float, progress: StageProgress | None) -> None:
        """Lengthen the lease of a claimed job, and keep its latest progress."""
        with self._writing():
            self._check_held(job_id, fence)
            text = _to_json(vars(progress)) if progress else None
            self._db.execute(
                "UPDATE jobs SET lease_until = ?, progress = coalesce(?, progress) WHERE id = ?",
                (self._clock() + lease_s, text, job_id),
            )

    def expired(self) -> Sequence[Job]:
        """Return the claimed jobs whose lease has run out."""
        rows = self._db.execute(
            "SELECT * FROM jobs WHERE state IN (?, ?) AND lease_until < ?",
            (JobState.RUNNING, JobState.CANCELLING, self._clock()),
        )
        return [_job(row) for row in rows]

    def add_event(self, job_id: str, fence: int, content: str | tuple[FoundPerson, ...]) -> None:
        """Add a note, or who was found, to a claimed job."""
        with self._writing():
            self._check_held(job_id, fence)
            if isinstance(content, str):
                self._append(job_id, "note", content)
            else:
                self._append(job_id, "people", [person.to_dict() for person in content])

    def cancel(self, job_id: str) -> Job:
        """Ask for the end of a job; one that has ended, or was asked already, stays as it is."""
        with self._writing():
            job = self.get(job_id)
            if job.state is JobState.QUEUED:
                return self._end(job, JobState.CANCELLED)
            if job.state is JobState.RUNNING:
                return self._move(job, JobState.CANCELLING)
            return job

    def finish(
        self,
        job_id: str,
        fence: int,
        *,
        error: PoseError | None = None,
        people: Sequence[FoundPerson] = (),
        files: Sequence[ResultFile] = (),
    ) -> Job:
        """End a claimed job: failed with `error`, succeeded without; cancelled if that was asked for."""
        with self._writing():
            self._check_held(job_id, fence)
            job = self.get(job_id)
            if job.state is JobState.CANCELLING:
                return self._end(job, JobState.CANCELLED)
            if error is not None:
                return self._end(job, JobState.FAILED, error=_to_json(error.to_dict()))
            return self._end(
                job,
                JobState.SUCCEEDED,
                people=_to_json([person.to_dict() for person in people]),
                files=_to_json([vars(file) for file in files]),
            )

    def give_back(self, job_id: str, fence: int, lost: PoseError | None = None) -> Job:
        """Queue a claimed job again, because the server stops or, with `lost`, its worker is gone.

        A job that was lost `MAX_LOSSES` times fails with that error; one that was being cancelled
        is cancelled.
        """
        with self._writing():
            self._check_held(job_id, fence)
            return self._give_back(self.get(job_id), lost)

    def recover(self, lost: PoseError) -> Sequence[Job]:
        """Give back, as lost, what a server that died had claimed; return those jobs."""
        with self._writing():
            rows = self._db.execute(
                "SELECT * FROM jobs WHERE state IN (?, ?) ORDER BY number",
                (JobState.RUNNING, JobState.CANCELLING),
            ).fetchall()
            return [self._give_back(_job(row), lost) for row in rows]

    def delete(self, job_id: str) -> None:
        """Remove an ended job.

        Raises
        ------
        ConflictError
            It has not ended (``JOB_ACTIVE``).
        """
        with self._writing():
            job = self.get(job_id)
            if not job.ended:
                raise ConflictError(
                    f"Job {job_id} has not ended; cancel it first.", reason="JOB_ACTIVE", job=job_id
                )
            self._db.execute("DELETE FROM jobs WHERE id = ?", (job_id,))

    def _give_back(self, job: Job, lost: PoseError | None) -> Job:
        if job.state is JobState.CANCELLING:
            return self._end(job, JobState.CANCELLED)
        losses = job.losses + (lost is not None)
        if lost is not None and losses >= MAX_LOSSES:
            return self._end(job, JobState.FAILED, losses=losses, error=_to_json(lost.to_dict()))
        if lost is not None:
            again = f"The worker was lost; the job starts again (loss {losses} of {MAX_LOSSES})."
            self._append(job.id, "note", again)
        return self._move(job, JobState.QUEUED, losses=losses, lease_until=None, progress=None)

    def _brief(self, job_id: str) -> sqlite3.Row:
        """Return what changes of a job: its request may name thousands of pictures."""
        columns = "number, state, fence, last_seq"
        row: sqlite3.Row | None = self._db.execute(
            f"SELECT {columns} FROM jobs WHERE id = ?", (job_id,)
        ).fetchone()
        if row is None:
            raise _unknown(job_id)
        return row

    def _check_held(self, job_id: str, fence: int) -> None:
        job = self._brief(job_id)
        if job["fence"] != fence or job["state"] not in (JobState.RUNNING, JobState.CANCELLING):
            raise ConflictError(
                f"Attempt {fence} at job {job_id} is over; nothing of it is kept.",
                reason="FENCE_STALE",
                job=job_id,
                fence=fence,
            )

    def _end(self, job: Job, state: JobState, **columns: Any) -> Job:
        return self._move(job, state, end_time=self._clock(), lease_until=None, progress=None, **columns)

    def _move(self, job: Job, state: JobState, **columns: Any) -> Job:
        if state not in TRANSITIONS[job.state]:
            raise InternalError(
                f"Job {job.id} cannot go from {job.state} to {state}.", reason="BAD_TRANSITION"
            )
        columns["state"] = state
        names = ", ".join(f"{name} = ?" for name in columns)
        self._db.execute(f"UPDATE jobs SET {names} WHERE id = ?", (*columns.values(), job.id))
        self._append(job.id, "state", state)
        return self.get(job.id)

    def _append(self, job_id: str, kind: str, body: Any) -> None:
        self._db.execute("UPDATE jobs SET last_seq = last_seq + 1 WHERE id = ?", (job_id,))
        self._db.execute(
            "INSERT INTO events SELECT number, last_seq, ?, ?, ? FROM jobs WHERE id = ?",
            (self._clock(), kind, _to_json(body), job_id),
        )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _unknown(job_id: str) -> NotFoundError:
    return NotFoundError(
        f"There is no job {job_id} on this server; 'pose-server jobs list' shows those there are.",
        reason="JOB_UNKNOWN",
        job=job_id,
    )


def _to_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _job(row: sqlite3.Row) -> Job:
    error, progress = row["error"], row["progress"]
    return Job(
        id=row["id"],
        number=row["number"],
        request=JobRequest.from_dict(json.loads(row["request"])),
        state=JobState(row["state"]),
        attempt=row["attempt"],
        losses=row["losses"],
        fence=row["fence"],
        create_time=row["create_time"],
        start_time=row["start_time"],
        end_time=row["end_time"],
        error=PoseError.from_dict(json.loads(error)) if error else None,
        progress=StageProgress(**json.loads(progress)) if progress else None,
        people=tuple(FoundPerson.from_dict(person) for person in json.loads(row["people"])),
        files=tuple(ResultFile(**file) for file in json.loads(row["files"])),
        last_seq=row["last_seq"],
    )


def _event(row: sqlite3.Row) -> JobEvent:
    body = json.loads(row["body"])
    content: JobState | str | tuple[FoundPerson, ...]
    if row["kind"] == "state":
        content = JobState(body)
    elif row["kind"] == "people":
        content = tuple(FoundPerson.from_dict(person) for person in body)
    else:
        content = str(body)
    return JobEvent(seq=row["seq"], time=row["time"], content=content)
