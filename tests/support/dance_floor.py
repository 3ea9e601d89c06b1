"""A server that answers at once, and the film that its people are in: what hosts are tested with."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from dancers import FILM_FRAMES, Dancer
from fake_pose_server import FakeServer

__all__ = ["film", "film_at", "server", "sideways_film"]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """Two people: one from the first film frame on, one who comes later."""
    with FakeServer([Dancer(1, 0, FILM_FRAMES), Dancer(2, 13, 41)]).running() as fake:
        yield fake


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 48 frames at 30000/1001."""
    return _make_film(tmp_path_factory.mktemp("film") / "dance.mp4", (320, 180), 0)


@pytest.fixture(scope="session")
def sideways_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, stored on its side, to be turned by a quarter counter-clockwise."""
    return _make_film(tmp_path_factory.mktemp("film") / "side.mp4", (180, 320), 90)


def film_at(path: Path, rate: Fraction) -> Path:
    """Make a film of 48 frames at a rate."""
    return _make_film(path, (320, 180), 0, rate)


def _make_film(
    path: Path, stored_px: tuple[int, int], rotation_ccw_deg: int, rate: Fraction = Fraction(30000, 1001)
) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("h264", rate=rate)
        stream.width, stream.height = stored_px
        stream.pix_fmt = "yuv420p"
        if rotation_ccw_deg:
            stream.set_display_rotation(rotation_ccw_deg)
        for index in range(FILM_FRAMES):
            picture = np.full((stored_px[1], stored_px[0], 3), index * 5, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    return path
