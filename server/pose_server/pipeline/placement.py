"""Where a body of known shape must stand in a camera to be seen as it is seen."""

from __future__ import annotations

import numpy as np

from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.camera import rays

__all__ = ["placed"]

_PASSES = 6
#: Residual, as a share of the body's extent in the picture, at which a point counts a quarter.
_SCALE = 0.15
#: A keypoint further from the middle, in extents, is none of this body.
_OUTSIDE = 6.0


def placed(
    points_m: FloatArray, keypoints_px: FloatArray, weights: FloatArray, matrix: FloatArray
) -> FloatArray:
    """Return the (T, 3) translation that best projects each frame's points onto its keypoints.

    Parameters
    ----------
    points_m
        (T, K, 3) about any origin, camera axes; NaN where unknown.
    keypoints_px
        (T, K, 2); NaN where unknown.
    weights
        (T, K) trust in each point, not negative.
    matrix
        (3, 3) of the camera.

    Returns
    -------
    FloatArray
        (T, 3) position of the origin in the camera; NaN in frames with fewer than three points or
        whose best place is behind the camera.

    Notes
    -----
    Collinearity makes each keypoint two equations linear in the translation; they are solved by
    iteratively reweighted least squares with Geman and McClure's loss on the error in the picture.
    """
    plane = rays(keypoints_px, matrix)[..., :2]
    known = np.isfinite(points_m).all(axis=2) & np.isfinite(plane).all(axis=2) & (weights > 0)
    points = np.where(known[..., None], points_m, 0.0)
    plane = np.where(known[..., None], plane, 0.0)
    trust = np.where(known, weights, 0.0)
    enough = known.sum(axis=1) >= 3
    with np.errstate(invalid="ignore"):
        seen = np.where(known[..., None], plane, np.nan)
        off = np.linalg.norm(plane - _median(seen)[:, None], axis=2)
        extent = np.maximum(_median(np.where(known, off, np.nan)), 1e-6)[:, None]
    scale = _SCALE * extent

    root = np.full((len(points), 3), np.nan)
    # Points far outside the others would spoil the first pass, from which the loss is judged.
    loss = np.where(off < _OUTSIDE * extent, 1.0, 0.0)
    for _ in range(_PASSES):
        root = np.where(enough[:, None], _least_squares(points, plane, trust * loss), np.nan)
        depth = np.maximum(points[..., 2] + root[:, None, 2], 1e-3)
        error = np.linalg.norm((points[..., :2] + root[:, None, :2]) / depth[..., None] - plane, axis=2)
        loss = np.nan_to_num((scale**2 / (scale**2 + error**2)) ** 2)
    return np.where(root[:, 2:] > 1e-3, root, np.nan)


def _median(values: FloatArray) -> FloatArray:
    """Median over axis 1 of what is known; NaN becomes 0 where nothing is."""
    ordered = np.sort(values, axis=1)
    last = np.maximum(np.isfinite(ordered).sum(axis=1, keepdims=True) - 1, 0)
    return np.nan_to_num(np.take_along_axis(ordered, last // 2, axis=1)[:, 0])


def _least_squares(points: FloatArray, plane: FloatArray, weights: FloatArray) -> FloatArray:
    """Solve t from  t_xy - plane * t_z = plane * points_z - points_xy  for each frame."""
    total = weights.sum(axis=1)
    moment = (weights[..., None] * plane).sum(axis=1)
    target = plane * points[..., 2:] - points[..., :2]
    normal = np.zeros((len(points), 3, 3))
    normal[:, 0, 0] = normal[:, 1, 1] = total
    normal[:, :2, 2] = normal[:, 2, :2] = -moment
    normal[:, 2, 2] = (weights[..., None] * plane**2).sum(axis=(1, 2))
    right = np.empty((len(points), 3))
    right[:, :2] = (weights[..., None] * target).sum(axis=1)
    right[:, 2] = -(weights[..., None] * plane * target).sum(axis=(1, 2))
    # A touch of the identity keeps frames whose points coincide solvable; their depth means nothing.
    normal += 1e-9 * np.eye(3)
    return np.asarray(np.linalg.solve(normal, right[..., None])[..., 0])
