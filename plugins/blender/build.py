"""Build the add-on's zips: an extension for Blender 4.2 and later, a legacy add-on for 3.4 to 4.1.

Both carry what they need (gRPC, protobuf, the client library), so that nothing is installed with
pip inside Blender::

    python plugins/blender/build.py --out dist [--platform linux_x64|windows_x64|macos_arm64|macos_x64|all]
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import importlib.util
import io
import platform
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from wheels import EPOCH, ROOT, line_of, shared_files, source_files, unpacked, wheel, write_zip  # noqa: E402

__all__ = ["PLATFORMS", "build", "main"]

SOURCE = HERE / "pose_from_video"
CONSTRAINTS = HERE / "constraints.txt"

#: Blender's name of each platform, and the tags of wheels that run there.
PLATFORMS = {
    "linux_x64": ("manylinux2014_x86_64",),
    "windows_x64": ("win_amd64",),
    "macos_arm64": ("macosx_11_0_universal2", "macosx_11_0_arm64"),
    "macos_x64": ("macosx_11_0_universal2",),
}
#: Blender 4.2 to 5.0 have Python 3.11, 5.1 has 3.13.
EXTENSION_PYTHONS = ("311", "313")
#: Blender 3.4 to 4.0 have Python 3.10 (3.11 where a distribution built it), 4.1 has 3.11.
LEGACY_PYTHONS = ("310", "311")
PURE = ("googleapis-common-protos", "protobuf", "typing_extensions")


def build(out: Path, platforms: Iterable[str]) -> list[Path]:
    """Build both zips for each platform and return where they are.

    Raises
    ------
    subprocess.CalledProcessError
        A wheel could not be downloaded.
    SystemExit
        Blender's validator refuses the extension.
    """
    out.mkdir(parents=True, exist_ok=True)
    version = _version()
    pure = [wheel(name, CONSTRAINTS) for name in PURE]
    client = _client_wheel(version)
    made = []
    for name in platforms:
        compiled = {
            python: wheel("grpcio", CONSTRAINTS, python=python, tags=PLATFORMS[name])
            for python in sorted({*EXTENSION_PYTHONS, *LEGACY_PYTHONS})
        }
        wheels = [*((path.name, path.read_bytes()) for path in pure), client]
        made.append(_extension(out / f"pose_from_video-{version}-{name}.zip", name, wheels, compiled))
        made.append(_legacy(out / f"pose_from_video-{version}-legacy-{name}.zip", wheels, compiled))
    return made


def _extension(path: Path, name: str, wheels: list[tuple[str, bytes]], compiled: dict[str, Path]) -> Path:
    carried = wheels + [(compiled[p].name, compiled[p].read_bytes()) for p in EXTENSION_PYTHONS]
    listed = "".join(f'    "./wheels/{file_name}",\n' for file_name, _ in sorted(carried))
    files = source_files(SOURCE)
    manifest = files["blender_manifest.toml"].decode()
    # The manifest writes linux-x64 where names of files have linux_x64.
    manifest = manifest.replace("platforms = []", f'platforms = ["{name.replace("_", "-")}"]')
    manifest = manifest.replace("wheels = []", f"wheels = [\n{listed}]")
    files["blender_manifest.toml"] = manifest.encode()
    files.update({f"wheels/{file_name}": content for file_name, content in carried})
    write_zip(path, files)
    _validate(path)
    return path


def _legacy(path: Path, wheels: list[tuple[str, bytes]], compiled: dict[str, Path]) -> Path:
    files = source_files(SOURCE)
    del files["blender_manifest.toml"]
    for _, content in wheels:
        files.update(unpacked("vendor", content))
    for python in LEGACY_PYTHONS:
        files.update(unpacked(f"vendor/cp{python}", compiled[python].read_bytes()))
    write_zip(path, {f"pose_from_video/{name}": content for name, content in files.items()})
    return path


def _version() -> str:
    return line_of(SOURCE / "blender_manifest.toml", r'^version = "(.+?)"')


def _client_wheel(version: str) -> tuple[str, bytes]:
    """Return name and bytes of a wheel of `pose_shared`."""
    files = shared_files()
    info = f"pose_shared-{version}.dist-info"
    requires = "".join(
        f"Requires-Dist: {name}\n" for name in ("googleapis-common-protos", "grpcio", "protobuf")
    )
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: pose-shared\nVersion: {version}\n"
        f"Summary: Client library of pose-server\nLicense: Apache-2.0\nRequires-Python: >=3.9\n{requires}"
    ).encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: build.py\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = "".join(f"{n},sha256={_record_hash(c)},{len(c)}\n" for n, c in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    return f"pose_shared-{version}-py3-none-any.whl", buffer.getvalue()


def _record_hash(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _validate(path: Path) -> None:
    """Let Blender's own validator look at an extension, where the bpy wheel is installed."""
    bpy = importlib.util.find_spec("bpy")
    scripts = Path(bpy.origin).parent if bpy and bpy.origin else HERE
    found = sorted(scripts.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))
    if not found:
        print(f"{path.name}: not validated, because the bpy wheel is not installed", file=sys.stderr)  # noqa: T201
        return
    command = [sys.executable, str(found[-1]), "validate", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"Blender refuses {path.name}:\n{done.stdout}{done.stderr}")


def _running_platform() -> str:
    system = {"Linux": "linux", "Windows": "windows", "Darwin": "macos"}.get(platform.system(), "linux")
    machine = "arm64" if platform.machine().lower() in ("arm64", "aarch64") and system == "macos" else "x64"
    return f"{system}_{machine}"


def main() -> None:
    """Build what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder for the zips")
    parser.add_argument("--platform", choices=[*PLATFORMS, "all"], default=_running_platform())
    arguments = parser.parse_args()
    platforms = list(PLATFORMS) if arguments.platform == "all" else [arguments.platform]
    for path in build(arguments.out, platforms):
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")  # noqa: T201


if __name__ == "__main__":
    main()
