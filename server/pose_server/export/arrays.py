"""Files of plain arrays: written so that equal content gives equal bytes, read without any trust."""

from __future__ import annotations

import io
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InputError, NotFoundError

from pose_server.export.destination import replacing

__all__ = ["read_arrays", "write_arrays"]


def write_arrays(path: Path, fields: Mapping[str, Any]) -> None:
    """Write arrays as an `.npz`, complete or not at all.

    Raises
    ------
    InputError
        The file cannot be written there.
    LimitError
        The disk is full.
    """
    content = io.BytesIO()
    np.savez(content, **fields)
    with replacing(path) as part:
        part.write_bytes(content.getbuffer())


def read_arrays(
    path: Path, wanted: Callable[[str], bool], *, what: str, reason: str
) -> dict[str, NDArray[Any]]:
    """Return those arrays of a file whose names are wanted; nothing in it is ever unpickled.

    Parameters
    ----------
    path
        Of the `.npz`.
    wanted
        Whether an array of that name is of interest: those of a newer version are not.
    what, reason
        What the file should be, such as ``motion``, and the reason of the error if it is not.

    Raises
    ------
    NotFoundError
        There is no such file.
    InputError
        It is damaged or something else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name[: -len(".npy")]: name for name in archive.namelist() if name.endswith(".npy")}
            fields = {}
            for name in filter(wanted, members):
                with archive.open(members[name]) as file:
                    array = np.lib.format.read_array(file, allow_pickle=False)  # type: ignore[no-untyped-call]
                    fields[name] = np.asarray(array)
            return fields
    except FileNotFoundError as error:
        raise NotFoundError(
            f"There is no file {path}; check the path.", reason="FILE_NOT_FOUND", path=path
        ) from error
    except (
        ArithmeticError,
        EOFError,
        MemoryError,
        NotImplementedError,
        OSError,
        RuntimeError,
        SyntaxError,
        TypeError,
        ValueError,
        tokenize.TokenError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise InputError(
            f"{path} is damaged or no {what} file ({str(error) or type(error).__name__}); "
            f"import the clip again, or give a file that pose-server wrote.",
            reason=reason,
            path=path,
        ) from error
