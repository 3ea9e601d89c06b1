"""A server that speaks the protocol and has its answers ready: only the add-on is under test here."""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import grpc
from dancers import FILM_FRAMES, CameraMove, Dancer, host_motion, joint_chunks, motion_chunks
from grpc_status import rpc_status
from pose_shared import PROTOCOL_VERSION
from pose_shared._generated.pose.v1 import (
    jobs_pb2,
    jobs_pb2_grpc,
    motion_pb2,
    motion_pb2_grpc,
    rigs_pb2,
    rigs_pb2_grpc,
    system_pb2,
    system_pb2_grpc,
    types_pb2,
    uploads_pb2,
    uploads_pb2_grpc,
)
from pose_shared.errors import NotFoundError, PoseError
from pose_shared.rpc_errors import status_of_error

__all__ = ["FakeServer"]

_JOB = "jobs/dance"


@dataclass
class FakeServer:
    """What it will answer, and what it was asked.

    Attributes
    ----------
    seconds
        How long a job takes.
    error
        What every job ends with, if anything.
    camera_move
        What the camera does.
    refined
        Who dances in a refinement; nobody if the server has lost the job.
    thumbnail
        JPEG picture of everybody.
    others
        Jobs of earlier days, which are listed beside those that were asked for here.
    """

    dancers: Sequence[Dancer]
    seconds: float = 0.0
    error: PoseError | None = None
    note: str = ""
    camera_move: CameraMove | None = None
    refined: Sequence[Dancer] = ()
    thumbnail: bytes = b""
    others: list[jobs_pb2.Job] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    refinements: list[jobs_pb2.RefineMotionRequest] = field(default_factory=list)
    specs: list[jobs_pb2.ImportSpec] = field(default_factory=list)
    rates: list[Fraction | None] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)
    cancel_calls: int = 0
    begin: float = field(default_factory=time.time)
    rigs: list[rigs_pb2.RetargetMotionRequest] = field(default_factory=list)
    address: str = ""

    @contextmanager
    def running(self) -> Iterator[FakeServer]:
        """Listen on a free port as long as the block."""
        server = grpc.server(ThreadPoolExecutor(8))
        system_pb2_grpc.add_SystemServiceServicer_to_server(_System(), server)
        uploads_pb2_grpc.add_UploadServiceServicer_to_server(_Uploads(), server)
        jobs_pb2_grpc.add_JobServiceServicer_to_server(_Jobs(self), server)
        motion_pb2_grpc.add_MotionServiceServicer_to_server(_Motions(self), server)
        rigs_pb2_grpc.add_RigServiceServicer_to_server(_Rigs(self), server)
        self.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        try:
            yield self
        finally:
            server.stop(0).wait()

    def dancers_of(self, job: str) -> Sequence[Dancer]:
        return self.dancers if job == _JOB else self.refined

    def names(self) -> list[str]:
        """Of the jobs that were asked for here, newest first."""
        refined = [f"{_JOB}-{number + 1}" for number in range(len(self.refinements))]
        asked = [*reversed(refined), *([_JOB] if self.specs else [])]
        return [name for name in asked if name not in self.deleted]

    def job(self, name: str) -> jobs_pb2.Job:
        other = next((job for job in self.others if job.name == name), None)
        if other is not None:
            return other
        job = jobs_pb2.Job(
            name=name,
            spec=self.specs[-1] if self.specs else None,
            state=jobs_pb2.JOB_STATE_SUCCEEDED,
            create_time=self.begin,
            refines="" if name == _JOB else _JOB,
        )
        if self.cancelled.is_set():
            job.state = jobs_pb2.JOB_STATE_CANCELLED
            job.error.CopyFrom(
                types_pb2.Error(code="CANCELLED", reason="JOB_CANCELLED", message="Cancelled.")
            )
        elif self.error:
            job.state = jobs_pb2.JOB_STATE_FAILED
            job.error.CopyFrom(types_pb2.Error(**self.error.to_dict()))
        else:
            dancers = self.dancers_of(name)
            job.people.extend(self._person(i + 1, dancer) for i, dancer in enumerate(dancers))
        return job

    def _person(self, index: int, dancer: Dancer) -> jobs_pb2.Person:
        first, last = dancer.first_frame, dancer.end_frame - 1
        return jobs_pb2.Person(
            index=index,
            first_frame=first,
            last_frame=last,
            coverage=(last + 1 - first) / FILM_FRAMES,
            relative_height=0.5,
            spans=[jobs_pb2.FrameSpan(first_frame=first, last_frame=last)],
            best_frame=first,
            thumbnail=self.thumbnail,
        )


class _System(system_pb2_grpc.SystemServiceServicer):
    def GetServerInfo(self, request: Any, context: Any) -> system_pb2.ServerInfo:
        return system_pb2.ServerInfo(
            version="9.9.9",
            protocol_major=PROTOCOL_VERSION[0],
            protocol_minor=PROTOCOL_VERSION[1],
            detectors=[
                system_pb2.DetectorInfo(
                    name="rtmpose",
                    usable=False,
                    advice="The weights are not here.",
                    models=[system_pb2.ModelInfo(name="halpe26-m", advice="Fetch them.")],
                ),
                system_pb2.DetectorInfo(name="blazepose", usable=True),
            ],
            devices=["cpu"],
        )


