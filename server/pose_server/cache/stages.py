"""Results of stages on disk, so that a new setting runs only what depends on it."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InternalError

__all__ = ["StageCache"]


class StageCache:
    """Arrays by fingerprint, one file each; the least recently read go when space runs out.

    A file appears whole or not at all, so that processes may share the folder. One that cannot be
    read back (its checksums are verified) is removed and counts as absent.

    Parameters
    ----------
    folder
        Made when it does not exist.
    max_bytes
        What all files together may take; a single larger result is not kept.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def get(self, key: str) -> dict[str, NDArray[Any]] | None:
        """Return the arrays that were put under `key`, or None."""
        path = self._path(key)
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
            path.unlink(missing_ok=True)
            return None
        return arrays

    def put(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep `arrays` under `key`.

        Raises
        ------
        InternalError
            An array holds Python objects, which would need a pickle.
        """
        for name, array in arrays.items():
            if np.asarray(array).dtype.hasobject:
                raise InternalError(f"The stage result {name} holds objects; cache plain arrays only.")
        path = self._path(key)
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".tmp", dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **dict(arrays))
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        self._prune()

    def _path(self, key: str) -> Path:
        if not key.isalnum():
            raise InternalError(f"'{key}' is no fingerprint; use hexadecimal digits.")
        return self._folder / f"{key}.npz"

    def _prune(self) -> None:
        found = []
        for path in self._folder.glob("*.npz"):
            try:
                status = path.stat()
            except FileNotFoundError:  # another process was quicker
                continue
            found.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self._max_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size
