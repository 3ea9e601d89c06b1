"""Films that are cut, damaged, hostile or no films at all: one clear sentence each, never a hang."""

from __future__ import annotations

import random
import subprocess
import sys
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from pose_server.pipeline.options import Moment
from pose_server.video.open import open_clip
from pose_shared.errors import InputError, MediaError

#: Name, codec and options of the muxer.
CUT_FILMS = {
    "mp4": ("cut.mp4", "libx264", {"movflags": "faststart"}),
    "fragmented": ("fragments.mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
    "mkv": ("cut.mkv", "libx264", {}),
    "webm": ("cut.webm", "libvpx-vp9", {}),
    "flv": ("cut.flv", "libx264", {}),
    "avi": ("cut.avi", "mpeg4", {}),
    "ts": ("cut.ts", "libx264", {}),
}


def cut(path: Path, share: float = 0.6) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


@pytest.fixture(params=CUT_FILMS)
def cut_film(request, make_film) -> Path:
    name, codec, options = CUT_FILMS[request.param]
    return cut(make_film(name, codec=codec, container_options=options, frames=90), 0.601)


def packet_places(path: Path) -> list[tuple[int, int]]:
    """Where the packets lie in a file, and their sizes."""
    with av.open(str(path)) as container:
        return [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]


def last_good(error: MediaError) -> int:
    assert error.reason == "MEDIA_TRUNCATED"
    frame = int(error.metadata["last_good_frame"])
    assert float(error.metadata["last_good_s"]) == pytest.approx(frame / 30, abs=1e-3)
    assert f"{frame / 30:.3f} s" in error.message and f"--end {frame + 1}" in error.message
    assert "--allow-truncated" in error.message
    return frame


def test_a_cut_film_is_found_out_before_it_is_decoded(cut_film, see) -> None:
    with pytest.raises(MediaError) as caught:
        open_clip(cut_film)
    frame = last_good(caught.value)
    assert 25 <= frame <= 70
    # What the sentence advises works, and gives the frames it promised.
    advised = open_clip(cut_film, end=Moment(frame=frame + 1))
    assert see(advised.batches()).numbers == list(range(frame + 1))
    with pytest.raises(MediaError) as caught:
        open_clip(cut_film, end=Moment(frame=frame + 2))
    assert last_good(caught.value) == frame


def test_a_cut_beyond_the_range_does_no_harm(cut_film, see) -> None:
    source = open_clip(cut_film, start=Moment(frame=10), end=Moment(seconds=0.6))
    assert see(source.batches()).numbers == list(range(10, 18))


def test_allowing_the_cut_takes_what_is_there(cut_film, see) -> None:
    with pytest.raises(MediaError) as caught:
        open_clip(cut_film)
    there = last_good(caught.value) + 1
    source = open_clip(cut_film, allow_truncated=True)
    assert source.info.frame_count == there
    assert see(source.batches()).numbers == list(range(there))
    with pytest.raises(InputError) as empty:
        open_clip(cut_film, start=Moment(frame=85), allow_truncated=True)
    assert empty.value.reason == "RANGE_EMPTY"
    assert empty.value.metadata["frame_count"] == str(there)


@pytest.mark.parametrize("kind", ["mp4", "mkv", "avi", "flv"])
def test_a_cut_between_two_packets_is_found_too(make_film, kind) -> None:
    name, codec, options = CUT_FILMS[kind]
    path = make_film(name, codec=codec, container_options=options, frames=90)
    position = packet_places(path)[50][0]
    content = path.read_bytes()
    path.write_bytes(content[:position])
    with pytest.raises(MediaError) as caught:
        open_clip(path)
    assert 45 <= last_good(caught.value) <= 50


def test_a_film_cut_before_its_index_cannot_be_opened(make_film) -> None:
    with pytest.raises(MediaError, match="copy or export it again") as caught:
        open_clip(cut(make_film("tail.mp4", frames=60)), allow_truncated=True)
    assert caught.value.reason == "MEDIA_UNREADABLE"


def test_a_film_cut_before_its_first_picture_has_nothing_to_take(make_film) -> None:
    path = cut(make_film("header.mp4", frames=60, container_options={"movflags": "faststart"}), 0.25)
    for allowed in (False, True):
        with pytest.raises(MediaError, match="from its first frame on"):
            open_clip(path, allow_truncated=allowed)


def damage_packet(path: Path, number: int, kept: float = 0.0) -> Path:
    """Overwrite a packet, but for a share of it at its beginning, with zeros."""
    content = bytearray(path.read_bytes())
    position, size = packet_places(path)[number]
    good = int(kept * size)
    content[position + good : position + size] = bytes(size - good)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg4"])
def test_a_damaged_packet_ends_the_clip_where_it_lies(make_film, see, codec) -> None:
    path = damage_packet(make_film("damaged.mp4", codec=codec, frames=90, gop=15), 31)
    given: list[int] = []
    with pytest.raises(MediaError) as caught:
        for batch in open_clip(path).batches(8):
            given += batch.indices.tolist()
    frame = last_good(caught.value)
    assert 28 <= frame <= 33 and given == list(range(frame + 1))

    seen = see(open_clip(path, allow_truncated=True).batches())
    assert seen.numbers == given
    assert see(open_clip(path, end=Moment(frame=frame + 1)).batches()).numbers == given
    after = see(open_clip(path, start=Moment(frame=60)).batches())
    assert after.numbers == list(range(60, 90))


@pytest.mark.parametrize("number", range(48, 60))
def test_damage_in_the_last_packets_is_found_too(make_film, number) -> None:
    path = damage_packet(make_film("damaged.mp4", frames=60, gop=15), number)
    given: list[int] = []
    with pytest.raises(MediaError) as caught:
        for batch in open_clip(path).batches(8):
            given += batch.indices.tolist()
    assert given == list(range(last_good(caught.value) + 1))
    assert given[-1] >= number - 6


@pytest.mark.parametrize(("codec", "kept"), [("libx264", 0.5), ("mpeg4", 0.5), ("libx264", 0.0)])
def test_what_leans_on_a_damaged_picture_is_not_given(make_film, see, codec, kept) -> None:
    """Decoders patch it and go on; only the next key frame begins anew."""
    path = damage_packet(make_film("patched.mp4", codec=codec, frames=60, gop=15, b_frames=0), 33, kept)
    for start in (34, 40):
        with pytest.raises(MediaError) as caught:
            list(open_clip(path, start=Moment(frame=start)).batches())
        assert last_good(caught.value) == start - 1
    given: list[int] = []
    with pytest.raises(MediaError):
        for batch in open_clip(path, start=Moment(frame=30)).batches(1):
            given += batch.indices.tolist()
    assert given == [30, 31, 32]
    assert see(open_clip(path, start=Moment(frame=45)).batches()).numbers == list(range(45, 60))


def test_a_film_damaged_from_its_first_frame_on_is_not_allowed_either(make_film) -> None:
    path = damage_packet(make_film("headless.mp4", frames=60, gop=20), 0)
    for allowed in (False, True):
        with pytest.raises(MediaError, match="from its first frame on") as caught:
            list(open_clip(path, allow_truncated=allowed).batches())
        assert caught.value.reason == "MEDIA_TRUNCATED"


def test_ffmpeg_keeps_silent_about_damaged_films(make_film) -> None:
    path = damage_packet(make_film("damaged.mp4", frames=40), 15)
    code = (
        "import sys; from pathlib import Path\n"
        "from pose_shared.errors import MediaError\n"
        "from pose_server.video.open import open_clip\n"
        "try:\n"
        "    print(sum(len(b) for b in open_clip(Path(sys.argv[1])).batches()))\n"
        "except MediaError as error:\n"
        "    print(error.reason)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "MEDIA_TRUNCATED"
    assert done.stderr == ""


def write_sound(path: Path) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))


