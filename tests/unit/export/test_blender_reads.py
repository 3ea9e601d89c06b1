"""BVH, GLB, USD and FBX as Blender's importers read them: upright, true in every frame, a T-pose at rest."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import textwrap
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from other_readers import pose_matrices
from pose_server.export.animation import Animation, animation_of
from pose_server.export.bvh import write_bvh
from pose_server.export.fbx import check_fbx, write_fbx
from pose_server.export.formats import write_animation
from pose_server.export.gltf import write_glb
from pose_server.export.usd import write_usd
from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.file_options import FileOptions
from pose_shared.errors import InputError, InternalError, MissingExtraError
from scipy.spatial import cKDTree

needs_bpy = [
    pytest.mark.bpy,
    pytest.mark.skipif(find_spec("bpy") is None, reason="the bpy wheel is not installed"),
]

_READ = """
    import os, sys, traceback
    import bpy
    import numpy as np

    def read(path, fps, rows):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        scene = bpy.context.scene
        scene.render.fps, scene.render.fps_base = fps
        suffix = os.path.splitext(path)[1]
        if suffix == ".bvh":
            bpy.ops.import_anim.bvh(
                filepath=path, axis_forward="-Z", axis_up="Y", global_scale=0.01, update_scene_fps=True
            )
        elif suffix == ".glb":
            # Blender 5.0 multiplies times by fps_base, by which frames per second are to be divided.
            scene.render.fps_base = 1 / fps[1]
            bpy.ops.import_scene.gltf(filepath=path)
            scene.render.fps_base = fps[1]
        elif suffix == ".fbx":
            bpy.ops.import_scene.fbx(filepath=path)
        else:
            bpy.ops.wm.usd_import(filepath=path)
        thing, = (ob for ob in scene.objects if ob.type == "ARMATURE")
        body = [ob for ob in scene.objects if ob.type == "MESH" and ob.modifiers]
        first, last = thing.animation_data.action.frame_range
        names = [bone.name for bone in thing.data.bones]
        heads, points = [], []
        # Blender's FBX importer counts whole frames a second, whatever fps_base it sets.
        step = scene.render.fps_base if suffix == ".fbx" else 1
        for row in range(rows):
            at = first + row * step
            scene.frame_set(int(at), subframe=at - int(at))
            heads.append([list(thing.matrix_world @ thing.pose.bones[name].head) for name in names])
            if body and row == rows // 2:
                seen = body[0].evaluated_get(bpy.context.evaluated_depsgraph_get())
                points = [list(seen.matrix_world @ point.co) for point in seen.data.vertices]
        return {
            "names": np.array(names), "heads": np.array(heads), "points": np.array(points),
            "rest": np.array([list(thing.matrix_world @ bone.head_local) for bone in thing.data.bones]),
            "fps": np.array(scene.render.fps / scene.render.fps_base),
            "rows": np.array(1 + (last - first) / step),
            "parents": np.array([bone.parent.name if bone.parent else "" for bone in thing.data.bones]),
        }

    try:
        fps, rows = (int(sys.argv[1]), float(sys.argv[2])), int(sys.argv[3])
        for path in sys.argv[4:]:
            np.savez(path + ".npz", **read(path, fps, rows))
        code = 0
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush(); sys.stderr.flush()
    os._exit(code)  # bpy does not come down cleanly
