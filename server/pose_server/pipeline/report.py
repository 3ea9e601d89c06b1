"""What an import says of itself: the content of ``report.json``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pose_shared.errors import ConflictError, InputError, NotFoundError

from pose_server.pipeline.progress import FoundPerson, PersonSummary
from pose_server.pipeline.weak_spans import WeakSpan

__all__ = [
    "REPORT_FILE",
    "REPORT_VERSION",
    "THUMBNAIL_FILE",
    "ClipReport",
    "ImportReport",
    "PersonReport",
    "StageTiming",
    "found_people",
    "read_report",
    "write_report",
]

REPORT_FILE = "report.json"
#: In a person's folder.
THUMBNAIL_FILE = "thumbnail.jpg"
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
    contact_slide_mm: float | None = None
    """How far soles slide from frame to frame where the motion says that they carry; none if none does."""
    bone_fit_percent: float | None = None
    """Median difference of the limbs as they were lifted from the skeleton's constant lengths."""
    weak_spans: list[WeakSpan] = field(default_factory=list)
    """What is more guessed than seen, by its first frame."""


@dataclass(frozen=True)
class StageTiming:
    """How long a stage took."""

    stage: str
    seconds: float
    frames_per_second: float | None
    cached: bool = False


@dataclass(frozen=True)
class ImportReport:
    """One finished import, or a refinement of one."""

    clip: ClipReport
    options: dict[str, Any]
    detector: str
    lifter: str
    device: str
    focal_px: float
    focal_source: str
    """``given`` by the user, ``recorded`` with the clip, ``estimated`` from it, or ``assumed``."""
    people: list[PersonReport]
    focal_sigma: float | None = None
    """One standard deviation of the focal length as a share of it; none for one that was given."""
    notes: list[str] = field(default_factory=list)
    """What the user should know, one sentence each."""
    timings: list[StageTiming] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    """Everything in the folder beside the report itself."""
    refined_from: str | None = None
    """The result that was solved again, without its clip; none for an import."""
    pose_server: str = ""
    """Version of the software."""
    report_version: int = REPORT_VERSION

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON data."""
        return dataclasses.asdict(self)


def found_people(folder: Path, people: Iterable[PersonSummary]) -> tuple[FoundPerson, ...]:
    """Return people of a result folder with their pictures, where it has them."""
    found = []
    for person in people:
        thumbnail = folder / f"person_{person.index:02d}" / THUMBNAIL_FILE
        content = thumbnail.read_bytes() if thumbnail.is_file() else b""
        found.append(FoundPerson(**{**vars(PersonSummary.from_dict(vars(person))), "thumbnail": content}))
    return tuple(found)


def write_report(folder: Path, report: ImportReport) -> None:
    """Write the report of a result folder."""
    text = json.dumps(report.to_dict(), indent=2, ensure_ascii=False) + "\n"
    (folder / REPORT_FILE).write_text(text, encoding="utf-8")


def read_report(folder: Path) -> ImportReport:
    """Read the report of a result folder; fields of a newer version are passed over.

    Raises
    ------
    NotFoundError
        There is none (``RESULT_NOT_FOUND``).
    InputError
        It is damaged, or something else (``REPORT_INVALID``).
    ConflictError
        It has another version.
    """
    from pydantic import TypeAdapter, ValidationError

    path = folder / REPORT_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content.get("report_version") if isinstance(content, dict) else None
        if isinstance(version, int) and version != REPORT_VERSION:
            raise ConflictError(
                f"{path} has version {version}, and this pose-server reads {REPORT_VERSION}; use the "
                "pose-server that wrote it, or import the clip again.",
                reason="FORMAT_VERSION",
                path=path,
                version=version,
            )
        return TypeAdapter(ImportReport).validate_python(content)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(
            f"'{folder}' is no result, it has no {REPORT_FILE}; give the folder that an import wrote.",
            reason="RESULT_NOT_FOUND",
            path=folder,
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        why = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    except (OSError, ValueError, RecursionError) as error:
        why = str(error)
    raise InputError(
        f"{path} is no report that pose-server can use ({why}); import the clip again.",
        reason="REPORT_INVALID",
        path=path,
    )
