"""A file that appears complete or not at all."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pose_shared.errors import InputError, LimitError

__all__ = ["check_file", "replacing"]


def check_file(path: Path, suffixes: Iterable[str]) -> None:
    """Refuse a file that could not be written, before any work is done.

    Raises
    ------
    InputError
        Its suffix is none of those (``SUFFIX_UNKNOWN``), it is a folder, or its folder is missing.
    """
    if path.suffix.lower() not in suffixes:
        raise InputError(
            f"'{path.name}' does not say what to write; let --out end in {' or '.join(suffixes)}.",
            reason="SUFFIX_UNKNOWN",
            path=path,
        )
    if path.is_dir() or not path.parent.is_dir():
        fault = (
            "is a folder; name a file in it" if path.is_dir() else "cannot be written, its folder is missing"
        )
        raise InputError(f"'{path}' {fault}; choose another --out.", reason="OUTPUT_NOT_WRITABLE", path=path)


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
