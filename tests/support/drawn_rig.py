"""Rigs of people made of numbers, in any of several namings, with what hangs on real ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pose_shared.rig import Rig, RigBone
from pose_shared.skeleton import SKELETON

#: Heads of a person of 1.75 m in a T-pose, z up, facing -y, left at +x; after Drillis and Contini 1966.
_JOINTS_M = {
    "pelvis": (0.0, 0.0, 0.98),
    "spine": (0.0, 0.0, 1.1),
    "chest": (0.0, 0.0, 1.25),
    "neck": (0.0, 0.0, 1.48),
    "head": (0.0, -0.01, 1.58),
    "left_clavicle": (0.03, 0.0, 1.43),
    "left_shoulder": (0.19, 0.0, 1.43),
    "left_elbow": (0.49, 0.0, 1.43),
    "left_wrist": (0.75, 0.0, 1.43),
    "left_hand": (0.85, 0.0, 1.43),
    "left_hip": (0.09, 0.0, 0.93),
    "left_knee": (0.09, -0.01, 0.5),
    "left_ankle": (0.09, 0.0, 0.08),
    "left_toe": (0.09, -0.13, 0.02),
}
FINGERS = ("thumb", "index", "middle", "ring", "pinky")


def bone(name: str, parent: str, head: np.ndarray | tuple[float, ...], **others) -> RigBone:
    x, y, z = (float(value) for value in head)
    return RigBone(name, parent, (1, 0, 0, x, 0, 1, 0, y, 0, 0, 1, z, 0, 0, 0, 1), **others)


def joint_m(name: str) -> np.ndarray:
    """Where a joint of the made person is."""
    mirrored = name.replace("right_", "left_")
    return np.array(_JOINTS_M[mirrored]) * ((-1, 1, 1) if mirrored != name else (1, 1, 1))


def made_rig(*, fingers: bool = True, name: str = "made") -> Rig:
    """The house skeleton as a rig, with fingers."""
    bones = []
    for joint, parent in zip(SKELETON.joints, SKELETON.parents, strict=True):
        if not joint.endswith("_hand"):
            bones.append(bone(joint, SKELETON.joints[parent] if parent >= 0 else "", joint_m(joint)))
    if fingers:
        for side, out in (("left", 1), ("right", -1)):
            for nth, finger in enumerate(FINGERS):
                start = joint_m(f"{side}_hand") + np.array([0, 0.02 * (nth - 2), 0])
                for k in range(3):
                    above = f"{side}_{finger}_{k - 1}" if k else f"{side}_wrist"
                    bones.append(
                        bone(f"{side}_{finger}_{k}", above, start + np.array([0.03 * k * out, 0, 0]))
                    )
    return Rig(name, tuple(bones))


def renamed(rig: Rig, names: dict[str, str]) -> Rig:
    """A rig with other names for some bones."""
    bones = tuple(
        replace(b, name=names.get(b.name, b.name), parent=names.get(b.parent, b.parent)) for b in rig.bones
    )
    chains = tuple(
        replace(chain, **{key: names.get(getattr(chain, key), getattr(chain, key)) for key in _ENDS})
        for chain in rig.chains
    )
    return replace(rig, bones=bones, chains=chains)


_ENDS = ("root", "mid", "end", "target", "pole")


def numbered(rig: Rig) -> tuple[Rig, dict[str, str]]:
    """A rig whose names say nothing, and what they were."""
    names = {b.name: f"bone_{i:03d}" for i, b in enumerate(rig.bones)}
    return renamed(rig, names), {new: old for old, new in names.items()}


def with_chain(rig: Rig, name: str, parent: str, start, step, count: int) -> Rig:
    """A rig with a chain of bones hung on one of its own."""
    bones, above = list(rig.bones), parent
    for k in range(count):
        bones.append(bone(f"{name}_{k}", above, np.asarray(start) + k * np.asarray(step)))
        above = bones[-1].name
    return replace(rig, bones=tuple(bones))


def moved(rig: Rig, matrix: np.ndarray, **others) -> Rig:
    """A rig whose points are turned or scaled about its origin; the bones' own axes stay."""
    bones = []
    for b in rig.bones:
        tail = None if b.tail is None else tuple(float(v) for v in matrix @ np.array(b.tail))
        head = matrix @ np.array(b.head)
        rest = (*b.rest[:3], head[0], *b.rest[4:7], head[1], *b.rest[8:11], head[2], *b.rest[12:])
        bones.append(replace(b, rest=tuple(float(v) for v in rest), tail=tail))
    return replace(rig, bones=tuple(bones), **others)


def limb_turned(rig: Rig, start: str, matrix: np.ndarray) -> Rig:
    """A rig with one bone, and all that it carries, turned about its head."""
    carried = {start}
    pivot = np.array(rig.bone(start).head)
    bones = []
    for b in rig.bones:
        if b.parent in carried:
            carried.add(b.name)
        if b.name in carried and b.name != start:
            head = pivot + matrix @ (np.array(b.head) - pivot)
            rest = (*b.rest[:3], head[0], *b.rest[4:7], head[1], *b.rest[8:11], head[2], *b.rest[12:])
            b = replace(b, rest=tuple(float(v) for v in rest))
        bones.append(b)
    return replace(rig, bones=tuple(bones))
