"""How a stage says how far it is, and learns that it should stop."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

__all__ = ["FoundPerson", "PersonSummary", "Progress", "SilentProgress"]


@dataclass(frozen=True)
class PersonSummary:
    """One person that tracking found, in a line."""

    index: int
    """Counted from 1 by coverage times size."""
    first_frame: int
    """Source frame numbers; the last one is included."""
    last_frame: int
    coverage: float
    """Share of the clip's frames in which the person was found, 0 to 1."""
    relative_height: float
    """Mean height of the person's box over the picture's."""
    spans: tuple[tuple[int, int], ...] = field(default=(), kw_only=True)
    """First and last frames of where the person was found, but for gaps of less than half a second."""
    best_frame: int | None = field(default=None, kw_only=True)
    """Source frame that shows the person best."""
    best_box_px: tuple[float, ...] = field(default=(), kw_only=True)
    """Left, top, right and bottom of the person there."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` wrote; what is missing or of others is passed over."""
        known = {item.name: fields[item.name] for item in dataclasses.fields(cls) if item.name in fields}
        if "spans" in known:
            known["spans"] = tuple((int(first), int(last)) for first, last in known["spans"])
        if "best_box_px" in known:
            known["best_box_px"] = tuple(known["best_box_px"])
        return cls(**known)


@dataclass(frozen=True)
class FoundPerson(PersonSummary):
    """A person with a picture, for whoever lets a user choose."""

    thumbnail: bytes = field(default=b"", kw_only=True, repr=False)
    """A small JPEG picture of the best frame, such as `pipeline.portraits` makes; empty if there is none."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON data, the picture in base64."""
        return {**super().to_dict(), "thumbnail": base64.b64encode(self.thumbnail).decode("ascii")}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` wrote."""
        thumbnail = base64.b64decode(fields.get("thumbnail", ""))
        return super().from_dict({**fields, "thumbnail": thumbnail})


class Progress(Protocol):
    """The line between a running stage and whoever waits for it.

    A stage calls `report` or `check` at least every half second; both raise `JobCancelledError`
    once the job is cancelled, and the stage lets it pass.
    """

    def report(self, stage: str, done: int, total: int) -> None:
        """Say that `done` of `total` units (frames, unless the stage says otherwise) are through."""

    def note(self, message: str) -> None:
        """Tell the user something that is no error, in one sentence."""

    def people(self, found: Sequence[FoundPerson]) -> None:
        """Say who was found, once tracking is through."""

    def check(self) -> None:
        """Raise `JobCancelledError` if the job is cancelled."""


class SilentProgress:
    """Nobody waits, nobody cancels."""

    def report(self, stage: str, done: int, total: int) -> None:
        """Do nothing."""

    def note(self, message: str) -> None:
        """Do nothing."""

    def people(self, found: Sequence[FoundPerson]) -> None:
        """Do nothing."""

    def check(self) -> None:
        """Do nothing."""
