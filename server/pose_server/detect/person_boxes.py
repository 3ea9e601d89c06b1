"""Boxes around people, by YOLOX or RTMDet.

Three outputs are known: ``dets`` (N, M, 5) with ``labels`` (N, M), as MMDeploy exports both networks with the
suppression of doubles inside; ``dets`` alone; and the one raw output (N, A, 5 + classes) of YOLOX's own
exports, whose boxes are offsets from the cells of three grids (Ge et al., 2021, arXiv 2107.08430).  A person
is class 0 everywhere.  YOLOX was trained on BGR from 0 to 255, RTMDet on BGR less a mean; nothing in a file
tells them apart but its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_server.detect.letterbox import Letterbox
from pose_server.detect.onnx_network import OnnxNetwork

__all__ = ["PersonBoxes", "kept"]

FloatArray = NDArray[np.floating[Any]]

_STRIDES = (8, 16, 32)
#: Boxes that share more of their union are one person; rtmlib's value.
_SAME = 0.45
#: Mean and standard deviation of the colours in the order B, G, R.
_RTMDET_BGR = np.array([[103.53, 116.28, 123.675], [57.375, 57.12, 58.395]], np.float32)


class PersonBoxes:
    """A person detector.

    Parameters
    ----------
    network
        YOLOX or RTMDet.

    Raises
    ------
    InputError
        It answers with something else (``NETWORK_UNSUITABLE``).
    """

    def __init__(self, network: OnnxNetwork) -> None:
        self._network = network
        self._mean_std = _RTMDET_BGR if "rtmdet" in network.path.stem.lower() else None
        shapes = network.answer_shapes
        cells = sum((network.width // stride) * (network.height // stride) for stride in _STRIDES)
        self._raw = len(shapes) == 1 and len(shapes[0]) == 2 and shapes[0][0] == cells and shapes[0][1] > 5
        self._cells, self._steps = _grid(network.width, network.height)
        # Two outputs are boxes and labels, and no points.
        listed = (
            len(shapes[0]) == 2 and shapes[0][1] == 5 and [len(shape) for shape in shapes[1:]] in ([], [1])
        )
        if not self._raw and not listed:
            raise network.unsuitable(
                "person detector that is known here",
                "give YOLOX or RTMDet as OpenMMLab or YOLOX's authors export it",
            )

    def find(self, frames: Sequence[NDArray[np.uint8]], least: float) -> list[tuple[FloatArray, FloatArray]]:
        """Return (P, 4) boxes in pixels and (P,) scores from `least` on, the surest first, for each frame.

        Parameters
        ----------
        frames
            Each (H, W, 3) RGB.
        least
            Score.
        """
        fits = [
            Letterbox.around((frame.shape[1], frame.shape[0]), self._network.width, self._network.height)
            for frame in frames
        ]
        pictures = [self._seen(fit.filled(frame)) for fit, frame in zip(fits, frames, strict=True)]
        found = []
        for fit, outputs in zip(fits, self._network.run(pictures), strict=True):
            boxes, scores = self._decoded(outputs[0]) if self._raw else _listed(outputs)
            # A person has at least a pixel, and no NaN.
            sides = boxes[:, 2:] - boxes[:, :2]
            sure = (scores >= least) & (sides >= 1).all(axis=1) & np.isfinite(boxes).all(axis=1)
            boxes, scores = boxes[sure], scores[sure]
            order = kept(boxes, scores, _SAME)
            found.append((fit.to_px(boxes[order].reshape(-1, 2, 2)).reshape(-1, 4), scores[order]))
        return found

    def _seen(self, picture: NDArray[np.uint8]) -> FloatArray:
        seen = np.ascontiguousarray(picture.transpose(2, 0, 1)[::-1], np.float32)
        if self._mean_std is not None:
            mean, std = self._mean_std[..., None, None]
            seen -= mean
            seen /= std
        return seen

    def _decoded(self, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        centres = (rows[:, :2] + self._cells) * self._steps
        with np.errstate(over="ignore"):
            halves = np.exp(rows[:, 2:4]) * self._steps / 2
        return np.concatenate((centres - halves, centres + halves), axis=1), rows[:, 4] * rows[:, 5]


def kept(boxes: FloatArray, scores: FloatArray, same: float) -> list[int]:
    """Return which boxes stay, the surest first: those that do not lie on a surer one.

    Parameters
    ----------
    boxes, scores
        (P, 4) left, top, right, bottom, and (P,).
    same
        Intersection over union above which two are one.
    """
    areas = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    stay: list[int] = []
    left = np.argsort(-scores, kind="stable")
    while len(left):
        best, left = left[0], left[1:]
        stay.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[left, :2])
        high = np.minimum(boxes[best, 2:], boxes[left, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        left = left[shared <= same * (areas[best] + areas[left] - shared)]
    return stay


def _listed(outputs: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
    rows = outputs[0]
    if len(outputs) == 2:
        rows = rows[outputs[1].reshape(-1) == 0]
    return rows[:, :4], rows[:, 4]


def _grid(width: int, height: int) -> tuple[FloatArray, FloatArray]:
    """Return (A, 2) column and row, and (A, 1) pixels, of the cells of all grids in YOLOX's order."""
    cells, steps = [], []
    for stride in _STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack((columns.ravel(), rows.ravel()), axis=1))
        steps.append(np.full((rows.size, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(steps).astype(np.float32)
