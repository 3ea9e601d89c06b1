"""Motion capture that nobody captured: walkers as takes, and as Acclaim files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pose_server.train.motions import RATE_HZ, MotionSet, Take
from pose_shared.skeleton import BODY_31

#: A person of 1.7 m who stands and faces +z, y up: the middle and the left.
_LEFT = {
    "eye": (0.03, 1.64, 0.09),
    "ear": (0.075, 1.62, 0.0),
    "shoulder": (0.18, 1.42, 0.0),
    "elbow": (0.2, 1.12, 0.0),
    "wrist": (0.2, 0.87, 0.02),
    "index": (0.2, 0.79, 0.05),
    "pinky": (0.2, 0.8, -0.01),
    "hip": (0.1, 0.93, 0.0),
    "knee": (0.1, 0.5, 0.0),
    "ankle": (0.1, 0.09, 0.0),
    "heel": (0.1, 0.03, -0.05),
    "big_toe": (0.1, 0.02, 0.18),
    "small_toe": (0.15, 0.02, 0.15),
}
_MIDDLE = {
    "nose": (0.0, 1.6, 0.12),
    "spine": (0.0, 1.04, 0.0),
    "chest": (0.0, 1.18, 0.0),
    "neck": (0.0, 1.44, 0.0),
    "head": (0.0, 1.54, 0.01),
}
REST_M = np.array(
    [
        _MIDDLE[name]
        if name in _MIDDLE
        else np.multiply(_LEFT[name.split("_", 1)[1]], [1 if name.startswith("left") else -1, 1, 1])
        for name in BODY_31.joints
    ]
)
#: Limbs that swing: the joint they turn about, and what turns.
_CHAINS = (
    ("hip", ("knee", "ankle", "heel", "big_toe", "small_toe"), 0.5),
    ("knee", ("ankle", "heel", "big_toe", "small_toe"), 0.4),
    ("shoulder", ("elbow", "wrist", "index", "pinky"), -0.6),
    ("elbow", ("wrist", "index", "pinky"), -0.5),
)


def walk(seconds: float, *, seed: int = 0, subject: str = "1", name: str = "walk") -> Take:
    """Somebody who walks in an arc, at 60 Hz; bones keep their length."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    size, pace, speed, turn = rng.uniform((0.9, 0.8, 0.5, -0.5), (1.1, 1.2, 1.4, 0.5))
    points = np.tile(REST_M, (len(t), 1, 1))
    for side, sign in (("left_", 1.0), ("right_", -1.0)):
        for pivot, below, swing in _CHAINS:
            angle = swing * np.sin(2 * np.pi * pace * t + rng.uniform(0, 0.5)) * sign
            columns = [BODY_31.index(side + part) for part in below]
            base = points[:, [BODY_31.index(side + pivot)]]
            points[:, columns] = _about_x(points[:, columns] - base, angle) + base
    heading = rng.uniform(0, 6) + turn * t
    path = np.cumsum(np.stack([np.sin(heading), 0 * t, np.cos(heading)], axis=1), axis=0) * speed / RATE_HZ
    c, s = np.cos(heading)[:, None], np.sin(heading)[:, None]
    x, y, z = np.moveaxis(points * size, -1, 0)
    points = np.stack([c * x + s * z, y, c * z - s * x], axis=-1) + path[:, None]
    return Take(name, subject, points.astype(np.float32))


def walks(count: int = 2, seconds: float = 4.0) -> MotionSet:
    """As many subjects, one take each."""
    takes = (walk(seconds, seed=i, subject=str(i + 1), name=f"walk_{i + 1}") for i in range(count))
    return MotionSet(tuple(takes), "0" * 64)


def _about_x(points: np.ndarray, angle: np.ndarray) -> np.ndarray:
    x, y, z = np.moveaxis(points, -1, 0)
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    return np.stack([x, c * y - s * z, s * y + c * z], axis=-1)


#: Ends of Acclaim's bones in a T-pose that faces +z: the middle and the left.
_ACCLAIM = {
    "root": (0, 0.98, 0),
    "lowerback": (0, 1.09, 0),
    "upperback": (0, 1.2, 0),
    "thorax": (0, 1.31, 0),
    "lowerneck": (0, 1.42, 0),
    "upperneck": (0, 1.5, 0),
    "head": (0, 1.6, 0.02),
    "lclavicle": (0.17, 1.42, 0),
    "lhumerus": (0.46, 1.42, 0),
    "lradius": (0.64, 1.42, 0),
    "lwrist": (0.73, 1.42, 0),
    "lhand": (0.8, 1.42, 0),
    "lhipjoint": (0.1, 0.93, 0),
    "lfemur": (0.12, 0.5, 0),
    "ltibia": (0.12, 0.09, 0),
    "lfoot": (0.13, 0.03, 0.13),
    "ltoes": (0.13, 0.02, 0.2),
}
ACCLAIM_M = _ACCLAIM | {"r" + name[1:]: (-x, y, z) for name, (x, y, z) in _ACCLAIM.items() if x}
_HIERARCHY = (
    "root lhipjoint rhipjoint lowerback",
    "lowerback upperback",
    "upperback thorax",
    "thorax lowerneck lclavicle rclavicle",
    "lowerneck upperneck",
    "upperneck head",
    *(f"{side}{a} {side}{b}" for side in "lr" for a, b in (("hipjoint", "femur"), ("femur", "tibia"))),
    *(f"{side}{a} {side}{b}" for side in "lr" for a, b in (("tibia", "foot"), ("foot", "toes"))),
    *(f"{side}{a} {side}{b}" for side in "lr" for a, b in (("clavicle", "humerus"), ("humerus", "radius"))),
    *(f"{side}{a} {side}{b}" for side in "lr" for a, b in (("radius", "wrist"), ("wrist", "hand"))),
)


def write_asf(path: Path) -> None:
    """Write that skeleton in metres (a length unit of one inch)."""
    parents = {child: words[0] for words in map(str.split, _HIERARCHY) for child in words[1:]}
    bones = []
    for name, parent in parents.items():
        offset = np.subtract(ACCLAIM_M[name], ACCLAIM_M[parent])
        length = np.linalg.norm(offset)
        direction = " ".join(f"{value:.9f}" for value in offset / length)
        freedom = "dof rx ry rz\n" if name == "lhumerus" else ""
        bones.append(
            f"begin\nname {name}\ndirection {direction}\nlength {length:.9f}\naxis 0 0 0 XYZ\n{freedom}end\n"
        )
    path.write_text(
        ":units\nlength 0.0254\nangle deg\n:root\norder TX TY TZ RX RY RZ\naxis XYZ\nposition 0 0 0\n"
        "orientation 0 0 0\n:bonedata\n"
        + "".join(bones)
        + ":hierarchy\nbegin\n"
        + "\n".join(_HIERARCHY)
        + "\nend\n"
    )


def write_amc(path: Path, frames: int, root_m: Callable[[int], tuple[float, float, float]]) -> None:
    """Write a motion in which the root goes where it is told and the left arm sinks."""
    lines = [":FULLY-SPECIFIED", ":DEGREES"]
    for frame in range(frames):
        x, y, z = root_m(frame)
        lines += [str(frame + 1), f"root {x:.9f} {y:.9f} {z:.9f} 0 0 0", f"lhumerus 0 0 {-0.1 * frame:.6f}"]
    path.write_text("\n".join(lines) + "\n")
