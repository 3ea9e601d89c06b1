"""Creates, shows, watches, cancels and deletes jobs."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from pose_shared._generated.pose.v1 import jobs_pb2, jobs_pb2_grpc
from pose_shared.errors import InputError

from pose_server.api.convert import event_message, id_of, job_message, refinement_of, request_of
from pose_server.jobs.board import JobBoard

__all__ = ["JobService"]

_PAGE, _LARGEST_PAGE = 50, 200


class JobService(jobs_pb2_grpc.JobServiceServicer):
    """The job table for clients. A call that is cut off never touches its job."""

    def __init__(self, board: JobBoard) -> None:
        self._board = board

    async def CreateJob(self, request: jobs_pb2.CreateJobRequest, context: Any) -> Any:  # noqa: D102
        request_id = _uuid(request.request_id) if request.request_id else None
        return job_message(await self._board.create(request_of(request.spec), request_id))

    async def RefineMotion(self, request: jobs_pb2.RefineMotionRequest, context: Any) -> Any:  # noqa: D102
        request_id = _uuid(request.request_id) if request.request_id else None
        job = await self._board.finished(id_of(request.job, "jobs"))
        return job_message(await self._board.create(refinement_of(job, request.solve), request_id))

    async def GetJob(self, request: jobs_pb2.GetJobRequest, context: Any) -> Any:  # noqa: D102
        return job_message(await self._board.get(id_of(request.name, "jobs")))

    async def ListJobs(self, request: jobs_pb2.ListJobsRequest, context: Any) -> Any:  # noqa: D102
        size = min(request.page_size, _LARGEST_PAGE) if request.page_size > 0 else _PAGE
        jobs = await self._board.newest(size, _number(request.page_token) if request.page_token else None)
        return jobs_pb2.ListJobsResponse(
            jobs=[job_message(job, with_files=False) for job in jobs],
            next_page_token=str(jobs[-1].number) if len(jobs) == size else "",
        )

    async def WatchJob(  # noqa: D102
        self, request: jobs_pb2.WatchJobRequest, context: Any
    ) -> AsyncIterator[jobs_pb2.JobEvent]:
        async with aclosing(self._board.watch(id_of(request.name, "jobs"), request.after_seq)) as events:
            async for event in events:
                yield event_message(event, time.time())

    async def CancelJob(self, request: jobs_pb2.CancelJobRequest, context: Any) -> Any:  # noqa: D102
        return job_message(await self._board.cancel(id_of(request.name, "jobs")))

    async def DeleteJob(self, request: jobs_pb2.DeleteJobRequest, context: Any) -> Any:  # noqa: D102
        await self._board.delete(id_of(request.name, "jobs"))
        return jobs_pb2.DeleteJobResponse()


def _uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise InputError(
            f"The request id '{text[:80]}' is no UUID; make a new one for each job.",
            reason="REQUEST_ID_INVALID",
        ) from None


def _number(token: str) -> int:
    if not token.isascii() or not token.isdigit() or len(token) > 18:
        raise InputError(
            f"'{token[:80]}' is no page token of this server; begin the list again.",
            reason="PAGE_TOKEN_INVALID",
        )
    return int(token)
