"""A file that appears complete or not at all."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pose_shared.errors import InputError, LimitError

__all__ = ["replacing"]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to, and move it over `path` when the block ends well.

    Raises
    ------
    InputError
        The folder is missing or cannot be written.
    LimitError
        The disk is full.
    """
    # Some libraries tell the kind of file by how its name ends.
    part = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.part{path.suffix}")
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise LimitError(
                f"The disk is full while writing {path}; free some space and try again.",
                reason="DISK_FULL",
                path=path,
            ) from error
        raise InputError(
            f"{path} cannot be written ({error.strerror or error}); choose another output folder.",
            reason="OUTPUT_NOT_WRITABLE",
            path=path,
        ) from error
    finally:
        # A folder that cannot be entered holds no part of ours either.
        if os.path.lexists(part):
            part.unlink()
