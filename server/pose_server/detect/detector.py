"""What every detector offers: one backend per file behind this protocol."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from pose_server.pipeline.boundary import ClipInfo, Detections, FrameBatch

__all__ = ["Detector", "DetectorSession"]


class DetectorSession(Protocol):
    """A detector at work on one clip; frames come in order, and so do results, each frame's once.

    Results may lag behind the frames by a bounded number of frames, because a detector that has just
    found somebody may look back; how they lag depends on the frames alone, never on how they were
    cut into batches.  A session keeps the frames it still needs without copying them, so a batch must
    not be written to after it was handed over.  Leaving the session early drops what is still due.
    """

    def detect(self, batch: FrameBatch) -> list[Detections]:
        """Take the next frames; return a `Detections` for each frame that is now settled, maybe none."""

    def finish(self) -> list[Detections]:
        """Return what is still due, once, after the last batch."""

    def __enter__(self) -> DetectorSession: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Detector(Protocol):
    """A loaded model."""

    @property
    def name(self) -> str:
        """As `--detector` takes it."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same picture could give other numbers: weights, settings, version."""

    @property
    def keypoint_names(self) -> tuple[str, ...]:
        """(K,) names as in `pose_shared.skeleton`."""

    @property
    def sure_score(self) -> float:
        """A person needs one detection of at least this score; lower ones only continue their track.

        0 where the detector has made sure itself that all it reports are people.
        """

    def session(self, clip: ClipInfo) -> DetectorSession:
        """Begin a clip."""
