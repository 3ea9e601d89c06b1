"""The zips that users install."""

from __future__ import annotations

import ast
import re
import tomllib
import zipfile
from pathlib import Path

import pose_shared
from blender_hosts import ROOT, build_zips

SOURCE = ROOT / "plugins/blender/pose_from_video"


def test_one_version_everywhere() -> None:
    manifest = tomllib.loads((SOURCE / "blender_manifest.toml").read_text())
    found = re.search(r'"version": (\(.+?\))', (SOURCE / "__init__.py").read_text())
    assert found
    legacy = ".".join(str(number) for number in ast.literal_eval(found[1]))
    assert manifest["version"] == legacy == pose_shared.__version__


def test_the_extension_carries_its_wheels(plugin_zips: tuple[Path, Path]) -> None:
    extension, _ = plugin_zips
    with zipfile.ZipFile(extension) as archive:
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
        names = set(archive.namelist())
    assert manifest["platforms"] == ["linux-x64"]
    assert {f"./{name}" for name in names if name.endswith(".whl")} == set(manifest["wheels"])
    for python in ("cp311", "cp313"):
        assert any(f"grpcio-1.85.1-{python}" in wheel for wheel in manifest["wheels"])
    for package in ("protobuf", "googleapis_common_protos", "typing_extensions", "pose_shared"):
        assert any(f"/{package}-" in wheel and wheel.endswith("none-any.whl") for wheel in manifest["wheels"])
    assert "LICENSE" in names


def test_the_legacy_add_on_carries_them_unpacked(plugin_zips: tuple[Path, Path]) -> None:
    _, legacy = plugin_zips
    with zipfile.ZipFile(legacy) as archive:
        names = set(archive.namelist())
    assert {name.split("/")[0] for name in names} == {"pose_from_video"}
    for path in ("grpc/__init__.py", "grpc/_cython/cygrpc.cpython-311-x86_64-linux-gnu.so"):
        assert f"pose_from_video/vendor/cp311/{path}" in names
    for path in ("pose_shared/client.py", "google/protobuf/__init__.py", "google/rpc/status_pb2.py"):
        assert f"pose_from_video/vendor/{path}" in names
    assert not any("blender_manifest" in name or "__pycache__" in name for name in names)


def test_the_same_sources_give_the_same_zip(plugin_zips: tuple[Path, Path], tmp_path: Path) -> None:
    again = build_zips(tmp_path)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in plugin_zips]
