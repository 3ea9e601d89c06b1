"""Geometry and colours of converted pictures."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace, VideoReformatter
from pose_server.video.upright import MAX_SIDE_PX, Upright, check_size
from pose_shared.errors import MediaError


@pytest.mark.parametrize(
    ("aspect", "rotation", "size"),
    [
        (None, 0, (720, 576)),
        (Fraction(0), 0, (720, 576)),
        (Fraction(64, 45), 0, (1024, 576)),
        (Fraction(8, 9), 0, (720, 648)),
        (Fraction(64, 45), 90, (576, 1024)),
        (Fraction(1), 270, (576, 720)),
        (Fraction(1), 180, (720, 576)),
    ],
)
def test_sides_never_shrink_and_turn_with_the_picture(aspect, rotation, size) -> None:
    upright = Upright(720, 576, aspect or Fraction(1), rotation)
    assert (upright.width, upright.height) == size


@pytest.mark.parametrize("size", [(MAX_SIDE_PX + 1, 10), (10, MAX_SIDE_PX + 1), (12000, 12000)])
def test_absurd_sizes_are_refused(size) -> None:
    with pytest.raises(MediaError) as caught:
        check_size(*size, "clip.mp4")
    assert caught.value.reason == "MEDIA_TOO_LARGE"
    check_size(12288, 6480, "a 12K camera")


def test_an_absurd_aspect_is_refused_before_memory_is_taken() -> None:
    frame = av.VideoFrame(1920, 1080, "yuv420p")
    with pytest.raises(MediaError) as caught:
        Upright.of(frame, Fraction(1000), "clip.mp4")
    assert caught.value.reason == "MEDIA_TOO_LARGE"


@pytest.mark.parametrize(
    ("height", "said", "meant"),
    [
        (1080, None, Colorspace.ITU709),
        (480, None, Colorspace.ITU601),
        (1080, Colorspace.ITU601, Colorspace.ITU601),
        (480, Colorspace.ITU709, Colorspace.ITU709),
    ],
)
def test_colours_follow_the_film_or_else_the_players(height, said, meant) -> None:
    colour = (200, 30, 40)
    source = av.VideoFrame.from_ndarray(np.full((height, 64, 3), colour, np.uint8), format="rgb24")
    frame = source.reformat(format="yuv420p", dst_colorspace=meant)
    if said is None:
        frame.colorspace = 2
    upright = Upright.of(frame, None, "clip.mp4")
    out = np.zeros((height, 64, 3), np.uint8)
    upright.write(frame, out, VideoReformatter())
    assert np.abs(out[height // 2, 32].astype(int) - colour).max() <= 3


@pytest.mark.parametrize("said", range(25))
def test_no_number_for_the_colours_is_a_defect(said) -> None:
    """Damaged headers hold any; some that are standard FFmpeg cannot convert."""
    grey = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 128, np.uint8), format="rgb24")
    frame = grey.reformat(format="yuv420p10le")
    out = np.zeros((32, 32, 3), np.uint8)
    for curve in (1, 2, 3, 14, 16, 18, 99):
        frame.colorspace = frame.color_primaries = said
        frame.color_trc = curve
        Upright.of(frame, None, "clip.mp4").write(frame, out, VideoReformatter())
        assert np.ptp(out) <= 3 and (curve in (16, 18) or abs(int(out.mean()) - 128) <= 3)
