"""Interlaced films, woven from a progressive one that knows each moment."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph
from pose_server.pipeline.options import Moment
from pose_server.video.open import open_clip
from pose_shared.errors import MediaError

SIZE = (320, 192)
FRAMES = 20
STILL = np.random.default_rng(2).integers(60, 200, (96, 160)).astype(np.uint8)


def moment(field: int) -> np.ndarray:
    """A scene that stands still above; below a bar that moves by 6 pixels a field."""
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    above = np.kron(STILL[:16, :80], np.ones((6, 4), np.uint8))
    picture[:96] = above[..., None]
    left = 20 + 6 * field
    picture[96:, left : left + 30] = 220
    return picture


def woven(frame: int, top_first: bool = True) -> np.ndarray:
    picture = moment(2 * frame)
    picture[1 if top_first else 0 :: 2] = moment(2 * frame + 1)[1 if top_first else 0 :: 2]
    return picture


def marked(frame: av.VideoFrame, order: str) -> av.VideoFrame:
    """Return a frame that says which of its fields comes first."""
    graph = Graph()
    places = [
        graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
        ),
        graph.add("setparams", f"field_mode={order}"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*places).configure()
    graph.push(frame)
    return graph.pull()


def write(
    path: Path, pictures: list[np.ndarray], *, order: str | None = "tff", codec: str = "libx264"
) -> Path:
    """Write frames, marked as interlaced or not."""
    with av.open(str(path), "w") as film:
        options = {"crf": "6"} if codec == "libx264" else {"qscale": "2"}
        if order is not None:
            options["flags"] = "+ildct+ilme"
        stream = film.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p" if codec != "prores_ks" else "yuv422p10le"
        stream.codec_context.gop_size = 5
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            film.mux(stream.encode(frame if order is None else marked(frame, order)))
        film.mux(stream.encode(None))
    return path


def decoded(path: Path, start: int | None = None, end: int | None = None) -> tuple[list[int], np.ndarray]:
    asked = {name: Moment(frame=at) for name, at in (("start", start), ("end", end)) if at is not None}
    batches = list(open_clip(path, **asked).batches(7))
    return [int(i) for batch in batches for i in batch.indices], np.concatenate([b.frames for b in batches])


def comb(picture: np.ndarray) -> float:
    """How much neighbouring lines differ more than lines two apart."""
    grey = picture[100:-4].astype(float).mean(axis=2)
    return float(np.abs(grey[1:-1] - (grey[:-2] + grey[2:]) / 2).mean())


@pytest.mark.parametrize(("order", "top"), [("tff", True), ("bff", False)])
def test_each_frame_shows_its_first_moment(tmp_path: Path, order: str, top: bool) -> None:
    film = write(tmp_path / "i.mp4", [woven(i, top) for i in range(FRAMES)], order=order)
    indices, frames = decoded(film)
    assert indices == list(range(FRAMES))
    assert comb(woven(3, top)) > 6
    assert ["interlaced" in remark for remark in open_clip(film).info.remarks] == [True]
    for index, frame in enumerate(frames):
        assert comb(frame) < 2
        truth = moment(2 * index).astype(float)
        assert np.abs(frame[100:-4] - truth[100:-4]).mean() < 4
        if 0 < index < FRAMES - 1:  # with a frame on both sides, what stands still keeps all of its lines
            assert np.abs(frame[4:90] - truth[4:90]).mean() < 4


def test_a_range_has_the_very_frames_of_the_whole_film(tmp_path: Path) -> None:
    film = write(tmp_path / "i.mp4", [woven(i) for i in range(FRAMES)])
    _, whole = decoded(film)
    for start, end in ((0, 1), (3, 9), (5, 6), (7, 20), (19, 20)):
        indices, part = decoded(film, start, end)
        assert indices == list(range(start, end))
        assert (part == whole[start:end]).all()


def test_progressive_frames_are_not_touched(tmp_path: Path) -> None:
    film = write(tmp_path / "p.mp4", [woven(i) for i in range(6)], order=None)
    assert open_clip(film).info.remarks == ()
    _, frames = decoded(film)
    assert min(comb(frame) for frame in frames) > 6


def test_a_film_that_is_interlaced_in_parts(tmp_path: Path) -> None:
    """As a broadcast that goes from a cinema film to a studio."""
    parts = [
        write(tmp_path / "a.ts", [moment(2 * i) for i in range(10)], order=None),
        write(tmp_path / "b.ts", [woven(i) for i in range(10, 20)]),
    ]
    path = tmp_path / "both.ts"
    with av.open(str(path), "w") as film:
        out, offset = None, 0
        for part in parts:
            with av.open(str(part)) as source:
                out = out or film.add_stream_from_template(source.streams.video[0])
                packets = [packet for packet in source.demux(video=0) if packet.dts is not None]
                first = min(packet.pts for packet in packets)
                for packet in packets:
                    packet.pts, packet.dts = packet.pts - first + offset, packet.dts - first + offset
                    packet.stream = out
                    film.mux(packet)
                offset += 10 * 3600
    indices, frames = decoded(path)
    assert indices == list(range(20))
    assert max(comb(frame) for frame in frames) < 2
    for index, frame in enumerate(frames):
        assert np.abs(frame[100:-4] - moment(2 * index)[100:-4].astype(float)).mean() < 4
    for start, end in ((8, 12), (9, 10), (10, 11), (11, 14)):
        assert (decoded(path, start, end)[1] == frames[start:end]).all()


def test_damage_after_a_range_does_it_no_harm_and_ends_the_whole_film(tmp_path: Path) -> None:
    film = write(tmp_path / "i.mkv", [woven(i) for i in range(FRAMES)])
    with av.open(str(film)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        broken = next(p for p in packets if p.is_keyframe and p.pts * p.time_base >= Fraction(10, 25))
        at, size, lost = broken.pos, broken.size, round(broken.pts * broken.time_base * 25)
    content = bytearray(film.read_bytes())
    content[at + 40 : at + size] = bytes(size - 40)
    film.write_bytes(content)
    taken = list(open_clip(film, allow_truncated=True).batches(4))
    good = [int(i) for batch in taken for i in batch.indices]
    assert good == list(range(len(good))) and lost - 4 <= len(good) <= lost
    indices, frames = decoded(film, 0, len(good))
    assert indices == good
    assert (np.concatenate([batch.frames for batch in taken])[:-1] == frames[:-1]).all()
    given: list[int] = []
    with pytest.raises(MediaError) as caught:
        for batch in open_clip(film).batches(4):
            given += batch.indices.tolist()
    assert caught.value.reason == "MEDIA_TRUNCATED"
    assert given == good


@pytest.mark.parametrize(
    ("name", "codec"), [("i.mpg", "mpeg2video"), ("i.mov", "prores_ks"), ("i.mxf", "mpeg2video")]
)
def test_other_codecs(tmp_path: Path, name: str, codec: str) -> None:
    film = write(tmp_path / name, [woven(i) for i in range(FRAMES)], codec=codec)
    with av.open(str(film)) as container:
        assert next(container.decode(video=0)).interlaced_frame
    indices, frames = decoded(film)
    assert indices == list(range(FRAMES))
    assert max(comb(frame) for frame in frames) < 3
    for index, frame in enumerate(frames):
        assert np.abs(frame[100:-4] - moment(2 * index)[100:-4].astype(float)).mean() < 4


@pytest.mark.parametrize("size", [(2, 2), (8, 8), (16, 6), (17, 19)])
def test_pictures_too_small_for_the_filter(tmp_path: Path, size: tuple[int, int]) -> None:
    pictures = [np.full((size[1], size[0], 3), 90, np.uint8)] * 3
    assert decoded(write(tmp_path / "i.mpg", pictures, codec="mpeg2video"))[0] == [0, 1, 2]


def test_what_cannot_be_converted_is_one_sentence(tmp_path: Path) -> None:
    """FFmpeg cannot convert two fields that have one line together."""
    film = write(tmp_path / "i.mpg", [np.full((1, 16, 3), 90, np.uint8)] * 3, codec="mpeg2video")
    with pytest.raises(MediaError, match="cannot be converted") as caught:
        decoded(film)
    assert caught.value.reason == "MEDIA_UNREADABLE"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files cannot be listed on this system")
def test_the_film_is_closed_when_its_reader_leaves(tmp_path: Path) -> None:
    film = write(tmp_path / "i.mp4", [woven(i) for i in range(FRAMES)])

    def is_open() -> bool:
        links = [entry for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
        return any(os.path.realpath(link) == str(film) for link in links)

    batches = open_clip(film).batches(2)
    next(batches)
    assert is_open()
    batches.close()
    assert not is_open()
