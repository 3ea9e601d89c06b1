"""What the film's camera sees: people drawn on the film, or on a plain ground."""

from __future__ import annotations

import cv2
import numpy as np

from pose_server.export.figure import FRACTION_BITS, Colour, Figure, Picture, draw_figure, fixed_point
from pose_server.pipeline.boundary import Camera, FloatArray
from pose_server.pipeline.camera import project
from pose_server.pipeline.distortion import distorted

__all__ = ["draw_keypoints", "draw_on_film", "shrunk"]

_BONE_M = 0.025
_KEYPOINT: Colour = (206, 210, 218)
_KEYPOINT_RIM: Colour = (60, 64, 72)


def shrunk(frame: Picture, size: tuple[int, int]) -> Picture:
    """Return a frame in another size (width, height).

    Averaging whole blocks first is twenty times faster than averaging fractions of pixels, and looks the
    same; what is left over at the right and the bottom is less than a pixel of the result.
    """
    height, width = frame.shape[:2]
    block = min(width // size[0], height // size[1])
    if block > 1:
        frame = frame[: height // block * block, : width // block * block]
        blocks = (width // block, height // block)
        frame = np.asarray(cv2.resize(frame, blocks, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def draw_on_film(picture: Picture, figure: Figure, camera: Camera, points_camera_m: FloatArray) -> None:
    """Draw a person into a picture in place, given the (P, 3) points of the figure in the film's camera."""
    scale = np.divide(picture.shape[1::-1], camera.image_size)
    points_px = distorted(project(points_camera_m, camera.matrix), camera) * scale
    focal_px = float(camera.matrix[0, 0] * scale[0])
    depths_m = np.where(np.isfinite(points_px).all(axis=1), points_camera_m[:, 2], np.nan)
    draw_figure(picture, figure, points_px, depths_m, focal_px=focal_px, bone_m=_BONE_M)


def draw_keypoints(picture: Picture, camera: Camera, keypoints_px: FloatArray) -> None:
    """Draw (K, 2) points of the film into a picture in place; what is NaN is left out."""
    points = keypoints_px[np.isfinite(keypoints_px).all(axis=1)]
    for place in fixed_point(points * np.divide(picture.shape[1::-1], camera.image_size)):
        for radius, colour in ((3, _KEYPOINT_RIM), (2, _KEYPOINT)):
            cv2.circle(picture, place, radius * 2**FRACTION_BITS, colour, -1, cv2.LINE_AA, FRACTION_BITS)
