from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_walk import made_walk
from pose_server.export.animation import animation_of
from pose_server.export.bvh import write_bvh
from pose_server.export.gltf import write_glb
from pose_server.pipeline.boundary import FloatArray, Motion
from pose_server.pipeline.file_options import FileOptions
from pose_server.pipeline.kinematics import joint_positions
from pose_server.retarget.opening import open_motion
from pose_shared.errors import InputError
from scipy.spatial.transform import Rotation

OUTER = [
    f"{s}_{p}" for s in ("left", "right") for p in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
]


def apart_m(one: Motion, other: Motion, names: list[str]) -> float:
    """Return how far joints are apart at most, but for one height: the ground is found anew."""
    columns = [one.joint_names.index(name) for name in names]
    way: FloatArray = one.joints_world_m[:, columns] - other.joints_world_m[:, columns]
    way = way - np.array([0.0, 0.0, np.median(way[..., 2])])
    return float(np.linalg.norm(way, axis=-1).max())


@pytest.mark.parametrize("kind", ["bvh", "glb", "z"])
def test_what_was_exported_comes_back_as_it_was(tmp_path: Path, kind: str) -> None:
    motion = made_walk()
    path = tmp_path / ("walk.glb" if kind == "glb" else "walk.bvh")
    if kind == "glb":
        write_glb(path, animation_of(motion), FileOptions())
    else:
        write_bvh(path, animation_of(motion), FileOptions(up="z" if kind == "z" else None))
    back = open_motion(path).motion
    assert back.rate == motion.rate
    assert len(back) == len(motion)
    assert apart_m(motion, back, list(motion.joint_names)) < 1e-3


def test_any_heading_of_the_rest_pose_gives_the_same_motion(tmp_path: Path) -> None:
    """A rig that rests facing aside: its turns are told from there, and its way goes where it went."""
    motion = made_walk()
    path = tmp_path / "walk.bvh"
    write_bvh(path, animation_of(motion), FileOptions())
    plain = open_motion(path).motion
    text = path.read_text()
    head, rows = text.split("Frame Time:")
    first, *frames = rows.strip().splitlines()
    aside = Rotation.from_euler("y", 90, degrees=True)
    lines = []
    for line in head.splitlines():
        words = line.split()
        if words[:1] == ["OFFSET"]:
            x, y, z = aside.apply([float(word) for word in words[1:]])
            line = f"OFFSET {x:.8f} {y:.8f} {z:.8f}"
        lines.append(line)
    turned = []
    for frame in frames:
        values = np.array(frame.split(), dtype=float)
        values[:3] = aside.apply(values[:3])
        angles = Rotation.from_euler("ZXY", values[3:].reshape(-1, 3), degrees=True)
        values[3:] = (aside * angles * aside.inv()).as_euler("ZXY", degrees=True).reshape(-1)
        turned.append(" ".join(f"{value:.7f}" for value in values))
    path.write_text("\n".join(lines) + "\nFrame Time:" + "\n".join([first, *turned]) + "\n")
    # The whole file is seen from aside, world and rest alike, so the motion is the same one in our axes.
    assert apart_m(plain, open_motion(path).motion, OUTER) < 1e-3


def test_another_rest_frame_changes_no_limb(tmp_path: Path) -> None:
    """From a rest pose that is the T-pose itself, told by a frame: the limbs are where they were."""
    motion = made_walk()
    wxyz = motion.local_rotations_wxyz.copy()
    wxyz[0] = [1, 0, 0, 0]
    root = motion.root_world_m.copy()
    places = joint_positions(wxyz, root, motion.rest_offsets_m, motion.parents.tolist())
    motion = replace(motion, local_rotations_wxyz=wxyz, root_world_m=root, joints_world_m=places)
    path = tmp_path / "walk.bvh"
    write_bvh(path, animation_of(motion), FileOptions())
    assert apart_m(open_motion(path).motion, open_motion(path, rest_frame=0).motion, OUTER) < 1e-3
    with pytest.raises(InputError, match="frames are 0 to 89"):
        open_motion(path, rest_frame=90)


def test_feet_carry_where_they_rest(tmp_path: Path) -> None:
    """Somebody stands for a second, walks by sliding along, and stands again."""
    motion = made_walk(frames=120)
    wxyz = np.zeros_like(motion.local_rotations_wxyz)
    wxyz[..., 0] = 1.0
    moved = np.clip(np.arange(120) - 40, 0, 40) * 0.05
    root = np.stack([0 * moved, -moved, np.full(120, 0.9)], axis=1)
    places = joint_positions(wxyz, root, motion.rest_offsets_m, motion.parents.tolist())
    path = tmp_path / "slide.bvh"
    write_bvh(
        path,
        animation_of(replace(motion, local_rotations_wxyz=wxyz, root_world_m=root, joints_world_m=places)),
        FileOptions(),
    )
    back = open_motion(path).motion
    carries = back.contacts > 0.5
    assert carries[:38].all()
    assert carries[83:].all()
    assert not carries[43:78].any()
    assert np.abs(back.joints_world_m[..., 2].min()) < 0.05


@pytest.mark.reference
def test_contacts_agree_with_another_projects(reference_data: Path) -> None:
    """Theirs hold a ball of the foot to be in contact where it is slower than 0.11 m/s, ours below 0.3: so
    ours must carry wherever theirs do, and in a walk each for more than half of the time."""
    cases = reference_data / "bvh_cases"
    theirs = np.load(cases / "pybvh_fixtures" / "foot_contacts_pinned.npz")
    back = open_motion(cases / "pybvh_data" / "cmu_12_01_walk.bvh").motion
    balls = back.contacts[:, [1, 3]] > 0.5
    assert theirs["run1/joints"].tolist() == ["LeftToeBase", "RightToeBase"]
    theirs_too = theirs["run1/contacts"].astype(bool)
    assert balls[theirs_too].mean() > 0.98
    assert ((balls.mean(axis=0) > 0.4) & (balls.mean(axis=0) < 0.7)).all()


@pytest.mark.parametrize("askew_deg", [-50.0, 30.0])
def test_hinges_are_found_from_the_motion(tmp_path: Path, askew_deg: float) -> None:
    """Arms that stand rolled about themselves at rest, so that their elbows bend about other axes."""
    motion = made_walk()
    names = list(motion.joint_names)
    wxyz = motion.local_rotations_wxyz.astype(float)

    def turned(joint: str, before: Rotation, after: Rotation) -> None:
        column = names.index(joint)
        own = Rotation.from_quat(wxyz[:, column], scalar_first=True)
        wxyz[:, column] = (before * own * after).as_quat(scalar_first=True)

    for side in ("left", "right"):
        roll = Rotation.from_euler("x", askew_deg, degrees=True)
        turned(f"{side}_shoulder", Rotation.identity(), roll)
        turned(f"{side}_elbow", roll.inv(), roll)
        turned(f"{side}_wrist", roll.inv(), Rotation.identity())
    path = tmp_path / "walk.bvh"
    write_bvh(path, animation_of(replace(motion, local_rotations_wxyz=wxyz)), FileOptions())
    back = open_motion(path).motion
    assert apart_m(motion, back, OUTER) < 1e-3
    for side in ("left", "right"):
        for joint in ("shoulder", "elbow", "wrist"):
            column = names.index(f"{side}_{joint}")
            was, found = (
                Rotation.from_quat(one.local_rotations_wxyz[:, column].astype(float), scalar_first=True)
                for one in (motion, back)
            )
            assert np.degrees((was.inv() * found).magnitude()).max() < 0.1, joint
