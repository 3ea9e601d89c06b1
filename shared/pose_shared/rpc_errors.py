"""Errors as they travel over gRPC: one way out of the server, one way into the client.

An error is a ``google.rpc.Status`` with one ``google.rpc.ErrorInfo``: its reason, the domain
``pose-server``, and as metadata the variables of its sentence and, under ``kind``, its class.
"""

from __future__ import annotations

from typing import Any, Optional, Tuple

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2

from pose_shared.errors import (
    ConflictError,
    InternalError,
    PoseError,
    UnavailableError,
    class_of_code,
)

__all__ = ["DOMAIN", "error_of_call", "status_of_error"]

DOMAIN = "pose-server"

_DETAILS_KEY = "grpc-status-details-bin"
# gRPC drops a call whose metadata grows past 8 KiB.
_MESSAGE_LIMIT = 1500
_VALUE_LIMIT = 300
_VALUES = 12


def status_of_error(error: PoseError) -> status_pb2.Status:
    """Return an error as the status that a call ends with."""
    metadata = {key: value[:_VALUE_LIMIT] for key, value in list(error.metadata.items())[:_VALUES]}
    metadata["kind"] = type(error).__name__
    status = status_pb2.Status(code=code_pb2.Code.Value(error.code), message=error.message[:_MESSAGE_LIMIT])
    status.details.add().Pack(
        error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)
    )
    return status


def error_of_call(call: grpc.RpcError, address: str) -> PoseError:
    """Return what a failed call means to the user of the server at `address`."""
    info, message = _error_info(call)
    code = call.code()
    if info is not None:
        metadata = dict(info.metadata)
        return PoseError.from_dict(
            {
                "kind": metadata.pop("kind", ""),
                "code": code.name,
                "reason": info.reason,
                "message": message,
                "metadata": metadata,
            }
        )
    details = call.details() or ""
    if code is grpc.StatusCode.UNAVAILABLE:
        return UnavailableError(
            f"No pose server answers at {address}; start one there with 'pose-server serve', "
            "or check the address.",
            reason="SERVER_UNREACHABLE",
            address=address,
            details=details,
        )
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return UnavailableError(
            f"The pose server at {address} does not answer; check the address and the network, "
            "or start it again.",
            reason="SERVER_SILENT",
            address=address,
        )
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return ConflictError(
            f"The server at {address} does not know this request; update it, or check the address.",
            reason="PROTOCOL_MISMATCH",
            address=address,
            details=details,
        )
    kind = class_of_code(code.name)
    if kind is InternalError:
        return InternalError(
            f"The pose server at {address} failed ({code.name}); see its log.",
            reason="SERVER_FAILED",
            address=address,
            details=details,
        )
    return kind(f"The pose server at {address} refused the request: {details}.", details=details)


def _error_info(call: grpc.RpcError) -> Tuple[Optional[error_details_pb2.ErrorInfo], str]:
    trailing: Any = call.trailing_metadata() or ()
    for key, value in trailing:
        if key != _DETAILS_KEY:
            continue
        status = status_pb2.Status.FromString(value)
        for detail in status.details:
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info) and info.domain == DOMAIN:
                return info, status.message
    return None, ""
