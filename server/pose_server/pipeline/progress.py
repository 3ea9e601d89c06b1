"""How a stage says how far it is, and learns that it should stop."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["PersonSummary", "Progress", "SilentProgress"]


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

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> PersonSummary:
        """Read back what `to_dict` wrote."""
        return cls(**{field.name: fields[field.name] for field in dataclasses.fields(cls)})


class Progress(Protocol):
    """The line between a running stage and whoever waits for it.

    A stage calls `report` or `check` at least every half second; both raise `JobCancelledError`
    once the job is cancelled, and the stage lets it pass.
    """

    def report(self, stage: str, done: int, total: int) -> None:
        """Say that `done` of `total` units (frames, unless the stage says otherwise) are through."""

    def note(self, message: str) -> None:
        """Tell the user something that is no error, in one sentence."""

    def people(self, found: Sequence[PersonSummary]) -> None:
        """Say who was found, once tracking is through."""

    def check(self) -> None:
        """Raise `JobCancelledError` if the job is cancelled."""


class SilentProgress:
    """Nobody waits, nobody cancels."""

    def report(self, stage: str, done: int, total: int) -> None:
        """Do nothing."""

    def note(self, message: str) -> None:
        """Do nothing."""

    def people(self, found: Sequence[PersonSummary]) -> None:
        """Do nothing."""

    def check(self) -> None:
        """Do nothing."""
