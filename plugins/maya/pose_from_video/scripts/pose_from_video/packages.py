"""The packages that the module brings for the Python that runs, where Maya has not read its module file."""

import importlib.util
import sys
from pathlib import Path

__all__ = ["find_packages"]

_PLATFORMS = {"win32": "win64", "darwin": "mac"}


def find_packages() -> None:
    """Add their folders to the path, unless they are found already; those of another system are not there."""
    if importlib.util.find_spec("pose_shared") is not None:
        return
    python = f"{sys.version_info[0]}{sys.version_info[1]}"
    root = Path(__file__).resolve().parents[2] / "site-packages"
    platform = _PLATFORMS.get(sys.platform, "linux")
    for name in ("shared", "py39" if python == "39" else "py310", f"cp{python}-{platform}"):
        if (root / name).is_dir():
            sys.path.append(str(root / name))
