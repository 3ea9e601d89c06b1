"""The house rules that a machine can check: who imports whom, and what modules offer."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pose_server
import pose_shared
import pytest

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "server" / "pose_server"
SHARED = ROOT / "shared" / "pose_shared"
PLUGINS = ROOT / "plugins"

#: Each package may import those to its left, and itself.
LAYERS = (
    (
        "pipeline.boundary",
        "pipeline.calibration",
        "pipeline.camera",
        "pipeline.camera_track",
        "pipeline.cleanup_options",
        "pipeline.curves",
        "pipeline.file_options",
        "pipeline.filter_options",
        "pipeline.distortion",
        "pipeline.kinematics",
        "pipeline.moment",
        "pipeline.options",
        "pipeline.placement",
        "pipeline.plate",
        "pipeline.progress",
        "pipeline.quality",
        "pipeline.render_options",
        "pipeline.retarget_options",
        "pipeline.solve_options",
        "pipeline.tracking_options",
        "pipeline.weak_spans",
    ),
    ("settings", "weights"),
    (
        "video",
        "detect",
        "keypoints",
        "track",
        "cleanup",
        "egomotion",
        "lift",
        "solve",
        "export",
        "cache",
        "mocap",
        "rigs",
    ),
    ("pipeline",),
    ("retarget",),
    ("evaluate.metrics", "evaluate.table"),
    ("train",),
    ("evaluate",),
    ("engine",),
    ("jobs",),
    ("api",),
    ("cli",),
)
#: Stages that need an earlier stage's product, beside the boundary types.
STAGE_NEEDS = {
    "egomotion": {"video"},
    "export": {"video"},
    "keypoints": {"export", "lift", "video"},
    "lift": set(),
    "mocap": {"export"},
    "rigs": {"export", "mocap"},
    "solve": set(),
}

#: Third-party packages that only some places may import.
KEEPERS = {
    "grpc": ("server/pose_server/api", "shared/pose_shared"),
    "sqlite3": ("server/pose_server/jobs", "server/pose_server/cache"),
    "bpy": (
        "plugins/blender",
        "scripts/demo_blender.py",
        "server/pose_server/export/fbx_scene.py",
        "server/pose_server/rigs/fbx_process.py",
    ),
    "maya": (
        "plugins/maya/install.py",
        "plugins/maya/pose_from_video/plug-ins",
        "plugins/maya/pose_from_video/scripts/pose_from_video/host",
        "plugins/maya/pose_from_video/scripts/userSetup.py",
    ),
    "torch": tuple(
        f"server/pose_server/{p}"
        for p in ("engine", "weights", "detect", "track", "lift", "solve", "retarget", "train", "evaluate")
    ),
    "mediapipe": ("server/pose_server/detect",),
    "onnxruntime": ("server/pose_server/detect",),
    "requests": ("server/pose_server/weights",),
    "av": ("server/pose_server/video", "server/pose_server/export"),
}
SHARED_MAY_IMPORT = {"grpc", "google", "pose_shared"}


def imports_of(path: Path) -> set[str]:
    """Full dotted names of everything a file imports, wherever in the file it does."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def product_files() -> list[Path]:
    files = [
        *SERVER.rglob("*.py"),
        *SHARED.rglob("*.py"),
        *PLUGINS.rglob("*.py"),
        *(ROOT / "scripts").glob("*.py"),
    ]
    return sorted(path for path in files if "_generated" not in path.parts)


def layer_of(module: str) -> int | None:
    """Index of the layer that a module below pose_server belongs to; the longest name wins."""
    best: tuple[int, int] | None = None
    for index, members in enumerate(LAYERS):
        for member in members:
            if (module == member or module.startswith(member + ".")) and (
                best is None or len(member) > best[0]
            ):
                best = (len(member), index)
    return best[1] if best else None


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", product_files(), ids=relative)
def test_imports_point_one_way(path: Path) -> None:
    if SERVER not in path.parents:
        assert not any(name.startswith("pose_server") for name in imports_of(path)) or "scripts" in path.parts
        return
    own = ".".join(path.relative_to(SERVER).with_suffix("").parts).removesuffix(".__init__")
    own_layer = layer_of(own)
    for name in imports_of(path):
        if not name.startswith("pose_server."):
            continue
        target = name.removeprefix("pose_server.")
        target_layer = layer_of(target)
        if target_layer is None or own_layer is None:
            continue
        assert target_layer <= own_layer, f"{own} imports {target}, which lies above it"
        stage, other = own.split(".")[0], target.split(".")[0]
        if own_layer == target_layer == 2 and stage != other:
            assert other in STAGE_NEEDS.get(stage, set()), f"stage {stage} knows of stage {other}"


@pytest.mark.parametrize("path", product_files(), ids=relative)
def test_some_packages_have_one_keeper(path: Path) -> None:
    place = relative(path)
    for name in imports_of(path):
        keepers = KEEPERS.get(name.split(".")[0])
        assert keepers is None or place.startswith(keepers), f"{place} may not import {name}"


@pytest.mark.parametrize("path", [p for p in product_files() if SHARED in p.parents], ids=relative)
def test_shared_needs_only_grpc_and_the_standard_library(path: Path) -> None:
    foreign = {name.split(".")[0] for name in imports_of(path)} - set(sys.stdlib_module_names)
    assert foreign <= SHARED_MAY_IMPORT


def modules() -> list[str]:
    names = []
    for package in (pose_server, pose_shared):
        names += [m.name for m in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
    return sorted(name for name in names if "_generated" not in name and not name.endswith("__main__"))


@pytest.mark.parametrize("name", modules())
def test_public_names_are_listed_sorted_and_real(name: str) -> None:
    module = importlib.import_module(name)
    if module.__file__ and module.__file__.endswith("__init__.py") and not hasattr(module, "__all__"):
        return
    listed = module.__all__
    assert sorted(listed, key=sort_key) == list(listed)
    assert all(hasattr(module, item) for item in listed)
    defined = {
        item
        for item, value in vars(module).items()
        if getattr(value, "__module__", None) == name
        and not item.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
    }
    assert defined <= set(listed) | helpers(module), f"public in {name} but not in __all__"


def helpers(module: object) -> set[str]:
    """Names that only the own package uses: what boundary's own types are checked with."""
    return {"check_array", "check_arrays"} if module.__name__ == "pose_server.pipeline.boundary" else set()


def sort_key(name: str) -> tuple[int, str]:
    """Ruff's order: constants, classes, the rest."""
    kind = 0 if name.isupper() or name.replace("_", "").isupper() else 1 if name[0].isupper() else 2
    return kind, name


def test_the_api_process_stays_light() -> None:
    """The server's front must start fast and never hold a model."""
    heavy = "[m for m in ('torch', 'mediapipe', 'av', 'bpy') if m in sys.modules]"
    code = f"import sys, pose_server.api.server; print(*{heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_stubs_are_fresh(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "protos" / "generate.py", tmp_path / "fresh"], check=True)
    fresh = {p.relative_to(tmp_path / "fresh"): p.read_text() for p in (tmp_path / "fresh").rglob("*.py*")}
    kept = {
        p.relative_to(SHARED / "_generated"): p.read_text()
        for p in (SHARED / "_generated").rglob("*.py*")
        if "__pycache__" not in p.parts
    }
    assert kept == fresh, "run 'make protos'"
