"""Films in many shapes: every frame named, at its time, upright."""

from __future__ import annotations

import itertools
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from pose_server.pipeline.options import Moment
from pose_server.pipeline.progress import SilentProgress
from pose_server.video.open import open_clip
from pose_server.video.packets import scan_packets
from pose_shared.errors import InputError, JobCancelledError, MediaError

FORMATS = [
    ("clip.mp4", "libx264", {}),
    ("clip.mov", "libx265", {}),
    ("clip.mkv", "libx264", {}),
    ("clip.webm", "libvpx-vp9", {"cpu-used": "8", "deadline": "realtime"}),
    ("vp8.webm", "libvpx", {"cpu-used": "8", "deadline": "realtime"}),
    ("clip.mkv", "libsvtav1", {"preset": "12"}),
    ("clip.avi", "mpeg4", {}),
    ("clip.ts", "libx264", {}),
    ("clip.flv", "libx264", {}),
    ("clip.mpg", "mpeg2video", {}),
    ("clip.h264", "libx264", {}),
]


@pytest.mark.parametrize(("name", "codec", "options"), FORMATS, ids=lambda value: str(value)[:14])
def test_every_frame_comes_once_in_order_and_upright(
    make_film, see, is_upright, name, codec, options
) -> None:
    source = open_clip(make_film(name, codec=codec, options=options, frames=37))
    seen = see(source.batches(8))
    assert seen.numbers == seen.indices == list(range(37))
    assert all(is_upright(frame) for frame in seen.frames)
    rate = 25 if name.endswith(".h264") else 30  # a raw stream does not say
    np.testing.assert_allclose(seen.times_s, np.arange(37) / rate, atol=0.6e-3)
    info = source.info
    assert (info.width, info.height, info.frame_count, info.first_frame) == (160, 96, 37, 0)
    assert (info.rate, info.rotation_ccw_deg, info.pixel_aspect) == (rate, 0, 1)


def test_batches_hold_what_the_contract_says(make_film) -> None:
    source = open_clip(make_film(frames=11))
    batches = list(source.batches(4))
    assert [len(batch) for batch in batches] == [4, 4, 3]
    assert all(b.frames.dtype == np.uint8 and b.frames.flags.c_contiguous for b in batches)
    assert all(b.frames.shape[1:] == (96, 160, 3) for b in batches)
    assert not any(np.shares_memory(a.frames, b.frames) for a, b in itertools.combinations(batches, 2))
    assert source.info.codec == "h264"


def test_single_frames_are_those_of_the_film(make_film, see) -> None:
    source = open_clip(make_film(frames=200), start=Moment(frame=10), end=Moment(frame=190))
    whole = see(source.batches(8))
    wanted = [150, 11, 189, 12, 70, 11]
    found = dict(source.frames_at(wanted))
    assert list(found) == sorted(set(wanted))
    for index, frame in found.items():
        assert np.array_equal(frame, whole.frames[index - 10])
    assert list(source.frames_at([])) == []


def test_a_source_can_be_read_again_and_twice_at_once(make_film, see) -> None:
    source = open_clip(make_film(frames=12))
    next(source.batches(5))
    one, two = source.batches(5), source.batches(5)
    pairs = list(zip(one, two, strict=True))
    assert see(a for a, _ in pairs).numbers == see(b for _, b in pairs).numbers == list(range(12))


def test_times_are_the_containers_own_with_jitter_and_b_frames(make_film, see) -> None:
    generator = np.random.default_rng(7)
    steps = np.concatenate([generator.integers(2000, 4000, 20), generator.integers(6000, 12000, 20)])
    ticks = [0, *np.cumsum(steps[:-1]).tolist()]
    path = make_film(
        "vfr.mp4",
        frames=40,
        ticks=ticks,
        time_base=Fraction(1, 90000),
        b_frames=3,
        container_options={"video_track_timescale": "90000"},
    )
    with av.open(str(path)) as container:
        decode_order = [packet.pts for packet in container.demux(video=0) if packet.size]
    assert decode_order != sorted(decode_order), "the film must have B-frames"
    source = open_clip(path)
    seen = see(source.batches())
    assert seen.numbers == list(range(40))
    np.testing.assert_array_equal(seen.times_s, np.array(ticks) * (1 / 90000))
    assert float(source.info.rate) == pytest.approx(40 / (ticks[-1] + 3000) * 90000, rel=0.1)


