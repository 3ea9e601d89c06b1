"""The rig in an FBX, which Blender reads, in a process of its own."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

from pose_shared.errors import MissingExtraError
from pose_shared.rig import Rig, parse_rig

from pose_server.rigs.faults import bad_rig, content_of

__all__ = ["read_fbx_rig"]

_LONGEST_S = 300.0


def read_fbx_rig(path: Path) -> Rig:
    """Read the armature with the most bones, as Blender imports it: z up, in metres.

    Raises
    ------
    MissingExtraError
        Blender's module is not installed.
    NotFoundError
        There is no such file.
    InputError
        ``RIG_UNREADABLE``, ``RIG_INVALID``.
    """
    if content_of(path)[:18] != b"Kaydara FBX Binary":
        raise bad_rig(path, "it is no binary FBX, the only kind that Blender reads", "export it as one")
    if importlib.util.find_spec("bpy") is None:
        raise MissingExtraError(
            "FBX files need Blender as a module; install it with: pip install 'pose-server[blender]'.",
            reason="MISSING_EXTRA",
            extra="blender",
        )
    with tempfile.TemporaryDirectory(prefix="pose-rig-") as folder:
        described = Path(folder) / "rig.json"
        # -P: nothing is taken from whatever folder this happens to run in.
        command = [sys.executable, "-P", "-m", "pose_server.rigs.fbx_process"]
        command += [str(path.resolve()), str(described)]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_LONGEST_S, check=False)
        except subprocess.TimeoutExpired:
            raise bad_rig(path, f"Blender was not done with it after {_LONGEST_S:g} s") from None
        if not described.exists():
            told = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it died"]
            raise bad_rig(path, f"Blender cannot import it ({told[0][:160]})")
        return parse_rig(described.read_text(encoding="utf-8"), path.name)
