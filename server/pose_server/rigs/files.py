"""Any file that holds a rig, or a rig's motion, told by its ending."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from pose_shared.errors import InputError
from pose_shared.rig import Rig, parse_rig

from pose_server.rigs.faults import content_of
from pose_server.rigs.fbx import read_fbx_rig
from pose_server.rigs.gltf import read_gltf_motion, read_gltf_rig
from pose_server.rigs.motion_capture import read_acclaim, read_bvh_rig
from pose_server.rigs.recorded import RecordedRig
from pose_server.rigs.usd import read_usd_rig

__all__ = ["MOTION_ENDINGS", "RIG_ENDINGS", "read_recorded_rig", "read_rig"]

_LONGEST_JSON = 64 << 20
_T = TypeVar("_T")


def _json_rig(path: Path) -> Rig:
    return parse_rig(content_of(path, _LONGEST_JSON).decode("utf-8-sig", errors="replace"), path.name)


_RIGS: dict[str, Callable[[Path], Rig]] = {
    ".glb": read_gltf_rig,
    ".gltf": read_gltf_rig,
    ".usd": read_usd_rig,
    ".usda": read_usd_rig,
    ".usdc": read_usd_rig,
    ".usdz": read_usd_rig,
    ".fbx": read_fbx_rig,
    ".bvh": lambda path: read_bvh_rig(path).rig,
    ".json": _json_rig,
}
_MOTIONS: dict[str, Callable[[Path], RecordedRig]] = {
    ".bvh": read_bvh_rig,
    ".amc": read_acclaim,
    ".glb": read_gltf_motion,
    ".gltf": read_gltf_motion,
}
RIG_ENDINGS, MOTION_ENDINGS = tuple(_RIGS), tuple(_MOTIONS)


def read_rig(path: Path) -> Rig:
    """Read the rig in a file.

    Raises
    ------
    InputError
        ``FORMAT_UNKNOWN``: its ending is none that is read; or from the reader of its format.
    NotFoundError, MissingExtraError
        From the reader of its format.
    """
    return _reader(path, _RIGS, "rig")(path)


def read_recorded_rig(path: Path, take: str | None = None) -> RecordedRig:
    """Read the motion in a file, with the rig that it is on.

    Parameters
    ----------
    path
        Of one of `MOTION_ENDINGS`.
    take
        Name of the animation in a glTF; None for the longest.

    Raises
    ------
    InputError
        As `read_rig`.
    NotFoundError
        There is no such file.
    """
    reader = _reader(path, _MOTIONS, "motion")
    if take is not None and reader is read_gltf_motion:
        return read_gltf_motion(path, take)
    return reader(path)


def _reader(path: Path, readers: Mapping[str, Callable[[Path], _T]], what: str) -> Callable[[Path], _T]:
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"'{path.name[:80]}' is no {what} that is read here; give one of {', '.join(readers)}.",
            reason="FORMAT_UNKNOWN",
            path=path,
        )
    return reader
