"""Which lifters there are, by name or by the kind of a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pose_shared.errors import InputError

from pose_server.lift.baseline import BaselineLifter
from pose_server.lift.house import HouseLifter
from pose_server.lift.landmarks import LandmarkLifter
from pose_server.lift.lifter import Lifter
from pose_server.lift.videopose3d import VideoPose3DLifter
from pose_server.weights.shipped import shipped_weights

__all__ = ["create_lifter"]

_NAMED: dict[str, Callable[[str], Lifter]] = {
    "house": lambda device: HouseLifter(shipped_weights("house"), device),
    "landmarks": lambda device: LandmarkLifter(),
}
#: Checkpoints by their suffix.
_FILES: dict[str, Callable[[Path, str], Lifter]] = {
    ".bin": lambda path, device: VideoPose3DLifter.from_file(path, device=device),
    ".npz": BaselineLifter.from_file,
    ".safetensors": HouseLifter,
}


def create_lifter(choice: str, device: str) -> Lifter:
    """Return a lifter.

    Parameters
    ----------
    choice
        ``auto`` (the house lifter), another name, or the path of a checkpoint.
    device
        ``cpu`` or ``cuda:N``, for those that compute there.

    Raises
    ------
    InputError
        ``LIFTER_UNKNOWN``: neither a name nor a checkpoint of a known kind; or from the checkpoint.
    """
    if choice == "auto":
        choice = "house"
    if choice in _NAMED:
        return _NAMED[choice](device)
    path = Path(choice)
    if path.suffix in _FILES and path.is_file():
        return _FILES[path.suffix](path, device)
    raise InputError(
        f"There is no lifter '{choice}'; choose from auto, {', '.join(_NAMED)}, "
        f"or give a checkpoint that exists ({', '.join(_FILES)}).",
        reason="LIFTER_UNKNOWN",
        value=choice,
    )
