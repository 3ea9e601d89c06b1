"""A file, a folder or a zip as one tree of named contents, read with limits and never unpacked."""

from __future__ import annotations

import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from pose_shared.errors import InputError, NotFoundError

from pose_server.keypoints.faults import damaged, too_large

__all__ = ["FileTree", "open_tree", "read_json", "trailing_number"]

#: Of one file, of everything, and of the number of files: what an hour of film needs and memory allows.
_FILE_BYTES = 96 << 20
_ALL_BYTES = 2 << 30
_FILES = 500_000
#: Of a JSON text: containers and values, which take more memory than the text.
_JSON_CONTAINERS, _JSON_VALUES = 3_000_000, 10_000_000


@dataclass
class FileTree:
    """What one path of the user's holds."""

    path: Path
    names: list[str]
    """Of all files, with / between folders, sorted."""
    _archive: zipfile.ZipFile | None = None
    _left: int = field(default=_ALL_BYTES)

    def local(self, name: str) -> Path | None:
        """Return the path of a file, None for one in a zip."""
        if self._archive is not None:
            return None
        return self.path / name if self.path.is_dir() else self.path

    def read(self, name: str, digest: Any) -> bytes:
        """Return the content of a file, and feed its name and content to a hash.

        Raises
        ------
        InputError
            It cannot be read, or it, or all together, are larger than keypoints are.
        """
        limit = min(_FILE_BYTES, self._left)
        try:
            with self._open(name) as file:
                content = file.read(limit + 1)
        except (OSError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
            raise damaged(name, str(error) or type(error).__name__) from None
        except (zipfile.BadZipFile, zlib.error) as error:
            raise damaged(name, str(error)) from None
        if len(content) > limit:
            raise too_large(name, f"more than {limit >> 20} MiB")
        self._left -= len(content)
        digest.update(f"{PurePosixPath(name).name}\0{len(content)}\n".encode(errors="replace"))
        digest.update(content)
        return content

    def _open(self, name: str) -> IO[bytes]:
        local = self.local(name)
        if local is not None:
            return local.open("rb")
        assert self._archive is not None
        return self._archive.open(name)


@contextmanager
def open_tree(path: Path) -> Iterator[FileTree]:
    """Open what a path holds; an ``.npz``, which is a zip too, counts as one file.

    Raises
    ------
    NotFoundError
        There is nothing (``FILE_NOT_FOUND``).
    InputError
        It is empty, damaged, a zip that names places outside of itself (``KEYPOINTS_UNSAFE``), or holds too
        many files (``KEYPOINTS_TOO_LARGE``).
    """
    if not path.exists():
        raise NotFoundError(f"There is no '{path}'; check the path.", reason="FILE_NOT_FOUND", path=path)
    if path.is_dir():
        names = []
        for folder, _, files in os.walk(path):
            places = [Path(folder) / file for file in files]
            # Whoever opens a pipe may wait for ever.
            names += [place.relative_to(path).as_posix() for place in places if place.is_file()]
            if len(names) > _FILES:
                raise too_large(path.name, f"more than {_FILES} files")
        yield FileTree(path, sorted(names))
        return
    if not path.is_file():
        raise InputError(f"'{path}' is no file and no folder.", reason="KEYPOINTS_UNKNOWN", path=path)
    if path.suffix.lower() != ".zip":
        yield FileTree(path, [path.name])
        return
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise damaged(path.name, str(error)) from None
    with archive:
        names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        if len(names) > _FILES:
            raise too_large(path.name, f"more than {_FILES} files")
        for name in names:
            if name.startswith(("/", "\\")) or ":" in name[:2] or ".." in re.split(r"[/\\]", name):
                raise InputError(
                    f"'{path.name}' names a file outside of itself ({name!r}); pack it again.",
                    reason="KEYPOINTS_UNSAFE",
                    path=path.name,
                    name=name,
                )
        yield FileTree(path, sorted(set(names)), archive)


def read_json(name: str, content: bytes) -> Any:
    """Return what a JSON text says.

    Raises
    ------
    InputError
        It is none, is nested too deeply, or holds more values than keypoints do.
    """
    if content.count(b"[") + content.count(b"{") > _JSON_CONTAINERS or content.count(b",") > _JSON_VALUES:
        raise too_large(name, "more values than an hour of keypoints")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise damaged(name, f"no JSON: {error}"[:120]) from None


def trailing_number(name: str) -> tuple[str, int | None]:
    """Return a file's name without folder, suffixes and last number, and that number; None if it has none.

    ``clip_000000000012_keypoints.json`` and ``clip.0012.json`` are frame 12 of ``clip``.
    """
    stem = re.sub(r"(_keypoints)?\.[A-Za-z]\w*$", "", PurePosixPath(name).name)
    digits = re.search(r"(\d+)\D*$", stem)
    if digits is None or len(digits[1]) > 15:
        return stem, None
    return stem[: digits.start(1)].strip("._- "), int(digits[1])
