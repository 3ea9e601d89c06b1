from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_character import character, write_glb
from made_walk import made_walk
from pose_server.pipeline.retarget_options import RetargetOptions
from pose_server.retarget.bone_map import BoneMap
from pose_server.retarget.forward import bone_worlds
from pose_server.retarget.measures import measured
from pose_server.retarget.opening import map_rig
from pose_server.retarget.retargeter import retargeted
from pose_server.retarget.rig_motion import RigMotion
from pose_server.rigs.gltf import read_gltf_rig
from scipy.spatial.transform import Rotation


@pytest.fixture
def walking(tmp_path: Path) -> tuple[RigMotion, BoneMap]:
    mapped = map_rig(read_gltf_rig(write_glb(tmp_path / "a.glb", *character(seed=1))))
    return retargeted(made_walk(), mapped.rig, mapped.bones, RetargetOptions(relock=())), mapped.bones


def test_limbs_point_as_in_the_source_before_feet_are_held(walking: tuple[RigMotion, BoneMap]) -> None:
    result, bones = walking
    found = measured(made_walk(), result, bones)
    assert len(found.direction_deg) == 8
    assert max(found.direction_deg.values()) < 0.01
    assert found.jump_deg < 0.01


def test_a_bone_that_is_turned_away_is_seen(walking: tuple[RigMotion, BoneMap]) -> None:
    """A thigh bent by 10 degrees about an axis across it points 10 degrees elsewhere, and its shin, too."""
    result, bones = walking
    column = result.bones.index(bones["left_hip"])
    rig_bone = result.rig.bone(bones["left_hip"])
    axes = np.array(rig_bone.rest).reshape(4, 4)[:3, :3]
    along = np.subtract(result.rig.bone(bones["left_knee"]).head, rig_bone.head) @ axes
    across = np.cross(along, [0.3, 0.5, 0.7])
    bend = Rotation.from_rotvec(np.radians(10) * across / np.linalg.norm(across))
    keys = result.rotations_wxyz.copy()
    keyed = Rotation.from_quat(keys[:, column], scalar_first=True)
    keys[:, column] = (keyed * bend).as_quat(scalar_first=True)
    found = measured(made_walk(), replace(result, rotations_wxyz=keys), bones)
    assert found.direction_deg["left_hip"] == pytest.approx(10, abs=0.01)
    assert 1 < found.direction_deg["left_knee"] < 20
    assert found.direction_deg["right_hip"] < 0.01


def test_what_slides_sinks_and_jumps_is_seen(walking: tuple[RigMotion, BoneMap]) -> None:
    result, bones = walking
    column = next(i for i, moves in enumerate(result.moves) if moves and result.bones[i] == bones["pelvis"])
    before = measured(made_walk(), result, bones)
    axes = np.array(result.rig.bone(bones["pelvis"]).rest).reshape(4, 4)[:3, :3]
    locations = result.locations.copy()
    # The rig is y up: 30 mm down throughout.
    locations[:, column] += axes.T @ [0.0, -0.03, 0.0]
    lower = measured(made_walk(), replace(result, locations=locations), bones)
    assert lower.under_ground_mm == pytest.approx(before.under_ground_mm + 30, abs=0.1)
    locations[::2, column] += axes.T @ [0.05, 0.0, 0.0]
    assert measured(made_walk(), replace(result, locations=locations), bones).slide_mm > 45  # type: ignore[operator]
    keys = result.rotations_wxyz.copy()
    keys[40:, column] = [1.0, 0.0, 0.0, 0.0]
    keys[40:, column] = Rotation.from_euler("x", 170, degrees=True).as_quat(scalar_first=True)
    assert measured(made_walk(), replace(result, rotations_wxyz=keys), bones).jump_deg > 20


def test_bones_go_where_matrices_say(walking: tuple[RigMotion, BoneMap]) -> None:
    """Against a product of 4x4 matrices, bone by bone: parent, rest about the parent, keys."""
    result, _ = walking
    names = [bone.name for bone in result.rig.bones]
    turns, heads = bone_worlds(result, names)
    rest = {bone.name: np.array(bone.rest).reshape(4, 4) for bone in result.rig.bones}
    for frame in (0, 44):
        worlds: dict[str, np.ndarray] = {}
        for bone in result.rig.bones:
            key = np.eye(4)
            if bone.name in result.bones:
                column = result.bones.index(bone.name)
                key[:3, :3] = Rotation.from_quat(
                    result.rotations_wxyz[frame, column], scalar_first=True
                ).as_matrix()
                if result.moves[column]:
                    key[:3, 3] = result.locations[frame, column]
            above = np.linalg.inv(rest[bone.parent]) if bone.parent else np.eye(4)
            worlds[bone.name] = (
                (worlds[bone.parent] if bone.parent else np.eye(4)) @ above @ rest[bone.name] @ key
            )
        np.testing.assert_allclose(heads[frame], [worlds[name][:3, 3] for name in names], atol=1e-9)
        np.testing.assert_allclose(turns[frame], [worlds[name][:3, :3] for name in names], atol=1e-9)
