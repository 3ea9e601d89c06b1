"""The points of people in boxes, by RTMPose.

The network sees a person upright in their box, grown by a quarter and to its own shape, and answers per point
with one row of scores along x and one along y, two for each pixel of its input (SimCC: Li et al., 2022,
arXiv 2107.03332).  Cutting, colours and decoding are those of MMPose's configurations of RTMPose
(``TopdownAffine``, ``SimCCLabel`` without refinement): RGB, and a point is as sure as the less sure of its
two rows.  rtmlib feeds the colours in the order of OpenCV, B first, and takes the mean of the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.skeleton import COCO_17, HALPE_26, JointSet

from pose_server.detect.onnx_network import OnnxNetwork

__all__ = ["Crop", "PosePoints"]

FloatArray = NDArray[np.floating[Any]]

_GROWN = 1.25
_BINS_PER_PX = 2.0
_RGB = np.array([[123.675, 116.28, 103.53], [58.395, 57.12, 57.375]], np.float32)
_JOINTS = {len(joints): joints for joints in (COCO_17, HALPE_26)}


@dataclass(frozen=True)
class Crop:
    """A box of a picture, upright, in the input of a network."""

    x: float
    """Its centre in the picture; pixels have the centre of the first at (0.5, 0.5)."""
    y: float
    scale: float
    """Pixels of the input for one of the picture."""
    width: int
    """Of the input."""
    height: int

    @classmethod
    def around(cls, box_px: FloatArray, width: int, height: int) -> Crop:
        """Return the crop of (4,) left, top, right, bottom, with a margin and in the input's shape."""
        wide, high = (box_px[2:] - box_px[:2]) * _GROWN
        x, y = (box_px[2:] + box_px[:2]) / 2
        return cls(float(x), float(y), float(min(width / wide, height / high)), width, height)

    def cut(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return (height, width, 3) of a picture, black beyond its edge."""
        import cv2

        # Counted from the centre of the first pixel, as OpenCV does and MMPose's matrix means it.
        x, y = self.x - 0.5, self.y - 0.5
        s = self.scale
        matrix = np.array([[s, 0, self.width / 2 - s * x], [0, s, self.height / 2 - s * y]])
        cut = cv2.warpAffine(frame, matrix, (self.width, self.height), flags=cv2.INTER_LINEAR)
        return np.asarray(cut, np.uint8)

    def to_px(self, points: FloatArray) -> FloatArray:
        """Return (..., 2) pixels of the picture of points counted from the centre of the crop's first."""
        return (points - (self.width / 2, self.height / 2)) / self.scale + (self.x, self.y)


class PosePoints:
    """RTMPose.

    Parameters
    ----------
    network
        With 17 points (COCO) or 26 (Halpe).

    Raises
    ------
    InputError
        It answers with something else (``NETWORK_UNSUITABLE``).
    """

    def __init__(self, network: OnnxNetwork) -> None:
        self._network = network
        shapes = network.answer_shapes
        rows = [int(side * _BINS_PER_PX) for side in (network.width, network.height)]
        count = shapes[0][0] if shapes[0] else 0
        if shapes != [(count, rows[0]), (count, rows[1])] or count not in _JOINTS:
            raise network.unsuitable("RTMPose of 17 or 26 points", "give one as OpenMMLab exports it")
        self.joints: JointSet = _JOINTS[count]

    def read(
        self, frames: Sequence[NDArray[np.uint8]], boxes_px: Sequence[FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        """Return (P, K, 2) points in pixels and their (P, K) confidences from 0 to 1.

        Parameters
        ----------
        frames
            P pictures, one for each box; the same may come again.
        boxes_px
            P boxes, each (4,).
        """
        size = self._network.width, self._network.height
        points = np.full((len(boxes_px), len(self.joints), 2), np.nan)
        confidence = np.zeros((len(boxes_px), len(self.joints)))
        # Cut in the network's own portions: the crops of a crowd need not lie in memory at once.
        for start in range(0, len(boxes_px), self._network.batch):
            some = slice(start, start + self._network.batch)
            crops = [Crop.around(box, *size) for box in boxes_px[some]]
            cut = [self._seen(crop.cut(frame)) for crop, frame in zip(crops, frames[some], strict=True)]
            for index, (crop, rows) in enumerate(zip(crops, self._network.run(cut), strict=True), start):
                bins, confidence[index] = _peaks(*rows)
                points[index] = crop.to_px(bins / _BINS_PER_PX)
        points[confidence <= 0] = np.nan
        return points, confidence

    @staticmethod
    def _seen(crop: NDArray[np.uint8]) -> FloatArray:
        seen = np.ascontiguousarray(crop.transpose(2, 0, 1), np.float32)
        mean, std = _RGB[..., None, None]
        seen -= mean
        seen /= std
        return seen


def _peaks(along_x: FloatArray, along_y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (K, 2) places of the largest scores in (K, X) and (K, Y), and the (K,) smaller of the two."""
    places = np.stack((along_x.argmax(axis=1), along_y.argmax(axis=1)), axis=1)
    scores = np.minimum(along_x.max(axis=1), along_y.max(axis=1))
    return places.astype(float), np.clip(scores, 0.0, 1.0)
