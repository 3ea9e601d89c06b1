"""Change every rig of the reference data at random, and count how often its bones are still recognised.

Run it from the repository's root, the reference data beside it:

    .venv/bin/python tests/benchmarks/recognition.py --data ../shared/data --write docs/rigs.md

It writes a Markdown table between the marks of that file.  Right is what the names of the unchanged rig say.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
from pose_server.retarget import recognition
from pose_server.retarget.bone_map import BoneMap
from pose_server.retarget.preset import best_preset
from pose_server.retarget.recognition import recognised
from pose_shared.errors import InputError
from pose_shared.rig import Rig
from scipy.spatial.transform import Rotation

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from drawn_rig import limb_turned, moved, numbered, with_chain
from retarget import rigs

__all__: list[str] = []

_BEGIN, _END = "<!-- recognition: begin -->", "<!-- recognition: end -->"
_SIDES = ("left", "right")
_LIMBS = tuple(
    f"{side}_{part}" for side in _SIDES for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
)
_ALL = ("pelvis", "spine", "neck", "head", *_LIMBS)
_UNEVEN = 0.003
_Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])


def changed(rig: Rig, bones: BoneMap, rng: np.random.Generator) -> Rig:
    """Return a rig of another pose, build and heading, with things hung on it."""
    up = np.array([0, 1.0, 0]) if rig.up == "y" else np.array([0, 0, 1.0])
    forward = np.array([0, 0, 1.0]) if rig.up == "y" else np.array([0, -1.0, 0])
    across = np.cross(up, forward)
    lift, elbow, knee = (rng.uniform(low, high) for low, high in ((-60, 60), (0, 60), (0, 40)))
    legs, arms = rng.uniform(0.6, 1.4, 2)
    for side, sign in (("left", 1), ("right", -1)):
        for part, axis, angle in (
            ("shoulder", forward, -sign * lift),
            ("elbow", up, -sign * elbow),
            ("knee", across, knee),
        ):
            turn = Rotation.from_rotvec(np.radians(angle) * axis).as_matrix()
            rig = limb_turned(rig, bones[f"{side}_{part}"], turn)
        rig = limb_turned(rig, bones[f"{side}_hip"], legs * np.eye(3))
        rig = limb_turned(rig, bones[f"{side}_shoulder"], arms * np.eye(3))
    heads = np.array([bone.head for bone in rig.bones])
    height = float(np.ptp(heads @ up))
    rig = hung(rig, bones, height, (across, forward, up), rng)
    noise = rng.normal(scale=_UNEVEN * height, size=(len(rig.bones), 3))
    rig = replace(
        rig,
        bones=tuple(
            replace(bone, rest=_at(bone.rest, bone.head + off), tail=None)
            for bone, off in zip(rig.bones, noise, strict=True)
        ),
    )
    heading = Rotation.from_rotvec(rng.uniform(-np.pi, np.pi) * up).as_matrix()
    rig = moved(rig, heading)
    if rig.up == "z" and rng.random() < 0.5:
        rig = moved(rig, _Y_UP, up="y")
    return rig


def hung(
    rig: Rig, bones: BoneMap, height: float, axes: tuple[np.ndarray, ...], rng: np.random.Generator
) -> Rig:
    """Hang a tail, hair, wings, a skirt, a sword, IK bones or a head's end on a rig, each as often as not."""
    across, forward, up = axes
    names = {bone.name: np.array(bone.head) for bone in rig.bones}
    pelvis, head = bones["pelvis"], bones["head"]
    hand = bones.roles.get("right_wrist", bones.roles["right_elbow"])[0]
    chest = bones.roles.get("spine", (pelvis,))[-1]
    chains: list[tuple[str, str, np.ndarray, np.ndarray, int]] = [
        ("tail", pelvis, -0.05 * forward, -0.06 * forward - 0.03 * up, 5),
        ("sword", hand, 0.04 * forward, 0.3 * forward, 2),
        ("end", head, 0.1 * up, 0 * up, 1),
    ]
    for side, sign in (("l", 1), ("r", -1)):
        out = sign * across
        chains += [
            (f"hair_{side}", head, 0.04 * out - 0.05 * forward, -0.06 * up, 5),
            (f"wing_{side}", chest, 0.03 * out - 0.05 * forward, 0.15 * out + 0.08 * up, 4),
            (f"skirt_{side}", pelvis, 0.08 * out, -0.08 * up + 0.02 * out, 4),
            (f"ik_{side}", "", 0.05 * out, -0.03 * forward, 2),
        ]
    wanted = {kind: rng.random() < 0.5 for kind in ("tail", "sword", "end", "hair", "wing", "skirt", "ik")}
    for name, parent, start, step, count in chains:
        if wanted[name.split("_")[0]]:
            origin = names.get(parent, np.zeros(3))
            rig = with_chain(rig, name, parent, origin + start * height, step * height, count)
    return rig


