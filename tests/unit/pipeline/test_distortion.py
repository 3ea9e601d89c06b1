"""Against OpenCV's own distortion."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from pose_server.pipeline.boundary import Camera, Track2D
from pose_server.pipeline.camera import camera_of_clip
from pose_server.pipeline.distortion import (
    distorted,
    fold_radius,
    largest_bend_px,
    straightened,
    undistorted,
)

SIZE = (1280, 720)
STRONG = (-0.3, 0.08, 0.001, -0.002, 0.01)
#: Barrel, cushion, one that turns from one to the other, and no radial part.
LENSES = [STRONG, (-0.2, 0, 0, 0, 0), (0.19, -0.256, 0.0028, -0.005, 0.115), (0, 0, 0.01, -0.01, 0)]


def camera(distortion: tuple[float, ...]) -> Camera:
    known = camera_of_clip(SIZE, fov_deg=70)
    matrix = known.matrix.copy()
    matrix[:2, 2] += (14.0, -9.0)
    matrix[1, 1] *= 1.02
    return dataclasses.replace(known, matrix=matrix, distortion=np.array(distortion, dtype=float))


def grid() -> np.ndarray:
    x, y = np.meshgrid(np.linspace(0, SIZE[0], 41), np.linspace(0, SIZE[1], 31))
    return np.stack([x, y], axis=-1)


@pytest.mark.parametrize("lens", LENSES)
def test_points_go_through_the_lens_as_opencv_sends_them(lens: tuple[float, ...]) -> None:
    view = camera(lens)
    straight_px = undistorted(grid(), view)
    assert np.isfinite(straight_px).all()
    plane = (straight_px - view.matrix[:2, 2]) / view.matrix[[0, 1], [0, 1]]
    points = np.concatenate([plane, np.ones_like(plane[..., :1])], axis=-1).reshape(-1, 3)
    seen_px, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), view.matrix, view.distortion)
    assert np.abs(seen_px.reshape(grid().shape) - grid()).max() < 1e-3
    assert np.abs(distorted(straight_px, view) - grid()).max() < 1e-3
    assert np.abs(straight_px - grid()).max() > 5  # the lens does bend


def test_without_distortion_nothing_is_touched() -> None:
    view, points = camera((0, 0, 0, 0, 0)), grid().astype(np.float32)
    assert undistorted(points, view) is points
    assert distorted(points, view) is points


def test_what_a_lens_cannot_show_is_missing() -> None:
    view = camera((-0.3, 0, 0, 0, 0))
    reach = fold_radius(view.distortion)
    assert reach == pytest.approx((1 / 0.9) ** 0.5)
    focal, middle = view.matrix[0, 0], view.matrix[:2, 2]
    inside, beyond = (middle + np.array([[share * reach * focal, 0]]) for share in (0.99, 1.01))
    assert np.isfinite(distorted(inside, view)).all()
    assert np.isnan(distorted(beyond, view)).all()
    # The picture's own end: nothing lies further out.
    end = distorted(inside, view)[0, 0] - middle[0]
    assert np.isnan(undistorted(middle + np.array([[1.1 * end, 0]]), view)).all()
    assert np.isnan(undistorted(np.array([[np.nan, 3.0]]), view)).all()


def test_the_largest_bend_is_at_a_corner() -> None:
    view = camera((-0.2, 0, 0, 0, 0))
    corners = np.array([[0.0, 0], [1280, 0], [0, 720], [1280, 720]])
    moved = np.linalg.norm(undistorted(corners, view) - corners, axis=1)
    assert largest_bend_px(view) == pytest.approx(moved.max())
    assert largest_bend_px(camera((0, 0, 0, 0, 0))) == 0


def test_a_track_is_straightened_and_loses_what_cannot_be() -> None:
    view = camera((-0.3, 0, 0, 0, 0))
    keypoints = np.array([[[700.0, 300.0], [9000.0, 300.0], [np.nan, np.nan]]])
    track = Track2D(
        keypoint_names=("nose", "left_hip", "right_hip"),
        indices=np.arange(1),
        times_s=np.zeros(1),
        boxes_px=np.array([[600.0, 200, 800, 500]]),
        keypoints_px=keypoints,
        keypoint_confidence=np.array([[0.9, 0.8, 0.0]]),
        landmarks_m=np.full((1, 3, 3), np.nan),
    )
    straight = straightened(track, view)
    assert straight.keypoints_px[0, 0] == pytest.approx(undistorted(keypoints[0, 0], view))
    assert np.isnan(straight.keypoints_px[0, 1:]).all()
    assert straight.keypoint_confidence.tolist() == [[0.9, 0.0, 0.0]]
    assert (straight.boxes_px == track.boxes_px).all()
    assert straightened(track, camera((0, 0, 0, 0, 0))) is track
