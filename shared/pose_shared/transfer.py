"""What both ends know of files that travel: chunks, checksums, and the files of an image sequence."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Callable, Iterator, List

__all__ = ["CHUNK_BYTES", "file_sha256", "is_sequence", "read_chunks", "sequence_files"]

#: The fastest size on a loopback connection, and far below gRPC's limit of 4 MiB.
CHUNK_BYTES = 1024 * 1024

_COUNTER = re.compile(r"%0?(\d*)d|#+")


def file_sha256(path: Path, on_bytes: Callable[[int], None] = lambda count: None) -> str:
    """Return the checksum of a file in hexadecimal; `on_bytes` hears of every piece and may raise."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for piece in iter(lambda: file.read(CHUNK_BYTES), b""):
            digest.update(piece)
            on_bytes(len(piece))
    return digest.hexdigest()


def read_chunks(path: Path, offset: int = 0) -> Iterator[bytes]:
    """Yield a file's bytes from `offset` on in pieces of `CHUNK_BYTES`."""
    with path.open("rb") as file:
        file.seek(offset)
        yield from iter(lambda: file.read(CHUNK_BYTES), b"")


def is_sequence(name: str) -> bool:
    """Return whether a name is the pattern of an image sequence: ``shot.%04d.png``, ``shot.####.exr``."""
    return _COUNTER.search(name) is not None


def sequence_files(pattern: Path) -> List[Path]:
    """Return the files that a sequence's pattern means, by number.

    A ``#`` stands for one digit, as ``%04d`` for at least four; the folder itself is no pattern.
    """
    match = _COUNTER.search(pattern.name)
    if not match or not pattern.parent.is_dir():
        return []
    token = match.group()
    width = len(token) if token[0] == "#" else int(match.group(1) or 1) if token.startswith("%0") else 1
    head, tail = pattern.name[: match.start()], pattern.name[match.end() :]
    numbered = re.compile(re.escape(head) + rf"(\d{{{width},}})" + re.escape(tail))
    found = []
    for path in pattern.parent.iterdir():
        hit = numbered.fullmatch(path.name)
        if hit:
            found.append((int(hit.group(1)), path))
    return [path for _, path in sorted(found)]
