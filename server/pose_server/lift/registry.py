"""Which lifters there are, by name or by the kind of a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pose_shared.errors import InputError, PoseError

from pose_server.lift.baseline import BaselineLifter
from pose_server.lift.house import HouseLifter
from pose_server.lift.landmarks import LandmarkLifter
from pose_server.lift.lifter import Lifter
from pose_server.lift.videopose3d import VideoPose3DLifter
from pose_server.weights.shipped import shipped_weights

__all__ = ["LifterStatus", "available_lifters", "create_lifter"]

#: By name, the best first, and what each is.
_NAMED: dict[str, tuple[Callable[[str], Lifter], str]] = {
    "house": (
        lambda device: HouseLifter(shipped_weights("house"), device),
        "this project's own network; any detector",
    ),
    "house_causal": (
        lambda device: HouseLifter(shipped_weights("house_causal"), device),
        "the same without later frames, for live use",
    ),
    "landmarks": (lambda device: LandmarkLifter(), "the detector's own 3D points"),
}
#: Checkpoints by their suffix.
_FILES: dict[str, Callable[[Path, str], Lifter]] = {
    ".bin": lambda path, device: VideoPose3DLifter.from_file(path, device=device),
    ".npz": BaselineLifter.from_file,
    ".safetensors": HouseLifter,
}


@dataclass(frozen=True)
class LifterStatus:
    """Whether a lifter that needs no file of the user's can run."""

    name: str
    usable: bool
    advice: str
    """What to do if it cannot, what it is if it can."""


def available_lifters() -> list[LifterStatus]:
    """Return every named lifter, the best first; a usable one has found its weights."""
    statuses = []
    for name, (create, what) in _NAMED.items():
        try:
            create("cpu")
        except PoseError as error:
            statuses.append(LifterStatus(name, False, error.message))
        else:
            statuses.append(LifterStatus(name, True, what))
    return statuses


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
        return _NAMED[choice][0](device)
    path = Path(choice)
    if path.suffix in _FILES and path.is_file():
        return _FILES[path.suffix](path, device)
    raise InputError(
        f"There is no lifter '{choice}'; choose from auto, {', '.join(_NAMED)}, "
        f"or give a checkpoint that exists ({', '.join(_FILES)}).",
        reason="LIFTER_UNKNOWN",
        value=choice,
    )
