"""The client: blocking, plain objects, safe to use from several threads.

::

    with Client("127.0.0.1:50551") as client:
        job = client.import_clip(Path("jump.mp4"), {"people": 1}, on_event=print)
        motion = client.get_motion(job, person=1)

Every method raises errors of `pose_shared.errors` and nothing else. A call that waits ends at once
when its `stop` token is set or the client is closed. Whatever was cut by the network is taken up
where it was: uploads and downloads at their byte, events at the last one seen.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Iterable, Iterator, List, Mapping, Optional, Type, TypeVar, Union

from pose_shared import PROTOCOL_VERSION
from pose_shared._generated.pose.v1 import jobs_pb2, motion_pb2, system_pb2, types_pb2
from pose_shared.cancel_token import CancelToken
from pose_shared.carrier import Carrier
from pose_shared.connection import DEFAULT_PORT, Backoff, Connection
from pose_shared.errors import (
    ConflictError,
    InternalError,
    JobCancelledError,
    MediaError,
    PoseError,
    UnavailableError,
)
from pose_shared.joint_motion import JointMotion, read_joint_motion
from pose_shared.messages import Job, JobEvent, ResultFile, ServerInfo
from pose_shared.motion import MotionChannels, read_motion
from pose_shared.request import RemoteClip, import_spec, solve_spec
from pose_shared.rig import Rig
from pose_shared.rig_messages import read_rig_motion, retarget_request
from pose_shared.rig_motion import RigChannels
from pose_shared.transfer import is_sequence, sequence_files

__all__ = ["Client"]

#: How long a server may be away before waiting for it ends.
PATIENCE_S = 60.0
_CONNECT_S = 5.0
_CANCEL_S = 2.0

T = TypeVar("T")

OnEvent = Callable[[JobEvent], object]
JobName = Union[Job, str]


class Client:
    """A connection to one pose server.

    Parameters
    ----------
    address
        ``host:port``.
    timeout_s
        For calls that answer once.
    patience_s
        How long a server may be away before waiting for it ends with `UnavailableError`.
    """

    def __init__(
        self,
        address: str = f"127.0.0.1:{DEFAULT_PORT}",
        *,
        timeout_s: float = 10.0,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._connection = Connection(address, timeout_s)
        self._patience_s = patience_s

    @property
    def address(self) -> str:
        """Of the server, with its port."""
        return self._connection.address

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every call that waits, at once; safe to repeat and from any thread."""
        self._connection.close()

    def server_info(self) -> ServerInfo:
        """Return what the server is; the quickest way to see whether it is there."""
        method = self._connection.system.GetServerInfo
        return ServerInfo.from_proto(
            self._connection.call(method, system_pb2.GetServerInfoRequest(), _CONNECT_S)
        )

    def check_compatible(self) -> ServerInfo:
        """Return what the server is, if we understand each other.

        Raises
        ------
        ConflictError
            The server speaks another major version (``PROTOCOL_MISMATCH``).
        """
        info = self.server_info()
        theirs, ours = info.protocol[0], PROTOCOL_VERSION[0]
        if theirs != ours:
            older = "server" if theirs < ours else "client or add-on"
            raise ConflictError(
                f"The pose server at {self.address} (version {info.version}) speaks protocol {theirs}, this "
                f"client speaks {ours}; update the {older}.",
                reason="PROTOCOL_MISMATCH",
                server=theirs,
                client=ours,
            )
        return info

    def upload(
        self, path: Path, on_event: Optional[OnEvent] = None, stop: Optional[CancelToken] = None
    ) -> str:
        """Send a file, unless the server has it; return the name of the upload (see `Carrier.upload`)."""
        return Carrier(self._connection, self._patience_s, on_event, stop).upload(path)

    def upload_clip(
        self, clip: Path, on_event: Optional[OnEvent] = None, stop: Optional[CancelToken] = None
    ) -> RemoteClip:
        """Send a film, or every picture of a sequence such as ``shot.%04d.png``.

        Raises
        ------
        MediaError
            There is no such film or picture (``MEDIA_NOT_FOUND``).
        """
        files = sequence_files(clip) if is_sequence(clip.name) and not clip.is_file() else [clip]
        if not files:
            raise MediaError(
                f"No picture fits '{clip}'; check the folder and the pattern.",
                reason="MEDIA_NOT_FOUND",
                path=clip,
            )
        together = _Together(on_event, sum(path.stat().st_size for path in files if path.is_file()))
        sent = []
        for path in files:
            sent.append((self.upload(path, together.tell, stop), path.name))
            together.next_file()
        return RemoteClip(display_name=clip.name, uploads=tuple(sent))

    def create_job(
        self, clip: RemoteClip, options: Mapping[str, Any], request_id: Optional[str] = None
    ) -> Job:
        """Queue an import; for `options` see `pose_shared.request.import_spec`.

        The call may be repeated with the same `request_id`, a UUID: it is one job.
        """
        request = jobs_pb2.CreateJobRequest(
            spec=import_spec(clip, options), request_id=request_id or str(uuid.uuid4())
        )
        return Job.from_proto(self._connection.call(self._connection.jobs.CreateJob, request))

    def create_refinement(
        self, job: JobName, options: Mapping[str, Any], request_id: Optional[str] = None
    ) -> Job:
        """Queue a job that solves the result of a finished one again, without its clip.

        For `options` see `pose_shared.request.solve_spec`; what is absent stays as it was.  The call
        may be repeated with the same `request_id`, a UUID: it is one job.

        Raises
        ------
        ConflictError
            The job has no result, because it has not succeeded (``JOB_NOT_SUCCEEDED``).
        """
        request = jobs_pb2.RefineMotionRequest(
            job=_name(job), solve=solve_spec(options), request_id=request_id or str(uuid.uuid4())
        )
        return Job.from_proto(self._connection.call(self._connection.jobs.RefineMotion, request))

    def get_job(self, job: JobName) -> Job:
        """Return a job as it is now."""
        request = jobs_pb2.GetJobRequest(name=_name(job))
        return Job.from_proto(self._connection.call(self._connection.jobs.GetJob, request))

    def list_jobs(self) -> Iterator[Job]:
        """Yield the jobs of the server, newest first."""
        token = ""
        while True:
            page = self._connection.call(
                self._connection.jobs.ListJobs, jobs_pb2.ListJobsRequest(page_token=token)
            )
            yield from (Job.from_proto(job) for job in page.jobs)
            token = page.next_page_token
            if not token:
                return

    def cancel(self, job: JobName) -> Job:
        """Ask a job to stop, which it does within two seconds; one that has ended stays as it is."""
        request = jobs_pb2.CancelJobRequest(name=_name(job))
        return Job.from_proto(self._connection.call(self._connection.jobs.CancelJob, request))

    def delete(self, job: JobName) -> None:
        """Remove an ended job with its files."""
        self._connection.call(self._connection.jobs.DeleteJob, jobs_pb2.DeleteJobRequest(name=_name(job)))

    def watch(
        self, job: JobName, after_seq: int = 0, stop: Optional[CancelToken] = None
    ) -> Iterator[JobEvent]:
        """Yield what happens to a job after one event, until it has ended.

        Survives a server that is away for a while. Setting `stop` ends the watching with
        `JobCancelledError`, and leaves the job alone.
        """
        backoff = Backoff(self._patience_s, stop)
        while True:
            request = jobs_pb2.WatchJobRequest(name=_name(job), after_seq=after_seq)
            try:
                with self._connection.streaming(self._connection.jobs.WatchJob(request), stop) as call:
                    for message in call:
                        backoff.reset()
                        event = JobEvent.from_proto(message)
                        if event is not None:
                            after_seq = max(after_seq, event.seq)
                            yield event
                return
            except UnavailableError as error:
                backoff.wait(self._gone(job, error))

    def wait(
        self, job: JobName, on_event: Optional[OnEvent] = None, stop: Optional[CancelToken] = None
    ) -> Job:
        """Wait for the end of a job and return it; setting `stop` cancels the job.

        Raises
        ------
        JobCancelledError
            It was cancelled, by us or by somebody else.
        PoseError
            What it failed with.
        """
        try:
            for event in self.watch(job, stop=stop):
                if on_event is not None:
                    on_event(event)
        except JobCancelledError:
            self._cancel_quickly(job)
            raise
        ended = Backoff(self._patience_s, stop).until_answered(lambda: self.get_job(job))
        if ended.error is not None:
            raise ended.error
        return ended

    def import_clip(
        self,
        clip: Path,
        options: Mapping[str, Any],
        on_event: Optional[OnEvent] = None,
        stop: Optional[CancelToken] = None,
        on_job: Optional[Callable[[Job], object]] = None,
    ) -> Job:
        """Send a clip, have it imported, and return the finished job.

        `on_job` hears of the job as soon as it exists, so that its name can be kept: whoever has
        the name can come back with `wait`. Setting `stop` cancels whatever is going on.
        """
        self.check_compatible()
        job = self.create_job(self.upload_clip(clip, on_event, stop), options)
        if on_job is not None:
            on_job(job)
        return self.wait(job, on_event, stop)

    def refine(
        self,
        job: JobName,
        options: Mapping[str, Any],
        on_event: Optional[OnEvent] = None,
        stop: Optional[CancelToken] = None,
        on_job: Optional[Callable[[Job], object]] = None,
    ) -> Job:
        """Have the result of a finished job solved again, and return the finished new job.

        For `options` see `create_refinement`, for the rest `import_clip`.
        """
        refinement = self.create_refinement(job, options)
        if on_job is not None:
            on_job(refinement)
        return self.wait(refinement, on_event, stop)

    def get_motion(
        self,
        job: JobName,
        person: int,
        fps: Union[Fraction, int, str, None] = None,
        stop: Optional[CancelToken] = None,
    ) -> MotionChannels:
        """Return a person's motion, at another rate if `fps` is given."""
        return self._motion(_motion_request(job, person, fps), read_motion, stop)

    def get_joint_motion(
        self,
        job: JobName,
        person: int,
        up: str,
        fps: Union[Fraction, int, str, None] = None,
        stop: Optional[CancelToken] = None,
    ) -> JointMotion:
        """Return a person's motion as joints, in a world whose axis `up` (``y`` or ``z``) points up."""
        request = _motion_request(job, person, fps)
        request.joints.up = up
        return self._motion(request, lambda chunks: read_joint_motion(chunks, up), stop)

    def _motion(
        self,
        request: motion_pb2.GetMotionRequest,
        read: Callable[[Iterable[motion_pb2.MotionChunk]], T],
        stop: Optional[CancelToken],
    ) -> T:
        backoff = Backoff(self._patience_s, stop)
        while True:
            try:
                with self._connection.streaming(self._connection.motion.GetMotion(request), stop) as call:
                    return read(call)
            except UnavailableError as error:
                backoff.wait(error)

    def retarget(
        self,
        job: JobName,
        person: int,
        rig: Rig,
        options: Optional[Mapping[str, Any]] = None,
        stop: Optional[CancelToken] = None,
    ) -> RigChannels:
        """Return a person's motion on a rig.

        `options` may hold ``bones`` (a mapping from parts of the body to names of bones, for those that
        should not be recognised), ``fps``, ``in_place``, ``root_motion`` and ``relock``; see
        docs/retargeting.md.
        """
        request = retarget_request(_name(job), person, rig, options or {})
        backoff = Backoff(self._patience_s, stop)
        while True:
            try:
                with self._connection.streaming(self._connection.rigs.RetargetMotion(request), stop) as call:
                    return read_rig_motion(call)
            except UnavailableError as error:
                backoff.wait(error)

    def download(
        self,
        job: JobName,
        file: ResultFile,
        target: Path,
        on_event: Optional[OnEvent] = None,
        stop: Optional[CancelToken] = None,
    ) -> None:
        """Fetch a file of a result to `target` (see `Carrier.download`)."""
        Carrier(self._connection, self._patience_s, on_event, stop).download(_name(job), file, target)

    def download_result(
        self,
        job: Job,
        folder: Path,
        on_event: Optional[OnEvent] = None,
        stop: Optional[CancelToken] = None,
    ) -> List[Path]:
        """Fetch every file of a finished job into a folder; return their paths."""
        together = _Together(on_event, sum(file.size_bytes for file in job.files))
        paths = []
        for file in job.files:
            parts = file.path.split("/")
            if any(part in ("", ".", "..") or "\\" in part for part in parts):
                raise InternalError(f"The server names a file '{file.path}' outside the result.")
            paths.append(folder.joinpath(*parts))
            self.download(job, file, paths[-1], together.tell, stop)
            together.next_file()
        return paths

    def _cancel_quickly(self, job: JobName) -> None:
        request = jobs_pb2.CancelJobRequest(name=_name(job))
        with suppress(PoseError):  # the user has left; the job ends by itself
            self._connection.call(self._connection.jobs.CancelJob, request, _CANCEL_S)

    def _gone(self, job: JobName, error: UnavailableError) -> UnavailableError:
        if error.reason == "CLIENT_CLOSED":
            return error
        return UnavailableError(
            f"The pose server at {self.address} does not answer any more; {_name(job)} is kept there, "
            "ask for it again when the server is back.",
            reason=error.reason,
            address=self.address,
            job=_name(job),
        )


class _Together:
    """Tells of the progress of several files as if they were one."""

    def __init__(self, on_event: Optional[OnEvent], total: int) -> None:
        self._on_event = on_event
        self._total = total
        self._before = self._size = 0

    def tell(self, event: JobEvent) -> None:
        step = event.progress
        if step is not None and self._on_event is not None:
            self._size = step.total
            done = self._before + step.done
            self._on_event(replace(event, progress=replace(step, done=done, total=self._total)))

    def next_file(self) -> None:
        self._before += self._size


def _motion_request(
    job: JobName, person: int, fps: Union[Fraction, int, str, None]
) -> motion_pb2.GetMotionRequest:
    request = motion_pb2.GetMotionRequest(job=_name(job), person=person)
    if fps is not None:
        rate = Fraction(fps)
        request.fps.CopyFrom(types_pb2.Rate(numerator=rate.numerator, denominator=rate.denominator))
    return request


def _name(job: JobName) -> str:
    return job.name if isinstance(job, Job) else job
