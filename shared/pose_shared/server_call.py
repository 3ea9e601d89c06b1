"""One short question to a server, in a thread of its own: who are you, cancel that, forget this."""

from __future__ import annotations

from typing import Callable, TypeVar

from pose_shared.cancel_token import CancelToken
from pose_shared.client import Client
from pose_shared.messages import JobEvent
from pose_shared.worker_thread import WorkerThread

__all__ = ["ask_server"]

T = TypeVar("T")


def ask_server(server: str, question: Callable[[Client, CancelToken], T]) -> WorkerThread[T]:
    """Start a thread that asks; look at it with `WorkerThread.done` and `WorkerThread.result`.

    Parameters
    ----------
    server
        Its address.
    question
        What to do with the client, such as ``lambda client, stop: client.check_compatible()``.
    """

    def work(post: Callable[[JobEvent], None], stop: CancelToken) -> T:
        with Client(server) as client:
            return question(client, stop)

    return WorkerThread(work)