"""


def read_in_blender(paths: list[Path], rate: Fraction, rows: int) -> list[dict]:
    fps = max(1, round(rate))
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_READ), str(fps), str(float(fps / rate)), str(rows), *paths],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return [dict(np.load(f"{path}.npz")) for path in paths]


def check(read: dict, animation: Animation, *, rest_offset: FloatArray) -> None:
    names = read["names"].tolist()
    plain = [name.replace(".", "_") for name in animation.joint_names]
    order = [(plain if names[0] in plain else list(animation.joint_names)).index(name) for name in names]
    assert len(names) == len(animation.joint_names), "one skeleton, no leaf bones"
    for name, parent, joint in zip(names, read["parents"].tolist(), order, strict=True):
        own = int(animation.parents[joint])
        assert parent == ("" if own < 0 else names[order.index(own)]), name
    assert np.abs(read["heads"] - animation.positions_m()[:, order]).max() < 1e-3
    rest, _ = animation.rest_world()
    assert np.abs(read["rest"] - rest[order] - rest_offset).max() < 1e-3
    assert float(read["rows"]) == pytest.approx(len(animation), abs=1e-3)
    assert float(read["fps"]) == pytest.approx(float(animation.rate), rel=1e-6)
    if len(read["points"]):
        row = len(animation) // 2
        expected = skinned(animation, row)
        near, _ = cKDTree(expected).query(read["points"])
        far, _ = cKDTree(read["points"]).query(expected)
        assert max(near.max(), far.max()) < 1e-3


def skinned(animation: Animation, row: int) -> FloatArray:
    moved = pose_matrices(animation, row) @ np.linalg.inv(pose_matrices(animation, None))
    at = np.concatenate([animation.mesh.points_m, np.ones((len(animation.mesh.points_m), 1))], axis=1)
    return np.einsum("vij,vj->vi", moved[animation.mesh.joints], at)[:, :3]


class TestInBlender:
    pytestmark = needs_bpy

    @pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(24), Fraction(25, 2)])
    def test_a_person_comes_in_upright_and_true(self, tmp_path: Path, make_motion, rate: Fraction) -> None:
        animation = animation_of(make_motion(reach=0.9, frames=40, start_m=(1.0, 3.0), rate=rate), "dancer")
        options = FileOptions()
        paths = [tmp_path / f"a.{suffix}" for suffix in ("bvh", "glb", "fbx")]
        for path, write in zip(paths, (write_bvh, write_glb, write_fbx), strict=True):
            write(path, animation, options)
        if find_spec("pxr") is not None:
            for suffix, up in (("usdc", "y"), ("usda", "z")):
                paths.append(tmp_path / f"{up}.{suffix}")
                write_usd(paths[-1], animation, FileOptions(up=up))
        reads = read_in_blender(paths, rate, len(animation))
        for path, read in zip(paths, reads, strict=True):
            # The root of a BVH has no offset at rest.
            offset = -animation.rest_translations_m[0] if path.suffix == ".bvh" else np.zeros(3)
            check(read, animation, rest_offset=offset)
        assert {len(read["points"]) > 0 for read in reads[1:]} == {True}

    def test_a_rig_with_axes_of_its_own(self, tmp_path: Path, rig: Animation) -> None:
        paths = [tmp_path / "a.glb", tmp_path / "a.fbx"]
        write_glb(paths[0], rig, FileOptions())
        write_fbx(paths[1], rig, FileOptions())
        for read in read_in_blender(paths, rig.rate, len(rig)):
            check(read, rig, rest_offset=np.zeros(3))

    def test_a_rig_without_a_body_is_an_armature_at_rest(self, tmp_path: Path, rig: Animation) -> None:
        bare = dataclasses.replace(rig, mesh=None)
        write_animation(tmp_path, bare, ["glb", "fbx"])
        paths = [tmp_path / "motion.glb", tmp_path / "motion.fbx"]
        for read in read_in_blender(paths, rig.rate, len(rig)):
            check(read, bare.dressed(), rest_offset=np.zeros(3))

    def test_fbx_is_binary_and_in_centimetres(self, tmp_path: Path, rig: Animation) -> None:
        write_fbx(tmp_path / "a.fbx", rig, FileOptions())
        content = (tmp_path / "a.fbx").read_bytes()
        assert content.startswith(b"Kaydara FBX Binary  \x00")
        at = content.index(b"UnitScaleFactor")
        # Its own name, then double, Number and no flag, each with type and length, then D and the value.
        assert content[at : at + 60].split(b"Number")[1][5:14] == b"D" + np.float64(1).tobytes()
        assert "bpy" not in sys.modules, "Blender stays in a process of its own"

    def test_a_blender_that_fails_is_one_sentence(self, tmp_path: Path, rig: Animation, monkeypatch) -> None:
        monkeypatch.setattr("sys.executable", "/bin/false")
        with pytest.raises(InternalError, match="it ended with 1") as caught:
            write_fbx(tmp_path / "a.fbx", rig, FileOptions())
        assert caught.value.reason == "FBX_FAILED"
        assert list(tmp_path.iterdir()) == []

    def test_a_missing_folder_is_one_sentence(self, tmp_path: Path, rig: Animation) -> None:
        with pytest.raises(InputError, match="another output folder"):
            write_fbx(tmp_path / "no" / "a.fbx", rig, FileOptions())
        assert list(tmp_path.iterdir()) == []


def test_without_bpy_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pose-server\[blender\]"):
        check_fbx()
