"""What a user may ask of who is who in a clip: whom to keep, and whom tracking has mixed up."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pose_shared.errors import InputError

from pose_server.pipeline.moment import Moment

__all__ = ["PEOPLE_BY", "REIDENTIFY", "Click", "Merge", "Part", "TrackingOptions"]

#: By which of them people are kept first: coverage times size, mean size of the box, or that times how
#: sure their keypoints are.
PEOPLE_BY = ("prominence", "area", "score_area")
#: ``auto`` knows people again who left the picture, where that is beyond doubt.
REIDENTIFY = ("auto", "off")
_LIMIT = 1000
_FARTHEST_PX = 1e6


@dataclass(frozen=True)
class Click:
    """A point on somebody.

    Raises
    ------
    InputError
        It is no point (``CLICK_INVALID``).
    """

    x_px: float
    """In the upright picture, from its left edge."""
    y_px: float
    """From its top."""
    at: Moment | None = None
    """When; the first frame of the clip if None."""

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) and 0 <= value <= _FARTHEST_PX for value in (self.x_px, self.y_px)):
            raise _invalid("--click", str(self), "CLICK_INVALID")

    @classmethod
    def parse(cls, text: str) -> Click:
        """Read ``640,360``, ``640,360@120`` or ``640,360@4.5s``."""
        place, at, moment = text.partition("@")
        try:
            x_px, y_px = (float(part) for part in place.split(","))
        except ValueError:
            raise _invalid("--click", text, "CLICK_INVALID") from None
        return cls(x_px, y_px, Moment.parse(moment) if at else None)

    def __str__(self) -> str:
        return f"{self.x_px:g},{self.y_px:g}" + (f"@{self.at}" if self.at is not None else "")


@dataclass(frozen=True)
class Part:
    """A person, or what becomes of a person from some moment on.

    Raises
    ------
    InputError
        Nobody can have that number (``PEOPLE_INVALID``).
    """

    person: int
    """Counted from 1, as without any edits."""
    at: Moment | None = None
    """When a split makes somebody new of them; None for what there is before."""

    def __post_init__(self) -> None:
        if self.person < 1:
            raise InputError("People are counted from 1.", reason="PEOPLE_INVALID", value=self.person)

    @classmethod
    def parse(cls, text: str, option: str) -> Part:
        """Read ``2``, ``2@140`` or ``2@4.5s``.

        Raises
        ------
        InputError
            It is neither (``TRACK_EDIT_INVALID``); the sentence names `option`.
        """
        parts = re.fullmatch(r"([1-9]\d{0,5})(?:@(.+))?", text.strip())
        if parts is None:
            raise _invalid(option, text, "TRACK_EDIT_INVALID")
        return cls(int(parts[1]), Moment.parse(parts[2]) if parts[2] else None)

    def __str__(self) -> str:
        return f"{self.person}" + (f"@{self.at}" if self.at is not None else "")


@dataclass(frozen=True)
class Merge:
    """Some parts that are one person.

    Raises
    ------
    InputError
        They are fewer than two different ones (``TRACK_EDIT_INVALID``).
    """

    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        if len(self.parts) < 2 or len(set(self.parts)) < len(self.parts):
            raise _invalid("--merge", str(self), "TRACK_EDIT_INVALID")

    @classmethod
    def parse(cls, text: str) -> Merge:
        """Read ``1+3``, or ``1+2@140`` for one and what a split makes of two."""
        parts = text.split("+")
        if not all(part.strip() for part in parts):
            raise _invalid("--merge", text, "TRACK_EDIT_INVALID")
        return cls(tuple(Part.parse(part, "--merge") for part in parts))

    def __str__(self) -> str:
        return "+".join(str(part) for part in self.parts)


@dataclass(frozen=True)
class TrackingOptions:
    """Settings of tracking; splits come first, then merges, then the choice of people.

    Numbers are always those of the clip without any edits: what is merged has the lowest number of its
    parts, and what a split makes is counted on from the last person.

    Raises
    ------
    InputError
        A value is not possible; the sentence says which are.
    """

    people_by: str = "prominence"
    """One of `PEOPLE_BY`, which decides whom a number of people keeps; their own numbers stay."""
    clicks: tuple[Click, ...] = ()
    """Keep whoever is at these points."""
    splits: tuple[Part, ...] = ()
    """Who becomes somebody new, and when."""
    merges: tuple[Merge, ...] = ()
    """Who is one person."""
    reidentify: str = "auto"
    """One of `REIDENTIFY`."""

    def __post_init__(self) -> None:
        for option, value, choices in (
            ("--people-by", self.people_by, PEOPLE_BY),
            ("--reidentify", self.reidentify, REIDENTIFY),
        ):
            if value not in choices:
                raise InputError(
                    f"{option} {value} is not possible; choose from {', '.join(choices)}.",
                    reason="TRACKING_INVALID",
                    value=value,
                )
        if max(len(self.clicks), len(self.splits), len(self.merges)) > _LIMIT:
            raise InputError(
                f"There are more than {_LIMIT} clicks, splits or merges; give fewer.",
                reason="TRACKING_INVALID",
            )
        for split in self.splits:
            if split.at is None:
                raise _invalid("--split", str(split), "TRACK_EDIT_INVALID")
        parts = [part for merge in self.merges for part in merge.parts]
        for option, given in (("--split", list(self.splits)), ("--merge", parts)):
            twice = next((part for k, part in enumerate(given) if part in given[:k]), None)
            if twice is not None:
                raise InputError(
                    f"{option} names {twice} more than once; name it once.",
                    reason="TRACK_EDIT_INVALID",
                    value=twice,
                )
        unmade = next((part for part in parts if part.at is not None and part not in self.splits), None)
        if unmade is not None:
            raise InputError(
                f"--merge names {unmade}, which no split makes; add --split {unmade}.",
                reason="TRACK_EDIT_INVALID",
                value=unmade,
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain JSON data, as the command line has them."""
        return {
            "people_by": self.people_by,
            "clicks": [str(click) for click in self.clicks],
            "splits": [str(split) for split in self.splits],
            "merges": [str(merge) for merge in self.merges],
            "reidentify": self.reidentify,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> TrackingOptions:
        """Read back what `to_dict` wrote; what is absent takes its default."""
        lists: dict[str, Sequence[Any]] = {
            "clicks": tuple(Click.parse(text) for text in fields.get("clicks", ())),
            "splits": tuple(Part.parse(text, "--split") for text in fields.get("splits", ())),
            "merges": tuple(Merge.parse(text) for text in fields.get("merges", ())),
        }
        return cls(**{**fields, **lists})


_HELP = {
    "--click": "a point of the picture, with a frame or seconds if it is not the first one, such as "
    "640,360@120 or 640,360@4.5s",
    "--split": "a person and when somebody new begins, such as 2@140 or 2@4.5s",
    "--merge": "two or more people, such as 1+3, or what a split makes of one, such as 1+2@140",
}


def _invalid(option: str, value: str, reason: str) -> InputError:
    return InputError(f"{option} {value} is not possible; give {_HELP[option]}.", reason=reason, value=value)
