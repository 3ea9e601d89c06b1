"""BVH: read back by a parser of our own and by one of other make; by Blender in test_blender_reads.py."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from other_readers import pose_matrices, y_up
from pose_server.export.animation import Animation, animation_of
from pose_server.export.bvh import write_bvh
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.file_options import FileOptions
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
            if len(channels) == 6:
                assert channels[:3] == ["Xposition", "Yposition", "Zposition"]
            if parent < 0:
                places.append(offset + values[:, :3])
                world.append(local)
            else:
                moves = values[:, :3] if len(channels) == 6 else np.tile(offset, (len(values), 1))
                places.append(places[parent] + np.einsum("tij,tj->ti", world[parent], moves))
                world.append(world[parent] @ local)
        assert column == self.rows.shape[1]
        return dict(zip(self.names, places, strict=True))


@pytest.mark.parametrize("order", ["".join(order) for order in permutations("XYZ")])
def test_the_joints_come_out_in_every_order(tmp_path: Path, make_motion, order: str) -> None:
    motion = make_motion(reach=1.3)
    write_bvh(tmp_path / "a.bvh", animation_of(motion), FileOptions(rotation_order=order))
    positions = Bvh(tmp_path / "a.bvh").positions()
    for i, name in enumerate(motion.joint_names):
        assert np.abs(positions[name] - 100 * y_up(motion.joints_world_m[:, i])).max() < 1e-3


def test_head_of_the_file(tmp_path: Path, motion: Motion) -> None:
    write_bvh(tmp_path / "a.bvh", animation_of(motion), FileOptions(unit="m"))
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
    turning = animation_of(dataclasses.replace(motion, local_rotations_wxyz=local))
    write_bvh(tmp_path / "a.bvh", turning, FileOptions())
    bvh = Bvh(tmp_path / "a.bvh")
    assert bvh.rows[-1, 5] == pytest.approx(1080, abs=0.01)
    column = 6 + 3 * (bvh.names.index("left_elbow") - 1)
    steps = np.abs(np.diff(bvh.rows[:, column : column + 3], axis=0))
    assert steps.max() < 8
    assert bvh.rows[:, column : column + 3].max() == pytest.approx(100, abs=0.1)
    assert np.abs(np.diff(bvh.rows[:, 3:6], axis=0)).max() < 5


def test_a_rig_with_axes_of_its_own(tmp_path: Path, rig: Animation) -> None:
    write_bvh(tmp_path / "a.bvh", rig, FileOptions(unit="mm", up="z"))
    positions = Bvh(tmp_path / "a.bvh").positions()
    for row in (0, 9, 29):
        expected = pose_matrices(rig, row)[:, :3, 3]
        for joint, name in enumerate(rig.joint_names):
            assert positions[name][row] == pytest.approx(1000 * expected[joint], abs=1e-2)


def test_a_reader_of_other_make_agrees(tmp_path: Path, make_motion) -> None:
    pybvh = pytest.importorskip("pybvh", reason="pybvh, which the extra dev brings, is not installed")
    motion = make_motion(reach=1.3)
    write_bvh(tmp_path / "a.bvh", animation_of(motion), FileOptions(unit="m", rotation_order="XZY"))
    bvh = pybvh.read_bvh_file(tmp_path / "a.bvh")
    assert (bvh.frame_count, bvh.frame_time) == (60, 1001 / 30000)
    joints = [bvh.joint_names.index(name) for name in motion.joint_names]
    positions = np.asarray(bvh.joint_positions())[:, joints]
    assert np.abs(positions - y_up(motion.joints_world_m)).max() < 1e-3
