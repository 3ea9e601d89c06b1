"""Motions on the rig that Rigify generates, keyed and looked at in a real Blender."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pose_server.pipeline.boundary import Motion
from pose_server.retarget.channels import rig_curves
from pose_server.retarget.character import character_of
from pose_server.retarget.measures import MEASURED, Measures, measured_bones
from pose_server.retarget.opening import MappedRig, map_rig
from pose_server.retarget.rig_motion import RigMotion
from pose_shared.rig import parse_rig

__all__ = ["Rigify", "Seen"]

_INSIDE = Path(__file__).parents[1] / "blender" / "inside" / "key_rigify.py"
_TIMEOUT_S = 300
#: Which of Rigify's bones follows a control, whether FK or IK moves it.
_FOLLOWS = {"torso": "ORG-spine", "head": "ORG-spine.006"}


@dataclass(frozen=True)
class Seen:
    """Where Blender puts the bones, T frames of N."""

    turns: np.ndarray
    """(T, N, 3, 3) from the axes of the controls to the rig's, as `measures` has them."""
    heads: np.ndarray
    """(T, N, 3)."""


class Rigify:
    """The rig that Rigify generates from its human metarig, in Blender.

    Raises
    ------
    FileNotFoundError
        There is no Blender; it is Debian's package ``blender``.
    """

    def __init__(self) -> None:
        if shutil.which("blender") is None:
            raise FileNotFoundError("Blender is not installed (Debian 12: apt-get install blender).")
        report = self._run({})
        self.version = str(report["version"])
        self.mapped: MappedRig = map_rig(parse_rig(report["rig"]))
        self.shown = [name for name in report["bones"] if name.startswith("DEF-")]
        self.character = character_of(self.mapped.rig, self.mapped.bones)
        self.roles = [role for role in MEASURED if role in self.mapped.bones]

    def seen(self, result: RigMotion) -> tuple[dict[str, Seen], np.ndarray]:
        """Return where Blender puts the measured bones by ``fk`` and ``ik``, and (T, D, 2, 3) all it shows.

        Parameters
        ----------
        result
            Keys for the rig.
        """
        bones = self.mapped.bones
        names = [_followed(bones[role]) for role in self.roles]
        with tempfile.TemporaryDirectory() as folder:
            _write_channels(Path(folder), result)
            self._run({"keys": folder, "bones": [*names, *self.shown]})
            rows, count = len(result), len(names) + len(self.shown)
            rests = np.fromfile(Path(folder) / "rests.f64").reshape(count, 3, 4)
            found = {
                kind: np.fromfile(Path(folder) / f"{kind}.f64").reshape(rows, count, 15)
                for kind in ("fk", "ik")
            }
        own = np.array([self.mapped.rig.bone(bones[role]).rest for role in self.roles]).reshape(-1, 4, 4)
        seen = {}
        for kind, numbers in found.items():
            matrices = numbers[:, : len(names), :12].reshape(rows, -1, 3, 4)
            # By how much each is turned from rest, then the axes of its control.
            turns = matrices[..., :3] @ np.swapaxes(rests[: len(names), :, :3], 1, 2) @ own[:, :3, :3]
            places = matrices[..., 3] + np.einsum(
                "tnij,nj->tni",
                matrices[..., :3] @ np.swapaxes(rests[: len(names), :, :3], 1, 2),
                own[:, :3, 3] - rests[: len(names), :, 3],
            )
            seen[kind] = Seen(turns, places)
        shown = found["fk"][:, len(names) :]
        return seen, np.stack([shown[..., [3, 7, 11]], shown[..., 12:]], axis=2)

    def measured(self, motion: Motion, seen: Seen) -> Measures:
        """Return how well what Blender shows repeats a motion."""
        return measured_bones(motion, self.character, self.roles, seen.turns, seen.heads)

    def leg_turns(self, seen: Seen) -> np.ndarray:
        """Return (T, 4, 3, 3) thighs and shins."""
        roles = [f"{side}_{part}" for side in ("left", "right") for part in ("hip", "knee")]
        return seen.turns[:, [self.roles.index(role) for role in roles]]

    def hips_m(self, seen: Seen) -> np.ndarray:
        """Return (T, 2, 3) where the thighs begin."""
        places = [self.roles.index(f"{side}_hip") for side in ("left", "right")]
        return seen.heads[:, places] * self.mapped.rig.metres_per_unit

    def _run(self, given: dict[str, object]) -> dict[str, object]:
        with tempfile.TemporaryDirectory() as folder:
            arguments, result = Path(folder) / "arguments.json", Path(folder) / "result.json"
            arguments.write_text(json.dumps({**given, "result": str(result)}))
            done = subprocess.run(
                ["blender", "-b", "--factory-startup", "--python", str(_INSIDE), "--", str(arguments)],
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
            )
            if not result.exists():
                raise RuntimeError(f"Blender did not finish:\n{(done.stdout + done.stderr)[-4000:]}")
            found: dict[str, object] = json.loads(result.read_text())
            return found


def _followed(control: str) -> str:
    """Return the bone that does what a control says: its twin among Rigify's own copies of the metarig."""
    if control in _FOLLOWS:
        return _FOLLOWS[control]
    return "ORG-" + control.replace("_fk", "")


def _write_channels(folder: Path, result: RigMotion) -> None:
    curves = rig_curves(result)
    content = {
        "rows": len(result),
        "channels": list(curves.channels),
        "bones": [vars(bone) for bone in curves.bones],
        "settings": [vars(setting) for setting in curves.settings],
    }
    (folder / "channels.json").write_text(json.dumps(content))
    (folder / "channels.f32").write_bytes(b"".join(v.tobytes() for v in curves.channels.values()))
