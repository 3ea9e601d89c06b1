"""Where a body of known shape stands."""

from __future__ import annotations

import numpy as np
import pytest
from pose_server.pipeline.camera import camera_of_clip, project
from pose_server.pipeline.placement import placed

CAMERA = camera_of_clip((1920, 1080), fov_deg=60)
BODY = np.random.default_rng(0).normal(0, 0.4, (12, 3))
PLACES = np.array([[0.0, 0.0, 4.0], [1.5, -0.4, 3.0], [-6.0, 2.0, 20.0]])
POINTS = np.tile(BODY, (3, 1, 1))
KEYPOINTS = project(POINTS + PLACES[:, None], CAMERA.matrix)
EQUAL = np.ones((3, 12))


def test_exact_points_give_the_exact_place():
    assert placed(POINTS, KEYPOINTS, EQUAL, CAMERA.matrix) == pytest.approx(PLACES, abs=1e-5)


def test_wild_points_and_weightless_points_do_not_count():
    wild = KEYPOINTS.copy()
    wild[:, 3] += 500
    assert placed(POINTS, wild, EQUAL, CAMERA.matrix) == pytest.approx(PLACES, rel=0.03, abs=0.03)
    weights = EQUAL.copy()
    weights[:, 3] = 0
    assert placed(POINTS, wild, weights, CAMERA.matrix) == pytest.approx(PLACES, abs=1e-5)


def test_missing_points_are_left_out_and_two_are_too_few():
    keypoints = KEYPOINTS.copy()
    keypoints[0, 5:] = np.nan
    keypoints[1, 2:] = np.nan
    keypoints[2] = np.nan
    found = placed(POINTS, keypoints, EQUAL, CAMERA.matrix)
    assert found[0] == pytest.approx(PLACES[0], abs=1e-5)
    assert np.isnan(found[1:]).all()


def test_nobody_stands_behind_the_camera():
    turned = CAMERA.matrix[:2, 2] - (KEYPOINTS - KEYPOINTS.mean(axis=1, keepdims=True))
    assert not (placed(POINTS, turned, EQUAL, CAMERA.matrix)[:, 2] <= 0).any()


def test_coinciding_points_do_not_break_it():
    found = placed(np.zeros((1, 4, 3)), np.full((1, 4, 2), 300.0), np.ones((1, 4)), CAMERA.matrix)
    assert found.shape == (1, 3)
