"""The jobs of a server as a host lists them: asked for in threads, polled from the main one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Callable, Deque, Optional, Tuple

from pose_shared.client import Client
from pose_shared.errors import PoseError
from pose_shared.messages import Job, JobState
from pose_shared.people_choice import count_words
from pose_shared.server_call import ask_server
from pose_shared.session import stage_words
from pose_shared.worker_thread import WorkerThread

__all__ = ["JobList", "JobRow"]

#: Newest ones; more fit no list that somebody reads.
_MOST = 200
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400

Jobs = Tuple[Job, ...]
Change = Callable[[Client], object]


@dataclass(frozen=True)
class JobRow:
    """What a list shows of a job, at a time in seconds since the epoch."""

    job: Job
    now: float

    @property
    def clip(self) -> str:
        """What the clip is called; a refinement says so."""
        return f"{self.job.clip_name} (refined)" if self.job.refines else self.job.clip_name

    @property
    def state(self) -> str:
        """How the job stands, in words."""
        state = self.job.state
        if state is JobState.SUCCEEDED:
            return f"Done, {count_words(len(self.job.people))}"
        if state is JobState.RUNNING and self.job.progress:
            return stage_words(self.job.progress.stage)
        return {
            JobState.QUEUED: "Waiting",
            JobState.RUNNING: "Running",
            JobState.CANCELLING: "Cancelling",
            JobState.FAILED: "Failed",
            JobState.CANCELLED: "Cancelled",
        }[state]

    @property
    def why(self) -> str:
        """The sentence that a failed job ended with; empty for others."""
        return self.job.error.message if self.job.error and self.job.state is JobState.FAILED else ""

    @property
    def factor(self) -> Optional[float]:
        """How far the stage of a running job is, 0 to 1, where that can be said."""
        progress = self.job.progress
        if self.job.state is not JobState.RUNNING or progress is None or not progress.total:
            return None
        return min(1.0, progress.done / progress.total)

    @property
    def age(self) -> str:
        """How long ago the job was created, in words."""
        seconds = max(0, int(self.now - self.job.create_time))
        if seconds < _MINUTE_S:
            return "just now"
        if seconds < _HOUR_S:
            return f"{seconds // _MINUTE_S} min ago"
        if seconds < _DAY_S:
            return f"{seconds // _HOUR_S} h ago"
        days = seconds // _DAY_S
        return f"{days} day{'' if days == 1 else 's'} ago"

    @property
    def can_fetch(self) -> bool:
        """Whether its result can be had now or, of a job that runs, waited for."""
        state = self.job.state
        return state is JobState.SUCCEEDED or not (state.ended or state is JobState.CANCELLING)

    @property
    def can_cancel(self) -> bool:
        """Whether it can be asked to stop."""
        return self.job.state in (JobState.QUEUED, JobState.RUNNING)

    @property
    def can_delete(self) -> bool:
        """Whether it can be removed with its files."""
        return self.job.state.ended


class JobList:
    """The newest jobs of one server.

    Every call returns at once.  What was asked for is done in order, in one thread at a time, and each
    change is followed by a look at the list.

    Attributes
    ----------
    server
        Its address.
    jobs
        As they were when last seen, newest first.
    error
        Why the last thing that was asked for did not work.
    known
        Whether the server has answered at least once.
    """

    def __init__(self, server: str) -> None:
        self.server = server
        self.jobs: Jobs = ()
        self.error: Optional[PoseError] = None
        self.known = False
        self._waiting: Deque[Change] = deque()
        self._worker: Optional[WorkerThread[Jobs]] = None

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._worker is not None

    def refresh(self) -> None:
        """Look at the list, unless an answer is still to come."""
        if not self.busy:
            self._begin(lambda client: None)

    def cancel(self, job: str) -> None:
        """Ask a job to stop."""
        self._begin(lambda client: client.cancel(job))

    def delete(self, job: str) -> None:
        """Remove an ended job with its files."""
        self._begin(lambda client: client.delete(job))

    def poll(self) -> bool:
        """Take in an answer that has come; return whether there was one."""
        if self._worker is None or not self._worker.done:
            return False
        worker, self._worker = self._worker, None
        try:
            self.jobs = worker.result()
            self.error, self.known = None, True
        except PoseError as error:
            self.error = error
        if self._waiting:
            self._begin(self._waiting.popleft())
        return True

    def wait(self, seconds: float) -> bool:
        """Wait for an answer, where there is no event loop; return whether one came."""
        if self._worker is not None:
            self._worker.join(seconds)
        return self.poll()

    def rows(self, now: float) -> Tuple[JobRow, ...]:
        """Return a row for each job; `now` in seconds since the epoch."""
        return tuple(JobRow(job, now) for job in self.jobs)

    def find(self, name: str) -> Optional[Job]:
        """Return the job of that name, if it is in the list."""
        return next((job for job in self.jobs if job.name == name), None)

    def _begin(self, change: Change) -> None:
        if self._worker is not None:
            self._waiting.append(change)
            return

        def question(client: Client, stop: object) -> Jobs:
            change(client)
            return tuple(islice(client.list_jobs(), _MOST))

        self._worker = ask_server(self.server, question)
