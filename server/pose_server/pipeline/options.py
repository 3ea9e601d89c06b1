"""What a user may ask of one import, checked once, before anything is opened."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from pose_shared.errors import InputError

from pose_server.pipeline.calibration import Calibration
from pose_server.pipeline.camera_track import CameraTrack
from pose_server.pipeline.cleanup_options import CleanupOptions
from pose_server.pipeline.file_options import FileOptions
from pose_server.pipeline.moment import Moment
from pose_server.pipeline.solve_options import SolveOptions
from pose_server.pipeline.tracking_options import TrackingOptions

__all__ = [
    "CAMERAS",
    "FORMATS",
    "FULL_FRAME_MM",
    "LIFTERS",
    "USUAL_FORMATS",
    "ImportOptions",
    "Moment",
    "parse_rate",
]

#: Everything `--formats` may name: per person, and one film per clip.
FORMATS = (
    *("npz", "bvh", "glb", "fbx", "usd", "usda", "usdc", "json", "csv", "trc", "c3d", "ma"),
    *("3d_data", "2d_data", "npy", "preview"),
)
#: What is written where nobody says what.
USUAL_FORMATS = ("npz", "bvh", "preview")
#: Lifters that need no file of the user's.
LIFTERS = ("auto", "house", "house_causal", "landmarks")
#: ``auto`` follows one that moves; ``still`` takes it for one on a tripod and does not look.
CAMERAS = ("auto", "still")
#: Along the longer side, of the film that focal lengths are compared on.
FULL_FRAME_MM = 36.0
_PEOPLE_LIMIT = 64
#: Rates that people round, and what they are.
_ROUNDED_RATES = {
    "23.976": Fraction(24000, 1001),
    "23.98": Fraction(24000, 1001),
    "29.97": Fraction(30000, 1001),
    "47.952": Fraction(48000, 1001),
    "59.94": Fraction(60000, 1001),
    "119.88": Fraction(120000, 1001),
}


def parse_rate(text: str, option: str) -> Fraction:
    """Read a rate: ``24``, ``12.5``, ``30000/1001``, or a rounded name such as ``29.97``.

    Raises
    ------
    InputError
        It is none; the sentence names `option`.
    """
    try:
        return _ROUNDED_RATES.get(text) or Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise InputError(
            f"{option} {text} is no rate; give frames per second such as 24, 29.97 or 30000/1001.",
            reason="RATE_INVALID",
            value=text,
        ) from None


@dataclass(frozen=True)
class ImportOptions:
    """Settings of one import; the same object for the command line, the server and the add-ons.

    Raises
    ------
    InputError
        A value is out of range; the sentence says which values are possible.
    """

    people: int | None = None
    """How many people to keep, the first by `tracking.people_by`; all when None."""
    persons: tuple[int, ...] = ()
    """Keep just these, counted from 1 by coverage times size, and whom `tracking` points at; overrides
    `people`."""
    start: Moment | None = None
    """First source frame."""
    end: Moment | None = None
    """First source frame after the range."""
    fps: Fraction | None = None
    """Rate of the result; the source's when None."""
    input_fps: Fraction | None = None
    """Rate of an image sequence, which does not carry its own."""
    fov_deg: float | None = None
    """Horizontal field of view of the upright picture."""
    focal_mm: float | None = None
    """Focal length on a sensor 36 mm along the longer side, or `sensor_mm`; excludes `fov_deg`."""
    sensor_mm: float | None = None
    """How wide the part of the sensor is that the picture's longer side comes from; with `focal_mm`."""
    calibration: Calibration | None = None
    """The lens as it was measured; excludes what else is said of it."""
    camera: str = "auto"
    """One of `CAMERAS`."""
    camera_track: CameraTrack | None = None
    """Where the camera was, if somebody knows; then nothing is followed."""
    detector: str = "auto"
    """A detector's name, or ``NAME:MODEL``; in this process MODEL may be files of the user's."""
    detector_score: float | None = None
    """Least score of a person, 0 to 1; the detector's own when None."""
    tracking: TrackingOptions = field(default_factory=TrackingOptions)
    lifter: str = "auto"
    """One of `LIFTERS`, or in this process the path of a checkpoint."""
    cleanup: CleanupOptions = field(default_factory=CleanupOptions)
    solve: SolveOptions = field(default_factory=SolveOptions)
    formats: tuple[str, ...] = USUAL_FORMATS
    files: FileOptions = field(default_factory=FileOptions)
    allow_truncated: bool = False
    """Take what can be decoded of a damaged film."""

    def __post_init__(self) -> None:
        unknown = [name for name in self.formats if name not in FORMATS]
        if unknown:
            raise InputError(
                f"There is no output format '{unknown[0]}'; choose from {', '.join(FORMATS)}.",
                reason="FORMAT_UNKNOWN",
                value=unknown[0],
            )
        if self.camera not in CAMERAS:
            raise InputError(
                f"--camera {self.camera} is not possible; choose from {', '.join(CAMERAS)}.",
                reason="CAMERA_INVALID",
                value=self.camera,
            )
        if self.camera == "still" and self.camera_track is not None:
            raise InputError(
                "Give either --camera still or --camera-track, not both.", reason="CAMERA_INVALID"
            )
        if not self.formats:
            raise InputError(
                f"No output format was asked for; choose from {', '.join(FORMATS)}.",
                reason="FORMAT_UNKNOWN",
            )
        if self.people is not None and not 1 <= self.people <= _PEOPLE_LIMIT:
            raise InputError(
                f"--people {self.people} is not possible; give 'all' or a number from 1 to {_PEOPLE_LIMIT}.",
                reason="PEOPLE_INVALID",
                value=self.people,
            )
        if any(person < 1 for person in self.persons):
            raise InputError("People are counted from 1; give --person 1 or more.", reason="PEOPLE_INVALID")
        for name in ("fps", "input_fps"):
            rate = getattr(self, name)
            if rate is not None and not Fraction(1, 10) <= rate <= 1000:
                raise InputError(
                    f"--{name.replace('_', '-')} {rate} is not possible; give 0.1 to 1000 frames per second.",
                    reason="RATE_INVALID",
                    value=rate,
                )
        self._check_lens()
        if self.detector_score is not None and not 0 < self.detector_score < 1:
            raise InputError(
                f"--detector-score {self.detector_score:g} is not possible; give a number between 0 and 1.",
                reason="DETECTOR_SCORE_INVALID",
                value=self.detector_score,
            )
        start, end = self.start, self.end
        if start and end:
            frames = None not in (start.frame, end.frame) and start.frame >= end.frame  # type: ignore[operator]
            seconds = None not in (start.seconds, end.seconds) and start.seconds >= end.seconds  # type: ignore[operator]
            if frames or seconds:
                raise InputError(
                    f"The range from {start} to {end} holds no frame; --end is the first frame left out.",
                    reason="RANGE_EMPTY",
                    start=start,
                    end=end,
                )

    def _check_lens(self) -> None:
        if self.fov_deg is not None and self.focal_mm is not None:
            raise InputError("Give either --fov or --focal-mm, not both.", reason="CAMERA_INVALID")
        if self.fov_deg is not None and not 5 <= self.fov_deg <= 150:
            raise InputError(
                f"--fov {self.fov_deg:g} is not possible; give 5 to 150 degrees.",
                reason="CAMERA_INVALID",
                value=self.fov_deg,
            )
        said = (self.fov_deg, self.focal_mm, self.sensor_mm)
        if self.calibration is not None and any(value is not None for value in said):
            raise InputError(
                "A calibration says all of the lens; leave --fov, --focal-mm and --sensor-mm out.",
                reason="CAMERA_INVALID",
            )
        if self.sensor_mm is not None and self.focal_mm is None:
            raise InputError(
                "--sensor-mm belongs to --focal-mm; give the lens's own focal length with it.",
                reason="CAMERA_INVALID",
            )
        if self.sensor_mm is not None and not 1 <= self.sensor_mm <= 200:
            raise InputError(
                f"--sensor-mm {self.sensor_mm:g} is not possible; give 1 to 200 mm.",
                reason="CAMERA_INVALID",
                value=self.sensor_mm,
            )
        least, most = (5, 1000) if self.sensor_mm is None else (1, 2000)
        if self.focal_mm is not None and not least <= self.focal_mm <= most:
            raise InputError(
                f"--focal-mm {self.focal_mm:g} is not possible; give {least} to {most} mm.",
                reason="CAMERA_INVALID",
                value=self.focal_mm,
            )

    @property
    def known_focal_mm(self) -> float | None:
        """`focal_mm` as on a sensor of 36 mm, or else what the camera's track says of it."""
        if self.focal_mm is not None:
            return self.focal_mm * FULL_FRAME_MM / (self.sensor_mm or FULL_FRAME_MM)
        return self.camera_track.focal_mm if self.camera_track is not None else None

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain JSON data, canonical: equal options give equal text."""
        fields = dataclasses.asdict(self)
        for name in ("start", "end", "fps", "input_fps"):
            value = getattr(self, name)
            fields[name] = None if value is None else str(value)
        for name in ("calibration", "camera_track"):
            value = getattr(self, name)
            fields[name] = None if value is None else value.to_dict()
        fields["persons"] = list(self.persons)
        fields["cleanup"] = self.cleanup.to_dict()
        fields["tracking"] = self.tracking.to_dict()
        fields["solve"] = self.solve.to_dict()
        fields["files"] = self.files.to_dict()
        fields["formats"] = list(self.formats)
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> ImportOptions:
        """Read back what `to_dict` wrote."""
        values = dict(fields)
        for name, read in (
            ("start", Moment.parse),
            ("end", Moment.parse),
            ("fps", Fraction),
            ("input_fps", Fraction),
        ):
            if values.get(name) is not None:
                values[name] = read(values[name])
        for name, kind in (("calibration", Calibration), ("camera_track", CameraTrack)):
            if values.get(name) is not None:
                values[name] = kind.from_dict(values[name])
        values["persons"] = tuple(values.get("persons", ()))
        values["cleanup"] = CleanupOptions.from_dict(values.get("cleanup", {}))
        values["tracking"] = TrackingOptions.from_dict(values.get("tracking", {}))
        values["solve"] = SolveOptions.from_dict(values.get("solve", {}))
        values["files"] = FileOptions.from_dict(values.get("files", {}))
        values["formats"] = tuple(values.get("formats", USUAL_FORMATS))
        return cls(**values)
