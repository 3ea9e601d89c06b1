"""The client in the oldest Python that a host brings, with nothing else installed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from made_motion import make_motion
from pose_server.export.npz import write_npz
from pose_shared import __version__
from serving import StartServer

PACKAGES = ("grpcio==1.80.*", "protobuf<7", "googleapis-common-protos")

CODE = """
import importlib, pkgutil, sys
from pathlib import Path
import pose_shared
from pose_shared.client import Client
from pose_shared.errors import MediaError
from pose_shared.worker_thread import WorkerThread

assert sys.version_info[:2] == (3, 9)
for module in pkgutil.walk_packages(pose_shared.__path__, "pose_shared."):
    importlib.import_module(module.name)
address, film, folder = sys.argv[1:]
with Client(address) as client:
    print(client.check_compatible().version)
    options = {"detector": "steps:3"}
    worker = WorkerThread(lambda post, stop: client.import_clip(Path(film), options, post, stop))
    assert worker.join(60)
    print([event.state.value for event in worker.poll() if event.state])
    job = worker.result()
    client.download_result(job, Path(folder))
    print(client.get_motion(job, 1).channels["pelvis/rotation/w"][0])
    try:
        client.import_clip(Path(film), {"detector": "refuse"})
    except MediaError as error:
        print(error.reason)
"""


def find_python39() -> str | None:
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    versions = sorted(pyenv.glob("versions/3.9.*/bin/python"))
    return str(versions[-1]) if versions else shutil.which("python3.9")


@pytest.fixture(scope="module")
def python39(root: Path) -> str:
    """A virtual environment with what hosts get, kept between runs."""
    base = find_python39()
    if base is None:
        pytest.skip("there is no Python 3.9 here")
    mark = hashlib.sha256(" ".join((base, *PACKAGES)).encode()).hexdigest()[:8]
    folder = root / ".venvs" / f"client39-{mark}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([base, "-m", "venv", folder], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
        subprocess.run(install, check=True)
        (folder / "complete").touch()
    return str(python)


@pytest.mark.slow
def test_an_import_from_python_39(
    python39: str, start_server: StartServer, film: Path, root: Path, tmp_path: Path
) -> None:
    write_npz(tmp_path / "motion.npz", make_motion())
    server = start_server(MOTION_NPZ=tmp_path / "motion.npz")
    done = subprocess.run(
        [python39, "-c", CODE, server.address, film, tmp_path / "result"],
        env={**os.environ, "PYTHONPATH": str(root / "shared")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        __version__,
        "['QUEUED', 'RUNNING', 'SUCCEEDED']",
        "1.0",
        "NOBODY_FOUND",
    ]
    assert (tmp_path / "result" / "person_01" / "motion.npz").exists()
