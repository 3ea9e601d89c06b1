"""Footage as phones, recorders, screens and cutting rooms leave it: it gives its frames, or says why not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from pose_server.video.open import open_clip


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mkv", "ffv1", "yuv422p"),
        ("a.mkv", "ffv1", "yuv444p"),
        ("a.mkv", "ffv1", "yuv420p10le"),
        ("a.mkv", "ffv1", "yuv444p12le"),
        ("a.mkv", "ffv1", "yuva420p"),
        ("a.mkv", "ffv1", "gbrp10le"),
        ("a.mkv", "ffv1", "gbrp16le"),
        ("a.mkv", "ffv1", "rgba64le"),
        ("a.mov", "prores_ks", "yuva444p10le"),
        ("a.mov", "png", "rgba"),
        ("a.mov", "qtrle", "argb"),
        ("a.webm", "libvpx-vp9", "yuva420p"),
        ("a.mp4", "libx264", "yuv444p"),
        ("a.mp4", "libx264", "yuv422p10le"),
        ("a.mp4", "libx264", "yuvj420p"),
        ("a.avi", "rawvideo", "bgr24"),
        ("a.avi", "mjpeg", "yuvj422p"),
        ("a.y4m", "wrapped_avframe", "yuv420p"),
    ],
)
def test_kinds_of_pixels(make_film, see, is_upright, name, codec, pixels) -> None:
    """Transparency is ignored: the pictures are as they were before they got it."""
    seen = see(open_clip(make_film(name, codec=codec, pixels=pixels, frames=9)).batches(4))
    assert seen.numbers == seen.indices == list(range(9))
    assert all(is_upright(frame) for frame in seen.frames)


@pytest.mark.parametrize("pixels", ["gray", "gray10le", "gray16le", "ya8"])
def test_grey_films(make_film, see, pixels) -> None:
    seen = see(open_clip(make_film("grey.mkv", codec="ffv1", pixels=pixels, frames=9)).batches(4))
    assert seen.numbers == list(range(9))
    assert max(np.ptp(frame.astype(int), axis=2).max() for frame in seen.frames) <= 2


@pytest.mark.parametrize("size", [(641, 361), (161, 97), (160, 97), (33, 17)])
@pytest.mark.parametrize(("name", "codec"), [("odd.mkv", "ffv1"), ("odd.webm", "libvpx-vp9")])
def test_odd_sides(make_film, see, is_upright, name, codec, size) -> None:
    source = open_clip(make_film(name, codec=codec, size=size, frames=4))
    assert (source.info.width, source.info.height) == size
    seen = see(source.batches())
    assert seen.numbers == list(range(4)) and all(is_upright(frame) for frame in seen.frames)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 40)])
def test_the_smallest_pictures(make_film, size) -> None:
    source = open_clip(make_film("dot.nut", codec="rawvideo", pixels="rgb24", size=size, frames=4))
    assert [batch.frames.shape for batch in source.batches(4)] == [(4, size[1], size[0], 3)]


def test_eight_thousand_columns(make_film, see, is_upright) -> None:
    source = open_clip(make_film("large.avi", codec="mjpeg", pixels="yuvj420p", size=(7680, 4320), frames=3))
    batches = list(source.batches(8))
    assert [len(batch) for batch in batches] == [1, 1, 1]  # not all three in memory at once
    seen = see(batches)
    assert seen.numbers == [0, 1, 2] and all(is_upright(frame) for frame in seen.frames)


def test_a_screen_recording_whose_frames_come_when_something_moves(make_film, see) -> None:
    """From 60 frames a second down to one for three seconds."""
    ticks = np.cumsum([0, 1, 1, 1, 30, 1, 180, 1, 1, 60, 2, 1, 120, 1]).tolist()
    for name in ("screen.mp4", "screen.mkv"):
        film = make_film(name, frames=len(ticks), ticks=ticks, time_base=Fraction(1, 60))
        seen = see(open_clip(film).batches(4))
        assert seen.numbers == list(range(len(ticks)))
        np.testing.assert_allclose(seen.times_s, np.array(ticks) / 60, atol=0.6e-3)


def remuxed(source: Path, path: Path, shift: int, **options: str) -> Path:
    """Copy packets with other times, in the stream's ticks."""
    with av.open(str(source)) as inside, av.open(str(path), "w", options=options) as out:
        inner = inside.streams.video[0]
        outer = out.add_stream_from_template(inner)
        for packet in inside.demux(inner):
            if packet.size:
                packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, outer
                out.mux(packet)
    return path


