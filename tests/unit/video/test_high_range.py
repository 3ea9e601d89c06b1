"""Films of high dynamic range beside an ordinary film of the same scene."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from pose_server.video.high_range import HLG, PQ, standard_range
from pose_server.video.open import open_clip

#: Patches of the scene as an ordinary film has them, and reference white.
COLOURS = np.array(
    [[200, 30, 30], [30, 200, 30], [30, 30, 200], [128, 128, 128],
     [220, 170, 140], [90, 60, 45], [64, 64, 64], [10, 10, 10]]
)  # fmt: skip
#: BT.709 to BT.2020 (ITU-R BT.2087-0).
TO_WIDE = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
LUMINANCE = np.array([0.2627, 0.6780, 0.0593])
SIZE = (320, 96)


def linear(colours: np.ndarray) -> np.ndarray:
    share = colours / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def coded(nits: np.ndarray, transfer: int) -> np.ndarray:
    """BT.2100: what a camera writes so that a display of 1000 cd/m2 shows BT.2020 light."""
    if transfer == PQ:
        m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
        power = (nits / 10000) ** m1
        return ((c1 + c2 * power) / (1 + c3 * power)) ** m2
    display = nits / 1000
    scene = display * np.maximum(display @ LUMINANCE, 1e-12)[..., None] ** ((1 - 1.2) / 1.2)
    bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)


def write_high(path: Path, colours: np.ndarray, transfer: int) -> Path:
    """Columns of one colour each, 10 bits, BT.2020 with constant weights of the primaries."""
    width, height = SIZE
    signal = coded(203 * linear(colours) @ TO_WIDE.T, transfer)
    columns = np.repeat(signal, width // len(colours), axis=0)
    luma = columns @ LUMINANCE
    planes = (
        np.round(876 * luma + 64),
        np.round(896 * (columns[:, 2] - luma) / 1.8814 + 512)[::2],
        np.round(896 * (columns[:, 0] - luma) / 1.4746 + 512)[::2],
    )
    name = {PQ: "smpte2084", HLG: "arib-std-b67"}[transfer]
    settings = f"log-level=none:colorprim=bt2020:transfer={name}:colormatrix=bt2020nc"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx265", rate=25, options={"crf": "4", "x265-params": settings})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace, context.color_range = (
            transfer,
            9,
            9,
            1,
        )
        for index in range(3):
            frame = av.VideoFrame(width, height, "yuv420p10le")
            for plane, values in zip(frame.planes, planes, strict=True):
                rows = np.zeros((plane.height, plane.line_size // 2), np.uint16)
                rows[:, : len(values)] = values
                plane.update(rows.tobytes())
            frame.pts, frame.time_base = index, Fraction(1, 25)
            frame.colorspace, frame.color_range = 9, 1
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return path


def patches(path: Path) -> np.ndarray:
    """Mean colour of the middle of each column."""
    (batch,) = open_clip(path).batches(8)
    assert len(batch) == 3
    step = SIZE[0] // len(COLOURS)
    return np.array(
        [
            batch.frames[0][20:-20, i * step + 10 : (i + 1) * step - 10].mean(axis=(0, 1))
            for i in range(len(COLOURS))
        ]
    )


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_an_ordinary_scene_looks_as_in_an_ordinary_film(transfer: int, tmp_path: Path) -> None:
    film = write_high(tmp_path / "high.mp4", COLOURS, transfer)
    assert [{PQ: "(PQ)", HLG: "(HLG)"}[transfer] in remark for remark in open_clip(film).info.remarks] == [
        True
    ]
    seen = patches(film)
    assert np.abs(seen - COLOURS).max() < 8
    assert abs(seen.mean() - COLOURS.mean()) < 2


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_light_above_white_is_pressed_together_and_keeps_its_order(transfer: int, tmp_path: Path) -> None:
    # Grey of 0.5 to 4 times reference white, as numbers beyond an ordinary film's.
    light = np.array([0.5, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0, 4.0])
    grey = 255 * np.where(light > 0, 1.055 * light ** (1 / 2.4) - 0.055, 0)
    seen = patches(write_high(tmp_path / "high.mp4", np.repeat(grey[:, None], 3, axis=1), transfer))
    assert (np.diff(seen.mean(axis=1)) > -0.5).all()
    assert np.abs(seen[:2, 0] - grey[:2]).max() < 4
    assert 245 < seen[2].mean() < 255 and seen[-1].mean() > 253
    assert np.ptp(seen, axis=1).max() < 3


def test_the_curves_are_those_of_the_standard() -> None:
    """Grey ramps through the inverse formulas."""
    nits = np.geomspace(0.05, 180, 200)
    for transfer in (PQ, HLG):
        signal = coded(np.repeat(nits[:, None], 3, axis=1), transfer)
        shown = standard_range(np.round(65535 * signal).astype(np.uint16)[None], transfer)[0, :, 1]
        light = nits / 203
        wanted = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        assert np.abs(shown - wanted).max() < 1.6
