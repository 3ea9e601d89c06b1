"""Which detectors there are, and which of them can run here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pose_shared.errors import InputError, PoseError

from pose_server.detect.blazepose import BlazePose
from pose_server.detect.detector import Detector

__all__ = ["DetectorStatus", "available_detectors", "create_detector"]

#: By name, the best first; each takes the device and raises what keeps it from running.
_DETECTORS: dict[str, Callable[[str], Detector]] = {
    # TensorFlow Lite in mediapipe's wheel computes on the CPU whatever the device.
    "blazepose": lambda device: BlazePose(),
}


@dataclass(frozen=True)
class DetectorStatus:
    """Whether a detector can run."""

    name: str
    usable: bool
    advice: str
    """What to do if it cannot, what it offers if it can."""


def available_detectors() -> list[DetectorStatus]:
    """Return every detector, the best first; each usable one has found its packages and weights."""
    statuses = []
    for name, create in _DETECTORS.items():
        try:
            create("cpu")
        except PoseError as error:
            statuses.append(DetectorStatus(name, False, error.message))
        else:
            statuses.append(
                DetectorStatus(name, True, "33 points in 2D and 3D for several people, on the CPU")
            )
    return statuses


def create_detector(name: str, device: str) -> Detector:
    """Return a detector; ``auto`` is the best that can run, and its `name` says which that is.

    Parameters
    ----------
    name
        ``auto`` or a name from `available_detectors`.
    device
        ``cpu`` or ``cuda:N``, for detectors that can compute there.

    Raises
    ------
    InputError
        There is no detector of that name (``DETECTOR_UNKNOWN``).
    MissingExtraError
        The detector, or with ``auto`` the best one, needs a package that is not installed.
    """
    if name == "auto":
        usable = [status.name for status in available_detectors() if status.usable]
        name = usable[0] if usable else next(iter(_DETECTORS))
    if name not in _DETECTORS:
        choices = ", ".join(("auto", *_DETECTORS))
        raise InputError(
            f"There is no detector '{name}'; choose from {choices}.", reason="DETECTOR_UNKNOWN", value=name
        )
    return _DETECTORS[name](device)
