"""Every error that pose-server, its client and its add-ons raise on purpose.

::

    PoseError                     INTERNAL            exit 1
    ├── InputError                INVALID_ARGUMENT    exit 2   what the user gave cannot be used
    │   ├── MediaError            INVALID_ARGUMENT    exit 2   the clip itself
    │   └── MissingExtraError     INVALID_ARGUMENT    exit 2   an optional package is needed
    ├── NotFoundError             NOT_FOUND           exit 2   no such job, upload, person or file
    ├── ConflictError             FAILED_PRECONDITION exit 2   not in this state, or not this version
    ├── UnavailableError          UNAVAILABLE         exit 2   the server is not there
    ├── LimitError                RESOURCE_EXHAUSTED  exit 1   queue or disk is full
    ├── DataLossError             DATA_LOSS           exit 1   stored or sent bytes are damaged
    ├── JobCancelledError         CANCELLED           exit 1   somebody cancelled the job
    └── InternalError             INTERNAL            exit 1   a defect, or a worker that died

An error's ``code`` is the canonical gRPC status it travels as, its ``reason`` names the exact
case in UPPER_SNAKE, its message is one sentence that says what to do next, and ``metadata``
repeats every variable of that sentence.  ``to_dict`` and ``from_dict`` carry an error through
a process boundary, a database row or a report; pickling works too.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Type

__all__ = [
    "ConflictError",
    "DataLossError",
    "InputError",
    "InternalError",
    "JobCancelledError",
    "LimitError",
    "MediaError",
    "MissingExtraError",
    "NotFoundError",
    "PoseError",
    "UnavailableError",
    "class_of_code",
]


class PoseError(Exception):
    """Base of the tree; catch it to catch all of them.

    Parameters
    ----------
    message
        One sentence for a person, ending with what to do.
    reason
        UPPER_SNAKE name of the exact case; the class has a default.
    metadata
        The variables of the message, as strings.
    """

    code = "INTERNAL"
    default_reason = "INTERNAL"
    exit_code = 1

    def __init__(self, message: str = "", *, reason: Optional[str] = None, **metadata: Any) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.metadata: Dict[str, str] = {key: str(value) for key, value in metadata.items()}

    def __reduce__(self) -> Any:
        return _rebuild, (self.to_dict(),)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PoseError) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((type(self), self.message, self.reason))

    def to_dict(self) -> Dict[str, Any]:
        """Return the error as plain data: kind, code, reason, message, metadata."""
        return {
            "kind": type(self).__name__,
            "code": self.code,
            "reason": self.reason,
            "message": self.message,
            "metadata": dict(self.metadata),
        }

    @staticmethod
    def from_dict(fields: Mapping[str, Any]) -> PoseError:
        """Return the error that `to_dict` described; an unknown kind falls back to its code."""
        kind = _kinds().get(str(fields.get("kind", ""))) or class_of_code(str(fields.get("code", "")))
        return kind(
            str(fields.get("message", "")),
            reason=str(fields["reason"]) if fields.get("reason") else None,
            **{str(key): value for key, value in dict(fields.get("metadata") or {}).items()},
        )


class InputError(PoseError):
    """Something the user gave cannot be used."""

    code = "INVALID_ARGUMENT"
    default_reason = "INVALID_INPUT"
    exit_code = 2


class MediaError(InputError):
    """The clip is missing, is not a film, is damaged, or shows nobody."""

    default_reason = "MEDIA_UNREADABLE"


class MissingExtraError(InputError):
    """A feature was asked for whose optional package is not installed."""

    default_reason = "MISSING_EXTRA"


class NotFoundError(PoseError):
    """No job, upload, person or file has that name."""

    code = "NOT_FOUND"
    default_reason = "NOT_FOUND"
    exit_code = 2


class ConflictError(PoseError):
    """The thing exists, but its state or version does not allow this."""

    code = "FAILED_PRECONDITION"
    default_reason = "CONFLICT"
    exit_code = 2


class UnavailableError(PoseError):
    """The server cannot be reached."""

    code = "UNAVAILABLE"
    default_reason = "SERVER_UNAVAILABLE"
    exit_code = 2


class LimitError(PoseError):
    """A queue, a disk or a size limit is reached."""

    code = "RESOURCE_EXHAUSTED"
    default_reason = "LIMIT_REACHED"


class DataLossError(PoseError):
    """Bytes that were stored or sent do not match their checksum."""

    code = "DATA_LOSS"
    default_reason = "DATA_DAMAGED"


class JobCancelledError(PoseError):
    """The job was cancelled before it finished."""

    code = "CANCELLED"
    default_reason = "JOB_CANCELLED"


class InternalError(PoseError):
    """A defect in pose-server, or a worker process that died."""


def class_of_code(code: str) -> Type[PoseError]:
    """Return the class that stands for a gRPC status name; `InternalError` for any other."""
    return _BY_CODE.get(code, InternalError)


def _rebuild(fields: Mapping[str, Any]) -> PoseError:
    return PoseError.from_dict(fields)


def _kinds() -> Dict[str, Type[PoseError]]:
    found: Dict[str, Type[PoseError]] = {}
    waiting = [PoseError]
    while waiting:
        kind = waiting.pop()
        found[kind.__name__] = kind
        waiting.extend(kind.__subclasses__())
    return found


_BY_CODE: Dict[str, Type[PoseError]] = {
    kind.code: kind
    for kind in (
        InputError,
        NotFoundError,
        ConflictError,
        UnavailableError,
        LimitError,
        DataLossError,
        JobCancelledError,
    )
}
