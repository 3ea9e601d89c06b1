"""What every detector offers: one backend per file behind this protocol."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from pose_server.pipeline.boundary import ClipInfo, Detections, FrameBatch

__all__ = ["Detector", "DetectorSession"]


class DetectorSession(Protocol):
    """A detector at work on one clip; frames come in order."""

    def detect(self, batch: FrameBatch) -> list[Detections]:
        """Find the people in each frame of a batch, one `Detections` for each frame."""

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

    def session(self, clip: ClipInfo) -> DetectorSession:
        """Begin a clip."""
