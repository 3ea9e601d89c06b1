"""BVH: read back by a parser of our own and by Blender's importer."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import textwrap
from fractions import Fraction
from importlib.util import find_spec
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from pose_server.export.bvh import write_bvh
from pose_server.pipeline.boundary import Motion
from pose_shared.errors import InputError
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation


class Bvh:
    """A BVH file, read as the format's description says."""

    def __init__(self, path: Path) -> None:
        head, rows = path.read_text().split("MOTION\n")
        self.names: list[str] = []
        self.parents: list[int] = []
        self.offsets: list[list[float]] = []
        self.channels: list[list[str]] = []
        self.tips: dict[str, list[float]] = {}
        stack: list[int] = []
        for line in head.splitlines():
            words = line.split()
            match words:
                case ["ROOT" | "JOINT", name]:
                    self.parents.append(stack[-1] if stack else -1)
                    self.names.append(name)
                    self.channels.append([])
                case ["End", "Site"]:
                    self.names.append("")
                case ["{"]:
                    stack.append(-1 if self.names[-1] == "" else len(self.names) - 1)
                case ["}"]:
                    if stack.pop() == -1:
                        self.names.pop()
                case ["OFFSET", *numbers]:
                    if self.names[-1] == "":
                        self.tips[self.names[-2]] = [float(n) for n in numbers]
                    else:
                        self.offsets.append([float(n) for n in numbers])
                case ["CHANNELS", _, *channels]:
                    self.channels[-1] = channels
        assert stack == []
        lines = rows.splitlines()
        self.frame_count = int(lines[0].removeprefix("Frames: "))
        self.frame_time = float(lines[1].removeprefix("Frame Time: "))
        self.rows = np.array([[float(word) for word in line.split()] for line in lines[2:]])

    def positions(self) -> dict[str, np.ndarray]:
        """(T, 3) of each joint in the file's world and unit."""
        world: list[np.ndarray] = []
        places: list[np.ndarray] = []
        column = 0
        for joint, parent in enumerate(self.parents):
            channels = self.channels[joint]
            values = self.rows[:, column : column + len(channels)]
            column += len(channels)
            order = "".join(name[0] for name in channels if name.endswith("rotation"))
            local = Rotation.from_euler(order, values[:, -3:], degrees=True).as_matrix()
            offset = np.array(self.offsets[joint])
            if parent < 0:
                assert channels[:3] == ["Xposition", "Yposition", "Zposition"]
                places.append(offset + values[:, :3])
                world.append(local)
            else:
                places.append(places[parent] + world[parent] @ offset)
                world.append(world[parent] @ local)
        assert column == self.rows.shape[1]
        return dict(zip(self.names, places, strict=True))


def y_up(points: np.ndarray) -> np.ndarray:
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


@pytest.mark.parametrize("order", ["".join(order) for order in permutations("XYZ")])
def test_the_joints_come_out_in_every_order(tmp_path: Path, make_motion, order: str) -> None:
    motion = make_motion(reach=1.3)
    write_bvh(tmp_path / "a.bvh", motion, rotation_order=order)
    positions = Bvh(tmp_path / "a.bvh").positions()
    for i, name in enumerate(motion.joint_names):
        assert np.abs(positions[name] - 100 * y_up(motion.joints_world_m[:, i])).max() < 1e-3


def test_head_of_the_file(tmp_path: Path, motion: Motion) -> None:
    write_bvh(tmp_path / "a.bvh", motion, unit="m")
    bvh = Bvh(tmp_path / "a.bvh")
    assert set(bvh.names) == set(SKELETON.joints)
    for name, parent in zip(bvh.names, bvh.parents, strict=True):
        expected = SKELETON.parents[SKELETON.index(name)]
        assert (bvh.names[parent] if parent >= 0 else None) == (
            SKELETON.joints[expected] if expected >= 0 else None
        )
    assert [len(channels) for channels in bvh.channels] == [6] + [3] * (len(SKELETON) - 1)
    assert bvh.channels[1] == ["Zrotation", "Xrotation", "Yrotation"]
    assert set(bvh.tips) == set(SKELETON.tips_m)
    assert bvh.tips["head"][1] > 0.15 and bvh.tips["left_toe"][2] > 0.05, "y up, facing +z"
    assert bvh.offsets[bvh.names.index("left_elbow")] == pytest.approx([0.28, 0, 0])
    assert bvh.frame_count == len(bvh.rows) == len(motion)
    assert bvh.frame_time == 1001 / 30000


