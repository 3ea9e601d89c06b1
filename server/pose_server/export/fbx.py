"""FBX, written by Blender's exporter in a process of its own, which holds nothing of the server's."""

from __future__ import annotations

import errno
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from pose_shared.errors import InternalError, MissingExtraError

from pose_server.export.animation import SHORTEST_M, Animation
from pose_server.export.destination import replacing
from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.file_options import FileOptions

__all__ = ["check_fbx", "write_fbx"]

_SAID = 300


def check_fbx() -> None:
    """Raise `MissingExtraError` where Blender is not installed as a module."""
    if importlib.util.find_spec("bpy") is None:
        raise MissingExtraError(
            "Writing FBX needs Blender as a Python module, and bpy is not installed; "
            'run: pip install "pose-server[blender]"',
            reason="MISSING_EXTRA",
            extra="blender",
        )


def write_fbx(path: Path, animation: Animation, options: FileOptions) -> None:
    """Write an animation as binary FBX: y up, centimetres, one skeleton without leaf bones.

    Parameters
    ----------
    path
        File to write.
    animation
        Bones run from each joint to its tip.
    options
        Leave nothing to choose here.

    Raises
    ------
    MissingExtraError
        bpy is not installed.
    InputError
        The file cannot be written there.
    LimitError
        The disk is full.

    Notes
    -----
    A bone of Blender has its own y axis along itself, so its keys are W^-1 R W with W the bone's axes
    at rest and R the turn away from rest in the world's axes.
    """
    check_fbx()
    moving = animation.unrotated()
    heads, _ = moving.rest_world()
    tips = moving.tips_m.copy()
    tips[np.linalg.norm(tips, axis=1) < SHORTEST_M] = (0, 0, 0.01)  # Blender drops bones without length
    axes = _bone_axes(tips)
    with replacing(path) as part, tempfile.TemporaryDirectory(prefix="pose-fbx-") as folder:
        arrays = Path(folder) / "animation.npz"
        content = {
            "names": np.array(moving.joint_names),
            "parents": moving.parents,
            "rate": np.array([moving.rate.numerator, moving.rate.denominator]),
            "heads_m": heads,
            "tails_m": heads + tips,
            "axes": axes,
            "keys_wxyz": _bone_keys(moving, axes),
            "moving": np.array(list(moving.translations_m), np.int64),
            "moves_m": np.array(
                [
                    (moves - moving.rest_translations_m[joint]) @ axes[joint]
                    for joint, moves in moving.translations_m.items()
                ]
            ).reshape(-1, len(moving), 3),
        }
        if moving.mesh is not None:
            mesh = moving.mesh
            content |= {"points_m": mesh.points_m, "triangles": mesh.triangles, "joints": mesh.joints}
        np.savez(arrays, **content)
        part.touch()
        _run_blender(part, [str(arrays), moving.name])


def _bone_axes(tips: FloatArray) -> FloatArray:
    """Return (J, 3, 3) columns x, y along each tip, and z as near as can be to the front."""
    y = tips / np.linalg.norm(tips, axis=1, keepdims=True)
    front = np.where(np.abs(y[:, 1:2]) > 0.9, [[0.0, 0.0, 1.0]], [[0.0, -1.0, 0.0]])
    z = front - np.sum(front * y, axis=1, keepdims=True) * y
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    return np.stack([np.cross(y, z), y, z], axis=-1)


def _bone_keys(moving: Animation, axes: FloatArray) -> FloatArray:
    keys = moving.local_rotations_wxyz.astype(np.float32)
    keys[..., 1:] = np.einsum("tjk,jki->tji", keys[..., 1:], axes.astype(np.float32))
    return keys


def _run_blender(part: Path, arguments: list[str]) -> None:
    """Run `fbx_scene`, and raise what became of it."""
    # The packages are found as they are here; a user's own start-up file of Blender is not read.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    done = subprocess.run(
        # -P: nothing is taken from whatever folder this happens to run in.
        [sys.executable, "-P", "-m", "pose_server.export.fbx_scene", *arguments, str(part)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode == 0 and part.stat().st_size:
        return
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    if any(os.strerror(errno.ENOSPC) in line for line in said):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    wrong = [line.strip() for line in said if "Error" in line]
    why = wrong[-1][:_SAID] if wrong else f"it ended with {done.returncode}"
    raise InternalError(
        f"Blender could not write FBX ({why}); leave fbx out, or report this.", reason="FBX_FAILED"
    )
