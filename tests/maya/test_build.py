"""What `make plugins` makes for Maya, and its way into Maya and out again."""

from __future__ import annotations

import ast
import importlib.util
import io
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from maya_process import MODULE, mayapy
from PIL import Image

ROOT = Path(__file__).parents[2]
SHARED = ROOT / "shared" / "pose_shared"


@pytest.fixture(scope="session")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("maya_build", ROOT / "plugins/maya/build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def built(build: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder, archive = build.build(tmp_path_factory.mktemp("dist"), ["linux"])
    return folder, archive


def blocks(text: str) -> dict[tuple[str, str], tuple[str, list[str]]]:
    """The module file by Maya and platform, read by the grammar of Maya's page on distributing modules."""
    found = {}
    for block in text.strip().split("\n\n"):
        head, *lines = block.splitlines()
        match = re.fullmatch(
            r"\+ MAYAVERSION:(\d{4}) PLATFORM:(linux|win64|mac) (\w+) (\d+\.\d+\.\d+) (\S+)", head
        )
        assert match, head
        assert match[3] == "pose_from_video"
        assert all(re.fullmatch(r"PYTHONPATH\+:=[\w/-]+", line) for line in lines)
        found[match[1], match[2]] = (match[5], [line.split("+:=")[1] for line in lines])
    return found


def test_the_module_file_names_what_is_there(built: tuple[Path, Path]) -> None:
    folder, _ = built
    found = blocks((folder / "pose_from_video.mod").read_text())
    assert set(found) == {(maya, "linux") for maya in ("2023", "2024", "2025", "2026")}
    for place, packages in found.values():
        root = folder / place
        for part in ("scripts/pose_from_video/__init__.py", "plug-ins/pose_from_video_keys.py"):
            assert (root / part).is_file()
        assert all((root / package).is_dir() for package in packages)


def test_there_is_a_block_for_each_maya_and_system(build: ModuleType) -> None:
    found = blocks(build.module_file("1.2.3", build.PLATFORMS))
    assert len(found) == 12
    assert found["2023", "win64"][1] == [
        "site-packages/shared",
        "site-packages/py39",
        "site-packages/cp39-win64",
    ]
    assert found["2026", "mac"][1][2] == "site-packages/cp311-mac"


def test_the_zip_holds_what_the_folder_does(built: tuple[Path, Path], build: ModuleType) -> None:
    folder, archive = built
    with zipfile.ZipFile(archive) as content:
        names = set(content.namelist())
    assert names == {p.relative_to(folder.parent).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert archive.name == "pose_from_video-maya-0.1.0-linux.zip"
    assert not any("__pycache__" in name for name in names)


def test_the_same_sources_give_the_same_zip(
    built: tuple[Path, Path], build: ModuleType, tmp_path: Path
) -> None:
    _, again = build.build(tmp_path, ["linux"])
    assert again.read_bytes() == built[1].read_bytes()


def test_icons_are_pictures(built: tuple[Path, Path]) -> None:
    for scale, pixels in (("", 32), ("_150", 48), ("_200", 64)):
        file = built[0] / f"pose_from_video/icons/pose_from_video{scale}.png"
        picture = Image.open(io.BytesIO(file.read_bytes())).convert("RGBA")
        assert picture.size == (pixels, pixels)
        assert len(picture.getcolors(pixels**2)) > 10


SOURCES = sorted([*(ROOT / "plugins/maya").rglob("*.py"), *SHARED.rglob("*.py")])


def test_every_file_is_python_3_9() -> None:
    hosted = [path for path in SOURCES if path.name != "build.py"]
    for path in hosted:
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    python = python_of("3.9")
    if python:
        subprocess.run(
            [python, "-c", "import sys\nfor p in sys.argv[1:]: compile(open(p).read(), p, 'exec')"]
            + [str(path) for path in hosted],
            check=True,
        )


def python_of(version: str) -> str | None:
    """An interpreter of that version that starts: on the path, or one of pyenv's."""
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    for python in filter(None, [shutil.which(f"python{version}"), *map(str, kept)]):
        if subprocess.run([python, "-c", ""], capture_output=True).returncode == 0:
            return python
    return None


@pytest.mark.parametrize("version", ["2.7", "3.7", "3.8"])
def test_older_pythons_hear_a_sentence(version: str) -> None:
    python = python_of(version)
    if not python:
        pytest.skip(f"there is no Python {version} here")
    done = subprocess.run(
        [python, "-B", "-c", "import pose_from_video"],
        cwd=MODULE / "scripts",
        capture_output=True,
        text=True,
    )
    assert done.stderr.strip().endswith(
        "ImportError: Pose from Video needs Maya 2023 or later, which has Python 3.9; update Maya."
    )


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.11"])
def test_the_carried_packages_run_on_the_python_of_maya(built: tuple[Path, Path], version: str) -> None:
    """In an interpreter that has nothing else."""
    python = python_of(version)
    if not python:
        pytest.skip(f"there is no Python {version} here")
    maya = {"3.9": "2023", "3.10": "2024", "3.11": "2025"}[version]
    place, packages = blocks((built[0] / "pose_from_video.mod").read_text())[maya, "linux"]
    folders = [str(built[0] / place / package) for package in packages]
    code = (
        f"import sys; sys.path[:0] = {folders!r}\n"
        "import grpc, pose_shared.client, pose_shared.joint_scene, pose_shared.import_record\n"
        f"assert grpc.__file__.startswith({folders[2]!r})"
    )
    subprocess.run([python, "-I", "-S", "-c", code], check=True)


INSTALL = """
import json, os, runpy, sys
from pathlib import Path
folder = Path(sys.argv[1])
ours = ("plugins/maya/pose_from_video/scripts", "shared", "server")
sys.path[:] = [p for p in sys.path if not p.replace(os.sep, "/").endswith(ours)]
dropped = lambda: runpy.run_path(str(folder / "install_pose_from_video.py"))["onMayaDroppedPythonFile"](None)
def state():
    modules = Path(maya_double.user_folder, "modules")
    return {
        "said": list(maya_double.warnings),
        "modules": sorted(p.name for p in modules.iterdir()),
        "mod": "".join(p.read_text() for p in modules.glob("*.mod")),
        "shelf": sorted(k for k in maya_double.interface if "PoseFromVideo" in k),
        "saved": maya_double.saved_shelves,
        "icons": [v.get("image1") for v in maya_double.interface.values() if v.get("image1")],
        "from": sys.modules["pose_from_video"].__file__ if "pose_from_video" in sys.modules else "",
        "keys": "pose_shared" in sys.modules and sys.modules["pose_shared"].__file__,
    }
dropped()
first = state()
from maya import cmds
from pose_from_video.host import curves, shelf
curves.ready_plug_in()
dropped()
second = state()
from pose_from_video import key_batch
cmds.poseKeys(key_batch.put([]))
from pose_from_video.host import shelf
shelf.uninstall()
print(json.dumps([first, second, state()]))
"""


def installed_in(home: Path, folder: Path, **settings: object) -> list[dict[str, object]]:
    import json

    done = mayapy("-c", INSTALL, str(folder), user_folder=str(home), batch=False, **settings)
    assert done.returncode == 0, done.stderr
    states: list[dict[str, object]] = json.loads(done.stdout.splitlines()[-1])
    return states


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="Maya 2025 has Python 3.11")
def test_drop_to_install_again_to_update_and_out(built: tuple[Path, Path], tmp_path: Path) -> None:
    first, second, gone = installed_in(tmp_path, built[0], version=2025)
    assert first["modules"] == ["pose_from_video-1", "pose_from_video.mod"]
    assert "./pose_from_video-1\n" in str(first["mod"])
    assert len(first["shelf"]) == 4  # type: ignore[arg-type]
    assert "was installed, in" in first["said"][0]  # type: ignore[index]
    assert str(first["from"]).startswith(str(tmp_path / "modules" / "pose_from_video-1"))
    assert str(first["keys"]).startswith(str(tmp_path / "modules" / "pose_from_video-1"))
    assert all(Path(icon).is_file() or "pose_from_video-1" in icon for icon in first["icons"])  # type: ignore[attr-defined]
    # gRPC was loaded from the first one.
    assert second["modules"] == ["pose_from_video-1", "pose_from_video-2", "pose_from_video.mod"]
    assert len(second["shelf"]) == 4  # type: ignore[arg-type]
    assert "was updated, in" in second["said"][-1]  # type: ignore[index]
    assert "pose_from_video-2" in str(second["from"])
    assert all("pose_from_video-2" in icon for icon in second["icons"])  # type: ignore[attr-defined]
    assert gone["modules"] == []
    assert gone["shelf"] == []


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="Maya 2025 has Python 3.11")
def test_batch_finds_its_packages_by_itself(built: tuple[Path, Path]) -> None:
    """As in mayapy, which reads module files only when Maya is started in it."""
    scripts = built[0] / "pose_from_video" / "scripts"
    for call, folder in ((["-m", "pose_from_video"], scripts), ([str(scripts / "pose_from_video")], ROOT)):
        done = subprocess.run(
            [sys.executable, "-S", *call, "a.mp4", "--out", "a.ma"],
            env={"PYTHONPATH": str(scripts) if folder == scripts else ""},
            cwd=folder,
            capture_output=True,
            text=True,
        )
        assert done.stderr == "pose_from_video: There is no Maya in this Python; run it with mayapy.\n"
        assert done.returncode == 2


