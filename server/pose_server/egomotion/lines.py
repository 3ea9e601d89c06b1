"""Straight lines of what stands behind the people.

A camera that stands still shows the same background all the time: the mean of some frames, each without
the boxes of its people, has less noise and fewer holes than any frame.  Of one that moves only the first
frame counts, for in its axes everything is solved.  Lines are found by the detector of Grompone von Gioi
et al., "LSD: a Line Segment Detector" (IPOL, 2012), which OpenCV has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_server.pipeline.boundary import Detections, FloatArray

__all__ = ["LINES_VERSION", "Backdrop", "lines_of"]

#: Raised when the same frames give other lines.
LINES_VERSION = 1

#: Lines are looked for in pictures of this length, in the mean of so many at most.
_LENGTH_PX, _PICTURES = 1280, 8
#: Shorter ones, as parts of that length, tell no direction.
_SHORTEST = 0.03
#: Masks of people reach this much beyond their boxes.
_AROUND = 0.1


class Backdrop:
    """Keeps some pictures of a clip, evenly spread over what it was shown; frames come in their order."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, NDArray[np.uint8]]] = []
        self._shown, self._every = 0, 1

    def look(self, index: int, frame: NDArray[np.uint8]) -> None:
        """Take notice of an RGB frame, whose number in the source is `index`."""
        if self._shown % self._every == 0:
            self._kept.append((index, _grey_of(frame)))
            if len(self._kept) == 2 * _PICTURES:
                self._kept, self._every = self._kept[::2], 2 * self._every
        self._shown += 1

    def lines(self, found: Sequence[Detections], image_size: tuple[int, int], *, still: bool) -> FloatArray:
        """Return (N, 2, 2) ends of lines in pixels.

        Parameters
        ----------
        found
            Everybody in all frames.
        image_size
            Width and height of the frames.
        still
            Whether the camera stood still.
        """
        import cv2

        if not self._kept:
            return np.zeros((0, 2, 2))
        boxes_px = {frame.index: frame.boxes_px for frame in found}
        pictures = self._kept[: None if still else 1]
        height, width = pictures[0][1].shape
        scale = np.array([width, height]) / image_size
        total, count = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
        for index, picture in pictures:
            free = _free(width, height, boxes_px.get(index, np.zeros((0, 4))) * np.tile(scale, 2))
            cv2.accumulate(picture, total, mask=free)
            count += free > 0
        mean = np.where(count > 0, total / np.maximum(count, 1), pictures[0][1])
        lines = lines_of(mean.astype(np.uint8))
        # What was always hidden is somebody's outline.
        along = lines[:, :1] + np.linspace(0, 1, 9)[:, None] * (lines[:, 1:] - lines[:, :1])
        x, y = np.clip(along.astype(int), 0, [width - 1, height - 1]).transpose(2, 0, 1)
        return np.asarray(lines[(count[y, x] > 0).all(axis=1)] / scale)


def lines_of(grey: NDArray[np.uint8]) -> FloatArray:
    """Return (N, 2, 2) ends of straight lines in a grey picture, in its pixels."""
    import cv2

    found = cv2.createLineSegmentDetector().detect(grey)[0]
    if found is None:
        return np.zeros((0, 2, 2))
    # OpenCV has the centre of the first pixel at 0.
    lines = found.reshape(-1, 2, 2).astype(float) + 0.5
    length = np.linalg.norm(lines[:, 1] - lines[:, 0], axis=1)
    return np.asarray(lines[length > _SHORTEST * max(grey.shape)])


def _grey_of(frame: NDArray[np.uint8]) -> Any:
    import cv2

    height, width = frame.shape[:2]
    scale = min(1.0, _LENGTH_PX / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)


def _free(width: int, height: int, boxes_px: FloatArray) -> NDArray[np.uint8]:
    """Return where nobody is, as OpenCV has masks."""
    free = np.full((height, width), 255, dtype=np.uint8)
    for left, top, right, bottom in boxes_px[np.isfinite(boxes_px).all(axis=1)]:
        wide, high = _AROUND * (right - left), _AROUND * (bottom - top)
        rows = slice(max(0, int(top - high)), max(0, int(bottom + high)))
        free[rows, max(0, int(left - wide)) : max(0, int(right + wide))] = 0
    return free
