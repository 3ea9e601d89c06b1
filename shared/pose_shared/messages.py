"""What the server tells, as plain objects: jobs, their events, and the server itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Mapping, Optional, Tuple, Union

from pose_shared._generated.pose.v1 import jobs_pb2, system_pb2, types_pb2
from pose_shared.errors import PoseError
from pose_shared.solve_settings import SETTINGS

__all__ = [
    "DetectorInfo",
    "Job",
    "JobEvent",
    "JobState",
    "ModelInfo",
    "Person",
    "ResultFile",
    "ServerInfo",
    "StageProgress",
]


class JobState(str, Enum):  # noqa: UP042, Python 3.9
    """Where a job stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True)
class StageProgress:
    """How far a stage is.

    Attributes
    ----------
    stage
        One of the server's (detect, track, …), or of the client's own: read, upload, download,
        which count bytes.
    done, total
        Units of work; total is 0 while it is not known.
    per_second
        Units per second since the stage began.
    """

    stage: str
    done: int
    total: int
    per_second: float = 0.0

    @property
    def seconds_left(self) -> Optional[float]:
        """How long the stage still takes at this pace, where that can be said."""
        if self.per_second <= 0 or self.total <= 0:
            return None
        return max(self.total - self.done, 0) / self.per_second


@dataclass(frozen=True)
class Person:
    """Someone in the clip.

    Attributes
    ----------
    index
        Counted from 1.
    first_frame, last_frame
        Source frames between which the person was seen, both included.
    coverage
        Share of the clip's frames in which the person was found, 0 to 1.
    relative_height
        Mean height of the person's box over the picture's.
    spans
        First and last frames of where the person was found, but for short gaps.
    best_frame
        Source frame that shows the person best, if that is known.
    best_box_px
        Left, top, right and bottom of the person there.
    thumbnail
        A small JPEG picture of that; empty if there is none.
    """

    index: int
    first_frame: int
    last_frame: int
    coverage: float
    relative_height: float
    spans: Tuple[Tuple[int, int], ...] = ()
    best_frame: Optional[int] = None
    best_box_px: Tuple[float, ...] = ()
    thumbnail: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class ResultFile:
    """A file of a job's result; its path has forward slashes, such as ``person_01/motion.npz``."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Job:
    """A job as the server knows it.

    Attributes
    ----------
    name
        ``jobs/<id>``; whoever knows it can come back to the job.
    clip_name
        What the user calls the clip.
    attempt
        How often a worker has started it.
    create_time, start_time, end_time
        Seconds since the epoch; None for what has not happened.
    error
        Why it failed or that it was cancelled.
    refines
        Name of the job whose result it solves again; empty for an import.
    first_source_frame
        First film frame that was asked for; None where that was said in seconds.
    solve
        How it was to be solved, as far as that was said: options of `pose_shared.request.solve_spec` that
        are one value each.
    """

    name: str
    clip_name: str
    state: JobState
    attempt: int
    create_time: float
    start_time: Optional[float]
    end_time: Optional[float]
    error: Optional[PoseError]
    progress: Optional[StageProgress]
    people: Tuple[Person, ...]
    files: Tuple[ResultFile, ...]
    refines: str
    first_source_frame: Optional[int] = 0
    solve: Mapping[str, Union[float, str]] = field(default_factory=dict)

    @classmethod
    def from_proto(cls, message: jobs_pb2.Job) -> Job:
        """Read a message."""
        return cls(
            name=message.name,
            clip_name=message.spec.media.display_name or message.spec.media.path,
            state=_state(message.state),
            attempt=message.attempt,
            create_time=message.create_time,
            start_time=message.start_time or None,
            end_time=message.end_time or None,
            error=_error(message.error) if message.HasField("error") else None,
            progress=_progress(message.progress) if message.HasField("progress") else None,
            people=tuple(_person(person) for person in message.people),
            files=tuple(ResultFile(f.path, f.size_bytes, f.sha256) for f in message.files),
            refines=message.refines,
            first_source_frame=None
            if message.spec.start.WhichOneof("at") == "seconds"
            else message.spec.start.frame,
            solve={
                name: getattr(message.spec.solve, name)
                for name in SETTINGS
                if message.spec.solve.HasField(name)
            },
        )


@dataclass(frozen=True)
class JobEvent:
    """Something that happened; exactly one of the last four fields is set.

    Attributes
    ----------
    seq
        Counts up from 1 within a job; 0 for progress, which is not kept.
    time
        Seconds since the epoch.
    state, progress, note, people
        A new state; how far a stage is; one sentence for the user; who was found.
    """

    seq: int = 0
    time: float = 0.0
    state: Optional[JobState] = None
    progress: Optional[StageProgress] = None
    note: Optional[str] = None
    people: Optional[Tuple[Person, ...]] = None

    @classmethod
    def from_proto(cls, message: jobs_pb2.JobEvent) -> Optional[JobEvent]:
        """Read a message; None for a heartbeat and for kinds of a later protocol."""
        kind = message.WhichOneof("event")
        if kind == "state":
            return cls(message.seq, message.time, state=_state(message.state))
        if kind == "progress":
            return cls(message.seq, message.time, progress=_progress(message.progress))
        if kind == "note":
            return cls(message.seq, message.time, note=message.note)
        if kind == "people":
            people = tuple(_person(person) for person in message.people.people)
            return cls(message.seq, message.time, people=people)
        return None


@dataclass(frozen=True)
class ModelInfo:
    """A model of a detector: whether its weights are on the server, and how to fetch them if not."""

    name: str
    here: bool
    advice: str


@dataclass(frozen=True)
class DetectorInfo:
    """A detector, and what to do where it cannot be used."""

    name: str
    usable: bool
    advice: str
    models: Tuple[ModelInfo, ...] = ()


@dataclass(frozen=True)
class ServerInfo:
    """What a server is and can do.

    Attributes
    ----------
    version
        Of the software.
    protocol
        Major and minor version of the protocol.
    devices
        What its workers run on.
    formats
        Of results.
    """

    version: str
    protocol: Tuple[int, int]
    detectors: Tuple[DetectorInfo, ...]
    devices: Tuple[str, ...]
    formats: Tuple[str, ...]

    @classmethod
    def from_proto(cls, message: system_pb2.ServerInfo) -> ServerInfo:
        """Read a message."""
        return cls(
            version=message.version,
            protocol=(message.protocol_major, message.protocol_minor),
            detectors=tuple(
                DetectorInfo(
                    found.name,
                    found.usable,
                    found.advice,
                    tuple(ModelInfo(model.name, model.here, model.advice) for model in found.models),
                )
                for found in message.detectors
            ),
            devices=tuple(message.devices),
            formats=tuple(message.formats),
        )


def _state(number: int) -> JobState:
    return JobState(jobs_pb2.JobState.Name(number).replace("JOB_STATE_", "", 1))


def _progress(message: jobs_pb2.StageProgress) -> StageProgress:
    return StageProgress(message.stage, message.done, message.total, message.per_second)


def _person(message: jobs_pb2.Person) -> Person:
    return Person(
        message.index,
        message.first_frame,
        message.last_frame,
        message.coverage,
        message.relative_height,
        spans=tuple((span.first_frame, span.last_frame) for span in message.spans),
        best_frame=message.best_frame if message.HasField("best_frame") else None,
        best_box_px=tuple(message.best_box_px),
        thumbnail=message.thumbnail,
    )


def _error(message: types_pb2.Error) -> PoseError:
    return PoseError.from_dict(
        {
            "kind": message.kind,
            "code": message.code,
            "reason": message.reason,
            "message": message.message,
            "metadata": dict(message.metadata),
        }
    )