@pytest.mark.parametrize("name", ["late.mp4", "late.mkv"])
def test_times_count_from_the_first_frame_of_a_film_that_starts_late(make_film, see, name) -> None:
    source = open_clip(make_film(name, frames=20, ticks=range(60, 80), time_base=Fraction(1, 30)))
    assert source.info.start_time_s == pytest.approx(2.0)
    seen = see(source.batches())
    assert seen.numbers == list(range(20))
    np.testing.assert_allclose(seen.times_s, np.arange(20) / 30, atol=0.6e-3)


def test_frames_that_an_edit_list_hides_do_not_count(make_film, see, tmp_path) -> None:
    whole, cut = make_film("whole.mp4", frames=40, gop=20), tmp_path / "cut.mp4"
    with (
        av.open(str(whole)) as source,
        av.open(str(cut), "w", options={"avoid_negative_ts": "disabled"}) as out,
    ):
        inner = source.streams.video[0]
        outer = out.add_stream_from_template(inner)
        shift = 9 * 512
        for packet in source.demux(inner):
            if packet.size:
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, outer
                out.mux(packet)
    with av.open(str(cut)) as container:
        assert sum(packet.is_discard for packet in container.demux(video=0)) == 9
    assert scan_packets(cut, SilentProgress()).frame_count == 31
    source = open_clip(cut)
    seen = see(source.batches())
    assert seen.numbers == list(range(9, 40))
    assert seen.indices == list(range(31)) and source.info.frame_count == 31
    assert see(open_clip(cut, start=Moment(frame=25)).batches()).numbers == list(range(34, 40))


