"""Results as a server gives them, of people whose pose is known at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from dancers import CameraMove, Dancer, joint_chunks
from pose_shared.clips import Clip
from pose_shared.joint_motion import JointMotion, read_joint_motion
from pose_shared.session import Result
from pose_shared.solve_settings import SolveSettings

__all__ = ["joint_result", "long_motion", "placement_of", "world_cm"]

PEOPLE = (Dancer(1, 0, 48), Dancer(2, 13, 41))


def joint_result(
    dancers: Sequence[Dancer] = PEOPLE,
    *,
    up: str = "y",
    rate: Fraction | None = None,
    job: str = "jobs/dance",
    move: CameraMove | None = None,
) -> Result:
    motions = []
    for index, dancer in enumerate(dancers):
        chunks = joint_chunks(dancer.motion(rate), index + 1, dancer.source_rate, up, move)
        motions.append(read_joint_motion(chunks, up))
    return Result(job, (), joints=tuple(motions))


def long_motion(frames: int, joints: int) -> JointMotion:
    dancer = Dancer(1, 0, frames, source_rate=Fraction(30))
    short = len(dancer._skeleton()[0])
    dancer = Dancer(1, 0, frames, source_rate=Fraction(30), extra_joints=joints - short)
    return joint_result([dancer]).joints[0]


def placement_of(addon: Any, **given: Any) -> Any:
    settings = {
        "clip_name": "dance",
        "server": "127.0.0.1:1",
        "clip": None,
        "scene_frame": 1,
        "solve": SolveSettings(),
        **given,
    }
    return addon("scene_host").Placement(**settings)


def world_cm(dancer: Dancer, up: str, rate: Fraction | None = None) -> np.ndarray:
    """(T, J, 3) where the joints are by the dancer's own forward kinematics."""
    places = dancer.motion(rate).joints_world_m * 100
    if up == "y":
        places = np.stack([places[..., 0], places[..., 2], -places[..., 1]], -1)
    return np.asarray(places)


def picture_clip(folder: Path, count: int = 3) -> Clip:
    for number in range(count):
        (folder / f"shot.{1001 + number}.png").write_bytes(b"")
    return Clip.from_path(folder / "shot.1001.png")
