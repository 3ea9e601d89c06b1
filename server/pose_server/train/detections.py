"""The detections of VideoPose3D's inference scripts: one ``.npz`` per film."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InputError

from pose_server.lift.videopose3d import filled
from pose_server.weights.pickled import read_arrays

__all__ = ["FilmPoints", "read_detections"]

_JOINTS = 17


class FilmPoints(NamedTuple):
    """The likeliest person of each frame."""

    points_px: NDArray[np.float32]
    """(T, 17, 2) in COCO's order."""
    size: tuple[int, int]
    """Width and height of the picture."""


def read_detections(path: Path) -> FilmPoints:
    """Read a film's detections; frames without anybody lie on a line between those around them.

    Raises
    ------
    InputError
        The file is missing, damaged or contains code; it lacks a key (``DATASET_KEYS``), a frame is no
        list of people with 17 keypoints (``DATASET_SHAPE``), or nobody is in the film (``DATASET_EMPTY``).
    """
    arrays = read_arrays(path)
    try:
        boxes, keypoints = arrays["boxes"], arrays["keypoints"]
        size = (int(arrays["metadata"]["w"]), int(arrays["metadata"]["h"]))
    except (KeyError, TypeError, IndexError, ValueError):
        raise _error(path, "DATASET_KEYS", "it lacks boxes, keypoints or the film's size") from None
    points = np.full((len(boxes), _JOINTS, 2), np.nan, dtype=np.float32)
    for frame, (found, people) in enumerate(zip(boxes, keypoints, strict=False)):
        try:
            points[frame] = _likeliest(found, people)
        except (IndexError, TypeError, ValueError):
            raise _error(path, "DATASET_SHAPE", f"frame {frame} holds no people of 17 keypoints") from None
    if not np.isfinite(points).any():
        raise _error(path, "DATASET_EMPTY", "nobody is in the film")
    return FilmPoints(filled(points, "linear").astype(np.float32), size)


def _likeliest(boxes: Any, people: Any) -> NDArray[Any]:
    """Return (17, 2) of the person of the highest score, NaN of an empty frame.

    Both are lists by class of which the second is the person: boxes (n, 5) with the score last, and
    keypoints (n, 4, 17) of which the first two rows are x and y.
    """
    if len(boxes) == 0 or len(boxes[1]) == 0 or len(people[1]) == 0:
        return np.full((_JOINTS, 2), np.nan)
    best = int(np.argmax(np.asarray(boxes[1])[:, 4]))
    return np.asarray(people[1])[best, :2].T


def _error(path: Path, reason: str, what: str) -> InputError:
    return InputError(
        f"{path.name} cannot be used: {what}; run the detector again.", reason=reason, path=path, detail=what
    )
