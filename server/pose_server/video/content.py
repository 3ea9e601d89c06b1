"""What a clip is known by: the hash of its content, whatever it is called and wherever it lies."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pose_shared.errors import MediaError
from pose_shared.transfer import file_sha256

from pose_server.pipeline.progress import Progress, SilentProgress
from pose_server.video.files import find_sequence

__all__ = ["content_fingerprint"]


def content_fingerprint(path: Path, *, progress: Progress | None = None) -> str:
    """Return a SHA-256 in hexadecimal: of a film's bytes, or of the names and bytes of a sequence.

    Raises
    ------
    MediaError
        There is no such clip, or it cannot be read.
    JobCancelledError
        From `progress`.
    """
    check = (progress or SilentProgress()).check
    sequence = find_sequence(path)
    try:
        if sequence is None:
            return file_sha256(path, lambda count: check())
        digest = hashlib.sha256()
        for file in sequence.files.values():
            digest.update(f"{file.name}\0{file_sha256(file, lambda count: check())}\n".encode())
        return digest.hexdigest()
    except OSError as error:
        raise MediaError(
            f"'{path.name}' cannot be read ({error.strerror}); check the disk and its permissions.",
            reason="MEDIA_UNREADABLE",
            path=path,
        ) from None
