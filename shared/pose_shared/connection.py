"""The line to a server: deadlines, retries, and errors in our own words."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from typing import Any, Callable, Iterator, Optional, TypeVar

import grpc

from pose_shared._generated.pose.v1 import (
    jobs_pb2_grpc,
    motion_pb2_grpc,
    rigs_pb2_grpc,
    system_pb2_grpc,
    uploads_pb2_grpc,
)
from pose_shared.cancel_token import CancelToken
from pose_shared.errors import InputError, JobCancelledError, UnavailableError
from pose_shared.rpc_errors import error_of_call

__all__ = ["DEFAULT_PORT", "Backoff", "Connection"]

DEFAULT_PORT = 50551

#: Calls that answer once. Streams are resumed by the client itself, from where they were cut.
_RETRIED = [
    {"service": "pose.v1.SystemService"},
    *(
        {"service": "pose.v1.JobService", "method": method}
        for method in ("CreateJob", "RefineMotion", "GetJob", "ListJobs", "CancelJob", "DeleteJob")
    ),
    *({"service": "pose.v1.UploadService", "method": method} for method in ("CreateUpload", "GetUpload")),
    {"service": "pose.v1.MotionService", "method": "GetMotion"},
]
_SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": _RETRIED,
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.2s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
_OPTIONS = [
    ("grpc.keepalive_time_ms", 30000),
    ("grpc.keepalive_timeout_ms", 10000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.enable_retries", 1),
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    # A server that was restarted should be found at once, not after two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 3000),
    # Neither a proxy for the web nor the other users of gRPC in a host are our business.
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
]

T = TypeVar("T")


class Connection:
    """A channel to one server with the stubs of its services; safe to use from several threads.

    Parameters
    ----------
    address
        ``host:port``; the port may be left out.
    timeout_s
        For calls that answer once.

    Raises
    ------
    InputError
        The address is none (``ADDRESS_INVALID``).
    """

    def __init__(self, address: str, timeout_s: float) -> None:
        self.address = _complete(address)
        self._timeout_s = timeout_s
        self._closed = CancelToken()
        self._channel = grpc.insecure_channel(self.address, options=_OPTIONS)
        self.jobs = _stub(jobs_pb2_grpc.JobServiceStub, self._channel)
        self.motion = _stub(motion_pb2_grpc.MotionServiceStub, self._channel)
        self.rigs = _stub(rigs_pb2_grpc.RigServiceStub, self._channel)
        self.system = _stub(system_pb2_grpc.SystemServiceStub, self._channel)
        self.uploads = _stub(uploads_pb2_grpc.UploadServiceStub, self._channel)

    def close(self) -> None:
        """End every call that waits, at once; safe to repeat and from any thread."""
        self._closed.cancel()
        self._channel.close()

    def call(self, method: Callable[..., T], request: object, timeout_s: Optional[float] = None) -> T:
        """Call a method that answers once."""
        with self._clear_errors(None):
            return method(request, timeout=timeout_s or self._timeout_s)

    @contextmanager
    def streaming(self, call: Any, stop: Optional[CancelToken]) -> Iterator[Any]:
        """Give a running call, which ends with the block, with `stop`, or with the connection.

        Raises
        ------
        JobCancelledError
            `stop` was set.
        """
        with self._clear_errors(stop), ExitStack() as interrupts:
            interrupts.callback(call.cancel)
            for token in (stop, self._closed):
                if token is not None:
                    interrupts.enter_context(token.calling(call.cancel))
            yield call

    @contextmanager
    def _clear_errors(self, stop: Optional[CancelToken]) -> Iterator[None]:
        try:
            if self._closed.cancelled:
                raise self._closed_error()
            yield
        except (grpc.RpcError, grpc.FutureCancelledError, ValueError) as error:
            if stop is not None and stop.cancelled:
                raise JobCancelledError("Cancelled.") from None
            if self._closed.cancelled:  # calls on a closed channel are a ValueError
                raise self._closed_error() from None
            if isinstance(error, grpc.RpcError):
                if error.code() is grpc.StatusCode.CANCELLED:  # not by us: the server went away
                    raise UnavailableError(
                        f"The pose server at {self.address} ended the call; try again.",
                        reason="SERVER_UNREACHABLE",
                        address=self.address,
                    ) from None
                raise error_of_call(error, self.address) from None
            raise

    def _closed_error(self) -> UnavailableError:
        return UnavailableError(
            f"The connection to {self.address} was closed on this side.",
            reason="CLIENT_CLOSED",
            address=self.address,
        )


class Backoff:
    """Waits between attempts, longer each time, until too long nothing was heard.

    Parameters
    ----------
    patience_s
        How long after the last sign of life to give up.
    stop
        Interrupts the waiting.
    """

    def __init__(self, patience_s: float, stop: Optional[CancelToken]) -> None:
        self._patience_s = patience_s
        self._stop = stop or CancelToken()
        self.reset()

    def reset(self) -> None:
        """Take note of a sign of life."""
        self._waited_s = 0.0
        self._next_s = 0.2

    def until_answered(self, call: Callable[[], T]) -> T:
        """Repeat a call until the server answers."""
        while True:
            try:
                return call()
            except UnavailableError as error:
                self.wait(error)

    def wait(self, error: UnavailableError) -> None:
        """Sleep before the next attempt; raises `error` when patience is through, or for good reason."""
        if error.reason == "CLIENT_CLOSED" or self._waited_s >= self._patience_s:
            raise error
        self._stop.wait(self._next_s)
        self._waited_s += self._next_s
        self._next_s = min(self._next_s * 2, 3.0)


def _stub(kind: Any, channel: grpc.Channel) -> Any:
    return kind(channel)


def _complete(address: str) -> str:
    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):  # no port; or brackets around an IPv6 address
        host, port = address, str(DEFAULT_PORT)
    if not host or not port.isdigit() or not 0 < int(port) < 65536 or any(c in host for c in " /\\@"):
        raise InputError(
            f"'{address}' is no address of a server; give host:port such as 127.0.0.1:{DEFAULT_PORT}.",
            reason="ADDRESS_INVALID",
            address=address,
        )
    return f"{host}:{port}"
