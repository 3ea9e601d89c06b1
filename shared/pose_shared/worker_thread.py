"""Work with a server beside a host application's own thread.

Threading rules
---------------
- The worker never touches the host: no ``bpy``, no ``cmds``, no widget. It only calls the client.
- The host's main thread is the only one that reads events and results, by `WorkerThread.poll`
  from a timer or a modal operator, and the only one that writes the scene.
- Plain frozen objects pass between them, through one bounded queue.
- `cancel` returns at once; the worker ends soon after, wherever it waits. The host's main thread
  never waits for it: a thread that still runs when the host quits dies with it.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Callable, Deque, Generic, List, Optional, TypeVar

from pose_shared.cancel_token import CancelToken
from pose_shared.errors import InternalError, JobCancelledError, PoseError
from pose_shared.messages import JobEvent

__all__ = ["WorkerThread"]

T = TypeVar("T")

_QUEUE_LIMIT = 1000


class WorkerThread(Generic[T]):
    """Runs one piece of work; starts at once.

    Parameters
    ----------
    work
        Called with a function that takes events and with the token that cancels it, such as
        ``lambda post, stop: client.import_clip(path, {}, post, stop)``. What it returns is the result.

    Attributes
    ----------
    stop
        The token that `cancel` sets.
    """

    def __init__(self, work: Callable[[Callable[[JobEvent], None], CancelToken], T]) -> None:
        self.stop = CancelToken()
        self._work = work
        self._lock = threading.Lock()
        self._events: Deque[JobEvent] = deque(maxlen=_QUEUE_LIMIT)
        self._result: Optional[T] = None
        self._error: Optional[PoseError] = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pose-server-client", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether the work has ended, well or not."""
        return self._ended.is_set()

    def poll(self) -> List[JobEvent]:
        """Return what happened since the last call, in order; never waits.

        Of consecutive progress of one stage only the newest is kept.
        """
        with self._lock:
            events = list(self._events)
            self._events.clear()
        return events

    def cancel(self) -> None:
        """Ask the work to end; returns at once, and may be repeated."""
        self.stop.cancel()

    def result(self) -> T:
        """Return what the work returned, once it is `done`.

        Raises
        ------
        PoseError
            What the work failed with; `JobCancelledError` after `cancel`.
        InternalError
            The work has not ended (``NOT_DONE``).
        """
        if not self.done:
            raise InternalError("The work has not ended; look at 'done' first.", reason="NOT_DONE")
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]

    def join(self, timeout_s: float) -> bool:
        """Wait for the end, where a host has no event loop; return whether it came."""
        return self._ended.wait(timeout_s)

    def _post(self, event: JobEvent) -> None:
        with self._lock:
            last = self._events[-1] if self._events else None
            if last and last.progress and event.progress and last.progress.stage == event.progress.stage:
                self._events.pop()
            self._events.append(event)

    def _run(self) -> None:
        try:
            self._result = self._work(self._post, self.stop)
        except PoseError as error:
            self._error = error
        except Exception as error:
            self._error = InternalError(
                f"Something broke that should not ({type(error).__name__}: {error}); please report it.",
                reason="UNEXPECTED",
            )
        finally:
            if self._error is None and self._result is None and self.stop.cancelled:
                self._error = JobCancelledError("Cancelled.")
            self._ended.set()