def test_angles_are_continuous(tmp_path: Path, make_motion) -> None:
    motion = make_motion(frames=300, rate=Fraction(60))
    # Three turns about the vertical, and a forearm that swings through the middle angle's 90 degrees.
    turn = np.radians(np.linspace(0, 1080, 300))
    swing = np.radians(100) * np.sin(np.linspace(0, 20, 300))[:, None]
    local = motion.local_rotations_wxyz.copy()
    local[:, 0] = Rotation.from_euler("z", turn[:, None]).as_quat(scalar_first=True)
    elbow = SKELETON.index("left_elbow")
    local[:, elbow] = Rotation.from_rotvec(swing * [1.0, 0, 0]).as_quat(scalar_first=True)
    write_bvh(tmp_path / "a.bvh", dataclasses.replace(motion, local_rotations_wxyz=local))
    bvh = Bvh(tmp_path / "a.bvh")
    assert bvh.rows[-1, 5] == pytest.approx(1080, abs=0.01)
    column = 6 + 3 * (bvh.names.index("left_elbow") - 1)
    steps = np.abs(np.diff(bvh.rows[:, column : column + 3], axis=0))
    assert steps.max() < 8
    assert bvh.rows[:, column : column + 3].max() == pytest.approx(100, abs=0.1)
    assert np.abs(np.diff(bvh.rows[:, 3:6], axis=0)).max() < 5


@pytest.mark.parametrize("wrong", [{"unit": "ft"}, {"rotation_order": "ZXZ"}, {"rotation_order": "zxy"}])
def test_unknown_settings_are_refused(tmp_path: Path, motion: Motion, wrong: dict[str, str]) -> None:
    with pytest.raises(InputError, match="choose"):
        write_bvh(tmp_path / "a.bvh", motion, **wrong)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.bpy
@pytest.mark.skipif(find_spec("bpy") is None, reason="the bpy wheel is not installed")
def test_blender_imports_it_upright_and_true(tmp_path: Path, make_motion) -> None:
    motion = make_motion(reach=0.9, frames=40, start_m=(1.0, 3.0))
    write_bvh(tmp_path / "cm.bvh", motion)
    write_bvh(tmp_path / "m.bvh", motion, unit="m", rotation_order="YXZ")
    script = """
        import json, os, sys
        import bpy
        found = {}
        for name, scale in (("cm", 0.01), ("m", 1.0)):
            bpy.ops.import_anim.bvh(
                filepath=f"{name}.bvh", axis_forward="-Z", axis_up="Y",
                global_scale=scale, update_scene_fps=True,
            )
            thing = bpy.context.object
            found[name] = {}
            for row in (0, 7, 20, 39):
                bpy.context.scene.frame_set(row + 1)
                found[name][row] = {
                    bone.name: list(thing.matrix_world @ bone.head) for bone in thing.pose.bones
                }
            bone = thing.data.bones["head"]
            found[name]["up"] = list(thing.matrix_world.to_3x3() @ (bone.tail_local - bone.head_local))
        found["fps"] = bpy.context.scene.render.fps / bpy.context.scene.render.fps_base
        json.dump(found, open("out.json", "w"))
        sys.stdout.flush()
        os._exit(0)  # bpy does not come down cleanly
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["fps"] == pytest.approx(30000 / 1001, abs=1e-3)
    for unit in ("cm", "m"):
        assert found[unit]["up"][2] > 0.15
        for row in (0, 7, 20, 39):
            heads = np.array([found[unit][str(row)][name] for name in motion.joint_names])
            assert np.abs(heads - motion.joints_world_m[row]).max() < 1e-3
