"""What one call does with several clips: a result for each, and one that fails stops no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pose_shared.errors import JobCancelledError, PoseError

__all__ = ["Importer", "import_each"]

#: Imports one clip into a folder, and returns its report.
Importer = Callable[[Path], dict[str, Any]]
#: More names than these make no sentence.
_MOST_NAMED = 5


def import_each(clips: Sequence[tuple[str, Importer]], out: Path) -> list[dict[str, Any]]:
    """Import one clip into `out`, or several into a folder each in it.

    Parameters
    ----------
    clips
        Names, each once, and what imports the clip of that name.
    out
        Folder for the results.

    Raises
    ------
    PoseError
        As the import; of several clips once all were tried, naming those that have no result.
    """
    if len(clips) == 1:
        return [run(out) for _, run in clips]
    reports, failed = [], []
    for name, run in clips:
        try:
            reports.append(run(out / name))
        except JobCancelledError:
            raise
        except PoseError as error:
            failed.append((name, error))
    if failed:
        names = ", ".join(f"'{name}'" for name, _ in failed[:_MOST_NAMED])
        others = "" if len(failed) <= _MOST_NAMED else f" and {len(failed) - _MOST_NAMED} more"
        first = failed[0][1]
        raise type(first)(
            f"{len(reports)} of {len(clips)} clips were imported, but not {names}{others}: {first.message}",
            reason=first.reason,
            **{**first.metadata, "clips": len(clips), "failed": len(failed)},
        )
    return reports
