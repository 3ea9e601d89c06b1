"""Every host in turn, and what each of them imports."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(Path(__file__).parent), str(TESTS / "blender"), str(TESTS / "maya")]

from blender_hosts import BlenderHost, build_zips, prepare  # noqa: E402
from dance_floor import film_at  # noqa: E402
from dancers import FILM_FRAMES, Dancer  # noqa: E402
from fake_pose_server import FakeServer  # noqa: E402
from maya_hosts import start_maya  # noqa: E402, F401, fixtures
from maya_process import build_module, double_command  # noqa: E402
from scene_hosts import BlenderScene, MayaAscii, MayaProcess, MayaScene, SceneHost  # noqa: E402

RATES = tuple(Fraction(rate) for rate in ("24", "25", "30000/1001", "30", "60"))


@pytest.fixture(scope="session", params=RATES, ids=lambda rate: f"{float(rate):.4g}fps")
def rate(request: pytest.FixtureRequest) -> Fraction:
    return request.param


@pytest.fixture
def dance(rate: Fraction) -> Iterator[FakeServer]:
    """Two people in one clip, one of whom comes later and leaves earlier."""
    dancers = [
        Dancer(1, 0, FILM_FRAMES, source_rate=rate),
        Dancer(2, 13, 41, source_rate=rate),
    ]
    with FakeServer(dancers).running() as server:
        yield server


@pytest.fixture
def clip(rate: Fraction, tmp_path: Path) -> Path:
    return film_at(tmp_path / "dance.mp4", rate)


@pytest.fixture(scope="session")
def blender(tmp_path_factory: pytest.TempPathFactory) -> BlenderHost:
    """The bpy wheel of this environment, with the built add-on."""
    # It is not imported here: bpy changes where Python looks for modules, of child processes too.
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("the bpy wheel is not installed (extra blender)")
    zips = build_zips(tmp_path_factory.mktemp("dist"))
    return prepare("5.0.1", tmp_path_factory.mktemp("user"), *zips)


@pytest.fixture(
    params=[
        pytest.param("blender", marks=pytest.mark.bpy),
        *(f"maya {up}-up {unit}" for up in "yz" for unit in ("cm", "m")),
        *(f"mayapy {up}-up {unit}" for up, unit in (("y", "cm"), ("z", "m"))),
        "ma y-up",
        "ma z-up",
    ]
)
def host(request: pytest.FixtureRequest) -> SceneHost:
    name, *settings = request.param.split()
    if name == "blender":
        return BlenderScene(request.getfixturevalue("blender"))
    up = settings[0][0]
    if name == "ma":
        return MayaAscii(up)
    if name == "maya":
        request.getfixturevalue("start_maya")(up_axis=up, linear=settings[1])
        return MayaScene(up)
    command, environment = request.getfixturevalue("mayapy")
    return MayaProcess(command, environment, up, settings[1])


@pytest.fixture(scope="session")
def mayapy(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], dict[str, str]]:
    """The mayapy that POSE_MAYAPY names, with the built add-on as its only module; else the double's."""
    real = os.environ.get("POSE_MAYAPY")
    if not real:
        return double_command()
    folder, _ = build_module(tmp_path_factory.mktemp("maya"))
    return [real], {
        "MAYA_MODULE_PATH": str(folder),
        "MAYA_APP_DIR": str(tmp_path_factory.mktemp("preferences")),
        "PYTHONPATH": "",
    }
