"""Hands out what finished jobs have made."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pose_shared._generated.pose.v1 import motion_pb2, motion_pb2_grpc
from pose_shared.errors import DataLossError, InputError, NotFoundError
from pose_shared.transfer import CHUNK_BYTES

from pose_server.api.convert import header_message, id_of, rate_of
from pose_server.jobs.board import JobBoard
from pose_server.jobs.model import Job
from pose_server.pipeline.file_options import UPS

if TYPE_CHECKING:
    from pose_server.export.channels import HostMotion
    from pose_server.export.joints import JointCurves

__all__ = ["KeptMotion", "MotionService"]


@dataclass(frozen=True)
class KeptMotion:
    """A motion on the server's disk."""

    path: Path
    clip_name: str
    source_rate: Fraction | None
    """Of the film; None where the report does not say it."""


class MotionService(motion_pb2_grpc.MotionServiceServicer):
    """Reads the result folders of jobs that have succeeded."""

    def __init__(self, board: JobBoard) -> None:
        self._board = board

    async def GetMotion(  # noqa: D102
        self, request: motion_pb2.GetMotionRequest, context: Any
    ) -> AsyncIterator[motion_pb2.MotionChunk]:
        fps = rate_of(request.fps) if request.HasField("fps") else None
        kept = await self.kept(id_of(request.job, "jobs"), request.person, fps)
        up = (request.joints.up or "y") if request.HasField("joints") else None
        if up is not None and up not in UPS:
            raise InputError(
                f"No axis '{up[:80]}' points up; choose from {', '.join(UPS)}.", reason="UP_UNKNOWN"
            )
        motion, joints = await asyncio.to_thread(_read_motion, kept, fps, request.person, up)
        source_rate = kept.source_rate or motion.rate
        yield motion_pb2.MotionChunk(header=header_message(motion, source_rate, joints))
        for channel, values in (joints or motion).channels.items():
            data = values.astype("<f4").tobytes()
            for begin in range(0, len(data), CHUNK_BYTES):
                piece = data[begin : begin + CHUNK_BYTES]
                yield motion_pb2.MotionChunk(piece=motion_pb2.ChannelPiece(channel=channel, values=piece))

    async def GetFile(  # noqa: D102
        self, request: motion_pb2.GetFileRequest, context: Any
    ) -> AsyncIterator[motion_pb2.FileChunk]:
        job = await self._board.finished(id_of(request.job, "jobs"))
        path = self._path(job, request.path, f"file '{request.path[:80]}'")
        try:
            file = await asyncio.to_thread(path.open, "rb")
        except OSError:
            raise DataLossError(
                f"{request.path} of job {job.id} is gone from the server's disk; import the clip again.",
                reason="RESULT_MISSING",
                path=request.path,
            ) from None
        with file:
            file.seek(max(request.offset, 0))
            while data := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield motion_pb2.FileChunk(data=data)

    async def kept(self, job_id: str, person: int, fps: Fraction | None) -> KeptMotion:
        """Return where a person's motion is kept; raises for what there is not, or for an impossible rate."""
        job = await self._board.finished(job_id)
        if fps is not None and not Fraction(1, 10) <= fps <= 1000:
            raise InputError(
                f"The rate {fps} is not possible; ask for 0.1 to 1000 frames per second.",
                reason="RATE_INVALID",
            )
        path = self._path(job, f"person_{person:02d}/motion.npz", f"person {person}")
        source_rate = await asyncio.to_thread(_source_rate, self._board.result_folder(job))
        return KeptMotion(path, job.request.media.clip_name, source_rate)

    def _path(self, job: Job, wanted: str, what: str) -> Path:
        """Return the place of a file that is listed with the job: no other is ever opened."""
        if all(file.path != wanted for file in job.files):
            listed = ", ".join(file.path for file in job.files[:20])
            raise NotFoundError(
                f"Job {job.id} has no {what}; its files are {listed}.", reason="RESULT_UNKNOWN", job=job.id
            )
        return self._board.result_folder(job) / wanted


def _read_motion(
    kept: KeptMotion, fps: Fraction | None, person: int, up: str | None
) -> tuple[HostMotion, JointCurves | None]:
    # Not needed before the first job is through: the server starts in half the time without scipy.
    from pose_server.export.channels import host_channels
    from pose_server.export.joints import person_curves
    from pose_server.export.npz import read_npz
    from pose_server.solve.resample import resampled

    motion = read_npz(kept.path)
    if fps is not None:
        motion = resampled(motion, fps)
    joints = person_curves(motion, up=up) if up is not None else None
    return host_channels(motion, clip_name=kept.clip_name, person=person), joints


def _source_rate(result: Path) -> Fraction | None:
    """Return the rate of the source film, as the report says it."""
    try:
        report = json.loads((result / "report.json").read_text(encoding="utf-8"))
        return Fraction(report["clip"]["rate"])
    except (OSError, ValueError, KeyError):
        return None
