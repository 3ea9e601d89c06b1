"""Bones and curves: a host that applies them as Blender does gets the joints back."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from pose_server.export.bones import rest_bones
from pose_server.export.channels import HostMotion, host_channels
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.kinematics import joint_positions
from pose_shared.errors import InternalError
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation


def posed_heads(host: HostMotion) -> np.ndarray:
    """(T, J, 3) heads of the posed bones: pose = parent's pose, rest relative to the parent's, basis."""
    frames = host.frame_count
    rest, pose = [], []
    for bone in host.bones:
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = bone.axes, bone.head_m
        rest.append(matrix)
        basis = np.tile(np.eye(4), (frames, 1, 1))
        quaternion = np.stack([host.channels[f"{bone.name}/rotation/{axis}"] for axis in "wxyz"], axis=1)
        basis[:, :3, :3] = Rotation.from_quat(quaternion, scalar_first=True).as_matrix()
        if bone.parent < 0:
            for i, axis in enumerate("xyz"):
                basis[:, i, 3] = host.channels[f"{bone.name}/location/{axis}"]
            pose.append(matrix @ basis)
        else:
            pose.append(pose[bone.parent] @ np.linalg.inv(rest[bone.parent]) @ matrix @ basis)
    return np.stack(pose, axis=1)[:, :, :3, 3]


def bent(motion: Motion, joint: str, degrees: float) -> np.ndarray:
    """(J, 3) joints of the T-pose with one bone turned about its local x."""
    index = motion.joint_names.index(joint)
    axis = rest_bones(motion)[index].axes[:, 0]
    local = np.tile([1.0, 0, 0, 0], (1, len(motion.joint_names), 1))
    local[0, index] = Rotation.from_rotvec(np.radians(degrees) * axis).as_quat(scalar_first=True)
    return joint_positions(local, np.zeros((1, 3)), motion.rest_offsets_m, motion.parents.tolist())[0]


@pytest.mark.parametrize("scale", [0.6, 1.0, 1.15])
def test_applied_like_a_host_the_joints_come_out(make_motion, scale: float) -> None:
    motion = make_motion(scale=scale, reach=1.2, start_m=(3.0, 8.0))
    heads = posed_heads(host_channels(motion, clip_name="clip", person=1))
    assert np.abs(heads - motion.joints_world_m).max() < 1e-5


def test_curves_stay_in_one_hemisphere(make_motion) -> None:
    motion = make_motion(reach=1.5, frames=200)
    flipped = motion.local_rotations_wxyz.copy()
    flipped[50:120] *= -1
    host = host_channels(dataclasses.replace(motion, local_rotations_wxyz=flipped), clip_name="c", person=1)
    for bone in host.bones:
        curve = np.stack([host.channels[f"{bone.name}/rotation/{axis}"] for axis in "wxyz"], axis=1)
        assert np.sum(curve[1:] * curve[:-1], axis=1).min() > 0


def test_the_header_tells_the_clip(make_motion) -> None:
    motion = make_motion(first=40)
    host = host_channels(motion, clip_name="roof.mp4", person=2)
    assert (host.clip_name, host.person, host.rate, host.frame_count) == ("roof.mp4", 2, motion.rate, 60)
    assert host.first_source_frame == 40
    assert host.start_time_s == pytest.approx(40 * 1001 / 30000)
    assert host.camera.intrinsics_px == pytest.approx((734.3, 734.3, 320, 180), abs=0.1)
    assert (host.camera.width, host.camera.height) == (640, 360)
    names = {f"{bone}/{curve}" for bone in SKELETON.joints for curve in ("confidence", *rotation_names())}
    names |= {f"pelvis/location/{axis}" for axis in "xyz"}
    names |= {f"contact/{name}" for name in motion.contact_names}
    assert set(host.channels) == names
    np.testing.assert_array_equal(host.channels["head/confidence"], motion.confidence[:, 4])
    np.testing.assert_array_equal(host.channels["contact/left_toe"], motion.contacts[:, 1])


def rotation_names() -> list[str]:
    return [f"rotation/{axis}" for axis in "wxyz"]


def test_a_channel_of_another_length_is_refused(motion: Motion) -> None:
    host = host_channels(motion, clip_name="clip", person=1)
    with pytest.raises(InternalError, match="pelvis/confidence"):
        dataclasses.replace(host, channels={"pelvis/confidence": np.zeros(3, np.float32)})


def test_the_rest_is_a_t_pose_with_its_feet_on_the_ground(motion: Motion) -> None:
    bones = {bone.name: bone for bone in rest_bones(motion)}
    ends = np.array([end for bone in bones.values() for end in (bone.head_m, bone.tail_m)])
    assert ends[:, 2].min() == pytest.approx(0, abs=1e-6)
    assert bones["pelvis"].head_m[:2] == (0, 0)
    assert bones["pelvis"].tail_m == pytest.approx(bones["spine"].head_m)
    assert bones["chest"].tail_m == pytest.approx(bones["neck"].head_m)
    assert bones["left_elbow"].tail_m == pytest.approx(bones["left_wrist"].head_m)
    assert bones["left_hand"].tail_m[0] > bones["left_hand"].head_m[0] > 0.5
    for bone in bones.values():
        assert np.allclose(bone.axes.T @ bone.axes, np.eye(3), atol=1e-6)
        assert np.linalg.det(bone.axes) == pytest.approx(1)


def test_tips_grow_with_the_person(make_motion) -> None:
    def tip_length(scale: float) -> float:
        bone = rest_bones(make_motion(scale=scale))[SKELETON.index("head")]
        return float(np.linalg.norm(np.subtract(bone.tail_m, bone.head_m)))

    assert tip_length(1.2) == pytest.approx(2 * tip_length(0.6))
    assert tip_length(1.0) == pytest.approx(0.19, rel=0.02)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_positive_turn_about_local_x_bends(motion: Motion, side: str) -> None:
    straight = bent(motion, "pelvis", 0)

    def moved(joint: str, end: str) -> np.ndarray:
        index = motion.joint_names.index(end)
        return bent(motion, joint, 60)[index] - straight[index]

    assert moved(f"{side}_elbow", f"{side}_wrist")[1] < -0.1, "the hand comes forward"
    assert moved(f"{side}_shoulder", f"{side}_wrist")[1] < -0.1
    assert moved(f"{side}_knee", f"{side}_ankle")[1] > 0.1, "the heel goes back"
    assert moved(f"{side}_ankle", f"{side}_toe")[2] < -0.03, "the toes point"
    assert moved("spine", "head")[1] < -0.1, "the trunk bows"
    # A hinge moves nothing sideways.
    assert abs(moved(f"{side}_elbow", f"{side}_wrist")[2]) < 1e-6
    assert abs(moved(f"{side}_knee", f"{side}_ankle")[0]) < 1e-6


def test_a_skeleton_of_other_names_has_bones_too(motion: Motion) -> None:
    names = tuple(f"b{i}" for i in range(len(motion.joint_names)))
    offsets = motion.rest_offsets_m.copy()
    offsets[1] = 0
    other = dataclasses.replace(motion, joint_names=names, rest_offsets_m=offsets)
    for bone in rest_bones(other):
        assert np.linalg.norm(np.subtract(bone.tail_m, bone.head_m)) > 1e-3


@pytest.mark.bpy
@pytest.mark.skipif(find_spec("bpy") is None, reason="the bpy wheel is not installed")
def test_blender_builds_the_same_rest_and_pose(tmp_path: Path, make_motion) -> None:
    motion = make_motion(reach=1.0, frames=20, start_m=(1.0, 4.0))
    host = host_channels(motion, clip_name="clip", person=1)
    scene = {
        "bones": [dataclasses.asdict(bone) for bone in host.bones],
        "channels": {name: values.tolist() for name, values in host.channels.items()},
    }
    (tmp_path / "scene.json").write_text(json.dumps(scene))
    script = """
        import json, os, sys
        import bpy
        from mathutils import Vector
        scene = json.load(open("scene.json"))
        data = bpy.data.armatures.new("a")
        thing = bpy.data.objects.new("a", data)
        bpy.context.collection.objects.link(thing)
        bpy.context.view_layer.objects.active = thing
        bpy.ops.object.mode_set(mode="EDIT")
        made = []
        for bone in scene["bones"]:
            new = data.edit_bones.new(bone["name"])
            new.head, new.tail = bone["head_m"], bone["tail_m"]
            new.align_roll(Vector(bone["z_axis"]))
            if bone["parent"] >= 0:
                new.parent = made[bone["parent"]]
            made.append(new)
        bpy.ops.object.mode_set(mode="OBJECT")
        rest = [[list(row) for row in data.bones[bone["name"]].matrix_local] for bone in scene["bones"]]
        channels = scene["channels"]
        heads = []
        for frame in range(len(channels["pelvis/location/x"])):
            for bone in thing.pose.bones:
                bone.rotation_quaternion = [channels[f"{bone.name}/rotation/{a}"][frame] for a in "wxyz"]
            thing.pose.bones["pelvis"].location = [channels[f"pelvis/location/{a}"][frame] for a in "xyz"]
            bpy.context.view_layer.update()
            heads.append([list(thing.pose.bones[bone["name"]].head) for bone in scene["bones"]])
        json.dump({"rest": rest, "heads": heads}, open("out.json", "w"))
        sys.stdout.flush()
        os._exit(0)  # bpy does not come down cleanly
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    out = json.loads((tmp_path / "out.json").read_text())
    for bone, rest in zip(host.bones, out["rest"], strict=True):
        assert np.abs(np.array(rest)[:3, :3] - bone.axes).max() < 1e-4, bone.name
    assert np.abs(np.array(out["heads"]) - motion.joints_world_m).max() < 1e-3
