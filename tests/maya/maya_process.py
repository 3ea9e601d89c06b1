"""Maya in a process of its own: the double's mayapy, and what a real one needs."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from double import signatures

__all__ = ["MODULE", "build_module", "double_command", "mayapy"]

_HERE = Path(__file__).parent
_PLUGIN = _HERE.parents[1] / "plugins/maya"
MODULE = _PLUGIN / "pose_from_video"


def mayapy(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """Run the double's mayapy with these arguments; settings are those of the double."""
    command, environment = double_command(**settings)
    return subprocess.run(
        [*command, *arguments], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )


def double_command(**settings: object) -> tuple[list[str], dict[str, str]]:
    """Return how to call the double's mayapy, and what must stand in its environment."""
    try:
        stubs = signatures.stub_folder().parent
    except signatures.StubsAbsent as error:
        pytest.skip(str(error))
    path = os.pathsep.join([str(MODULE / "scripts"), *filter(None, sys.path), str(stubs)])
    return [sys.executable, str(_HERE / "mayapy.py")], {
        "PYTHONPATH": path,
        "MAYA_DOUBLE": json.dumps(settings),
    }


def build_module(out: Path) -> tuple[Path, Path]:
    """Build the add-on for this machine as `make plugins` does: a folder of modules, and its zip."""
    spec = importlib.util.spec_from_file_location("build_maya", _PLUGIN / "build.py")
    assert spec and spec.loader
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    system = {"linux": "linux", "win32": "win64", "darwin": "mac"}[sys.platform]
    return build.build(out, [system])
