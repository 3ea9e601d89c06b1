"""What every test may use: data beside the checkout, a real server, marks that skip with a reason."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_REFERENCE = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def own_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes what the user keeps: weights that are there would change what auto is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSE_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        patch.delenv("POSE_WEIGHTS_DIR", raising=False)
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of real clips and recordings beside the checkout."""
    if not _REFERENCE.is_dir():
        pytest.skip(f"the reference data is not here ({_REFERENCE})")
    return _REFERENCE


@pytest.fixture(scope="session")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server in a process of its own, with the real pipeline."""
    folder = tmp_path_factory.mktemp("server")
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "pose_server", "serve", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "POSE_DATA_DIR": str(folder / "data")},
        )
    assert server.stdout is not None
    line = server.stdout.readline()
    assert line, (folder / "log").read_text()
    yield line.split()[-1]
    server.terminate()
    assert server.wait(20) == 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = {
        "bpy": None
        if importlib.util.find_spec("bpy")
        else "bpy is not installed (pip install -e .[blender])",
        "onnx": None
        if importlib.util.find_spec("onnx") and importlib.util.find_spec("onnxruntime")
        else "onnx or onnxruntime is not installed (pip install -e .[dev])",
        "detectron2": None
        if importlib.util.find_spec("detectron2")
        else "Detectron2 is not installed (docs/detectors.md says how)",
        "reference": None if _REFERENCE.is_dir() else f"the reference data is not here ({_REFERENCE})",
    }
    for item in items:
        for mark, reason in missing.items():
            if reason and item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=reason))