@pytest.mark.parametrize(
    ("name", "shift_s"), [("a.mp4", 3600), ("a.mkv", 3600), ("a.ts", 7), ("a.ts", 90_000)]
)
def test_times_count_from_the_first_frame_wherever_the_clock_stands(
    make_film, see, tmp_path, name, shift_s
) -> None:
    """A recorder's clock of the day; of MPEG-TS, whose counter runs over after 26.5 hours, too."""
    source = make_film("whole.mp4", frames=40)
    with av.open(str(source)) as film:
        base = film.streams.video[0].time_base
    seen = see(open_clip(remuxed(source, tmp_path / name, int(shift_s / base))).batches())
    assert seen.numbers == seen.indices == list(range(40))
    np.testing.assert_allclose(seen.times_s, np.arange(40) / 30, atol=0.6e-3)


def test_an_edit_list_that_ends_before_the_film(make_film, see) -> None:
    """A phone's trim keeps all frames in the file, and shows some of them."""
    path = make_film("trim.mp4", frames=40, gop=20, b_frames=0)
    content = bytearray(path.read_bytes())
    at = content.index(b"elst") + 12  # version and flags, count; then duration in the film's own ticks
    timescale_at = content.index(b"mvhd") + 16
    timescale = int.from_bytes(content[timescale_at : timescale_at + 4], "big")
    content[at : at + 4] = (timescale * 25 // 30).to_bytes(4, "big")
    path.write_bytes(content)
    source = open_clip(path)
    seen = see(source.batches())
    assert seen.numbers == list(range(source.info.frame_count))
    assert source.info.frame_count in (25, 26)


def test_a_film_that_stands_black_before_it_begins(make_film, see, tmp_path) -> None:
    """An empty edit moves the first frame; source frame 0 stays the first picture."""
    film = remuxed(make_film("whole.mp4", frames=20), tmp_path / "late.mp4", 15360, use_editlist="1")
    source = open_clip(film)
    assert source.info.start_time_s == pytest.approx(1.0, abs=0.04)
    seen = see(source.batches())
    assert seen.numbers == list(range(20)) and seen.times_s[0] == 0


@pytest.mark.parametrize("b_frames", [0, 3])
@pytest.mark.parametrize(
    ("name", "codec"), [("raw.h264", "libx264"), ("raw.hevc", "libx265"), ("raw.m2v", "mpeg2video")]
)
def test_streams_without_a_container(make_film, see, name, codec, b_frames) -> None:
    seen = see(open_clip(make_film(name, codec=codec, frames=40, b_frames=b_frames)).batches())
    assert seen.numbers == seen.indices == list(range(40))
    assert np.ptp(np.diff(seen.times_s)) < 1e-6


@pytest.mark.parametrize("name", ["a.mkv", "a.mov", "a.ts"])
def test_frames_that_lean_on_later_ones_from_the_very_start(make_film, see, name) -> None:
    """Their packets come with times before zero, or out of order."""
    options = {"x264-params": "bframes=3:b-adapt=0:b-pyramid=2:open-gop=1:keyint=12:scenecut=0"}
    film = make_film(name, frames=50, options=options, container_options={"avoid_negative_ts": "disabled"})
    seen = see(open_clip(film).batches())
    assert seen.numbers == seen.indices == list(range(50))
    np.testing.assert_allclose(seen.times_s, np.arange(50) / 30, atol=0.6e-3)


def test_sound_timecode_and_pictures_beside_the_film(make_film, see, tmp_path) -> None:
    """A film with a timecode track in front of its pictures."""
    film = make_film("whole.mov", frames=20, metadata={"timecode": "10:00:00:00"})
    with av.open(str(film)) as container:
        assert len(container.streams.data) == 1
    seen = see(open_clip(film).batches())
    assert seen.numbers == list(range(20)) and seen.times_s[0] == 0
