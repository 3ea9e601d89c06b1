"""What a user can say about an import, checked, and the request that it becomes: alike in every host."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple

from pose_shared.clips import Clip
from pose_shared.errors import InputError, MediaError
from pose_shared.session import Delivery, ImportRequest
from pose_shared.timing import exact_rate

__all__ = ["RATES", "ImportSettings"]

#: What to do where the scene runs at another rate than the film: value, name and description.
RATES = (
    ("MATCH", "Match Scene to Film", "Give the scene the film's rate and frame range"),
    ("CONVERT", "Convert to Scene", "Leave the scene as it is; one key on each of its frames"),
    ("KEEP", "Keep Film Frames", "Leave the scene as it is; one key for each film frame, at its time"),
)


@dataclass(frozen=True)
class ImportSettings:
    """What to import of which clip; 0 and empty mean that it is not said.

    Attributes
    ----------
    path
        A film, or any picture of an image sequence.
    people
        Keep this many of the largest.
    frame_start, frame_end
        First film frame to import, and first one to leave out.
    sequence_fps
        Of an image sequence; the scene's rate when 0.
    fov_deg, focal_mm
        Of the lens: across the picture, or on a sensor 36 mm wide. Not both.
    camera
        ``auto`` or ``still``.
    camera_track
        Where the camera was, as `pose_shared.request.import_spec` takes it.
    detector
        Its name, or NAME:MODEL.
    solve
        Options of `pose_shared.request.solve_spec`.
    formats
        What else the server makes of the clip and keeps.
    """

    path: str
    people: int = 0
    frame_start: int = 0
    frame_end: int = 0
    sequence_fps: float = 0.0
    fov_deg: float = 0.0
    focal_mm: float = 0.0
    camera: str = ""
    camera_track: Optional[Mapping[str, Any]] = None
    detector: str = ""
    solve: Mapping[str, Any] = field(default_factory=dict)
    formats: Tuple[str, ...] = ("npz",)

    def clip(self) -> Clip:
        """Return the clip on this machine.

        Raises
        ------
        MediaError
            None was chosen (``MEDIA_NOT_CHOSEN``), or as `Clip.from_path`.
        """
        if not self.path.strip():
            raise MediaError("No video was chosen; pick one first.", reason="MEDIA_NOT_CHOSEN")
        return Clip.from_path(Path(self.path.strip()))

    def sequence_rate(self, scene_rate: Fraction) -> Fraction:
        """Return the rate of an image sequence, which is the scene's unless it is said."""
        return exact_rate(self.sequence_fps) if self.sequence_fps else scene_rate

    def request(self, server: str, scene_rate: Fraction, delivery: Delivery) -> ImportRequest:
        """Return what to ask of a server.

        Raises
        ------
        MediaError
            As `clip`.
        InputError
            Settings contradict each other (``CAMERA_INVALID``, ``RANGE_EMPTY``).
        """
        if self.fov_deg and self.focal_mm:
            raise InputError(
                "Give either the field of view or the focal length, not both.", reason="CAMERA_INVALID"
            )
        if self.frame_end and self.frame_end <= self.frame_start:
            raise InputError(
                f"Nothing lies between film frames {self.frame_start} and {self.frame_end}; "
                "let the range end later, or at 0 for the end of the film.",
                reason="RANGE_EMPTY",
                start=self.frame_start,
                end=self.frame_end,
            )
        clip = self.clip()
        options: Dict[str, Any] = {
            "people": self.people or None,
            "start": self.frame_start or None,
            "end": self.frame_end or None,
            "input_fps": self.sequence_rate(scene_rate) if clip.is_sequence else None,
            "fov_deg": self.fov_deg or None,
            "focal_mm": self.focal_mm or None,
            "camera": self.camera or None,
            "camera_track": self.camera_track,
            "detector": self.detector or None,
            **self.solve,
            "formats": list(self.formats),
        }
        return ImportRequest(clip=clip, server=server, options=options, delivery=delivery)
