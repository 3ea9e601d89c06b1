"""Which detectors there are, and which of them can run here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pose_shared.errors import InputError, PoseError

from pose_server.detect.blazepose import BlazePose
from pose_server.detect.detector import Detector

__all__ = ["DetectorStatus", "available_detectors", "create_detector"]

#: Makes a detector of a model (None for its usual one), a device and a least score (None for the usual
#: one), and raises what keeps it from running.
Create = Callable[[str | None, str, float | None], Detector]


def _blazepose(model: str | None, device: str, score: float | None) -> Detector:
    # TensorFlow Lite in mediapipe's wheel computes on the CPU whatever the device.
    for what, given in (("models", model), ("score to set", score)):
        if given is not None:
            raise InputError(
                f"The detector blazepose has no {what}; leave out '{given}'.",
                reason="DETECTOR_MODEL_UNKNOWN",
                value=given,
            )
    return BlazePose()


#: By name, the best first, and what each offers.
_DETECTORS: dict[str, tuple[Create, str]] = {
    "blazepose": (_blazepose, "33 points in 2D and 3D for several people, on the CPU"),
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
    for name, (create, what) in _DETECTORS.items():
        try:
            create(None, "cpu", None)
        except PoseError as error:
            statuses.append(DetectorStatus(name, False, error.message))
        else:
            statuses.append(DetectorStatus(name, True, what))
    return statuses


def create_detector(choice: str, device: str, *, score: float | None = None) -> Detector:
    """Return a detector; ``auto`` is the best that can run, and its `name` says which that is.

    Parameters
    ----------
    choice
        ``auto``, a name from `available_detectors`, or ``NAME:MODEL`` for another of its models.
    device
        ``cpu`` or ``cuda:N``, for detectors that can compute there.
    score
        A person's least score, 0 to 1; the detector's own when None.

    Raises
    ------
    InputError
        There is no detector of that name (``DETECTOR_UNKNOWN``), or it has no such model or setting.
    MissingExtraError
        The detector, or with ``auto`` the best one, needs a package that is not installed.
    """
    name, _, model = choice.partition(":")
    if choice == "auto":
        usable = [status.name for status in available_detectors() if status.usable]
        name = usable[0] if usable else next(iter(_DETECTORS))
    if name not in _DETECTORS:
        choices = ", ".join(("auto", *_DETECTORS))
        raise InputError(
            f"There is no detector '{name}'; choose from {choices}.", reason="DETECTOR_UNKNOWN", value=name
        )
    return _DETECTORS[name][0](model or None, device, score)