def write_song_with_cover(path: Path) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        sound = container.add_stream("aac", rate=44100)
        cover = container.add_stream("png", rate=1)
        cover.width = cover.height = 64
        cover.pix_fmt = "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        for stream, thing in ((cover, picture), (sound, frame)):
            container.mux(stream.encode(thing))
            container.mux(stream.encode(None))


NO_FILMS = {
    "text.mp4": (lambda p: p.write_text("Hello, this is a text.\n" * 50), "MEDIA_NOT_A_FILM"),
    "noise.mp4": (lambda p: p.write_bytes(random.Random(1).randbytes(50_000)), "MEDIA_NOT_A_FILM"),
    "stub.mp4": (lambda p: p.write_bytes(b"\x00\x00\x00\x18ftypisom"), "MEDIA_UNREADABLE"),
    "empty.mp4": (lambda p: p.touch(), "MEDIA_EMPTY"),
    "folder.mp4": (lambda p: p.mkdir(), "MEDIA_IS_FOLDER"),
    "missing.mp4": (lambda p: None, "MEDIA_NOT_FOUND"),
    "missing\0.mp4": (lambda p: None, "MEDIA_NOT_FOUND"),
    "missing/clip.mp4": (lambda p: None, "MEDIA_NOT_FOUND"),
    "x" * 300 + ".mp4": (lambda p: None, "MEDIA_UNREADABLE"),
    "sound.wav": (write_sound, "MEDIA_NO_VIDEO"),
    "sound.mp4": (write_sound, "MEDIA_NO_VIDEO"),
    "song.m4a": (write_song_with_cover, "MEDIA_NO_VIDEO"),
}


