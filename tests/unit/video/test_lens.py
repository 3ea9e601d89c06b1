"""The lens in the metadata of pictures: whose sensor it is compared with, and what is no lens."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import pytest
from pose_server.video.lens import lens_of_film_mm, lens_of_picture_mm
from pose_server.video.open import open_clip

PLACE = "ExifIFD/"


@pytest.mark.parametrize(
    ("size", "told", "meant"),
    [
        ((6000, 4000), 35, 35.0),  # full frame itself
        ((4000, 6000), 35, 35.0),
        ((4032, 3024), 26, 27.04),  # an iPhone's: 4.25 mm before 5.6 mm, so 27 mm before 36
        ((1920, 1080), 26, 24.82),
    ],
)
def test_35_mm_film_is_compared_by_its_diagonal(size: tuple[int, int], told: float, meant: float) -> None:
    assert lens_of_picture_mm({PLACE + "FocalLengthIn35mmFilm": f"   {told}"}, *size) == pytest.approx(
        meant, abs=0.01
    )


@pytest.mark.parametrize("unit, per_mm", [(2, 25.4), (3, 10.0), (4, 1.0), (None, 25.4)])
def test_without_it_the_size_of_the_sensor_s_pixels_tells(unit: int | None, per_mm: float) -> None:
    """Canon EOS: 5184 pixels on 22.2 mm, scaled down since."""
    tags = {
        PLACE + "FocalLength": "50",
        PLACE + "FocalPlaneXResolution": f"{5184 / 22.2 * per_mm}",
        PLACE + "PixelXDimension": " 5184",
        PLACE + "PixelYDimension": " 3456",
    }
    if unit is not None:
        tags[PLACE + "FocalPlaneResolutionUnit"] = str(unit)
    assert lens_of_picture_mm(tags, 1296, 864) == pytest.approx(50 * 36 / 22.2)
    for missing in ("FocalLength", "FocalPlaneXResolution"):
        assert lens_of_picture_mm({k: v for k, v in tags.items() if k != PLACE + missing}, 1296, 864) is None
    sizes = {k: v for k, v in tags.items() if "Pixel" not in k}
    assert lens_of_picture_mm(sizes, 1296, 864) is None


@pytest.mark.parametrize("value", ["0", "wide", "nan", "inf", "-3", "65535", ""])
def test_what_is_no_lens_is_none(value: str) -> None:
    assert lens_of_picture_mm({PLACE + "FocalLengthIn35mmFilm": value}, 4000, 3000) is None
    assert lens_of_film_mm({"com.apple.quicktime.camera.focal_length.35mm_equivalent": value}) is None
    assert lens_of_picture_mm({"MyFocalLengthIn35mmFilm": "26"}, 4000, 3000) is None


def test_pictures_of_a_sequence_tell_their_lens(tmp_path: Path, write_picture) -> None:
    for index in range(3):
        path = write_picture(f"shot.{index:02d}.jpg", index, codec="mjpeg")
        path.write_bytes(with_exif(path.read_bytes(), focal_35mm=26))
    info = open_clip(tmp_path / "shot.%02d.jpg", input_fps=Fraction(24)).info
    assert info.focal_mm == pytest.approx(26 / 43.267 * (160**2 + 96**2) ** 0.5 / 160 * 36, rel=1e-4)
    write_picture("bare.01.png", 0)
    write_picture("bare.02.png", 1)
    assert open_clip(tmp_path / "bare.%02d.png", input_fps=Fraction(24)).info.focal_mm is None


def with_exif(jpeg: bytes, *, focal_35mm: int) -> bytes:
    """Return a JPEG with an Exif segment (CIPA DC-008) that holds this one tag, 0xA405."""
    directory = struct.pack("<HHHIII", 1, 0x8769, 4, 1, 26, 0)  # in IFD0: where the Exif IFD is
    exif = struct.pack("<HHHIHHI", 1, 0xA405, 3, 1, focal_35mm, 0, 0)
    body = b"Exif\0\0" + b"II*\0" + struct.pack("<I", 8) + directory + exif
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]
