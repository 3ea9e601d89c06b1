"""The folder a result is written to: complete or not there at all."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pose_shared.errors import InputError, LimitError

__all__ = ["output_folder"]

_REPORT = "report.json"
#: Of Linux's renameat2: names are relative to where the process stands; let both names change places.
_HERE, _RENAME_EXCHANGE = -100, 2


@contextmanager
def output_folder(target: Path) -> Iterator[Path]:
    """Give a temporary folder beside `target`, and move what it holds to `target` at the end.

    An error inside, or the death of the process, leaves `target` as it was.  An earlier result is
    exchanged as a whole, files of the user's own in `target` stay.

    Raises
    ------
    InputError
        `target` is a file, lies below one, or may not be written (``OUTPUT_NOT_WRITABLE``).
    LimitError
        The disk is full (``DISK_FULL``).
    """
    target = Path(os.path.realpath(target))
    missing_parents = [parent for parent in target.parents if not parent.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_dir():
            raise NotADirectoryError(target)
        staged = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
    except (NotADirectoryError, FileExistsError):
        raise InputError(
            f"'{target}' cannot be a folder, because a file stands in its way; choose another --out.",
            reason="OUTPUT_NOT_WRITABLE",
            path=target,
        ) from None
    except OSError as error:
        raise InputError(
            f"'{target}' cannot be written ({error.strerror}); choose another --out.",
            reason="OUTPUT_NOT_WRITABLE",
            path=target,
        ) from None
    try:
        yield staged
        try:
            _publish(staged, target)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise
            raise InputError(
                f"'{target}' cannot be replaced ({error.strerror}); close what uses it, or choose another "
                "--out.",
                reason="OUTPUT_NOT_WRITABLE",
                path=target,
            ) from None
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise LimitError(
            f"The disk that holds '{target}' is full; free some space and try again.",
            reason="DISK_FULL",
            path=target,
        ) from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)
        with suppress(OSError):  # the first that holds something ends it
            for parent in missing_parents:
                parent.rmdir()


def _publish(staged: Path, target: Path) -> None:
    if not target.exists():
        staged.chmod(0o777 & ~_umask())
        os.rename(staged, target)
        return
    shutil.copymode(target, staged)
    ours = _names_of_result(target) | {path.name for path in staged.iterdir()}
    for path in target.iterdir():
        if path.name in ours:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, staged / path.name, symlinks=True, copy_function=_link)
        else:
            _link(path, staged / path.name)
    _exchange(staged, target)


def _names_of_result(folder: Path) -> set[str]:
    """Return the names in a folder that belong to a result of ours."""
    report = folder / _REPORT
    if not report.exists():
        return set()
    try:
        files = json.loads(report.read_text(encoding="utf-8"))["files"]
        listed = {str(file).split("/")[0] for file in files}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        listed = set()
    return {_REPORT, *listed, *(path.name for path in folder.glob("person_[0-9][0-9]"))}


def _link(source: os.PathLike[str] | str, target: os.PathLike[str] | str) -> None:
    """Give a file a second place: at once, or by copying where the disk has no links."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _exchange(staged: Path, target: Path) -> None:
    """Let two folders change places: in one step where the system can, so that no moment is without either.

    Elsewhere the old one stands aside, beside the target, for the moment between two renamings.
    """
    if sys.platform == "linux":
        rename = getattr(ctypes.CDLL(None), "renameat2", None)
        if rename and not rename(_HERE, os.fsencode(staged), _HERE, os.fsencode(target), _RENAME_EXCHANGE):
            return
    aside = staged.with_suffix(".old")
    os.rename(target, aside)
    try:
        os.rename(staged, target)
    except OSError:
        os.rename(aside, target)
        raise
    os.rename(aside, staged)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
