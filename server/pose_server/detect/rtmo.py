"""People and their points at once, by RTMO (Lu et al., 2023, arXiv 2312.07526).

As MMDeploy exports it: the whole picture in BGR from 0 to 255, ``dets`` (N, M, 5) and ``keypoints``
(N, M, 17, 3), the suppression of doubles inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.skeleton import COCO_17

from pose_server.detect.letterbox import Letterbox
from pose_server.detect.onnx_network import OnnxNetwork

__all__ = ["OneStage"]

FloatArray = NDArray[np.floating[Any]]


class OneStage:
    """RTMO.

    Parameters
    ----------
    network
        With 17 points.

    Raises
    ------
    InputError
        It answers with something else (``NETWORK_UNSUITABLE``).
    """

    joints = COCO_17

    def __init__(self, network: OnnxNetwork) -> None:
        self._network = network
        shapes = network.answer_shapes
        if len(shapes) != 2 or shapes[0][1:] != (5,) or shapes[1][1:] != (len(COCO_17), 3):
            raise network.unsuitable(
                "RTMO of 17 points",
                "give one as OpenMMLab exports it, or a person detector, a comma and RTMPose",
            )

    def find(
        self, frames: Sequence[NDArray[np.uint8]], least: float
    ) -> list[tuple[FloatArray, FloatArray, FloatArray, FloatArray]]:
        """Return boxes, scores, points and their confidences for each frame, the surest person first.

        Parameters
        ----------
        frames
            Each (H, W, 3) RGB.
        least
            Score from which on people are returned.

        Returns
        -------
        list
            For each frame (P, 4) pixels, (P,), (P, 17, 2) pixels and (P, 17) from 0 to 1.
        """
        fits = [
            Letterbox.around((frame.shape[1], frame.shape[0]), self._network.width, self._network.height)
            for frame in frames
        ]
        pictures = [
            np.ascontiguousarray(fit.filled(frame)[:, :, ::-1].transpose(2, 0, 1), np.float32)
            for fit, frame in zip(fits, frames, strict=True)
        ]
        found = []
        for fit, (rows, points) in zip(fits, self._network.run(pictures), strict=True):
            order = np.argsort(-rows[:, 4], kind="stable")
            order = order[rows[order, 4] >= least]
            rows, points = rows[order], points[order]
            confidence = np.clip(points[..., 2], 0.0, 1.0)
            # Its points count from the centre of the first pixel.
            points_px = fit.to_px(points[..., :2] + 0.5)
            points_px[confidence == 0] = np.nan
            boxes_px = fit.to_px(rows[:, :4].reshape(-1, 2, 2)).reshape(-1, 4)
            found.append((boxes_px, rows[:, 4], points_px, confidence))
        return found
