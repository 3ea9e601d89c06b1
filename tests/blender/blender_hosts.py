"""The Blenders that the built add-on is installed into, as a user would."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

__all__ = ["VERSIONS", "BlenderHost", "build_zips", "prepare"]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
#: Debian's Blender, and bpy wheels.
VERSIONS = ("3.4.1", "4.2.23", "4.5.15", "5.0.1")

_OWN_WHEEL = "5.0.1"
# What bpy needs beside it; nothing of ours, so that the add-on must bring its own.
_BESIDE_BPY = (
    "bpy",
    "numpy",
    "numpy.libs",
    "requests",
    "urllib3",
    "certifi",
    "charset_normalizer",
    "idna",
    "zstandard",
)


@dataclass(frozen=True)
class BlenderHost:
    """One Blender with the add-on installed, and user settings of its own."""

    version: str
    command: tuple[str, ...]
    environment: dict[str, str]

    def run(self, script: str, folder: Path, *, timeout_s: float = 120, **arguments: Any) -> Any:
        """Run a script of `inside/` and return what it reports."""
        result = folder / f"{script}.result.json"
        result.unlink(missing_ok=True)
        arguments_file = folder / f"{script}.arguments.json"
        arguments_file.write_text(json.dumps({**arguments, "result": str(result)}, default=str))
        blender = subprocess.Popen(
            [*self.command, str(HERE / "inside" / f"{script}.py"), "--", str(arguments_file)],
            env={**os.environ, **self.environment},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            said, _ = blender.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            # xvfb-run and the display end with it.
            os.killpg(blender.pid, signal.SIGTERM)
            said, _ = blender.communicate()
        if not result.exists():
            pytest.fail(f"{script} in Blender {self.version}:\n{said[-4000:]}")
        return json.loads(result.read_text())


def build_zips(folder: Path) -> tuple[Path, Path]:
    """Build the extension and the legacy add-on into a folder, as `make plugins` does."""
    spec = importlib.util.spec_from_file_location("build", ROOT / "plugins/blender/build.py")
    assert spec and spec.loader
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    extension, legacy = build.build(folder, ["linux_x64"])
    return extension, legacy


def prepare(version: str, user: Path, extension: Path, legacy: Path) -> BlenderHost:
    """Return a Blender with the add-on's zip installed; skips with the reason where there is none."""
    environment = {"HOME": str(user), "BLENDER_USER_RESOURCES": str(user)}
    if version == "3.4.1":
        command = (_installed_blender(version), "-b", "--factory-startup", "--python")
    elif version == _OWN_WHEEL:
        environment["PYTHONPATH"] = str(_site_with_bpy_alone(user / "site"))
        command = (sys.executable, "-S")
    else:
        command = (str(_python_with_bpy(version)),)
    host = BlenderHost(version, command, environment)
    host.run("install", user, zip=legacy if version == "3.4.1" else extension)
    return host


def _installed_blender(version: str) -> str:
    blender = shutil.which("blender")
    said = subprocess.run([blender, "--version"], capture_output=True, text=True).stdout if blender else ""
    if f"Blender {version}" not in said:
        pytest.skip(f"Blender {version} is not installed (Debian 12: apt-get install blender)")
    return str(blender)


def _site_with_bpy_alone(folder: Path) -> Path:
    """Link bpy and its needs out of this environment: nothing of ours, the add-on brings its own."""
    bpy = importlib.util.find_spec("bpy")
    assert bpy and bpy.origin
    packages = Path(bpy.origin).parents[1]
    folder.mkdir()
    for name in _BESIDE_BPY:
        if (packages / name).exists():
            (folder / name).symlink_to(packages / name)
    return folder


def _python_with_bpy(version: str) -> Path:
    """Return the Python of an environment with another bpy, about 1 GB, made once and kept."""
    environment = ROOT / ".venvs" / f"bpy-{version}"
    python = environment / "bin" / "python"
    made = environment / "made"
    if not made.exists():
        commands = (
            [sys.executable, "-m", "venv", "--clear", str(environment)],
            [
                str(python),
                "-m",
                "pip",
                "--disable-pip-version-check",
                "install",
                "--quiet",
                f"bpy=={version}",
            ],
        )
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                pytest.skip(f"no environment with bpy {version} can be made here: {done.stderr[-300:]}")
        made.touch()
    return python
