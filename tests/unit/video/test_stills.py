"""Image sequences: numbering, ranges, gaps, damage and the light of EXR."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from pose_server.pipeline.options import Moment
from pose_server.video.open import open_clip
from pose_shared.errors import InputError, MediaError, MissingExtraError, PoseError

RATE = Fraction(24)


@pytest.fixture
def write_sequence(write_picture):
    """Write numbered pictures; the picture numbered `first` carries 0."""

    def write(pattern: str, numbers, codec: str = "png", **options) -> Path:
        first = min(numbers)
        for number in numbers:
            path = write_picture(pattern % number, number - first, codec=codec, **options)
        return path.with_name(pattern)

    return write


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("shot.%04d.png", "shot.%04d.png"),
        ("shot.%04d.png", "shot.####.png"),
        ("shot_v2.%d.png", "shot_v2.%d.png"),
        ("%06d.png", "######.png"),
        ("shot.%04d.left.png", "shot.%04d.left.png"),
    ],
)
@pytest.mark.parametrize("first", [0, 1, 998, 1001])
def test_pictures_come_in_the_order_of_their_numbers(
    write_sequence, see, is_upright, written, asked, first
) -> None:
    pattern = write_sequence(written, range(first, first + 11))
    source = open_clip(pattern.with_name(asked), input_fps=RATE)
    seen = see(source.batches(4))
    assert seen.numbers == seen.indices == list(range(11))
    assert all(is_upright(frame) for frame in seen.frames)
    np.testing.assert_allclose(seen.times_s, np.arange(11) / 24)
    info = source.info
    assert (info.width, info.height, info.frame_count, info.rate) == (160, 96, 11, RATE)
    assert (info.codec, info.start_time_s, info.first_frame) == ("png", 0.0, 0)


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".jpg", "mjpeg"), (".JPEG", "mjpeg"), (".bmp", "bmp"), (".tga", "targa")]
)
def test_kinds_of_pictures(write_sequence, see, is_upright, suffix, codec) -> None:
    seen = see(open_clip(write_sequence("a%03d" + suffix, range(3), codec=codec), input_fps=RATE).batches())
    assert seen.numbers == [0, 1, 2] and all(is_upright(frame) for frame in seen.frames)


def test_ranges_count_from_the_first_number(write_sequence, see) -> None:
    pattern = write_sequence("shot.%04d.png", range(1001, 1031))
    source = open_clip(pattern, start=Moment(frame=5), end=Moment(seconds=1.0), input_fps=Fraction(24))
    seen = see(source.batches())
    assert seen.numbers == seen.indices == list(range(5, 24))
    assert seen.times_s[0] == pytest.approx(5 / 24) and source.info.first_frame == 5
    with pytest.raises(InputError, match="30 frames") as caught:
        open_clip(pattern, start=Moment(frame=30), input_fps=RATE)
    assert caught.value.reason == "RANGE_EMPTY"


def test_the_rate_must_be_given_for_pictures_and_not_for_films(write_sequence, make_film) -> None:
    with pytest.raises(InputError, match="--input-fps 24") as caught:
        open_clip(write_sequence("shot.%04d.png", range(3)))
    assert caught.value.reason == "RATE_MISSING"
    with pytest.raises(InputError, match="leave --input-fps out") as caught:
        open_clip(make_film(frames=3), input_fps=RATE)
    assert caught.value.reason == "RATE_NOT_NEEDED"


def test_a_gap_inside_the_range_names_the_missing_picture(write_sequence, see) -> None:
    pattern = write_sequence("shot.%04d.png", [*range(1001, 1008), *range(1009, 1014)])
    with pytest.raises(MediaError, match=r"Picture 1008 of 'shot\.%04d\.png'") as caught:
        open_clip(pattern, input_fps=RATE)
    assert caught.value.reason == "SEQUENCE_GAP"
    assert caught.value.metadata["missing"] == "1008" and "--end 7" in caught.value.message
    assert see(open_clip(pattern, end=Moment(frame=7), input_fps=RATE).batches()).numbers == list(range(7))
    after = see(open_clip(pattern, start=Moment(frame=8), input_fps=RATE).batches())
    assert after.indices == after.numbers == list(range(8, 13))
    allowed = open_clip(pattern, input_fps=RATE, allow_truncated=True)
    assert allowed.info.frame_count == 7
    assert see(allowed.batches()).numbers == list(range(7))
    with pytest.raises(MediaError, match="Picture 1008"):
        open_clip(pattern, start=Moment(frame=7), input_fps=RATE, allow_truncated=True)


def test_an_empty_picture_counts_as_missing_and_a_stray_number_is_no_long_clip(write_sequence) -> None:
    pattern = write_sequence("shot.%04d.png", range(1, 6))
    (pattern.parent / "shot.0003.png").write_bytes(b"")
    with pytest.raises(MediaError, match="Picture 3 "):
        open_clip(pattern, input_fps=RATE)
    (pattern.parent / "shot.0003.png").unlink()
    (pattern.parent / "shot.0003.png").symlink_to("nowhere.png")
    (pattern.parent / "shot.999999999999.png").write_bytes(b"stray")
    with pytest.raises(MediaError, match="Picture 3 "):
        open_clip(pattern, end=Moment(frame=2), input_fps=RATE)


def test_a_damaged_picture_is_named_after_the_good_ones(write_sequence, see) -> None:
    pattern = write_sequence("shot.%04d.jpg", range(20), codec="mjpeg")
    broken = pattern.parent / "shot.0013.jpg"
    broken.write_bytes(broken.read_bytes()[:600])
    given: list[int] = []
    with pytest.raises(MediaError, match=r"'shot\.0013\.jpg' is damaged or no JPG picture") as caught:
        for batch in open_clip(pattern, input_fps=RATE).batches(4):
            given += batch.indices.tolist()
    assert caught.value.reason == "PICTURE_DAMAGED" and given == list(range(13))
    assert see(open_clip(pattern, input_fps=RATE, allow_truncated=True).batches()).numbers == given


def test_a_text_in_place_of_the_first_picture(tmp_path) -> None:
    (tmp_path / "a1.png").write_text("no picture")
    for allowed in (False, True):
        with pytest.raises(MediaError) as caught:
            open_clip(tmp_path / "a%d.png", input_fps=RATE, allow_truncated=allowed)
        assert caught.value.reason == "PICTURE_DAMAGED"


def test_a_picture_of_another_size_is_named(write_sequence, write_picture) -> None:
    pattern = write_sequence("a%02d.png", range(5))
    write_picture("a03.png", 3, size=(80, 48))
    with pytest.raises(MediaError, match=r"at frame 3 .* 80 x 48 instead of 160 x 96") as caught:
        list(open_clip(pattern, input_fps=RATE).batches())
    assert caught.value.reason == "MEDIA_SIZE_CHANGED"


@pytest.mark.parametrize(
    ("name", "reason", "says"),
    [
        ("a00.png", "MEDIA_SINGLE_PICTURE", "a%02d.png"),
        ("plain.png", "MEDIA_SINGLE_PICTURE", "shot.%04d.png"),
        ("b%02d.png", "MEDIA_NOT_FOUND", "b%02d.png"),
        ("a%04d.png", "MEDIA_NOT_FOUND", "number of digits"),
        ("nowhere/a%02d.png", "MEDIA_NOT_FOUND", "check the folder"),
        ("a%02d.txt", "MEDIA_NOT_PICTURES", ".exr"),
        ("a%02d.mp4", "MEDIA_NOT_PICTURES", ".png"),
    ],
)
def test_what_is_no_sequence_is_told_how_to_become_one(
    write_sequence, write_picture, name, reason, says
) -> None:
    folder = write_sequence("a%02d.png", range(3)).parent
    write_picture("plain.png", 0)
    with pytest.raises(MediaError) as caught:
        open_clip(folder / name, input_fps=RATE)
    assert caught.value.reason == reason and says in caught.value.message


def linear(picture: np.ndarray) -> np.ndarray:
    value = picture / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


def write_exr(
    path: Path, pixels: np.ndarray, *, window: tuple[int, int, int, int] | None = None, names=None
) -> None:
    oiio = pytest.importorskip("OpenImageIO")
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], "half")
    if names:
        spec.channelnames = names
    if window:
        spec.x, spec.y, spec.full_width, spec.full_height = window
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec) and output.write_image(pixels) and output.close()


def test_linear_exr_is_shown_as_srgb(tmp_path, picture, see, is_upright) -> None:
    for number in range(3):
        light = linear(picture(number, 160, 96))
        light[:2] = 7.0  # brighter than white
        light[2:4] = np.nan
        light[4:6] = -1.0
        write_exr(tmp_path / f"shot.{1001 + number}.exr", light)
    source = open_clip(tmp_path / "shot.####.exr", input_fps=RATE)
    seen = see(source.batches())
    assert source.info.codec == "exr"
    assert seen.numbers == [0, 1, 2] and all(is_upright(frame, tolerance=2) for frame in seen.frames)
    assert (seen.frames[0][:2] == 255).all() and (seen.frames[0][2:6] == 0).all()


def test_exr_channels_are_found_by_name_and_stored_parts_put_in_place(
    tmp_path, picture, see, is_upright
) -> None:
    whole = linear(picture(5, 160, 96))
    layers = np.dstack([np.full_like(whole[..., 0], 0.5), whole[..., ::-1]])
    write_exr(tmp_path / "a1.exr", layers, names=("depth.Z", "B", "G", "R"))
    write_exr(tmp_path / "a2.exr", whole[10:90, 20:150], window=(20, 10, 160, 96))
    seen = see(open_clip(tmp_path / "a%d.exr", input_fps=RATE).batches())
    assert seen.numbers[0] == 5 and is_upright(seen.frames[0], tolerance=2)
    np.testing.assert_array_equal(seen.frames[1][10:90, 20:150], seen.frames[0][10:90, 20:150])
    assert not seen.frames[1][:10].any() and not seen.frames[1][:, 150:].any()


def test_integer_tiff_is_taken_as_it_is(tmp_path, picture, see, is_upright) -> None:
    oiio = pytest.importorskip("OpenImageIO")
    for number in range(2):
        output = oiio.ImageOutput.create(str(tmp_path / f"a{number}.tif"))
        assert output.open(str(tmp_path / f"a{number}.tif"), oiio.ImageSpec(160, 96, 3, "uint16"))
        assert output.write_image(picture(number, 160, 96).astype(np.uint16) * 257) and output.close()
    seen = see(open_clip(tmp_path / "a%d.tif", input_fps=RATE).batches())
    assert seen.numbers == [0, 1] and all(is_upright(frame, tolerance=1) for frame in seen.frames)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.9])
def test_a_damaged_exr_is_named(tmp_path, picture, share) -> None:
    write_exr(tmp_path / "a1.exr", linear(picture(1, 160, 96)))
    content = (tmp_path / "a1.exr").read_bytes()
    (tmp_path / "a1.exr").write_bytes(content[: int(share * len(content))] or b"no picture")
    with pytest.raises(MediaError) as caught:
        open_clip(tmp_path / "a%d.exr", input_fps=RATE)
    assert caught.value.reason == "PICTURE_DAMAGED"


def test_the_extra_to_install_is_named(tmp_path, monkeypatch) -> None:
    (tmp_path / "a1.exr").write_bytes(b"something")
    monkeypatch.setitem(sys.modules, "OpenImageIO", None)
    with pytest.raises(MissingExtraError, match=r'pip install "pose-server\[exr\]"') as caught:
        open_clip(tmp_path / "a%d.exr", input_fps=RATE)
    assert caught.value.metadata["extra"] == "exr"
    assert isinstance(caught.value, PoseError) and caught.value.exit_code == 2


def test_single_pictures_are_those_of_the_sequence(write_sequence, see) -> None:
    source = open_clip(write_sequence("shot.%04d.png", range(7, 90)), input_fps=RATE)
    assert see_numbers(see, source, [80, 3, 4]) == [3, 4, 80]


def see_numbers(see, source, wanted) -> list[int]:
    """Which pictures come, by the number that they carry."""
    whole = see(source.batches(8))
    return [
        next(k for k, other in enumerate(whole.frames) if np.array_equal(frame, other))
        for _, frame in source.frames_at(wanted)
    ]
