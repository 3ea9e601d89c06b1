"""Takes one file out of a zip, and nothing else."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from pose_shared.errors import DataLossError

__all__ = ["extract_member"]

#: No weights are larger; a zip that says or turns out otherwise is a bomb.
_MOST_BYTES = 4 << 30


def extract_member(archive: Path, member: str, place: Path) -> None:
    """Write the one file called `member`, in whatever folder of the archive, to `place`.

    No name from inside the archive is used as a path, and no more is written than the archive says.

    Raises
    ------
    DataLossError
        It is no zip or a damaged one, has no such file or several, or that file is too large
        (``ARCHIVE_WRONG``).
    """
    try:
        with zipfile.ZipFile(archive) as content:
            entries = [entry for entry in content.infolist() if PurePosixPath(entry.filename).name == member]
            if len(entries) != 1:
                raise _wrong(archive, f"it holds {len(entries)} files called {member}")
            if entries[0].file_size > _MOST_BYTES:
                raise _wrong(archive, f"{member} in it is larger than any weights")
            with content.open(entries[0]) as source, place.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)  # stops, and checks, at the size that it says
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        place.unlink(missing_ok=True)
        raise _wrong(archive, str(error) or type(error).__name__) from None


def _wrong(archive: Path, why: str) -> DataLossError:
    return DataLossError(
        f"{archive.name} is not the archive it should be: {why}.",
        reason="ARCHIVE_WRONG",
        path=archive,
        detail=why,
    )
