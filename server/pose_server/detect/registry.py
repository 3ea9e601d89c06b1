"""Which detectors there are, and which of them can run here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pose_shared.errors import InputError, NotFoundError, PoseError

from pose_server.detect.blazepose import BlazePose
from pose_server.detect.detector import Detector
from pose_server.detect.rtmpose import RTMPOSE_MODELS, RtmPose
from pose_server.weights.registry import WEIGHTS
from pose_server.weights.store import weights_store

__all__ = ["DetectorStatus", "ModelStatus", "available_detectors", "best_detector", "create_detector"]

#: Makes a detector of a model (None for its usual one), a device and a least score (None for the usual
#: one), and raises what keeps it from running.
Create = Callable[[str | None, str, float | None], Detector]


def _detectron2(model: str | None, device: str, score: float | None) -> Detector:
    from pose_server.detect.detectron2 import Detectron2

    return Detectron2(model, device=device, score=score)


def _blazepose(model: str | None, device: str, score: float | None) -> Detector:
    # TensorFlow Lite in mediapipe's wheel computes on the CPU whatever the device.
    settings = (("models", model, f"':{model}'"), ("score to set", score, "--detector-score"))
    for what, given, option in settings:
        if given is not None:
            raise InputError(
                f"The detector blazepose has no {what}; leave out {option}.",
                reason="DETECTOR_MODEL_UNKNOWN",
                value=given,
            )
    return BlazePose()


def _rtmpose(model: str | None, device: str, score: float | None) -> Detector:
    return RtmPose(model, device=device, score=score)


#: By name, the best first, and what each offers.
_DETECTORS: dict[str, tuple[Create, str]] = {
    "rtmpose": (_rtmpose, "17 points, or 26 with heels and toes, on the CPU or a GPU"),
    "blazepose": (_blazepose, "33 points in 2D and 3D for several people, on the CPU"),
    "detectron2": (_detectron2, "17 points of everybody by Keypoint R-CNN, best on a GPU"),
}


#: Models that need more than one file of weights, by detector; elsewhere a model is a file of its name.
_MODELS: dict[str, dict[str, tuple[str, ...]]] = {"rtmpose": RTMPOSE_MODELS}


@dataclass(frozen=True)
class ModelStatus:
    """Whether the weights of a detector's model are here."""

    name: str
    """As ``DETECTOR:NAME`` takes it."""
    here: bool
    advice: str
    """How to fetch them, if they are not."""


@dataclass(frozen=True)
class DetectorStatus:
    """Whether a detector can run."""

    name: str
    usable: bool
    advice: str
    """What to do if it cannot, what it offers if it can."""
    models: tuple[ModelStatus, ...] = ()
    """The best first; none where there is nothing to choose or to fetch."""
    lacks_weights: bool = False
    """It is installed, and only its weights are not here."""


def available_detectors() -> list[DetectorStatus]:
    """Return every detector, the best first; each usable one has found its packages and weights.

    No network is built and no large package imported for it.
    """
    statuses = []
    for name, (create, what) in _DETECTORS.items():
        models = _models_of(name)
        try:
            create(None, "cpu", None)
        except PoseError as error:
            lacks = isinstance(error, NotFoundError) and error.reason == "WEIGHTS_MISSING"
            statuses.append(DetectorStatus(name, False, error.message, models, lacks))
        else:
            statuses.append(DetectorStatus(name, True, what, models))
    return statuses


def best_detector() -> tuple[str, str]:
    """Return the detector that ``auto`` means here, and which that is and why, for the user.

    What is not installed is not asked for; ``pose-server doctor`` does that.
    """
    statuses = available_detectors()
    best = next((status for status in statuses if status.usable), statuses[0])
    better = [status for status in statuses[: statuses.index(best)] if status.lacks_weights]
    if not best.usable:
        why = "No detector can run here."
    elif better:
        why = f"The detector is {best.name}; {better[0].name} would come first. {better[0].advice}"
    else:
        what = "whose weights are here" if best.models else "that is installed"
        why = f"The detector is {best.name}, the best {what}."
    return best.name, why


def _models_of(detector: str) -> tuple[ModelStatus, ...]:
    store = weights_store()
    single = {name: (name,) for name, weights in WEIGHTS.items() if weights.used_by == detector}
    statuses = []
    for model, names in _MODELS.get(detector, single).items():
        missing = [name for name in names if store.find(WEIGHTS[name]) is None]
        advice = f"pose-server models fetch {' '.join(missing)}" if missing else ""
        statuses.append(ModelStatus(model, not missing, advice))
    return tuple(statuses)


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
    NotFoundError
        Its weights are not here (``WEIGHTS_MISSING``); says how to fetch them.
    """
    name, _, model = choice.partition(":")
    if choice == "auto":
        name, _ = best_detector()
    if name not in _DETECTORS:
        choices = ", ".join(("auto", *_DETECTORS))
        raise InputError(
            f"There is no detector '{name}'; choose from {choices}.", reason="DETECTOR_UNKNOWN", value=name
        )
    return _DETECTORS[name][0](model or None, device, score)
