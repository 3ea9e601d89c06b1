"""Somebody who sees every frame of the detect stage once, and remembers what tracking will ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_server.egomotion.shifts import Shifts
from pose_server.pipeline.boundary import Detections, FloatArray
from pose_server.track.appearance import APPEARANCE_SIZE, AppearanceReader
from pose_server.track.footage import Footage

__all__ = ["Witness"]

#: Longest side of the pictures that are kept until it is known who is in them, some 0.4 MB each.
_KEPT_PX = 512


class Witness:
    """Takes frames as they are decoded, and later the detections in them, which may lag.

    Memory is bounded by the lag.  One thread may take while another settles what was taken before.

    Parameters
    ----------
    image_size
        Width and height of the frames.
    keypoint_names
        (K,) names as in `pose_shared.skeleton`.
    """

    def __init__(self, image_size: tuple[int, int], keypoint_names: Sequence[str]) -> None:
        self._scale = min(1.0, _KEPT_PX / max(image_size))
        self._size = tuple(max(1, round(side * self._scale)) for side in image_size)
        self._reader = AppearanceReader(keypoint_names)
        self._shifts = Shifts()
        self._kept: dict[int, tuple[Any, Any]] = {}
        self._looks: list[NDArray[np.float16]] = []
        self._sharpness: list[FloatArray] = []

    def take(self, index: int, frame: NDArray[np.uint8]) -> None:
        """See an RGB frame."""
        import cv2

        # Pixels are picked, not mixed: that is ten times as fast, and colours stay what they are.
        picture: Any = cv2.resize(frame, self._size, interpolation=cv2.INTER_NEAREST)
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        self._shifts.look(cv2.pyrDown(grey))
        self._kept[index] = picture, grey

    def settle(self, found: Detections) -> None:
        """Hear who is in the oldest frame that was not settled."""
        picture, grey = self._kept.pop(found.index)
        boxes = found.boxes_px * self._scale
        self._shifts.settle(boxes / 2)
        self._looks.append(
            self._reader.read(picture, self._scale, found.keypoints_px, found.keypoint_confidence)
        )
        self._sharpness.append(np.array([_sharpness(grey, box) for box in boxes], dtype=np.float32))

    def footage(self, *, still: bool) -> Footage:
        """Return what was seen of a clip whose camera stood still, or may have moved."""
        steady = self._shifts.steady(self._scale / 2)
        if still:
            steady[:] = np.eye(2, 3)
        return Footage(
            appearance=np.concatenate([*self._looks, np.zeros((0, APPEARANCE_SIZE), np.float16)]),
            sharpness=np.concatenate([*self._sharpness, np.zeros(0, np.float32)]),
            steady=steady,
        )


def _sharpness(grey: Any, box: FloatArray) -> float:
    import cv2

    left, top, right, bottom = np.clip(np.nan_to_num(box), 0, None).astype(int).tolist()
    part = grey[top : bottom + 1, left : right + 1]
    if part.size < 9:
        return 0.0
    return float(np.abs(cv2.Laplacian(part, cv2.CV_16S)).mean())
