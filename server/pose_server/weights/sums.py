"""``SHA256SUMS``: the digests of the files in one folder, as `sha256sum` writes and checks them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pose_shared.errors import InputError

__all__ = ["SUMS_FILE", "add_sum", "read_sums"]

SUMS_FILE = "SHA256SUMS"

_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")


def read_sums(folder: Path) -> dict[str, str]:
    """Return the digests that a folder's ``SHA256SUMS`` tells by file name; none without such a file.

    Raises
    ------
    InputError
        A line is no digest and name (``SUMS_DAMAGED``).
    """
    place = folder / SUMS_FILE
    try:
        lines = place.read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    sums = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise InputError(
                f"Line {number} of {place} is no digest and file name; write the file anew with sha256sum.",
                reason="SUMS_DAMAGED",
                path=place,
                line=number,
            )
        sums[match[2].removeprefix("./")] = match[1].lower()
    return sums


def add_sum(folder: Path, file: str, sha256: str) -> None:
    """Note the digest of a file in the folder's ``SHA256SUMS``, in place of an older one."""
    sums = {**read_sums(folder), file: sha256}
    part = folder / f"{SUMS_FILE}.{os.getpid()}.part"
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    part.write_text(text, encoding="utf-8")
    part.replace(folder / SUMS_FILE)