class _Uploads(uploads_pb2_grpc.UploadServiceServicer):
    def CreateUpload(self, request: Any, context: Any) -> uploads_pb2.Upload:
        """It has every file already."""
        return uploads_pb2.Upload(
            name=f"uploads/{request.sha256}",
            size_bytes=request.size_bytes,
            received_bytes=request.size_bytes,
            complete=True,
        )


class _Jobs(jobs_pb2_grpc.JobServiceServicer):
    def __init__(self, fake: FakeServer) -> None:
        self.fake = fake

    def CreateJob(self, request: Any, context: Any) -> jobs_pb2.Job:
        self.fake.specs.append(request.spec)
        self.fake.cancelled.clear()
        return jobs_pb2.Job(name=_JOB, spec=request.spec, state=jobs_pb2.JOB_STATE_QUEUED)

    def RefineMotion(self, request: Any, context: Any) -> jobs_pb2.Job:
        if not self.fake.refined:
            unknown = NotFoundError("There is no such job.", reason="JOB_UNKNOWN")
            context.abort_with_status(rpc_status.to_status(status_of_error(unknown)))
        self.fake.refinements.append(request)
        self.fake.cancelled.clear()
        name = f"{_JOB}-{len(self.fake.refinements)}"
        return jobs_pb2.Job(name=name, state=jobs_pb2.JOB_STATE_QUEUED, refines=request.job)

    def WatchJob(self, request: Any, context: Any) -> Iterator[jobs_pb2.JobEvent]:
        yield jobs_pb2.JobEvent(seq=1, state=jobs_pb2.JOB_STATE_RUNNING)
        if self.fake.note:
            yield jobs_pb2.JobEvent(seq=2, note=self.fake.note)
        steps = max(1, int(self.fake.seconds / 0.05))
        for stage in ("detect", "solve"):
            for step in range(steps):
                if self.fake.cancelled.wait(self.fake.seconds / steps / 2):
                    yield jobs_pb2.JobEvent(seq=3, state=jobs_pb2.JOB_STATE_CANCELLED)
                    return
                progress = jobs_pb2.StageProgress(stage=stage, done=step, total=steps, per_second=20)
                yield jobs_pb2.JobEvent(time=time.time(), progress=progress)
        yield jobs_pb2.JobEvent(seq=3, state=self.fake.job(request.name).state)

    def GetJob(self, request: Any, context: Any) -> jobs_pb2.Job:
        return self.fake.job(request.name)

    def ListJobs(self, request: Any, context: Any) -> jobs_pb2.ListJobsResponse:
        """All of them on one page, without pictures of people."""
        listed = jobs_pb2.ListJobsResponse(jobs=[self.fake.job(name) for name in self.fake.names()])
        listed.jobs.extend(job for job in self.fake.others if job.name not in self.fake.deleted)
        for job in listed.jobs:
            for person in job.people:
                person.ClearField("thumbnail")
        return listed

    def DeleteJob(self, request: Any, context: Any) -> jobs_pb2.DeleteJobResponse:
        self.fake.deleted.append(request.name)
        return jobs_pb2.DeleteJobResponse()

    def CancelJob(self, request: Any, context: Any) -> jobs_pb2.Job:
        self.fake.cancelled.set()
        self.fake.cancel_calls += 1
        return self.fake.job(request.name)


class _Motions(motion_pb2_grpc.MotionServiceServicer):
    def __init__(self, fake: FakeServer) -> None:
        self.fake = fake

    def GetMotion(self, request: Any, context: Any) -> Iterator[Any]:
        rate = Fraction(request.fps.numerator, request.fps.denominator) if request.HasField("fps") else None
        self.fake.rates.append(rate)
        dancer = self.fake.dancers_of(request.job)[request.person - 1]
        if request.HasField("joints"):
            yield from joint_chunks(
                dancer.motion(rate),
                request.person,
                dancer.source_rate,
                request.joints.up,
                self.fake.camera_move,
            )
            return
        motion = host_motion(dancer, request.person, rate)
        yield from motion_chunks(motion, dancer.source_rate, self.fake.camera_move)


class _Rigs(rigs_pb2_grpc.RigServiceServicer):
    """Every bone of every rig stands still for two rows."""

    def __init__(self, fake: FakeServer) -> None:
        self.fake = fake

    def RetargetMotion(self, request: Any, context: Any) -> Iterator[rigs_pb2.RigMotionChunk]:
        self.fake.rigs.append(request)
        keyed = [rigs_pb2.KeyedBone(name=bone.name, rotation=bone.rotation) for bone in request.rig.bones]
        rate = types_pb2.Rate(numerator=24, denominator=1)
        yield rigs_pb2.RigMotionChunk(
            header=rigs_pb2.RigMotionHeader(
                clip_name="dance.mp4",
                person=request.person,
                rate=rate,
                source_rate=rate,
                frame_count=2,
                keyed=keyed,
                kind="mixamo",
                notes=["The left toe was not found."],
            )
        )
        rest = array("f", [1.0, 1.0]).tobytes()
        for bone in keyed:
            piece = motion_pb2.ChannelPiece(channel=f"{bone.name}/rotation/w", values=rest)
            yield rigs_pb2.RigMotionChunk(piece=piece)
