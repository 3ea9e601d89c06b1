"""How errors leave the server: one interceptor around every method."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import grpc
import structlog
from grpc_status import rpc_status
from pose_shared.errors import InternalError, PoseError
from pose_shared.rpc_errors import status_of_error

__all__ = ["ErrorInterceptor"]

log = structlog.get_logger(__name__)


class ErrorInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Ends a call with the status of the `PoseError` that its method raises.

    Anything else is a defect: it is logged with its traceback, and the client hears no more of it
    than that there was one.
    """

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wrap the handler of a method of ours; health and reflection have errors of their own."""
        handler: Any = await continuation(handler_call_details)
        name = handler_call_details.method
        if handler is None or not name.startswith("/pose."):
            return handler
        if handler.response_streaming:

            async def stream(request: Any, context: Any) -> Any:
                method = handler.unary_stream or handler.stream_stream
                try:
                    async with aclosing(method(request, context)) as responses:
                        async for response in responses:
                            yield response
                except Exception as error:
                    await _abort(context, name, error)

            make = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            return make(stream, handler.request_deserializer, handler.response_serializer)

        async def answer(request: Any, context: Any) -> Any:
            method = handler.unary_unary or handler.stream_unary
            try:
                return await method(request, context)
            except Exception as error:
                await _abort(context, name, error)

        make = (
            grpc.stream_unary_rpc_method_handler
            if handler.request_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        return make(answer, handler.request_deserializer, handler.response_serializer)


async def _abort(context: Any, method: str, error: Exception) -> None:
    if isinstance(error, asyncio.CancelledError | grpc.aio.AbortError):
        raise error
    if not isinstance(error, PoseError):
        log.error("rpc_defect", method=method, exc_info=error)
        error = InternalError("The server hit a defect; its log says more.", reason="DEFECT")
    else:
        log.debug("rpc_refused", method=method, reason=error.reason)
    await context.abort_with_status(rpc_status.to_status(status_of_error(error)))
