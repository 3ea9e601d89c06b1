"""The pinhole camera of a clip: made from what the user knows of the lens, and used to project."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from pose_server.pipeline.boundary import Camera, FloatArray
from pose_server.pipeline.options import FULL_FRAME_MM

__all__ = ["camera_of_clip", "focal_mm_of", "project", "rays", "with_focal"]

_USUAL_MM = 30.0
#: How far off a lens is that was recorded, by rounding and by what stabilisation cuts off, and one that
#: nobody knows: one standard deviation, relative.
_RECORDED_SIGMA, _USUAL_SIGMA = 0.05, 0.25
#: Estimates that are less sure are more often wrong than they say.
_ENOUGH_SIGMA = 0.125


def camera_of_clip(
    image_size: tuple[int, int],
    *,
    fov_deg: float | None = None,
    focal_mm: float | None = None,
    recorded_mm: float | None = None,
) -> Camera:
    """Return a camera with its principal point in the middle of the picture.

    Parameters
    ----------
    image_size
        Width and height of the upright picture.
    fov_deg
        Horizontal field of view.
    focal_mm
        Focal length on a sensor 36 mm along the longer side.
    recorded_mm
        The same as the clip's own metadata have it; what the user gives comes first.

    Notes
    -----
    Without any it is that of a phone's main camera filming: 24 to 28 mm, less what stabilisation cuts
    off, a field of view of 62 degrees along the longer side.  The picture's diagonal, which CLIFF (Li et
    al., 2022) and WHAM (Shin et al., 2024) assume, is 41 mm.  On another lens it may be wrong by a third;
    depth scales with it, pose hardly.
    """
    width, height = image_size
    sigma = None
    if fov_deg is not None:
        focal_px = width / 2 / math.tan(math.radians(fov_deg) / 2)
        source = "given"
    else:
        known = {"given": focal_mm, "recorded": recorded_mm, "assumed": _USUAL_MM}
        source, millimetres = next((name, value) for name, value in known.items() if value is not None)
        focal_px = millimetres / FULL_FRAME_MM * max(width, height)
        sigma = {"recorded": _RECORDED_SIGMA, "assumed": _USUAL_SIGMA}.get(source)
    matrix = np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1]], dtype=np.float64)
    return Camera(
        matrix=matrix,
        distortion=np.zeros(5),
        image_size=(width, height),
        focal_source=source,
        focal_sigma=sigma,
    )


def focal_mm_of(camera: Camera) -> float:
    """Return the focal length on a sensor 36 mm along the longer side."""
    return float(camera.matrix[0, 0]) * FULL_FRAME_MM / max(camera.image_size)


def with_focal(camera: Camera, focal_px: float, focal_sigma: float) -> Camera:
    """Return the camera with a focal length estimated from the clip, all that was known weighed in.

    One that was given or recorded stays as it is, as does any other while the estimate tells little.
    """
    known = min(camera.focal_sigma or 0.0, _ENOUGH_SIGMA)
    if camera.focal_source in ("given", "recorded") or focal_sigma > known:
        return camera
    matrix = camera.matrix.copy()
    matrix[[0, 1], [0, 1]] = focal_px
    return replace(camera, matrix=matrix, focal_source="estimated", focal_sigma=focal_sigma)


def project(points_camera_m: FloatArray, matrix: FloatArray) -> FloatArray:
    """Project (..., 3) points in the camera to (..., 2) pixels, without distortion; NaN behind it."""
    depth = points_camera_m[..., 2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        plane = np.where(depth > 0, points_camera_m[..., :2] / depth, np.nan)
    return np.asarray(plane * np.array([matrix[0, 0], matrix[1, 1]]) + matrix[:2, 2])


def rays(points_px: FloatArray, matrix: FloatArray) -> FloatArray:
    """Return the (..., 3) direction, with z = 1, in which each (..., 2) pixel lies."""
    plane = (points_px - matrix[:2, 2]) / np.array([matrix[0, 0], matrix[1, 1]])
    return np.concatenate([plane, np.ones_like(plane[..., :1])], axis=-1)
