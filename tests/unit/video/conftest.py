"""Films and pictures that carry their own frame number, so that every decoded picture can be named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

#: Black and white columns, one for each bit of the frame number, lowest first.
BITS = 10
#: The band under the bars: red on the left, green on the right, blue below.
RED, GREEN, BLUE = (200, 30, 30), (30, 200, 30), (30, 30, 200)


def _picture(index: int, width: int, height: int) -> NDArray[np.uint8]:
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    edges = np.linspace(0, width, BITS + 1).round().astype(int)
    for bit in range(BITS):
        picture[: height // 2, edges[bit] : edges[bit + 1]] = 255 * (index >> bit & 1)
    third = height * 3 // 4
    picture[height // 2 : third, : width // 2] = RED
    picture[height // 2 : third, width // 2 :] = GREEN
    picture[third:] = BLUE
    return picture


def _number(picture: NDArray[np.uint8]) -> int:
    height, width = picture.shape[:2]
    centres = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
    bars = picture[height // 8 : height * 3 // 8, centres].mean(axis=(0, 2)) > 128
    return int(sum(1 << bit for bit in np.flatnonzero(bars)))


def _is_upright(picture: NDArray[np.uint8], tolerance: float = 40) -> bool:
    height, width = picture.shape[:2]
    spots = {(0.62, 0.25): RED, (0.62, 0.75): GREEN, (0.87, 0.5): BLUE}
    return all(
        np.abs(picture[int(y * height), int(x * width)].astype(float) - colour).max() < tolerance
        for (y, x), colour in spots.items()
    )


@dataclass(frozen=True)
class FilmMaker:
    """Writes films with PyAV into one folder."""

    folder: Path
    defaults: dict[str, Any] = field(
        default_factory=lambda: {"preset": "ultrafast", "x265-params": "log-level=none"}
    )

    def __call__(
        self,
        name: str = "clip.mp4",
        *,
        frames: int = 30,
        first: int = 0,
        size: tuple[int, int] = (160, 96),
        codec: str = "libx264",
        pixels: str = "yuv420p",
        rate: int = 30,
        ticks: Sequence[int] | None = None,
        time_base: Fraction | None = None,
        gop: int = 10,
        b_frames: int = 2,
        rotation: int = 0,
        mirrored: bool = False,
        aspect: Fraction | None = None,
        options: dict[str, str] | None = None,
        container_options: dict[str, str] | None = None,
        metadata: dict[str, str] | None = None,
    ) -> Path:
        """Write a film whose pictures are numbered from `first`.

        What the player is told to do, to turn and then to mirror, is undone in the stored pictures.
        """
        path = self.folder / name
        with av.open(str(path), "w", options=container_options or {}) as container:
            container.metadata.update(metadata or {})
            chosen = self.defaults if codec in ("libx264", "libx265") else {}
            stream = container.add_stream(codec, rate=rate, options={**chosen, **(options or {})})
            turns = -rotation // 90
            mirror = slice(None, None, -1 if mirrored else 1)
            stored = np.rot90(_picture(0, *size), turns)
            stream.height, stream.width = stored.shape[:2]
            stream.pix_fmt = pixels
            stream.codec_context.gop_size = gop
            if codec.startswith(("libx26", "mpeg")):
                stream.codec_context.max_b_frames = b_frames
            if time_base:
                stream.codec_context.time_base = time_base
            if aspect:
                stream.codec_context.sample_aspect_ratio = aspect
            if rotation or mirrored:
                stream.set_display_rotation(rotation, hflip=mirrored)
            for i in range(frames):
                turned = np.ascontiguousarray(np.rot90(_picture(first + i, *size)[:, mirror], turns))
                frame = av.VideoFrame.from_ndarray(turned, format="rgb24")
                frame.pts = ticks[i] if ticks else i
                frame.time_base = time_base or Fraction(1, rate)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path


@pytest.fixture
def make_film(tmp_path: Path) -> FilmMaker:
    """Write films whose pictures carry their numbers."""
    return FilmMaker(tmp_path)


@pytest.fixture(scope="session")
def picture() -> Callable[[int, int, int], NDArray[np.uint8]]:
    """Return a picture that carries a number."""
    return _picture


@pytest.fixture(scope="session")
def number_of() -> Callable[[NDArray[np.uint8]], int]:
    """Read the number of a decoded picture."""
    return _number


@pytest.fixture(scope="session")
def is_upright() -> Callable[..., bool]:
    """Return whether a picture has its colours where they belong."""
    return _is_upright


@dataclass
class Seen:
    """All that a source gave."""

    indices: list[int]
    times_s: NDArray[np.float64]
    numbers: list[int]
    frames: list[NDArray[np.uint8]]


@pytest.fixture(scope="session")
def see() -> Callable[[Iterable[Any]], Seen]:
    """Take everything from some batches."""

    def take(batches: Iterable[Any]) -> Seen:
        taken = list(batches)
        return Seen(
            indices=[int(i) for batch in taken for i in batch.indices],
            times_s=np.concatenate([batch.times_s for batch in taken]) if taken else np.zeros(0),
            numbers=[_number(frame) for batch in taken for frame in batch.frames],
            frames=[frame for batch in taken for frame in batch.frames],
        )

    return take


@pytest.fixture
def write_picture(tmp_path: Path) -> Callable[..., Path]:
    """Write one numbered picture with a codec of FFmpeg."""

    def write(name: str, index: int, size: tuple[int, int] = (160, 96), codec: str = "png") -> Path:
        pixels = {"mjpeg": "yuvj420p", "targa": "bgr24", "bmp": "bgr24"}.get(codec, "rgb24")
        context = av.CodecContext.create(codec, "w")
        context.width, context.height = size
        context.pix_fmt = pixels
        context.time_base = Fraction(1, 25)
        frame = av.VideoFrame.from_ndarray(_picture(index, *size), format="rgb24").reformat(format=pixels)
        packets = [*context.encode(frame), *context.encode(None)]
        path = tmp_path / name
        path.write_bytes(b"".join(bytes(packet) for packet in packets))
        return path

    return write
