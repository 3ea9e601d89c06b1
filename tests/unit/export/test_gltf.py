"""GLB: read as the specification says, and held against Khronos' validator where it is installed."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from other_readers import Glb, pose_matrices, y_up
from pose_server.export.animation import Animation, animation_of
from pose_server.export.gltf import write_glb
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.file_options import FileOptions


def written(path: Path, animation: Animation) -> Glb:
    write_glb(path, animation, FileOptions())
    return Glb(path)


def test_joints_come_out_in_every_row(tmp_path: Path, make_motion, rig: Animation) -> None:
    motion = make_motion(reach=1.2, first=12, start_m=(1.0, 2.0))
    glb = written(tmp_path / "a.glb", animation_of(motion))
    skin = glb.document["skins"][0]["joints"]
    assert [glb.nodes[node]["name"] for node in skin] == list(motion.joint_names)
    for row in range(len(motion)):
        places = glb.world(row)[skin, :3, 3]
        assert np.abs(places - y_up(motion.joints_world_m[row])).max() < 1e-5
    rest = glb.world(None)[skin, :3, 3]
    left = motion.joint_names.index("left_wrist")
    assert rest[left, 0] > 0.5 and rest[left, 1] > 1, "a T-pose, y up"
    glb = written(tmp_path / "rig.glb", rig)
    for row in (None, 0, 17):
        places = glb.world(row)[:12, :3, 3]
        assert np.abs(places - y_up(pose_matrices(rig, row)[:, :3, 3])).max() < 1e-5


def test_time_is_exact(tmp_path: Path, make_motion) -> None:
    glb = written(tmp_path / "a.glb", animation_of(make_motion(frames=300, first=30)))
    assert np.abs(glb.times() - np.arange(300) * 1001 / 30000).max() < 1e-6
    extras = glb.document["animations"][0]["extras"]
    assert extras == {"frames_per_second": [30000, 1001], "start_s": pytest.approx(1.001)}


def test_the_body_stands_at_rest_and_follows(tmp_path: Path, motion: Motion, rig: Animation) -> None:
    for animation in (animation_of(motion), rig):
        glb = written(tmp_path / "a.glb", animation)
        primitive = glb.document["meshes"][0]["primitives"][0]
        points, joints, weights = (
            glb.array(primitive["attributes"][name]) for name in ("POSITION", "JOINTS_0", "WEIGHTS_0")
        )
        assert np.array_equal(weights, np.tile([1, 0, 0, 0], (len(points), 1)))
        assert not joints[:, 1:].any()
        bind = glb.array(glb.document["skins"][0]["inverseBindMatrices"]).reshape(-1, 4, 4)
        bind = bind.transpose(0, 2, 1)
        own = [np.flatnonzero(joints[:, 0] == joint)[0] for joint in range(len(animation.joint_names))]
        skinned = {
            row: np.array([(glb.world(row)[j] @ bind[j] @ [*points[own[j]], 1])[:3] for j in range(len(own))])
            for row in (None, 10)
        }
        assert np.abs(skinned[None] - points[own]).max() < 1e-5, "at rest nothing moves"
        rest, posed = pose_matrices(animation, None), pose_matrices(animation, 10)
        for joint, vertex in enumerate(own):
            at = np.append(animation.mesh.points_m[vertex], 1)
            expected = (posed[joint] @ np.linalg.inv(rest[joint]) @ at)[:3]
            assert skinned[10][joint] == pytest.approx(y_up(expected), abs=1e-5)


@pytest.mark.parametrize("moving", [False, True])
def test_the_camera_sees_what_the_clip_saw(tmp_path: Path, make_motion, moving: bool) -> None:
    motion = make_motion(moving_camera=moving)
    if moving:
        path = motion.world_to_camera.copy()
        path[:, 0, 3] = np.linspace(0, 1, len(motion))
        motion = dataclasses.replace(motion, world_to_camera=path)
    glb = written(tmp_path / "a.glb", animation_of(motion))
    node = next(i for i, node in enumerate(glb.nodes) if "camera" in node)
    lens = glb.document["cameras"][0]["perspective"]
    assert (glb.curves().keys() >= {(node, "rotation"), (node, "translation")}) is moving
    for row in (0, 40):
        world = glb.world(row)
        seen = np.linalg.inv(world[node]) @ [*world[5, :3, 3], 1]
        tall = np.tan(lens["yfov"] / 2)
        right, up = seen[:2] / -seen[2] / (tall * lens["aspectRatio"], tall)
        pixel = [320 * (1 + right), 180 * (1 - up)]
        to_camera = motion.world_to_camera[row] if moving else motion.world_to_camera
        turn, _ = cv2.Rodrigues(to_camera[:3, :3])
        expected, _ = cv2.projectPoints(
            motion.joints_world_m[row, 5].astype(float), turn, to_camera[:3, 3], motion.camera.matrix, None
        )
        assert pixel == pytest.approx(expected.ravel(), abs=0.1)


def validator() -> Path | None:
    """Where npm put the validator: the folder that POSE_GLTF_VALIDATOR names, or the global one."""
    if shutil.which("node") is None:
        return None
    folders = [os.environ.get("POSE_GLTF_VALIDATOR", "")]
    npm = shutil.which("npm")
    if not folders[0] and npm:
        folders = [subprocess.run([npm, "root", "-g"], capture_output=True, text=True).stdout.strip()]
    places = [Path(folder) / "gltf-validator" for folder in folders if folder]
    return next((place for place in places if place.is_dir()), None)


@pytest.mark.skipif(validator() is None, reason="node with npm's gltf-validator is not installed")
def test_khronos_finds_nothing(tmp_path: Path, make_motion, rig: Animation) -> None:
    """Neither an error nor a warning; of what has a body not even a remark."""
    script = (
        f"const v = require({json.dumps(str(validator()))}), fs = require('fs');"
        "v.validateBytes(new Uint8Array(fs.readFileSync(process.argv[1])), {maxIssues: 20})"
        ".then(r => console.log(JSON.stringify(r.issues.messages)));"
    )
    bare = dataclasses.replace(rig, mesh=None)
    for i, animation in enumerate((animation_of(make_motion(moving_camera=True)), rig, bare)):
        write_glb(tmp_path / f"{i}.glb", animation, FileOptions())
        done = subprocess.run(
            ["node", "-e", script, tmp_path / f"{i}.glb"], capture_output=True, text=True, check=True
        )
        found = json.loads(done.stdout)
        # Joints that move no mesh are empty nodes, which is worth a remark of severity 2.
        assert [one for one in found if animation.mesh is not None or one["severity"] < 2] == []