def _at(rest: tuple[float, ...], head: np.ndarray) -> tuple[float, ...]:
    x, y, z = (float(value) for value in head)
    return (*rest[:3], x, *rest[4:7], y, *rest[8:11], z, *rest[12:])


def _plain(rig: Rig) -> tuple[Rig, Mapping[str, str]]:
    return rig, {bone.name: bone.name for bone in rig.bones}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--times", type=int, default=40, help="changes of each rig")
    asked = parser.parse_args()
    everyone = rigs(asked.data)
    tally = {found_by: Count() for found_by in _ROWS}
    refused = 0
    rng = np.random.default_rng(7)
    for rig in everyone.values():
        truth = recognised(rig).bones
        for _ in range(asked.times):
            other = changed(rig, truth, rng)
            for show, known in _WAYS:
                shown, back = show(other)
                try:
                    with patch.object(recognition, "best_preset", known):
                        found = recognised(shown)
                except InputError:
                    refused += 1
                    continue
                roles = {role: tuple(back[b] for b in names) for role, names in found.bones.roles.items()}
                wrong = {role for role in _ALL if roles.get(role) != truth.roles.get(role)}
                tally[found.found_by].add(found.confidence, whole=not wrong, limbs=not wrong & set(_LIMBS))
    text = table(tally, refused)
    print(text)
    if asked.write:
        page = asked.write.read_text(encoding="utf-8")
        before, after = page.split(_BEGIN)[0], page.split(_END)[1]
        asked.write.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}", encoding="utf-8")


def _none(rig: Rig) -> None:
    """Know no kind."""


#: How the changed rig is shown: with its names, without known kinds, and with numbers for names.
_WAYS: tuple[tuple[Callable[[Rig], tuple[Rig, Mapping[str, str]]], Callable[[Rig], object]], ...] = (
    (_plain, best_preset),
    (_plain, _none),
    (numbered, _none),
)
_ROWS = {"preset": "kind", "names": "words", "shape": "shape"}


@dataclass
class Count:
    """How often maps that were found in one way were right, and how sure they were."""

    whole: int = 0
    limbs: int = 0
    sure: list[float] = field(default_factory=list)

    def add(self, confidence: float, *, whole: bool, limbs: bool) -> None:
        self.whole += whole
        self.limbs += limbs
        self.sure.append(confidence)


def table(tally: Mapping[str, Count], refused: int) -> str:
    lines = [
        "| found by | all bones right | hips to ankles and shoulders to wrists right | confidence (median) |",
        "|---|---|---|---|",
    ]
    for found_by, count in tally.items():
        total = len(count.sure)
        sure = float(np.median(count.sure)) if count.sure else float("nan")
        lines.append(
            f"| {_ROWS[found_by]} | {count.whole} of {total} | {count.limbs} of {total} | {sure:.2f} |"
        )
    return "\n".join([*lines, "", f"Refused, because no two legs were found: {refused}."])


if __name__ == "__main__":
    main()
