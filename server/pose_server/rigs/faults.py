"""The error of a file whose rig or motion cannot be used."""

from __future__ import annotations

from pathlib import Path

from pose_shared.errors import InputError, NotFoundError

__all__ = ["LARGEST_BYTES", "bad_rig", "content_of"]

#: No file of a rig or its buffers is larger.
LARGEST_BYTES = 2 << 30


def bad_rig(path: Path, fault: str, advice: str = "export the character again") -> InputError:
    """Return the error of a file that is not what its format asks for."""
    return InputError(
        f"'{path.name[:80]}' cannot be read: {fault}; {advice}.",
        reason="RIG_UNREADABLE",
        path=path,
        fault=fault,
    )


def content_of(path: Path, most: int = LARGEST_BYTES) -> bytes:
    """Return a file's bytes.

    Raises
    ------
    NotFoundError
        ``FILE_NOT_FOUND``.
    InputError
        ``RIG_UNREADABLE``: it is larger than `most`, no file, or may not be read.
    """
    try:
        if not path.is_file() and path.exists():
            raise bad_rig(path, "it is no file", "give a file")
        if path.stat().st_size > most:
            raise bad_rig(path, f"it is larger than {most >> 20} MB", "export the character alone")
        return path.read_bytes()
    except FileNotFoundError:
        raise NotFoundError(
            f"There is no file {path}; check the path.", reason="FILE_NOT_FOUND", path=path
        ) from None
    except (OSError, ValueError) as error:
        fault = getattr(error, "strerror", None) or str(error)
        raise bad_rig(path, f"it cannot be opened ({fault})", "check the path") from None
