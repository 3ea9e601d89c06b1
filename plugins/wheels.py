"""Packages that add-ons carry: downloaded once, and as files for a zip."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

__all__ = ["EPOCH", "ROOT", "line_of", "shared_files", "source_files", "unpacked", "wheel", "write_zip"]

ROOT = Path(__file__).resolve().parents[1]
_SHARED = ROOT / "shared" / "pose_shared"
_CACHE = ROOT / ".cache" / "wheels"
#: The earliest time that a zip can hold: the same sources give the same zip.
EPOCH = (1980, 1, 1, 0, 0, 0)


def line_of(path: Path, pattern: str) -> str:
    """Return the first group of the first line of a file that fits a pattern.

    Raises
    ------
    ValueError
        There is none.
    """
    found = re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise ValueError(f"{path} has no line like {pattern}")
    return found[1]


def wheel(name: str, constraints: Path, *, python: str = "311", tags: tuple[str, ...] = ("any",)) -> Path:
    """Return a wheel of the constrained version, downloaded once.

    Parameters
    ----------
    name
        Of the package.
    constraints
        File with a line ``name==version``.
    python
        Without a dot.
    tags
        Of platforms.

    Raises
    ------
    subprocess.CalledProcessError
        It could not be downloaded.
    """
    version = line_of(constraints, rf"^{re.escape(name)}==(\S+)")
    folder = _CACHE / "-".join((python, *tags)) / f"{name}-{version}"
    if not list(folder.glob("*.whl")):
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
        command += ["--no-deps", "--only-binary=:all:", "--implementation", "cp", "--python-version", python]
        command += [word for tag in tags for word in ("--platform", tag)]
        subprocess.run([*command, "--dest", str(folder), f"{name}=={version}"], check=True)
    return next(folder.glob("*.whl"))


def source_files(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder by their names there."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def shared_files() -> dict[str, bytes]:
    """Return the files of `pose_shared`, which every host imports."""
    return {
        f"pose_shared/{path.relative_to(_SHARED).as_posix()}": path.read_bytes()
        for path in sorted(_SHARED.rglob("*.py"))
    }


def unpacked(folder: str, wheel_bytes: bytes) -> dict[str, bytes]:
    """Return the files of a wheel as they lie in a folder."""
    with zipfile.ZipFile(io.BytesIO(wheel_bytes)) as archive:
        return {f"{folder}/{n}": archive.read(n) for n in archive.namelist() if not n.endswith("/")}


def write_zip(path: Path, files: dict[str, bytes]) -> None:
    """Write a zip, the same one for the same files."""
    partial = path.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            # A wheel is compressed already.
            how = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, how)
    partial.replace(path)
