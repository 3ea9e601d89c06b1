from __future__ import annotations

import numpy as np
import pytest
from pose_server.detect.letterbox import Letterbox


@pytest.mark.parametrize(
    ("picture", "side", "inside"),
    [
        ((1920, 1080), 640, (640, 360)),
        ((333, 517), 416, (267, 416)),
        ((64, 48), 320, (320, 240)),
        ((9, 4000), 64, (1, 64)),
    ],
)
def test_the_picture_fits_the_upper_left_and_the_rest_is_grey(
    picture: tuple[int, int], side: int, inside: tuple[int, int]
) -> None:
    fit = Letterbox.around(picture, side, side)
    canvas = fit.filled(np.full((picture[1], picture[0], 3), 7, np.uint8))
    assert canvas.shape == (side, side, 3)
    expected = np.full((side, side, 3), 114)
    expected[: inside[1], : inside[0]] = 7
    np.testing.assert_array_equal(canvas, expected)
    np.testing.assert_allclose(fit.to_px(np.array([0.0, 0.0])), 0)
    np.testing.assert_allclose(fit.to_px(np.array(inside, float)), picture)


def test_what_is_seen_in_it_is_where_it_says() -> None:
    """The middle of a bright patch, weighed in the input, comes back to the middle in the picture."""
    frame = np.zeros((300, 517, 3), np.uint8)
    frame[120:140, 300:330] = 200  # its middle is at (315, 130)
    fit = Letterbox.around((517, 300), 320, 320)
    weight = fit.filled(frame)[: int(300 * fit.scale_y), :, 0].astype(float)
    rows, columns = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
    middle = np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()
    np.testing.assert_allclose(fit.to_px(middle), (315, 130), atol=0.15)  # half a pixel of the input is 0.8
