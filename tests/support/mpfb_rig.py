"""Rigs as MakeHuman's add-on for Blender describes them: heads and tails of a standing body, and rolls."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from pose_server.rigs.recorded import up_of
from pose_shared.rig import Rig, RigBone
from scipy.spatial.transform import Rotation

__all__ = ["mpfb_rig"]


def mpfb_rig(path: Path) -> Rig:
    """Read a ``rig.*.json``: metres, z up, facing -y."""
    content = json.loads(path.read_text(encoding="utf-8"))
    bones = content.get("bones", content)
    left, ordered = dict(bones), []
    while left:
        ready = [name for name, fields in left.items() if fields["parent"] not in left]
        ordered += [(name, left.pop(name)) for name in ready]
    heads = np.array([fields["head"]["default_position"] for _, fields in ordered])
    assert up_of(heads)[0] == "z"
    return Rig(path.name.removesuffix(".json"), tuple(_bone(name, fields) for name, fields in ordered))


def _bone(name: str, fields: dict) -> RigBone:
    head, tail = (np.array(fields[end]["default_position"]) for end in ("head", "tail"))
    length = float(np.linalg.norm(tail - head))
    along = (tail - head) / length if length > 1e-6 else np.array([0.0, 1.0, 0.0])
    # Blender turns y onto the bone the shortest way, and then rolls about it.
    across = np.cross([0.0, 1.0, 0.0], along)
    angle = np.arctan2(np.linalg.norm(across), along[1])
    axis = across / max(np.linalg.norm(across), 1e-12)
    if np.linalg.norm(across) < 1e-9:
        axis = np.array([0.0, 0.0, 1.0])
    rest = np.eye(4)
    rolled = Rotation.from_rotvec(fields["roll"] * along) * Rotation.from_rotvec(angle * axis)
    rest[:3, :3], rest[:3, 3] = rolled.as_matrix(), head
    x, y, z = tail.tolist()
    return RigBone(
        name, fields["parent"], tuple(rest.reshape(-1).tolist()), (x, y, z), keys=("location", "rotation")
    )
