"""An import or a refinement on its way through the server, in a thread; knows nothing of Blender."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Callable, Mapping

from pose_shared.cancel_token import CancelToken
from pose_shared.client import Client
from pose_shared.errors import ConflictError, NotFoundError
from pose_shared.messages import Job, JobEvent, StageProgress
from pose_shared.motion import MotionChannels
from pose_shared.worker_thread import WorkerThread

from .clips import Clip

__all__ = ["ImportRequest", "RefineRequest", "Result", "Session"]

OnEvent = Callable[[JobEvent], None]

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


@dataclass(frozen=True)
class ImportRequest:
    """What to ask of which server.

    Attributes
    ----------
    options
        As `pose_shared.request.import_spec` takes them.
    fps
        Rate of the motions; their own when None.
    """

    clip: Clip
    server: str
    options: Mapping[str, Any]
    fps: Fraction | None = None

    @property
    def name(self) -> str:
        """What the clip is called."""
        return self.clip.name

    def run(self, client: Client, post: OnEvent, stop: CancelToken) -> Job:
        """Have it done; blocks."""
        return client.import_clip(self.clip.source, self.options, post, stop)


@dataclass(frozen=True)
class RefineRequest:
    """A finished job to solve again, and how.

    Attributes
    ----------
    job, name
        Of the server's job, and what its clip is called.
    options
        As `pose_shared.request.solve_spec` takes them.
    fps
        As for an import.
    """

    job: str
    name: str
    server: str
    options: Mapping[str, Any]
    fps: Fraction | None = None

    def run(self, client: Client, post: OnEvent, stop: CancelToken) -> Job:
        """Have it done; blocks.

        Raises
        ------
        ConflictError
            The server does not know the job (``IMPORT_UNKNOWN``).
        """
        client.check_compatible()
        try:
            return client.refine(self.job, self.options, post, stop)
        except NotFoundError as error:
            raise ConflictError(
                f"The pose server at {client.address} does not know this import, because it was deleted "
                f"or made by another server; import '{self.name}' again, or choose that server in the "
                "preferences.",
                reason="IMPORT_UNKNOWN",
                job=self.job,
            ) from error


@dataclass(frozen=True)
class Result:
    """Everybody in the clip, and the name of the job that solved them."""

    job: str
    people: tuple[MotionChannels, ...]


class Session:
    """Starts at once, in a thread of its own; `poll` it from the main thread."""

    def __init__(self, request: ImportRequest | RefineRequest) -> None:
        self.request = request
        self.notes: list[str] = []
        self.progress = StageProgress("", 0, 0)
        self.cancelling = False
        self._worker: WorkerThread[Result] = WorkerThread(self._work)

    def poll(self) -> bool:
        """Take in what happened since the last call; return whether the session has ended."""
        ended = self._worker.done
        for event in self._worker.poll():
            if event.progress:
                self.progress = event.progress
            elif event.note:
                self.notes.append(event.note)
        return ended

    def cancel(self) -> None:
        """Ask it to stop; returns at once."""
        self.cancelling = True
        self._worker.cancel()

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
        return _STAGES.get(self.progress.stage, self.progress.stage.capitalize() or "Waiting for the server")

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
            job = self.request.run(client, post, stop)
            people = [client.get_motion(job, p.index, self.request.fps, stop) for p in job.people]
        return Result(job.name, tuple(people))
