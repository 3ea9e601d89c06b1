"""How many pixels a metre makes at a person, so that limits hold at any distance."""

from __future__ import annotations

import numpy as np

from pose_server.pipeline.boundary import FloatArray, Track2D

__all__ = ["metric_scale"]


def metric_scale(track: Track2D) -> FloatArray:
    """Return (T,) pixels per metre at the person, from the size of the landmarks in the picture.

    Without landmarks the box tells: its diagonal is taken for 1.9 m.
    """
    seen = np.isfinite(track.keypoints_px).all(axis=2) & np.isfinite(track.landmarks_m).all(axis=2)
    weight = np.where(seen, track.keypoint_confidence + 1e-3, 0.0)[..., None]

    def spread(points: FloatArray) -> FloatArray:
        points = np.where(weight > 0, points, 0.0)
        total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-9)
        centre = (weight * points).sum(axis=1, keepdims=True) / total
        return np.asarray(np.sqrt((weight * (points - centre) ** 2).sum(axis=(1, 2)) / total[:, 0, 0]))

    diagonal = np.linalg.norm(track.boxes_px[:, 2:] - track.boxes_px[:, :2], axis=1) / 1.9
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = spread(track.keypoints_px) / spread(track.landmarks_m[..., :2])
    return np.asarray(np.where(np.isfinite(ratio) & (ratio > 0), ratio, diagonal))
