"""An import, a refinement or a result on its way through the server, in a thread; knows nothing of hosts."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Callable, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from pose_shared.cancel_token import CancelToken
from pose_shared.client import Client
from pose_shared.clips import Clip
from pose_shared.errors import ConflictError, NotFoundError
from pose_shared.joint_motion import JointMotion
from pose_shared.messages import Job, JobEvent, Person, StageProgress
from pose_shared.motion import MotionChannels
from pose_shared.worker_thread import WorkerThread

__all__ = [
    "Delivery",
    "FetchRequest",
    "ImportRequest",
    "RefineRequest",
    "Result",
    "Session",
    "stage_words",
]

OnEvent = Callable[[JobEvent], None]
OnJob = Callable[[Job], object]

_STAGES = {
    "read": "Reading the clip",
    "upload": "Sending the clip",
    "video": "Decoding",
    "detect": "Finding people",
    "camera": "Following the camera",
    "track": "Following people",
    "lift": "Estimating depth",
    "solve": "Fitting skeletons",
    "export": "Writing the result",
    "download": "Fetching the motion",
}
_BYTE_STAGES = ("read", "upload", "download")


def stage_words(stage: str) -> str:
    """Return what goes on in a stage, in words."""
    return _STAGES.get(stage, stage.capitalize() or "Waiting for the server")


@dataclass(frozen=True)
class Delivery:
    """What of a finished job a host gets.

    Attributes
    ----------
    persons
        Their numbers; everybody when None, nobody when empty, as before somebody has picked.
    fps
        Rate of the motions; their own when None.
    joints_up
        ``y`` or ``z`` for joints in a world of that axis, None for bones.
    """

    persons: Optional[Tuple[int, ...]] = None
    fps: Optional[Fraction] = None
    joints_up: Optional[str] = None


@dataclass(frozen=True)
class ImportRequest:
    """What to ask of which server.

    Attributes
    ----------
    options
        As `pose_shared.request.import_spec` takes them.
    """

    clip: Clip
    server: str
    options: Mapping[str, Any]
    delivery: Delivery = Delivery()

    @property
    def name(self) -> str:
        """What the clip is called."""
        return self.clip.name

    def run(self, client: Client, post: OnEvent, stop: CancelToken, on_job: OnJob) -> Job:
        """Have it done; blocks."""
        return client.import_clip(self.clip.source, self.options, post, stop, on_job)


@dataclass(frozen=True)
class RefineRequest:
    """A finished job to solve again, and how.

    Attributes
    ----------
    job, name
        Of the server's job, and what its clip is called.
    options
        As `pose_shared.request.solve_spec` takes them.
    """

    job: str
    name: str
    server: str
    options: Mapping[str, Any]
    delivery: Delivery = Delivery()

    def run(self, client: Client, post: OnEvent, stop: CancelToken, on_job: OnJob) -> Job:
        """Have it done; blocks.

        Raises
        ------
        ConflictError
            The server does not know the job (``IMPORT_UNKNOWN``).
        """
        client.check_compatible()
        with _known(client, self.job, self.name):
            return client.refine(self.job, self.options, post, stop, on_job)


@dataclass(frozen=True)
class FetchRequest:
    """The result of a job that runs or has ended: of an earlier day, or of people that were picked just now.

    Attributes
    ----------
    job, name
        Of the server's job, and what its clip is called.
    """

    job: str
    name: str
    server: str
    delivery: Delivery = Delivery()

    def run(self, client: Client, post: OnEvent, stop: CancelToken, on_job: OnJob) -> Job:
        """Wait for the job, if it has not ended; cancelling stops the waiting alone.

        Raises
        ------
        ConflictError
            As for a refinement.
        """
        client.check_compatible()
        with _known(client, self.job, self.name):
            for event in client.watch(self.job, stop=stop):
                post(event)
            job = client.get_job(self.job)
        on_job(job)
        if job.error is not None:
            raise job.error
        return job


@contextmanager
def _known(client: Client, job: str, name: str) -> Iterator[None]:
    try:
        yield
    except NotFoundError as error:
        raise ConflictError(
            f"The pose server at {client.address} does not know this import, because it was deleted "
            f"or made by another server; import '{name}' again, or choose that server in the "
            "add-on's settings.",
            reason="IMPORT_UNKNOWN",
            job=job,
        ) from error


@dataclass(frozen=True)
class Result:
    """What came of a job.

    Attributes
    ----------
    job
        Its name.
    found
        Everybody in the clip.
    people
        The motions of those who were asked for, as bones or as joints.
    """

    job: str
    found: Tuple[Person, ...]
    people: Tuple[MotionChannels, ...] = ()
    joints: Tuple[JointMotion, ...] = ()


class Session:
    """Starts at once, in a thread of its own; `poll` it from the main thread.

    Attributes
    ----------
    job
        Name of the server's job, as soon as there is one: with it a host can come back.
    found
        Who was found, as soon as that is known.
    notes
        Sentences for the user.
    progress
        Of the stage that is going on.
    cancelling
        Whether `cancel` was called.
    """

    def __init__(self, request: Union[ImportRequest, RefineRequest, FetchRequest]) -> None:
        self.request = request
        self.notes: List[str] = []
        self.job = ""
        self.found: Sequence[Person] = ()
        self.progress = StageProgress("", 0, 0)
        self.cancelling = False
        self._client: Optional[Client] = None
        self._left = False
        self._worker: WorkerThread[Result] = WorkerThread(self._work)

    def poll(self) -> bool:
        """Take in what happened since the last call; return whether the session has ended."""
        ended = self._worker.done
        for event in self._worker.poll():
            if event.progress:
                self.progress = event.progress
            elif event.note:
                self.notes.append(event.note)
            elif event.people is not None:
                self.found = event.people
        return ended

    def cancel(self) -> None:
        """Ask it to stop; returns at once."""
        self.cancelling = True
        self._worker.cancel()

    def leave(self) -> None:
        """Let go of it, while its job, if there is one by now, goes on; returns at once.

        With the name of the job somebody can come back (`FetchRequest`).
        """
        self._left = True
        if self._client is not None:
            self._client.close()

    def wait(self, seconds: float) -> bool:
        """Wait for its end, where there is no event loop; return whether it came."""
        self._worker.join(seconds)
        return self.poll()

    def result(self) -> Result:
        """Return what came of it, once it has ended; raises the `PoseError` it ended with."""
        return self._worker.result()

    @property
    def stage(self) -> str:
        """What is going on, in words."""
        if self.cancelling:
            return "Cancelling"
        return stage_words(self.progress.stage)

    @property
    def factor(self) -> float:
        """How far the stage is, 0 to 1."""
        return min(1.0, self.progress.done / self.progress.total) if self.progress.total else 0.0

    @property
    def counts(self) -> str:
        """How far the stage is, in words."""
        if not self.progress.total:
            return ""
        if self.progress.stage in _BYTE_STAGES:
            return f"{self.progress.done / 1e6:.0f} of {self.progress.total / 1e6:.0f} MB"
        return f"{self.progress.done} of {self.progress.total}"

    @property
    def pace(self) -> str:
        """How fast the stage is, and how long it still takes, in words."""
        per_second, seconds = self.progress.per_second, self.progress.seconds_left
        if seconds is None:
            return ""
        fast = (
            f"{per_second / 1e6:.1f} MB"
            if self.progress.stage in _BYTE_STAGES
            else f"{per_second:.1f} frames"
        )
        return f"{fast} per second, {int(seconds) // 60}:{int(seconds) % 60:02d} left"

    def _work(self, post: OnEvent, stop: CancelToken) -> Result:
        with Client(self.request.server) as client:
            self._client = client
            if self._left:  # before there was a client to close
                client.close()
            job = self.request.run(client, post, stop, self._take_name)
            wanted = self.request.delivery
            persons = [person.index for person in job.people]
            if wanted.persons is not None:
                persons = [person for person in persons if person in wanted.persons]
            if wanted.joints_up is None:
                people = tuple(client.get_motion(job, person, wanted.fps, stop) for person in persons)
                return Result(job.name, job.people, people=people)
            up, fps = wanted.joints_up, wanted.fps
            joints = tuple(client.get_joint_motion(job, person, up, fps, stop) for person in persons)
            return Result(job.name, job.people, joints=joints)

    def _take_name(self, job: Job) -> None:
        self.job = job.name
