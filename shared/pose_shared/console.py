"""Progress where there is no window: one line that moves, or a line now and then in a log."""

from __future__ import annotations

import sys
import time

from pose_shared.session import Session

__all__ = ["wait_for"]

_LOOK_S = 0.2
_LOG_S = 2.0
_BAR = 30
_LINE = 100


def wait_for(session: Session) -> None:
    """Wait for a session and say how far it is; Ctrl-C cancels it."""
    moving = sys.stdout.isatty()
    said, next_line_s = "", 0.0
    try:
        while not session.wait(_LOOK_S):
            words = ", ".join(word for word in (session.stage, session.counts, session.pace) if word)
            if moving:
                filled = round(session.factor * _BAR)
                bar = "█" * filled + "░" * (_BAR - filled)
                print(f"\r{bar} {words}"[:_LINE].ljust(_LINE), end="", flush=True)  # noqa: T201
            elif words != said and time.monotonic() >= next_line_s:
                print(words, flush=True)  # noqa: T201
                said, next_line_s = words, time.monotonic() + _LOG_S
    except KeyboardInterrupt:
        session.cancel()
        session.wait(5.0)
    finally:
        if moving:
            print("\r" + " " * _LINE, end="\r", flush=True)  # noqa: T201