@pytest.mark.parametrize("name", NO_FILMS, ids=lambda name: name[:20].replace("\0", "0"))
def test_what_is_no_film_is_named(tmp_path, name) -> None:
    write, reason = NO_FILMS[name]
    write(tmp_path / name)
    with pytest.raises(MediaError) as caught:
        open_clip(tmp_path / name)
    assert caught.value.reason == reason
    message = caught.value.message
    assert message.endswith(".") and "\n" not in message and "Errno" not in message
    if reason == "MEDIA_IS_FOLDER":
        assert "%04d" in message


@pytest.mark.parametrize(
    "script",
    [
        "ffconcat version 1.0\nfile 'secret.mp4'\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nsecret.mp4\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    ],
    ids=["concat", "hls", "sdp"],
)
def test_a_film_cannot_name_other_files(make_film, tmp_path, script) -> None:
    make_film("secret.mp4", frames=3)
    path = tmp_path / "innocent.mp4"
    path.write_text(script)
    with pytest.raises(MediaError) as caught:
        open_clip(path)
    assert caught.value.reason == "MEDIA_NOT_A_FILM"


@pytest.mark.parametrize("name", ["shot:1.mp4", "pipe:0.mp4", "100%.mp4", "take #3 ü.mp4", "-i.mp4"])
def test_names_are_taken_literally(make_film, see, name, monkeypatch) -> None:
    path = make_film("clip.mp4", frames=3)
    odd = path.rename(path.with_name(name))
    monkeypatch.chdir(odd.parent)
    assert see(open_clip(Path(name)).batches()).numbers == [0, 1, 2]


def test_a_codec_without_decoder_is_named(make_film) -> None:
    path = make_film("odd.mkv", frames=3)
    path.write_bytes(path.read_bytes().replace(b"V_MPEG4/ISO/AVC", b"V_NOBODY/KNOWS!"))
    with pytest.raises(MediaError) as caught:
        open_clip(path)
    assert caught.value.reason == "MEDIA_NO_DECODER"


@pytest.mark.parametrize("size", [(17000, 16), (16, 17000), (12000, 12000)])
def test_absurd_sizes_are_refused(tmp_path, size) -> None:
    """The header alone says so; the pictures themselves were never made."""
    path = tmp_path / "huge.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuvj420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(frame.reformat(format="yuvj420p")))
        container.mux(stream.encode(None))
    content = path.read_bytes()
    header = content.index(b"strf") + 8  # BITMAPINFOHEADER: its size, width, height
    old = (16).to_bytes(4, "little")
    assert content[header + 4 : header + 12] == old + old
    sides = b"".join(side.to_bytes(4, "little") for side in size)
    jpeg = content.replace(
        b"\xff\xc0\x00\x11\x08\x00\x10\x00\x10",
        b"\xff\xc0\x00\x11\x08" + size[1].to_bytes(2, "big") + size[0].to_bytes(2, "big"),
    )
    assert jpeg != content
    path.write_bytes(jpeg[: header + 4] + sides + jpeg[header + 12 :])
    with pytest.raises(MediaError, match=f"{size[0]} x {size[1]}") as caught:
        open_clip(path)
    assert caught.value.reason == "MEDIA_TOO_LARGE"


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("clip.mp4", "libx264"),
        ("clip.mkv", "libx264"),
        ("clip.webm", "libvpx-vp9"),
        ("clip.avi", "mpeg4"),
        ("clip.ts", "libx264"),
    ],
)
def test_flipped_bytes_end_in_a_result_or_one_sentence(make_film, name, codec) -> None:
    path = make_film(name, codec=codec, frames=24)
    whole = path.read_bytes()
    ends = {"result": 0, "error": 0}
    for seed in range(20):
        generator = random.Random(seed)
        content = bytearray(whole)
        # Headers lie at both ends; half of the flips go there.
        for _ in range(generator.choice((1, 8, 64))):
            edge = generator.choice((600, len(content)))
            place = generator.randrange(min(edge, len(content))) * generator.choice((1, -1))
            content[place] ^= generator.randrange(1, 256)
        path.write_bytes(content)
        try:
            source = open_clip(path, allow_truncated=bool(seed % 2))
            count = 0
            for batch in source.batches(8):
                assert (np.diff(batch.times_s) > 0).all() and (np.diff(batch.indices) == 1).all()
                count += len(batch)
            assert 0 < count <= 10_000
            ends["result"] += 1
        except InputError as error:
            assert error.message.endswith(".") and "\n" not in error.message
            ends["error"] += 1
    assert min(ends.values()) > 0, f"the flips prove little: {ends}"
