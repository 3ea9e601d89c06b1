"""How a stage says how far it is, and learns that it should stop."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "SilentProgress"]


class Progress(Protocol):
    """The line between a running stage and whoever waits for it.

    A stage calls `report` or `check` at least every half second; both raise `JobCancelledError`
    once the job is cancelled, and the stage lets it pass.
    """

    def report(self, stage: str, done: int, total: int) -> None:
        """Say that `done` of `total` units (frames, unless the stage says otherwise) are through."""

    def note(self, message: str) -> None:
        """Tell the user something that is no error, in one sentence."""

    def check(self) -> None:
        """Raise `JobCancelledError` if the job is cancelled."""


class SilentProgress:
    """Nobody waits, nobody cancels."""

    def report(self, stage: str, done: int, total: int) -> None:
        """Do nothing."""

    def note(self, message: str) -> None:
        """Do nothing."""

    def check(self) -> None:
        """Do nothing."""
