"""Scenes as files."""

from __future__ import annotations

from pathlib import Path

from maya import cmds
from pose_shared.errors import InputError

__all__ = ["new_scene", "save_scene"]


def new_scene(*, up: str = "", time_unit: str = "", linear_unit: str = "") -> None:
    """Begin an empty scene; what is empty is as the user's preferences have it.

    Raises
    ------
    InputError
        Maya has no such unit (``UNIT_UNKNOWN``).
    """
    cmds.file(new=True, force=True)
    if up:
        cmds.upAxis(axis=up, rotateView=False)
    for kind, unit in (("time", time_unit), ("linear", linear_unit)):
        if not unit:
            continue
        try:
            cmds.currentUnit(**{kind: unit})
        except RuntimeError as error:
            raise InputError(
                f"Maya has no unit '{unit}'; write it as Maya does, such as film, 29.97fps, cm or m.",
                reason="UNIT_UNKNOWN",
                unit=unit,
            ) from error


def save_scene(path: Path, file_type: str) -> None:
    """Write the scene to a file.

    Raises
    ------
    InputError
        Its folder cannot be written to (``OUT_UNWRITABLE``).
    """
    try:
        path.resolve().parent.mkdir(parents=True, exist_ok=True)
        cmds.file(rename=path.resolve().as_posix())
        cmds.file(save=True, type=file_type, force=True)
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"'{path}' cannot be written; choose another folder.", reason="OUT_UNWRITABLE", path=path
        ) from error