def test_a_maya_that_it_is_not_for_is_told(built: tuple[Path, Path], tmp_path: Path) -> None:
    code = (
        "import runpy, sys\n"
        "runpy.run_path(sys.argv[1])['onMayaDroppedPythonFile']()\n"
        "print(maya_double.warnings[-1])"
    )
    done = mayapy(
        "-c",
        code,
        str(built[0] / "install_pose_from_video.py"),
        user_folder=str(tmp_path),
        batch=False,
        version=2022,
    )
    assert done.stdout.strip() == (
        "Pose from Video was not installed: this folder has nothing for Maya 2022 on linux; get another."
    )
    assert not list(tmp_path.rglob("pose_from_video*"))


def test_user_setup_waits_for_the_window(tmp_path: Path) -> None:
    code = (
        "import runpy, sys\n"
        "runpy.run_path(sys.argv[1])\n"
        "assert not any('PoseFromVideo' in k for k in maya_double.interface)\n"
        "maya_double.pump()\n"
        "print(sum('PoseFromVideo' in k for k in maya_double.interface))"
    )
    setup = str(MODULE / "scripts" / "userSetup.py")
    done = mayapy("-c", code, setup, user_folder=str(tmp_path), batch=False)
    assert done.stdout.strip() == "4", done.stderr
    done = mayapy("-c", code, setup, user_folder=str(tmp_path), batch=True)
    assert done.stdout.strip() == "0", done.stderr


def test_versions_agree() -> None:
    version = re.search(r'^version = "(.+?)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    plug_in = (MODULE / "plug-ins" / "pose_from_video_keys.py").read_text()
    assert version and f'"{version[1]}"' in plug_in
