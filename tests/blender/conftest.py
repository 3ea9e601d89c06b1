"""Blenders with the built add-on, a server that answers at once, and films."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from blender_hosts import VERSIONS, BlenderHost, build_zips, prepare  # noqa: E402
from dance_floor import film, server, sideways_film  # noqa: E402, F401, fixtures

PICTURES = 6


@pytest.fixture(scope="session")
def plugin_zips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
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


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A film as pictures, counted from 1001."""
    folder = tmp_path_factory.mktemp("pictures")
    paths = [folder / f"shot.{1001 + index}.png" for index in range(PICTURES)]
    for index, path in enumerate(paths):
        Image.new("RGB", (320, 180), (index * 20, 0, 0)).save(path)
    return paths
