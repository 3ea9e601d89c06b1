"""What a job is: its states and the ways between them, its request, its events."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pose_shared.errors import PoseError

from pose_server.cache.media import Media, MediaFile
from pose_server.engine.executor import ResultFile, StageProgress
from pose_server.pipeline.options import ImportOptions
from pose_server.pipeline.progress import FoundPerson

__all__ = ["ENDED", "MAX_LOSSES", "TRANSITIONS", "Job", "JobEvent", "JobRequest", "JobState"]

#: A job whose worker was lost this often is given up.
MAX_LOSSES = 3


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


#: Which states may follow which. Nothing follows an end.
TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED}),
    JobState.RUNNING: frozenset({JobState.QUEUED, JobState.CANCELLING, JobState.SUCCEEDED, JobState.FAILED}),
    JobState.CANCELLING: frozenset({JobState.CANCELLED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}
ENDED = frozenset(state for state, following in TRANSITIONS.items() if not following)


@dataclass(frozen=True)
class JobRequest:
    """What a client asked for."""

    media: Media
    options: ImportOptions
    refines: str | None = None
    """Id of the finished job whose result is solved again; the clip is not needed then."""

    def to_dict(self) -> dict[str, Any]:
        """Return the request as plain JSON data; equal requests give equal data."""
        media = dataclasses.asdict(self.media)
        return {"media": media, "options": self.options.to_dict(), "refines": self.refines}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> JobRequest:
        """Read back what `to_dict` wrote."""
        media = dict(fields["media"])
        media["files"] = tuple(MediaFile(**file) for file in media["files"])
        return cls(Media(**media), ImportOptions.from_dict(fields["options"]), fields["refines"])


@dataclass(frozen=True)
class Job:
    """One row of the job table."""

    id: str
    number: int
    """Counts up in the order of creation."""
    request: JobRequest
    state: JobState
    attempt: int
    """How often a worker has started it."""
    losses: int
    """How often its worker was lost."""
    fence: int
    """Grows with each claim; only its holder may write."""
    create_time: float
    start_time: float | None
    end_time: float | None
    error: PoseError | None
    progress: StageProgress | None
    people: tuple[FoundPerson, ...]
    files: tuple[ResultFile, ...]
    last_seq: int

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in ENDED


@dataclass(frozen=True)
class JobEvent:
    """Something that a watcher must not miss."""

    seq: int
    """Counts up from 1 within the job."""
    time: float
    content: JobState | str | tuple[FoundPerson, ...]
    """A new state, a note for the user, or who was found."""
