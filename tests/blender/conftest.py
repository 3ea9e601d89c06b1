"""Blenders with the built add-on, a server that answers at once, and films."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from blender_hosts import VERSIONS, BlenderHost, prepare  # noqa: E402
from dancers import FILM_FRAMES, Dancer  # noqa: E402
from fake_pose_server import FakeServer  # noqa: E402

PICTURES = 6


@pytest.fixture(scope="session")
def build_zips() -> Callable[[Path], tuple[Path, Path]]:
    """Build the extension and the legacy add-on into a folder, as `make plugins` does."""
    spec = importlib.util.spec_from_file_location("build", HERE.parents[1] / "plugins/blender/build.py")
    assert spec and spec.loader
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    return lambda folder: tuple(build.build(folder, ["linux_x64"]))


@pytest.fixture(scope="session")
def plugin_zips(
    build_zips: Callable[[Path], tuple[Path, Path]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    return build_zips(tmp_path_factory.mktemp("dist"))


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(version, marks=[pytest.mark.bpy] if version == "5.0.1" else [pytest.mark.blender])
        for version in VERSIONS
    ],
)
def blender(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, plugin_zips: tuple[Path, Path]
) -> BlenderHost:
    """Each Blender in turn."""
    return prepare(request.param, tmp_path_factory.mktemp(f"user-{request.param}"), *plugin_zips)


@pytest.fixture(scope="session")
def installed_blender(
    tmp_path_factory: pytest.TempPathFactory, plugin_zips: tuple[Path, Path]
) -> BlenderHost:
    """The one Blender here that can open a window: a bpy wheel cannot."""
    return prepare("3.4.1", tmp_path_factory.mktemp("user-window"), *plugin_zips)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """Two people: one from the first film frame on, one who comes later."""
    with FakeServer([Dancer(1, 0, FILM_FRAMES), Dancer(2, 13, 41)]).running() as fake:
        yield fake


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 48 frames at 30000/1001."""
    return make_film(tmp_path_factory.mktemp("film") / "dance.mp4", (320, 180), 0)


@pytest.fixture(scope="session")
def sideways_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, stored on its side, to be turned by a quarter counter-clockwise."""
    return make_film(tmp_path_factory.mktemp("film") / "side.mp4", (180, 320), 90)


def make_film(path: Path, stored_px: tuple[int, int], rotation_ccw_deg: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("h264", rate=Fraction(30000, 1001))
        stream.width, stream.height = stored_px
        stream.pix_fmt = "yuv420p"
        if rotation_ccw_deg:
            stream.set_display_rotation(rotation_ccw_deg)
        for index in range(FILM_FRAMES):
            picture = np.full((stored_px[1], stored_px[0], 3), index * 5, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A film as pictures, counted from 1001."""
    folder = tmp_path_factory.mktemp("pictures")
    paths = [folder / f"shot.{1001 + index}.png" for index in range(PICTURES)]
    for index, path in enumerate(paths):
        Image.new("RGB", (320, 180), (index * 20, 0, 0)).save(path)
    return paths
