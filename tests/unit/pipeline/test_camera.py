from __future__ import annotations

import math

import numpy as np
import pytest
from pose_server.pipeline.camera import camera_of_clip, focal_mm_of, project, rays, with_focal


def test_field_of_view_is_horizontal_in_the_upright_picture() -> None:
    camera = camera_of_clip((1080, 1920), fov_deg=40)
    edge = project(np.array([math.tan(math.radians(20)), 0, 1]), camera.matrix)
    assert edge == pytest.approx([1080, 960])
    assert camera.focal_source == "given"


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920)])
def test_focal_length_is_on_36_mm_along_the_longer_side(size: tuple[int, int]) -> None:
    assert camera_of_clip(size, focal_mm=36).matrix[0, 0] == pytest.approx(1920)


def test_without_a_lens_that_of_a_phone_is_assumed() -> None:
    camera = camera_of_clip((270, 480))
    assert camera.matrix[0, 0] == camera.matrix[1, 1] == 400
    assert camera.focal_source == "assumed"


def test_what_the_user_says_of_the_lens_comes_before_what_was_recorded() -> None:
    recorded = camera_of_clip((270, 480), recorded_mm=36.0)
    assert (recorded.matrix[0, 0], recorded.focal_source) == (480, "recorded")
    given = camera_of_clip((270, 480), focal_mm=18.0, recorded_mm=36.0)
    assert (given.matrix[0, 0], given.focal_source) == (240, "given")
    assert camera_of_clip((270, 480), fov_deg=40, recorded_mm=36.0).focal_source == "given"


def test_how_well_a_lens_is_known_is_said() -> None:
    size = (640, 480)
    assert (
        camera_of_clip(size, focal_mm=30).focal_sigma is camera_of_clip(size, fov_deg=60).focal_sigma is None
    )
    recorded, assumed = camera_of_clip(size, recorded_mm=30.0), camera_of_clip(size)
    assert recorded.focal_sigma is not None and assumed.focal_sigma is not None
    assert 0 < recorded.focal_sigma < 0.1 < assumed.focal_sigma


def test_an_estimated_lens_takes_the_place_of_the_assumed_one_if_it_tells_enough() -> None:
    assumed = camera_of_clip((1000, 500))
    known = assumed.focal_sigma
    assert known is not None
    sure = with_focal(assumed, 1200.0, 0.01)
    assert sure.focal_source == "estimated" and sure.focal_sigma == 0.01
    assert sure.matrix[0, 0] == sure.matrix[1, 1] == 1200
    np.testing.assert_array_equal(sure.matrix[:, 2], assumed.matrix[:, 2])
    assert with_focal(sure, 900.0, 0.02) is sure, "what tells less changes nothing"
    assert with_focal(assumed, 1200.0, 2 * known) is assumed


def test_what_is_given_or_recorded_is_not_estimated() -> None:
    for camera in (camera_of_clip((640, 480), focal_mm=28), camera_of_clip((640, 480), recorded_mm=28.0)):
        assert with_focal(camera, 900.0, 0.001) is camera
        assert focal_mm_of(camera) == pytest.approx(28)


def test_rays_and_projection_are_inverse() -> None:
    camera = camera_of_clip((640, 480), focal_mm=28)
    points_px = np.random.default_rng(0).uniform(0, 480, (7, 5, 2))
    assert project(rays(points_px, camera.matrix) * 3.7, camera.matrix) == pytest.approx(points_px)


def test_what_lies_behind_the_camera_has_no_pixel() -> None:
    assert np.isnan(project(np.array([[0.1, 0.2, -1.0], [0, 0, 0]]), camera_of_clip((10, 10)).matrix)).all()
