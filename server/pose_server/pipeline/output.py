"""The folder a result is written to: complete or not there at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pose_shared.errors import InputError, LimitError

__all__ = ["output_folder"]

_REPORT = "report.json"


@contextmanager
def output_folder(target: Path) -> Iterator[Path]:
    """Give a temporary folder beside `target`, and move what it holds to `target` at the end.

    An error inside leaves `target` as it was.  Files of an earlier result are replaced, files of
    the user's own in `target` stay.

    Raises
    ------
    InputError
        `target` is a file, lies below one, or may not be written (``OUTPUT_NOT_WRITABLE``).
    LimitError
        The disk is full (``DISK_FULL``).
    """
    target = target.absolute()
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
        _publish(staged, target)
    except OSError as error:
        if error.errno != 28:  # ENOSPC
            raise
        raise LimitError(
            f"The disk that holds '{target}' is full; free some space and run the import again.",
            reason="DISK_FULL",
            path=target,
        ) from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)
        with suppress(OSError):  # the first that holds something ends it
            for parent in missing_parents:
                parent.rmdir()


def _publish(staged: Path, target: Path) -> None:
    staged.chmod(0o777 & ~_umask())
    if not target.exists():
        os.rename(staged, target)
        return
    stale = [path for path in target.glob("person_[0-9][0-9]") if (target / _REPORT).exists()]
    for old in [*stale, *(target / new.name for new in staged.iterdir())]:
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        else:
            old.unlink(missing_ok=True)
    # The report last: whoever sees it sees a complete result.
    for new in sorted(staged.iterdir(), key=lambda path: path.name == _REPORT):
        os.rename(new, target / new.name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
