"""Errors through a real server and a real channel, and back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from pose_server.api.errors import ErrorInterceptor
from pose_server.engine.executor import WorkerLostError
from pose_shared import errors
from pose_shared.errors import InternalError, MediaError, PoseError
from pose_shared.rpc_errors import error_of_call

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PoseError)]
thrown: list[BaseException] = []


class Thrower(grpc.GenericRpcHandler):
    """Raises whatever lies in `thrown`, from a method of each shape."""

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        async def answer(request: Any, context: Any) -> bytes:
            raise thrown[0]

        async def stream(request: Any, context: Any) -> AsyncIterator[bytes]:
            yield b"first"
            raise thrown[0]

        async def hang(request: Any, context: Any) -> bytes:
            await asyncio.sleep(60)
            return b""

        return {
            "/pose.v1.T/Hang": grpc.unary_unary_rpc_method_handler(hang),
            "/pose.v1.T/Answer": grpc.unary_unary_rpc_method_handler(answer),
            "/pose.v1.T/Upload": grpc.stream_unary_rpc_method_handler(answer),
            "/pose.v1.T/Watch": grpc.unary_stream_rpc_method_handler(stream),
        }.get(details.method)


@pytest.fixture(scope="module")
def channel() -> Iterator[grpc.Channel]:
    ready: list[str] = []
    bound, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        server = grpc.aio.server(handlers=[Thrower()], interceptors=[ErrorInterceptor()])
        ready.append(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
        await server.start()
        loops.append(asyncio.get_running_loop())
        bound.set()
        await stop.wait()
        await server.stop(0)

    loops: list[asyncio.AbstractEventLoop] = []
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    bound.wait(10)
    with grpc.insecure_channel(ready[0]) as opened:
        yield opened
    loops[0].call_soon_threadsafe(stop.set)
    thread.join(10)


def received(channel: grpc.Channel, error: BaseException, method: str = "Answer") -> PoseError:
    thrown[:] = [error]
    with pytest.raises(grpc.RpcError) as caught:
        if method == "Answer":
            channel.unary_unary("/pose.v1.T/Answer")(b"", timeout=5)
        elif method == "Upload":
            channel.stream_unary("/pose.v1.T/Upload")(iter([b"x"]), timeout=5)
        else:
            list(channel.unary_stream("/pose.v1.T/Watch")(b"", timeout=5))
    return error_of_call(caught.value, "box:1")


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_comes_back_as_itself(channel: grpc.Channel, kind: type[PoseError]) -> None:
    error = kind("Something is wrong with “ß”; do this.", reason="SOME_CASE", path="/a b", count=3)
    back = received(channel, error)
    assert type(back) is kind
    assert back == error


@pytest.mark.parametrize("method", ["Answer", "Upload", "Watch"])
def test_methods_of_every_shape_are_covered(channel: grpc.Channel, method: str) -> None:
    error = MediaError("Nobody is there.", reason="NOBODY_FOUND")
    assert received(channel, error, method) == error
    defect = received(channel, ValueError("secret /home/somebody"), method)
    assert type(defect) is InternalError
    assert "secret" not in str(defect.to_dict())


def test_a_class_that_clients_lack_arrives_as_its_code(channel: grpc.Channel) -> None:
    back = received(channel, WorkerLostError("It died."))
    assert (back.reason, back.code) == ("WORKER_LOST", "INTERNAL")


def test_long_errors_stay_within_what_grpc_carries(channel: grpc.Channel) -> None:
    many = {f"key{i}": "x" * 5000 for i in range(50)}
    back = received(channel, MediaError("m" * 20_000, reason="LONG", **many))
    assert (type(back), back.reason) == (MediaError, "LONG")


def test_the_wire_follows_the_standard(channel: grpc.Channel) -> None:
    thrown[:] = [MediaError("Nobody is there.", reason="NOBODY_FOUND", frames=3)]
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/pose.v1.T/Answer")(b"", timeout=5)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "Nobody is there."
    status = status_pb2.Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
    info = error_details_pb2.ErrorInfo()
    assert len(status.details) == 1
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain) == ("NOBODY_FOUND", "pose-server")
    assert dict(info.metadata) == {"frames": "3", "kind": "MediaError"}


def test_an_unknown_method_is_another_version(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/pose.v1.T/Later")(b"", timeout=5)
    error = error_of_call(caught.value, "box:1")
    assert (error.reason, error.exit_code) == ("PROTOCOL_MISMATCH", 2)


def test_a_deadline_is_said_with_the_address(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/pose.v1.T/Hang")(b"", timeout=0.1)
    error = error_of_call(caught.value, "box:1")
    assert error.reason == "SERVER_SILENT"
    assert "box:1" in error.message
