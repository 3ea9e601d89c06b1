"""The lens of nine numbers against the data sets' formula, written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pose_server.train.human36m import cameras_of
from pose_server.train.humaneva import cameras_of as humaneva_cameras_of
from pose_server.train.screen import lens_of, mirrored_lens, projected
from pose_shared.errors import InputError


def written_out(point: np.ndarray, lens: np.ndarray) -> tuple[float, float]:
    fx, fy, cx, cy, k1, k2, k3, p1, p2 = map(float, lens)
    x, y = (min(max(value / point[2], -1.0), 1.0) for value in point[:2])
    r2 = x * x + y * y
    factor = 1 + k1 * r2 + k2 * r2 * r2 + k3 * r2 * r2 * r2 + p1 * x + p2 * y
    return fx * (x * factor + p1 * r2) + cx, fy * (y * factor + p2 * r2) + cy


def test_the_formula_of_the_data_sets() -> None:
    rng = np.random.default_rng(0)
    lens = np.array([2.29, 2.28, 0.02, 0.03, -0.207, 0.248, -0.003, -0.00098, -0.0014], np.float32)
    points = rng.uniform([-2, -2, 1], [2, 2, 6], size=(1, 5, 4, 3)).astype(np.float32)
    found = projected(torch.from_numpy(points), torch.from_numpy(lens)[None]).numpy()
    for t in range(5):
        for j in range(4):
            np.testing.assert_allclose(
                found[0, t, j], written_out(points[0, t, j], lens), rtol=1e-5, atol=1e-6
            )
    straight = projected(torch.from_numpy(points), torch.from_numpy(lens)[None], linear=True).numpy()
    lens[4:] = 0
    np.testing.assert_allclose(straight[0, 1, 1], written_out(points[0, 1, 1], lens), rtol=1e-5)


def test_the_mirrored_room_through_the_mirrored_lens_is_the_mirrored_picture() -> None:
    lens = torch.from_numpy(cameras_of("S1")[2].lens)[None]
    points = torch.rand(1, 7, 3, 3) * torch.tensor([2.0, 2, 1]) - torch.tensor([1.0, 1, -4])
    mirror = torch.tensor([-1.0, 1, 1])
    picture = projected(points, lens)
    mirrored = projected(points * mirror, mirrored_lens(lens))
    torch.testing.assert_close(mirrored, picture * mirror[:2])
    assert not torch.allclose(projected(points * mirror, lens), picture * mirror[:2], atol=1e-3)


def test_human36ms_cameras() -> None:
    """Against the published table: order, lens, and where the first camera of S1 stands."""
    cameras = cameras_of("S1")
    assert [camera.name for camera in cameras] == ["54138969", "55011271", "58860488", "60457274"]
    assert [camera.size for camera in cameras] == [(1000, 1002), (1000, 1000), (1000, 1000), (1000, 1002)]
    first = cameras[0]
    np.testing.assert_allclose(first.lens[:2] * 500, [1145.0494, 1143.7811], atol=1e-3)
    np.testing.assert_allclose(first.pixels(first.lens[2:4]), [512.5415, 515.4515], atol=1e-3)
    np.testing.assert_allclose(
        first.lens[4:], [-0.207099, 0.247775, -0.003075, -0.000976, -0.001424], atol=1e-6
    )
    place = -first.rotation.T @ first.translation_m
    np.testing.assert_allclose(place, [1.841107, 4.955285, 1.563445], atol=1e-5)
    for subject in ("S1", "S5", "S6", "S7", "S8", "S9", "S11"):
        for camera in cameras_of(subject):
            np.testing.assert_allclose(camera.rotation @ camera.rotation.T, np.eye(3), atol=1e-6)
            # All look at the middle of the room, from about 5 m, upright.
            middle = camera.seen(np.array([0.0, 0.0, 0.9]))
            assert 3.5 < middle[2] < 7 and np.abs(middle[:2] / middle[2]).max() < 0.25
            assert camera.rotation[1, 2] < -0.9
    with pytest.raises(InputError, match=r"Human3.6M has no subject 'S12'"):
        cameras_of("S12")


def test_humanevas_cameras_look_at_the_middle_too() -> None:
    for subject in ("Train/S1", "Validate/S2", "Unlabeled/Train/S3"):
        for camera in humaneva_cameras_of(subject):
            middle = camera.seen(np.array([0.0, 0.0, 1.0]))
            assert 3 < middle[2] < 6 and np.abs(middle[:2] / middle[2]).max() < 0.4
            assert camera.lens is None
    assert all(camera.rotation is None for camera in humaneva_cameras_of("Unlabeled/S4"))


def test_screen_coordinates_of_a_lens() -> None:
    lens = lens_of((1000, 500), [900, 900], [500, 250], [1, 2, 3, 4, 5])
    np.testing.assert_allclose(lens, [1.8, 1.8, 0, 0, 1, 2, 5, 4, 3], atol=1e-7)
