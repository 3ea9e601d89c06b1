"""Build the Maya add-on: a folder to install from by dropping a file into Maya, and the same as a zip.

It carries what it needs (gRPC, protobuf, the client library) for the Python of each Maya, so that nothing is
installed with pip::

    python plugins/maya/build.py --out dist [--platform linux|win64|mac|all]
"""

from __future__ import annotations

import argparse
import platform
import shutil
import struct
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from wheels import ROOT, line_of, shared_files, source_files, unpacked, wheel, write_zip  # noqa: E402

__all__ = ["MAYAS", "PLATFORMS", "build", "icon", "main", "module_file"]

SOURCE = HERE / "pose_from_video"
#: Python of each Maya that is supported.
MAYAS = {"2023": "39", "2024": "310", "2025": "311", "2026": "311"}
#: Maya's name of each platform, and the tags of wheels that run there.
PLATFORMS = {
    "linux": ("manylinux2014_x86_64",),
    "win64": ("win_amd64",),
    "mac": ("macosx_11_0_universal2",),
}
PURE = ("googleapis-common-protos", "protobuf", "typing_extensions")
_NAME = "pose_from_video"


def build(out: Path, platforms: Iterable[str]) -> tuple[Path, Path]:
    """Build for some platforms and return where the folder and the zip are.

    Raises
    ------
    subprocess.CalledProcessError
        A wheel could not be downloaded.
    """
    wanted = list(platforms)
    version = line_of(ROOT / "pyproject.toml", r'^version = "(.+?)"')
    suffix = "" if set(wanted) == set(PLATFORMS) else "-" + "-".join(wanted)
    name = f"{_NAME}-maya-{version}{suffix}"
    files = {f"{_NAME}/{path}": content for path, content in source_files(SOURCE).items()}
    files.update({f"{_NAME}/site-packages/shared/{n}": content for n, content in shared_files().items()})
    for python in sorted(set(MAYAS.values())):
        for package in PURE:
            # Pure ones are the same for every Python that shares their folder.
            oldest = "39" if python == "39" else "310"
            carried = wheel(package, _constraints(python), python=oldest).read_bytes()
            files.update(unpacked(f"{_NAME}/site-packages/{_pure_folder(python)}", carried))
        for system in wanted:
            carried = wheel(
                "grpcio", _constraints(python), python=python, tags=PLATFORMS[system]
            ).read_bytes()
            files.update(unpacked(f"{_NAME}/site-packages/cp{python}-{system}", carried))
    for scale, pixels in (("", 32), ("_150", 48), ("_200", 64)):
        files[f"{_NAME}/icons/{_NAME}{scale}.png"] = icon(pixels)
    files[f"{_NAME}.mod"] = module_file(version, wanted).encode()
    # Maya keeps what is dropped as a module of its name: it must be nobody else's.
    files[f"install_{_NAME}.py"] = (HERE / "install.py").read_bytes()
    out.mkdir(parents=True, exist_ok=True)
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    archive = out / f"{name}.zip"
    write_zip(archive, {f"{name}/{path}": content for path, content in files.items()})
    return folder, archive


def module_file(version: str, platforms: Iterable[str]) -> str:
    """Return the ``.mod`` file: a block for each Maya and platform, with the packages for its Python.

    Maya adds the folders scripts, plug-ins and icons of a module to its paths by itself.
    """
    blocks = []
    for system in platforms:
        for maya, python in MAYAS.items():
            head = f"+ MAYAVERSION:{maya} PLATFORM:{system} {_NAME} {version} ./{_NAME}"
            folders = ("shared", _pure_folder(python), f"cp{python}-{system}")
            blocks.append("\n".join([head, *(f"PYTHONPATH+:=site-packages/{one}" for one in folders)]))
    return "\n\n".join(blocks) + "\n"


def icon(pixels: int) -> bytes:
    """Return the shelf's icon as PNG: somebody in a frame of film."""
    rows = []
    for y in range(pixels):
        row = bytearray([0])
        for x in range(pixels):
            row += bytes(_colour((x + 0.5) / pixels, (y + 0.5) / pixels, 1 / pixels))
        rows.append(bytes(row))
    header = struct.pack(">2I5B", pixels, pixels, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


#: Lines of the figure, from and to, in shares of the icon: trunk, arms, legs.
_LIMBS = (
    ((0.50, 0.38), (0.50, 0.60)),
    ((0.50, 0.42), (0.30, 0.34)),
    ((0.50, 0.42), (0.70, 0.50)),
    ((0.50, 0.60), (0.38, 0.82)),
    ((0.50, 0.60), (0.64, 0.80)),
)
_HEAD, _HEAD_RADIUS, _THICK = (0.50, 0.27), 0.08, 0.035
_EDGE, _HOLE = 0.06, 0.05


def _colour(x: float, y: float, soft: float) -> tuple[int, int, int, int]:
    near = min(_distance((x, y), *limb) for limb in _LIMBS) - _THICK
    near = min(near, ((x - _HEAD[0]) ** 2 + (y - _HEAD[1]) ** 2) ** 0.5 - _HEAD_RADIUS)
    share = max(0.0, min(1.0, 0.5 - near / soft))
    ground = (44, 62, 80)
    if x < 0.14 or x > 0.86:
        # The perforation of a film: holes in both edges.
        inside = abs(min(x, 1 - x) - 0.07) < 0.03 and abs((y * 5) % 1 - 0.5) * 0.2 < _HOLE
        ground = (210, 216, 222) if inside else (24, 30, 38)
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(ground, (244, 178, 62), strict=True))
    inside_frame = _EDGE < y < 1 - _EDGE
    return red, green, blue, 255 if inside_frame else 0


def _distance(point: tuple[float, float], begin: tuple[float, float], end: tuple[float, float]) -> float:
    along = (end[0] - begin[0], end[1] - begin[1])
    share = (point[0] - begin[0]) * along[0] + (point[1] - begin[1]) * along[1]
    share = max(0.0, min(1.0, share / (along[0] ** 2 + along[1] ** 2)))
    aside = (point[0] - begin[0] - share * along[0], point[1] - begin[1] - share * along[1])
    return float((aside[0] ** 2 + aside[1] ** 2) ** 0.5)


def _constraints(python: str) -> Path:
    return HERE / ("constraints-py39.txt" if python == "39" else "constraints.txt")


def _pure_folder(python: str) -> str:
    return "py39" if python == "39" else "py310"


def _running_platform() -> str:
    return {"Windows": "win64", "Darwin": "mac"}.get(platform.system(), "linux")


def main() -> None:
    """Build what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where to")
    parser.add_argument("--platform", choices=[*PLATFORMS, "all"], default=_running_platform())
    arguments = parser.parse_args()
    platforms = list(PLATFORMS) if arguments.platform == "all" else [arguments.platform]
    folder, archive = build(arguments.out, platforms)
    print(f"{folder}\n{archive}  {archive.stat().st_size / 1e6:.1f} MB")  # noqa: T201


if __name__ == "__main__":
    main()
