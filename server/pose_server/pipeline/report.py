"""What an import says of itself: the content of ``report.json``."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from pose_server.pipeline.progress import PersonSummary

__all__ = ["REPORT_VERSION", "ClipReport", "ImportReport", "PersonReport", "StageTiming"]

#: Raised when a field changes its meaning or goes; new fields leave it.
REPORT_VERSION = 1


@dataclass(frozen=True)
class ClipReport:
    """The clip as it was read."""

    name: str
    sha256: str
    width: int
    """Of the upright picture with square pixels."""
    height: int
    rate: str
    """Frames per second, a fraction such as 30000/1001."""
    first_frame: int
    frame_count: int
    """Frames that were decoded."""
    start_s: float
    """Time of the first decoded frame."""
    end_s: float
    """Time of the last decoded frame."""
    rotation_ccw_deg: int
    pixel_aspect: str
    codec: str


@dataclass(frozen=True)
class PersonReport(PersonSummary):
    """One person of the result."""

    folder: str
    """Of the person's files, below the report's."""
    frames: int
    """Rows of the motion."""
    mean_confidence: float
    """Over joints and rows, 0 to 1."""
    reprojection_px: float | None
    """Median distance of the projected joints from the 2D evidence; none without evidence."""
    height_m: float
    """Of the skeleton in its rest pose, from the soles to the top of the head."""


@dataclass(frozen=True)
class StageTiming:
    """How long a stage took."""

    stage: str
    seconds: float
    frames_per_second: float | None
    cached: bool = False


@dataclass(frozen=True)
class ImportReport:
    """One finished import."""

    clip: ClipReport
    options: dict[str, Any]
    detector: str
    lifter: str
    device: str
    focal_px: float
    focal_source: str
    """``given`` or ``assumed``."""
    people: list[PersonReport]
    notes: list[str] = field(default_factory=list)
    """What the user should know, one sentence each."""
    timings: list[StageTiming] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    """Everything in the folder beside the report itself."""
    pose_server: str = ""
    """Version of the software."""
    report_version: int = REPORT_VERSION

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON data."""
        return dataclasses.asdict(self)
