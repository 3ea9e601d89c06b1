"""USD: read and validated by OpenUSD itself."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from other_readers import pose_matrices, y_up
from pose_server.export.animation import Animation, animation_of
from pose_server.export.usd import write_usd
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.file_options import FileOptions
from pose_shared.errors import InputError

pytest.importorskip("pxr", reason="usd-core, which the extra usd brings, is not installed")
from pxr import Gf, Usd, UsdGeom, UsdSkel, UsdValidation


def joint_matrices(stage: Usd.Stage, code: float) -> tuple[list[str], np.ndarray]:
    """(J, 4, 4) of the joints in the world as UsdSkel computes them."""
    prim = next(prim for prim in stage.Traverse() if prim.IsA(UsdSkel.Skeleton))
    cache = UsdSkel.Cache()
    root = next(prim for prim in stage.Traverse() if prim.IsA(UsdSkel.Root))
    cache.Populate(UsdSkel.Root(root), Usd.PrimDefaultPredicate)
    query = cache.GetSkelQuery(UsdSkel.Skeleton(prim))
    world = query.ComputeJointWorldTransforms(UsdGeom.XformCache(code))
    names = [path.split("/")[-1] for path in query.GetJointOrder()]
    return names, np.array(world).transpose(0, 2, 1)


@pytest.mark.parametrize(
    ("suffix", "unit", "up"),
    [("usda", None, None), ("usdc", "cm", "z"), ("usd", "m", "y"), ("usdc", "mm", "y")],
)
def test_joints_come_out_in_every_row(
    tmp_path: Path, make_motion, suffix: str, unit: str | None, up: str | None
) -> None:
    motion = make_motion(first=5, reach=1.1)
    path = tmp_path / f"motion.{suffix}"
    write_usd(path, animation_of(motion, "person_01"), FileOptions(unit=unit, up=up))
    assert (path.read_bytes()[:8] == b"PXR-USDC") is (suffix != "usda")
    stage = Usd.Stage.Open(str(path))
    per_metre = 1 / UsdGeom.GetStageMetersPerUnit(stage)
    assert per_metre == pytest.approx({None: 1, "m": 1, "cm": 100, "mm": 1000}[unit])
    assert UsdGeom.GetStageUpAxis(stage) == (up or "y").upper()
    assert stage.GetTimeCodesPerSecond() == 30000 / 1001
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (5, 64)
    assert stage.GetDefaultPrim().GetName() == "person_01"
    for row in range(len(motion)):
        names, world = joint_matrices(stage, 5 + row)
        assert names == list(motion.joint_names)
        expected = motion.joints_world_m[row] if up == "z" else y_up(motion.joints_world_m[row])
        assert np.abs(world[:, :3, 3] / per_metre - expected).max() < 1e-5


def test_openusd_finds_nothing(tmp_path: Path, make_motion, rig: Animation) -> None:
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    assert any("Skel" in one.GetMetadata().name for one in validators)
    context = UsdValidation.ValidationContext(validators)
    person = animation_of(make_motion(moving_camera=True), "2 people!")
    for i, animation in enumerate((person, rig, dataclasses.replace(rig, mesh=None))):
        write_usd(tmp_path / f"{i}.usda", animation, FileOptions())
        stage = Usd.Stage.Open(str(tmp_path / f"{i}.usda"))
        assert [f"{e.GetName()}: {e.GetMessage()}" for e in context.Validate(stage)] == []
        assert re.fullmatch(r"\w+", stage.GetDefaultPrim().GetName())


def test_the_body_follows_its_joints(tmp_path: Path, rig: Animation) -> None:
    write_usd(tmp_path / "a.usdc", rig, FileOptions(up="z"))
    stage = Usd.Stage.Open(str(tmp_path / "a.usdc"))
    root = UsdSkel.Root(next(prim for prim in stage.Traverse() if prim.IsA(UsdSkel.Root)))
    assert UsdSkel.BakeSkinning(root, Gf.Interval(50, 79))
    mesh = UsdGeom.Mesh(next(prim for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh)))
    rest = pose_matrices(rig, None)
    for row in (0, 21):
        points = np.array(mesh.GetPointsAttr().Get(50 + row))
        moved = pose_matrices(rig, row) @ np.linalg.inv(rest)
        at = np.concatenate([rig.mesh.points_m, np.ones((len(points), 1))], axis=1)
        expected = np.einsum("vij,vj->vi", moved[rig.mesh.joints], at)[:, :3]
        assert np.abs(points - expected).max() < 1e-4


@pytest.mark.parametrize("moving", [False, True])
def test_the_camera_sees_what_the_clip_saw(tmp_path: Path, make_motion, moving: bool) -> None:
    motion: Motion = make_motion(moving_camera=moving)
    lens = motion.camera.matrix.copy()
    lens[:2, 2] += (21, -13)
    lens[1, 1] *= 1.1
    motion = dataclasses.replace(motion, camera=dataclasses.replace(motion.camera, matrix=lens))
    if moving:
        path = motion.world_to_camera.copy()
        path[:, 0, 3] = np.linspace(0, 1, len(motion))
        motion = dataclasses.replace(motion, world_to_camera=path)
    write_usd(tmp_path / "a.usda", animation_of(motion), FileOptions(unit="cm"))
    stage = Usd.Stage.Open(str(tmp_path / "a.usda"))
    camera = UsdGeom.Camera(next(prim for prim in stage.Traverse() if prim.IsA(UsdGeom.Camera)))
    for row in (0, 40):
        frustum = camera.GetCamera(row).frustum
        view = frustum.ComputeViewMatrix() * frustum.ComputeProjectionMatrix()
        point = view.Transform(Gf.Vec3d(*(100 * y_up(motion.joints_world_m[row, 3])).tolist()))
        pixel = np.array([320 * (1 + point[0]), 180 * (1 - point[1])])
        to_camera = motion.world_to_camera[row] if moving else motion.world_to_camera
        seen = to_camera[:3, :3] @ motion.joints_world_m[row, 3] + to_camera[:3, 3]
        assert pixel == pytest.approx((lens @ seen / seen[2])[:2], abs=0.05)


def test_a_missing_folder_is_one_sentence(tmp_path: Path, rig: Animation) -> None:
    with pytest.raises(InputError, match="another output folder"):
        write_usd(tmp_path / "no" / "a.usdc", rig, FileOptions())
    assert list(tmp_path.iterdir()) == []
