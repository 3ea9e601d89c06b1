"""What a user may ask of a rendered film."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from pose_shared.errors import InputError

from pose_server.pipeline.moment import Moment

__all__ = ["COLOURINGS", "VIEWS", "RenderOptions"]

#: ``camera``: what the film's camera sees; the others stand in the room.
VIEWS = ("camera", "room", "front", "side", "top")
#: ``people``: a colour each, the left side lighter; ``sides``: left blue, right red; ``auto``: sides for one
#: person, people for more.
COLOURINGS = ("auto", "people", "sides")
_SMALLEST_PX, _LARGEST_PX = 64, 8192
_FASTEST = 100.0
_LEAST_KBPS, _MOST_KBPS = 10, 1_000_000


@dataclass(frozen=True)
class RenderOptions:
    """Settings of a film.

    Raises
    ------
    InputError
        A value is out of range; the sentence says which values are possible.
    """

    views: tuple[str, ...] = ()
    """Of `VIEWS`, in order; camera and room when empty, the room alone where there is no film."""
    size: tuple[int, int] | None = None
    """Width and height in pixels; such that nothing stays empty when None."""
    start: Moment | None = None
    """First frame of the range."""
    end: Moment | None = None
    """First frame after it."""
    limit: int | None = None
    """How many pictures at most."""
    skip: int = 0
    """How many frames of the film come before frame 0 of the motion."""
    downsample: int = 1
    """Every so many frames one picture."""
    speed: float = 1.0
    """2 plays twice as fast, 0.5 half as fast."""
    bitrate_kbps: int | None = None
    """Of MP4; constant quality when None."""
    azimuth_deg: float | None = None
    """How far the room is seen from the left of the film's camera; from where people are larger when None."""
    elevation_deg: float = 16.0
    """How far from above."""
    turn_deg_s: float = 0.0
    """How fast the view goes round, in degrees per second of the motion."""
    follow: bool = False
    """Whether the room is seen from beside the first person all the way."""
    ground: bool = True
    """Whether floor and shadows are drawn."""
    path: bool = True
    """Whether the ways of the hips are drawn."""
    contacts: bool = True
    """Whether what touches the ground is marked."""
    keypoints: bool = False
    """Whether the detector's points are drawn in the camera's view."""
    colours: str = "auto"
    """One of `COLOURINGS`."""

    def __post_init__(self) -> None:
        for view in self.views:
            if view not in VIEWS:
                raise _refused("--view", view, f"choose from {', '.join(VIEWS)}")
        if self.colours not in COLOURINGS:
            raise _refused("--colours", self.colours, f"choose from {', '.join(COLOURINGS)}")
        if self.size is not None and not all(_SMALLEST_PX <= side <= _LARGEST_PX for side in self.size):
            shown = f"{self.size[0]}x{self.size[1]}"
            raise _refused("--size", shown, f"give {_SMALLEST_PX} to {_LARGEST_PX} pixels each way")
        for option, value, low, high in (
            ("--limit", self.limit, 1, math.inf),
            ("--skip", self.skip, 0, math.inf),
            ("--downsample", self.downsample, 1, math.inf),
            ("--speed", self.speed, 1 / _FASTEST, _FASTEST),
            ("--bitrate", self.bitrate_kbps, _LEAST_KBPS, _MOST_KBPS),
            ("--azimuth", self.azimuth_deg, -360, 360),
            ("--elevation", self.elevation_deg, 0, 90),
            ("--turn", self.turn_deg_s, -3600, 3600),
        ):
            if value is not None and not low <= value <= high:
                most = f" to {high:.0f}" if high < math.inf else " or more"
                raise _refused(option, f"{value:g}", f"give {low:g}{most}")

    def by_sides(self, people: int) -> bool:
        """Return whether so many people are coloured by their sides."""
        return people == 1 if self.colours == "auto" else self.colours == "sides"

    @staticmethod
    def parse_size(text: str) -> tuple[int, int]:
        """Read ``960x540``; raises `InputError` where it is none."""
        found = re.fullmatch(r"(\d{1,5})[xX×](\d{1,5})", text.strip())
        if not found:
            raise _refused("--size", text, "give width and height, such as 960x540")
        return int(found[1]), int(found[2])

    @staticmethod
    def parse_views(text: str | None) -> tuple[str, ...]:
        """Read names with commas between."""
        return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _refused(option: str, value: str, advice: str) -> InputError:
    return InputError(
        f"{option} {value[:80]} is not possible; {advice}.",
        reason=f"{option.strip('-').upper()}_INVALID",
        value=value[:80],
    )
