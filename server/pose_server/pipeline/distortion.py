"""Between the picture that a lens gives and that of the pinhole with the same matrix.

Detectors and everything that draws see the first; from lifting on everything is in the second.  The model
is OpenCV's with five coefficients (D. C. Brown, "Decentering Distortion of Lenses", 1966):
https://docs.opencv.org/4.x/d9/d0c/group__calib3d.html.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pose_server.pipeline.boundary import Camera, FloatArray, Track2D

__all__ = ["distorted", "fold_radius", "largest_bend_px", "straightened", "undistorted"]

#: Newton's steps, and how near they must come: a thousandth of a pixel of the longest lens.
_STEPS, _NEAR = 20, 1e-7


def undistorted(points_px: FloatArray, camera: Camera) -> FloatArray:
    """Return where a pinhole would have seen (..., 2) pixels of the picture; NaN where the lens sees nothing.

    Without distortion it is the same array.
    """
    if not camera.distortion.any():
        return points_px
    seen = _plane_of(points_px, camera)
    plane = seen.copy()
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            bent, (across, mixed, down) = _bent(plane, camera.distortion)
            rest, determinant = bent - seen, across * down - mixed * mixed
            x, y = np.moveaxis(rest, -1, 0)
            step = np.stack([down * x - mixed * y, across * y - mixed * x], axis=-1)
            plane = plane - step / determinant[..., None]
        bent, _ = _bent(plane, camera.distortion)
        found = (np.abs(bent - seen) < _NEAR).all(axis=-1) & _unfolded(plane, camera.distortion)
    return _pixels_of(np.where(found[..., None], plane, np.nan), camera)


def distorted(points_px: FloatArray, camera: Camera) -> FloatArray:
    """Return where the lens shows (..., 2) pixels of the pinhole; NaN where it cannot show them.

    Without distortion it is the same array.
    """
    if not camera.distortion.any():
        return points_px
    plane = _plane_of(points_px, camera)
    with np.errstate(all="ignore"):
        bent, _ = _bent(plane, camera.distortion)
        shown = _unfolded(plane, camera.distortion)
    return _pixels_of(np.where(shown[..., None], bent, np.nan), camera)


def straightened(track: Track2D, camera: Camera) -> Track2D:
    """Return a track whose keypoints are those of the pinhole; its boxes stay where the picture has them."""
    if not camera.distortion.any():
        return track
    points = undistorted(track.keypoints_px, camera)
    lost = ~np.isfinite(points).all(axis=-1)
    return replace(
        track, keypoints_px=points, keypoint_confidence=np.where(lost, 0.0, track.keypoint_confidence)
    )


def largest_bend_px(camera: Camera) -> float:
    """Return how far a lens moves what is at the border of its picture, where it shows anything there."""
    width, height = camera.image_size
    along = np.linspace(0, 1, 33)
    sides = [(along, 0 * along), (along, 0 * along + 1), (0 * along, along), (0 * along + 1, along)]
    border = np.concatenate([np.stack(side, axis=1) for side in sides]) * (width, height)
    moved = np.linalg.norm(undistorted(border, camera) - border, axis=1)
    return float(np.nanmax(moved, initial=0.0))


def fold_radius(distortion: FloatArray) -> float:
    """Return the distance from the middle, at a focal length of 1, from which on the picture folds back."""
    k1, k2, _, _, k3 = distortion.tolist()
    roots = np.roots([7 * k3, 5 * k2, 3 * k1, 1.0])
    real = roots.real[(np.abs(roots.imag) < 1e-9) & (roots.real > 0)]
    return float(np.sqrt(real.min())) if len(real) else np.inf


def _bent(plane: FloatArray, distortion: FloatArray) -> tuple[FloatArray, tuple[FloatArray, ...]]:
    """Return (..., 2) points after the lens, and the derivatives dx/dx, dx/dy = dy/dx and dy/dy."""
    k1, k2, p1, p2, k3 = distortion
    x, y = np.moveaxis(plane, -1, 0)
    square = x * x + y * y
    radial = 1 + square * (k1 + square * (k2 + square * k3))
    slope = 2 * (k1 + square * (2 * k2 + square * 3 * k3))
    bent = np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x),
            y * radial + 2 * p2 * x * y + p1 * (square + 2 * y * y),
        ],
        axis=-1,
    )
    across = radial + x * x * slope + 2 * p1 * y + 6 * p2 * x
    mixed = x * y * slope + 2 * p1 * x + 2 * p2 * y
    down = radial + y * y * slope + 6 * p1 * y + 2 * p2 * x
    return bent, (across, mixed, down)


def _unfolded(plane: FloatArray, distortion: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.norm(plane, axis=-1) < fold_radius(distortion))


def _plane_of(points_px: FloatArray, camera: Camera) -> FloatArray:
    return np.asarray((points_px - camera.matrix[:2, 2]) / camera.matrix[[0, 1], [0, 1]])


def _pixels_of(plane: FloatArray, camera: Camera) -> FloatArray:
    return np.asarray(plane * camera.matrix[[0, 1], [0, 1]] + camera.matrix[:2, 2])
