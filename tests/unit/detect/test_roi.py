from __future__ import annotations

import math

import numpy as np
import pytest
from pose_server.detect.roi import Picture, Roi


def spot_picture(x: float, y: float, *, width: int = 640, height: int = 480, radius: float = 9) -> np.ndarray:
    """A soft white spot on black, its centre in pixels."""
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    spot = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius**2))
    return np.repeat(spot[..., None], 3, axis=2).round().astype(np.uint8)


def centre_of(crop: np.ndarray) -> np.ndarray:
    """Where the light is, from 0 to 1 across the crop."""
    light = crop[..., 0].astype(float)
    places = (np.arange(len(crop)) + 0.5) / len(crop)
    return np.array([(light.sum(0) * places).sum(), (light.sum(1) * places).sum()]) / light.sum()


@pytest.mark.parametrize("angle", [0.0, 0.4, -2.0, math.pi])
@pytest.mark.parametrize("side", [90.0, 256.0, 700.0, 1500.0])
def test_what_is_found_in_a_crop_lies_there_in_the_picture(angle: float, side: float) -> None:
    x, y = 333.25, 214.5
    roi = Roi(320.0, 220.0, side, angle)
    crop = roi.crop(Picture(spot_picture(x, y)), 256)
    found = roi.to_px(centre_of(crop)[None])[0]
    # A hundredth of a crop pixel for sharp crops; a halved level's rounding for large squares.
    assert found == pytest.approx([x, y], abs=0.15 + side / 2500)


def test_a_leaning_person_stands_upright_in_the_crop() -> None:
    hips_px, rim_px = np.array([300.0, 200.0]), np.array([400.0, 200.0])
    roi = Roi.from_points(hips_px, rim_px)
    assert roi.angle == pytest.approx(math.pi / 2)
    crop = roi.crop(Picture(spot_picture(400.0, 200.0)), 256)
    assert centre_of(crop) == pytest.approx([0.5, 0.5 - 100 / roi.side], abs=0.01)


def test_the_square_has_the_networks_margin() -> None:
    roi = Roi.from_points(np.array([0.0, 0.0]), np.array([0.0, -40.0]))
    assert (roi.side, roi.angle) == (pytest.approx(100.0), pytest.approx(0.0))


def test_leans_blend_the_short_way_round() -> None:
    before, after = Roi(0, 0, 100, math.radians(170)), Roi(10, 0, 400, math.radians(-170))
    blended = before.blended(after, 0.5, 0.5)
    assert abs(math.remainder(blended.angle - math.pi, math.tau)) < 1e-9
    assert (blended.x, blended.side) == (5, pytest.approx(200))


def test_distance_and_ratio_are_the_same_from_both_ends() -> None:
    one, other = Roi(0, 0, 100, 0), Roi(30, 40, 200, 0)
    assert one.distance(other) == other.distance(one) == pytest.approx(0.25)
    assert one.ratio(other) == other.ratio(one) == pytest.approx(2)


def test_a_crop_of_a_large_picture_does_not_flicker() -> None:
    """Stripes one pixel wide are grey from afar, whatever pixels the crop happens to hit."""
    frame = np.zeros((1024, 1024, 3), np.uint8)
    frame[:, ::2] = 255
    crops = [Roi(512 + shift, 512, 1000, 0.0).crop(Picture(frame), 100) for shift in (0.0, 0.5, 1.0)]
    assert all(abs(int(c[50, 50, 0]) - 128) < 12 for c in crops)


def test_beyond_the_picture_is_black_or_its_edge() -> None:
    picture = Picture(np.full((50, 50, 3), 200, np.uint8))
    roi = Roi(0.0, 25.0, 60.0, 0.0)
    assert roi.crop(picture, 64)[32, 2, 0] == 0
    assert roi.crop(picture, 64, edge_repeated=True)[32, 2, 0] == 200


def test_a_picture_kept_small_has_its_points_where_they_were() -> None:
    whole = Picture(spot_picture(901.0, 305.0, width=1600, height=900, radius=14))
    kept = whole.kept(longest_side=500)
    assert max(kept.level(1.0)[0].shape) <= 500
    assert (kept.width, kept.height) == (1600, 900)
    roi = Roi(880.0, 330.0, 400.0, 0.3)
    assert roi.to_px(centre_of(roi.crop(kept, 256))[None])[0] == pytest.approx([901.0, 305.0], abs=1.0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (16, 16)])
def test_tiny_pictures_can_be_cropped(shape: tuple[int, int]) -> None:
    picture = Picture(np.full((*shape, 3), 9, np.uint8))
    assert Roi(0.5, 0.5, 5000.0, 1.0).crop(picture, 32).shape == (32, 32, 3)