def test_frames_that_share_a_time_are_spread(make_film, see, tmp_path) -> None:
    whole, paired = make_film("whole.mkv", frames=12, b_frames=0), tmp_path / "paired.mkv"
    with av.open(str(whole)) as source, av.open(str(paired), "w") as out:
        inner = source.streams.video[0]
        outer = out.add_stream_from_template(inner)
        for index, packet in enumerate(packet for packet in source.demux(inner) if packet.size):
            packet.pts = packet.dts = index // 2 * 80
            packet.stream = outer
            out.mux(packet)
    with av.open(str(paired)) as container:
        stored = [packet.pts for packet in container.demux(video=0) if packet.size]
    assert stored == [index // 2 * 80 for index in range(12)]
    seen = see(open_clip(paired).batches())
    assert seen.numbers == seen.indices == list(range(12))
    np.testing.assert_allclose(seen.times_s[:-1], np.arange(11) * 0.04, atol=1e-9)
    assert (np.diff(seen.times_s) > 0).all()
    assert see(open_clip(paired, start=Moment(frame=7)).batches()).numbers == list(range(7, 12))


def test_recordings_joined_without_care_are_spaced_evenly(make_film, see, tmp_path) -> None:
    one, two = make_film("one.ts", frames=40), make_film("two.ts", frames=40, first=40)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(one.read_bytes() + two.read_bytes())
    seen = see(open_clip(joined).batches())
    assert seen.numbers == seen.indices == list(range(80))
    np.testing.assert_allclose(seen.times_s, np.arange(80) / 30)


def test_a_leap_of_hours_is_no_exposure(make_film, see) -> None:
    path = make_film(
        "leap.mkv", frames=20, ticks=[*range(10), *range(10**6, 10**6 + 10)], time_base=Fraction(1, 30)
    )
    seen = see(open_clip(path).batches())
    assert seen.numbers == seen.indices == list(range(20))
    steps = np.diff(seen.times_s)
    assert steps.min() == pytest.approx(steps.max()) and steps.max() < 3600


def test_a_packet_without_picture_repeats_the_one_before_it(make_film, see, tmp_path) -> None:
    """MPEG-4's pictures that are not coded, by which recorders hold a picture."""
    whole, held = make_film("whole.avi", codec="mpeg4", b_frames=0, frames=12), tmp_path / "held.mkv"
    # ISO 14496-2: start code; P, no whole second, marker; 5 bits of time; marker; not coded.
    not_coded = bytes.fromhex("000001b6") + int("01_0_1_00000_1_0_01111".replace("_", ""), 2).to_bytes(
        2, "big"
    )
    with av.open(str(whole)) as source, av.open(str(held), "w") as out:
        inner = source.streams.video[0]
        outer = out.add_stream_from_template(inner)
        packets = [bytes(packet) for packet in source.demux(inner) if packet.size]
        packets[3:3] = [not_coded] * 3
        for index, content in enumerate(packets):
            packet = av.Packet(content)
            packet.pts = packet.dts = index
            packet.time_base, packet.stream = Fraction(1, 30), outer
            packet.is_keyframe = index == 0
            out.mux(packet)
    seen = see(open_clip(held).batches())
    assert seen.indices == list(range(15))
    assert seen.numbers == [0, 1, 2, 2, 2, 2, *range(3, 12)]
    assert see(open_clip(held, start=Moment(frame=4), end=Moment(frame=8)).batches()).numbers == [2, 2, 3, 4]


def test_pictures_that_avi_leaves_out_leave_the_times_true(make_film, see) -> None:
    ticks = [0, 1, 2, *range(30, 39)]
    path = make_film("held.avi", codec="mpeg4", b_frames=0, frames=12, ticks=ticks)
    seen = see(open_clip(path).batches())
    assert seen.numbers == seen.indices == list(range(12))
    np.testing.assert_allclose(seen.times_s, np.array(ticks) / 30)


def test_tags_in_an_unknown_encoding_do_no_harm(make_film, see) -> None:
    path = make_film("tags.mp4", frames=3)
    content = path.read_bytes()
    assert b"Lavf" in content
    path.write_bytes(content.replace(b"Lavf", b"\xff\xfe\xfd\xfc"))
    assert see(open_clip(path).batches()).numbers == [0, 1, 2]


@pytest.mark.parametrize(
    ("value", "focal_mm"), [("26", 26.0), ("23.5", 23.5), ("wide", None), ("0", None), ("nan", None)]
)
def test_the_lens_that_a_phone_records_is_known(make_film, value, focal_mm) -> None:
    name = "com.apple.quicktime.camera.focal_length.35mm_equivalent"
    options = {"movflags": "use_metadata_tags"}
    film = make_film("phone.mov", frames=3, container_options=options, metadata={name: value})
    assert open_clip(film).info.focal_mm == focal_mm
    assert open_clip(make_film(frames=3)).info.focal_mm is None


def test_a_recording_that_begins_between_key_frames_begins_with_its_first_picture(
    make_film, see, tmp_path
) -> None:
    whole = make_film("whole.ts", frames=60, gop=20).read_bytes()
    path = tmp_path / "late.ts"
    path.write_bytes(whole[len(whole) // 4 // 188 * 188 :])
    table = scan_packets(path, SilentProgress())
    assert table.entry(0) == table.key_positions[0] > 0, "what cannot be decoded must not be tried"
    seen = see(open_clip(path).batches())
    assert seen.indices == list(range(len(seen.indices)))
    assert seen.numbers == list(range(60 - len(seen.numbers), 60)) and len(seen.numbers) >= 20
    start = len(seen.indices) - 5
    assert see(open_clip(path, start=Moment(frame=start)).batches()).numbers == seen.numbers[-5:]


def test_sound_that_the_header_does_not_name_does_no_harm(make_film, see) -> None:
    path = make_film("late.flv", frames=600, size=(64, 48))
    sound = bytes([0x3E]) + bytes(200)
    size = len(sound).to_bytes(3, "big")
    tag = b"\x08" + size + bytes(7) + sound
    with path.open("ab") as file:
        file.write(tag + len(tag).to_bytes(4, "big"))
    assert see(open_clip(path).batches()).indices == list(range(600))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, -90, 90, 180])
@pytest.mark.parametrize("name", ["turned.mp4", "turned.mkv"])
def test_rotation_metadata_is_applied(make_film, see, is_upright, name, rotation, mirrored) -> None:
    source = open_clip(make_film(name, frames=5, rotation=rotation, mirrored=mirrored))
    if not mirrored:
        assert source.info.rotation_ccw_deg == rotation % 360
    assert (source.info.width, source.info.height) == (160, 96)
    seen = see(source.batches())
    assert seen.numbers == list(range(5)) and all(is_upright(frame) for frame in seen.frames)
    assert all(frame.flags.c_contiguous for frame in seen.frames)


@pytest.mark.parametrize(
    ("aspect", "rotation", "size"),
    [(Fraction(2), 0, (320, 96)), (Fraction(1, 2), 0, (160, 192)), (Fraction(4, 3), 90, (160, 128))],
)
def test_pixels_become_square(make_film, see, is_upright, aspect, rotation, size) -> None:
    source = open_clip(make_film("wide.mp4", frames=4, aspect=aspect, rotation=rotation))
    assert (source.info.width, source.info.height) == size
    assert source.info.pixel_aspect == aspect
    seen = see(source.batches())
    assert seen.numbers == list(range(4)) and all(is_upright(frame) for frame in seen.frames)


def test_odd_sizes(make_film, see, is_upright) -> None:
    source = open_clip(make_film("odd.mp4", frames=6, size=(161, 97), pixels="yuv444p"))
    seen = see(source.batches(4))
    assert seen.frames[0].shape == (97, 161, 3)
    assert seen.numbers == list(range(6)) and all(is_upright(frame) for frame in seen.frames)


def test_ten_bits_become_eight(make_film, see, is_upright) -> None:
    seen = see(open_clip(make_film("deep.mp4", frames=4, pixels="yuv420p10le")).batches())
    assert seen.numbers == list(range(4)) and all(is_upright(frame) for frame in seen.frames)


def test_a_picture_that_changes_its_size_is_an_error_after_the_frames_before_it(make_film, tmp_path) -> None:
    small = make_film("small.ts", frames=20)
    large = make_film("large.ts", frames=20, size=(320, 192), ticks=range(22, 42), time_base=Fraction(1, 30))
    path = tmp_path / "both.ts"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    given: list[int] = []
    with pytest.raises(MediaError, match="320 x 192 instead of 160 x 96") as caught:
        for batch in open_clip(path).batches(8):
            given += batch.indices.tolist()
    assert caught.value.reason == "MEDIA_SIZE_CHANGED"
    assert given == list(range(20)) and caught.value.metadata["frame"] == "20"
    assert sum(len(batch) for batch in open_clip(path, end=Moment(frame=20)).batches()) == 20


RANGE_FILMS = {
    "closed": ("closed.mp4", "libx264", {}),
    "open": ("open.mkv", "libx264", {"x264-params": "open-gop=1:bframes=3:b-adapt=0:scenecut=0:keyint=10"}),
    "refresh": ("refresh.ts", "libx264", {"x264-params": "intra-refresh=1:keyint=10:bframes=0"}),
    "hevc": ("hevc.mp4", "libx265", {"x265-params": "open-gop=1:keyint=10:bframes=3:log-level=none"}),
    "vp9": ("vp9.webm", "libvpx-vp9", {"cpu-used": "8", "deadline": "realtime"}),
    "mpeg4": ("asp.avi", "mpeg4", {}),
}


@pytest.mark.parametrize("kind", RANGE_FILMS)
def test_a_range_gives_the_very_frames_of_the_whole_film(make_film, see, kind) -> None:
    name, codec, options = RANGE_FILMS[kind]
    path = make_film(name, codec=codec, options=options, frames=60)
    whole = see(open_clip(path).batches())
    assert whole.numbers == list(range(60))
    for first, stop in [(0, 3), (9, 12), (29, 31), (30, 60), (37, 38), (59, 60)]:
        source = open_clip(path, start=Moment(frame=first), end=Moment(frame=stop))
        assert (source.info.first_frame, source.info.frame_count) == (first, stop - first)
        part = see(source.batches(4))
        assert part.indices == list(range(first, stop))
        np.testing.assert_array_equal(part.times_s, whole.times_s[first:stop])
        for index, frame in zip(part.indices, part.frames, strict=True):
            np.testing.assert_array_equal(frame, whole.frames[index])


@pytest.mark.parametrize(
    ("start", "end", "indices"),
    [
        ("1s", "2s", range(30, 60)),
        ("1.01s", None, range(31, 90)),
        ("85", "1000", range(85, 90)),
        ("85", "99.5s", range(85, 90)),
        (None, "0.1s", range(3)),
        ("0.5s", "16", range(15, 16)),
    ],
)
def test_ranges_in_frames_and_seconds(make_film, see, start, end, indices) -> None:
    path = make_film(frames=90, ticks=range(60, 150), time_base=Fraction(1, 30))
    source = open_clip(path, start=start and Moment.parse(start), end=end and Moment.parse(end))
    assert see(source.batches()).numbers == list(indices)
    assert source.info.frame_count == len(indices)


@pytest.mark.parametrize(
    ("start", "end"), [("90", None), ("3s", None), ("50", "1s"), ("1000", "2000"), ("0.011s", "0.02s")]
)
def test_a_range_without_frames_says_what_there_is(make_film, start, end) -> None:
    path = make_film(frames=90)
    with pytest.raises(InputError, match=r"90 frames, 3\.000 s") as caught:
        open_clip(path, start=Moment.parse(start), end=end and Moment.parse(end))
    assert caught.value.reason == "RANGE_EMPTY"
    assert caught.value.metadata["frame_count"] == "90"


def test_a_film_closed_early_leaves_no_file_open(make_film) -> None:
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("open files cannot be listed on this system")
    path = make_film(frames=60)
    source = open_clip(path)
    batches = source.batches(4)
    next(batches)
    assert str(path) in _open_files()
    batches.close()
    assert str(path) not in _open_files()


def _open_files() -> list[str]:
    names = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            names.append(os.readlink(entry))
        except FileNotFoundError:
            continue
    return names


class Cancelled:
    """A progress that cancels after some checks."""

    def __init__(self, checks: int) -> None:
        self.checks = checks

    def report(self, stage: str, done: int, total: int) -> None: ...

    def note(self, message: str) -> None: ...

    def people(self, people: object) -> None: ...

    def check(self) -> None:
        self.checks -= 1
        if self.checks < 0:
            raise JobCancelledError("cancelled")


@pytest.mark.parametrize("checks", [0, 20, 100])
def test_a_cancel_takes_effect_in_the_scan_and_between_frames(make_film, checks) -> None:
    path = make_film(frames=60)
    with pytest.raises(JobCancelledError):
        for _ in open_clip(path, progress=Cancelled(checks)).batches():
            pass


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "size", "start_s"),
    [
        ("format_FLV_H264_AAC.video", (640, 320), 0.036),
        ("format_MKV_VP8_VORBIS.video", (640, 320), 0.0),
        ("format_MP4_AVC720P_AAC.video", (1280, 640), 0.0),
    ],
)
def test_films_of_others(reference_data, see, name, size, start_s) -> None:
    source = open_clip(reference_data / "video" / "frame_counter" / name)
    assert (source.info.width, source.info.height) == size
    assert source.info.frame_count == 180 and source.info.rate == 30
    assert source.info.start_time_s == pytest.approx(start_s)
    seen = see(source.batches())
    assert seen.indices == list(range(180))
    np.testing.assert_allclose(seen.times_s, np.arange(180) / 30, atol=1e-3)
