"""A flag that interrupts what waits for it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import Callable, Iterator, List

from pose_shared.errors import JobCancelledError

__all__ = ["CancelToken"]


class CancelToken:
    """Set once, from any thread; calls back whoever registered, at once.

    Unlike a bare `threading.Event`, it can end a blocking network call: the call's own cancel is
    registered while it runs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._callbacks: List[Callable[[], object]] = []

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._event.is_set()

    def cancel(self) -> None:
        """Set the flag; repeating changes nothing."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    def check(self) -> None:
        """Raise `JobCancelledError` if the flag is set."""
        if self.cancelled:
            raise JobCancelledError("Cancelled.")

    def wait(self, seconds: float) -> None:
        """Sleep, but raise `JobCancelledError` as soon as the flag is set."""
        self._event.wait(seconds)
        self.check()

    @contextmanager
    def calling(self, callback: Callable[[], object]) -> Iterator[None]:
        """Have `callback` called when the flag is set inside the block, or is set already."""
        with self._lock:
            done = self._event.is_set()
            if not done:
                self._callbacks.append(callback)
        if done:
            callback()
        try:
            yield
        finally:
            if not done:
                with self._lock:
                    self._callbacks.remove(callback)
