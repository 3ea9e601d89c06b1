"""USD: a UsdSkel skeleton with its animation, a skinned mannequin, and the clip's camera."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from pose_shared.errors import MissingExtraError

from pose_server import __version__
from pose_server.export.animation import Y_UP, Animation
from pose_server.export.destination import replacing
from pose_server.export.quaternions import matrices
from pose_server.pipeline.file_options import PER_METRE, FileOptions

__all__ = ["check_usd", "write_usd"]

_COLOUR = (0.48, 0.50, 0.54)
#: Of the camera's film, as of a full-frame still camera, millimetres.
_FILM_MM = 36.0
_SPARE_BYTES = 1 << 20


def check_usd() -> None:
    """Raise `MissingExtraError` where usd-core is not installed."""
    try:
        import pxr.UsdSkel  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            f'Writing USD needs usd-core ({error}); run: pip install "pose-server[usd]"',
            reason="MISSING_EXTRA",
            extra="usd",
        ) from error


def write_usd(path: Path, animation: Animation, options: FileOptions) -> None:
    """Write an animation as ``.usda`` (text), ``.usdc`` or ``.usd`` (both binary).

    Parameters
    ----------
    path
        File to write; its suffix is the kind.
    animation
        Of one person or rig; frames are counted from the clip's first, at the animation's rate.
    options
        Metres and y up where they leave the choice.

    Raises
    ------
    MissingExtraError
        usd-core is not installed.
    InputError
        The file cannot be written there.
    LimitError
        The disk is full.
    """
    check_usd()
    from pxr import Sdf, Usd

    moving = animation.in_axes(Y_UP) if options.up != "z" else animation
    with replacing(path) as part, _as_os_errors(part):
        part.touch()  # OpenUSD would make missing folders
        layer = Sdf.Layer.CreateNew(str(part))
        _Scene(Usd.Stage.Open(layer), moving, options).fill()
        layer.Save()


@contextmanager
def _as_os_errors(part: Path) -> Iterator[None]:
    """Say of a file that OpenUSD could not write what the system would."""
    from pxr import Tf

    try:
        yield
    except Tf.ErrorException as error:
        if part.parent.is_dir() and shutil.disk_usage(part.parent).free < _SPARE_BYTES:
            raise OSError(28, "the disk is full") from error
        raise OSError(5, "OpenUSD could not write it") from error


class _Scene:
    """One stage, with everything below one root."""

    def __init__(self, stage: Any, moving: Animation, options: FileOptions) -> None:
        self.stage, self.moving = stage, moving
        self.scale = PER_METRE[options.unit or "m"]
        self.up = options.up or "y"
        name = re.sub(r"\W", "_", moving.name)
        self.root = f"/{name if name[:1].isalpha() else 'person_' + name}"

    def fill(self) -> None:
        from pxr import UsdGeom, UsdSkel

        stage, moving = self.stage, self.moving
        rate = float(moving.rate)
        stage.SetMetadata("comment", f"pose-server {__version__}")
        UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y if self.up == "y" else UsdGeom.Tokens.z)
        UsdGeom.SetStageMetersPerUnit(stage, 1 / self.scale)
        stage.SetTimeCodesPerSecond(rate)
        stage.SetFramesPerSecond(rate)
        stage.SetStartTimeCode(moving.first_frame)
        stage.SetEndTimeCode(moving.first_frame + len(moving) - 1)
        top = UsdGeom.Xform.Define(stage, self.root)
        stage.SetDefaultPrim(top.GetPrim())
        body = UsdSkel.Root.Define(stage, f"{self.root}/body")
        self.skeleton()
        self.animation()
        if moving.mesh is not None:
            self.mesh(body)
        if moving.camera is not None:
            self.camera()

    def joint_paths(self) -> list[str]:
        paths: list[str] = []
        for name, parent in zip(self.moving.joint_names, self.moving.parents, strict=True):
            own = re.sub(r"\W", "_", name)
            paths.append(f"{paths[parent]}/{own}" if parent >= 0 else own)
        return paths

    def skeleton(self) -> None:
        from pxr import UsdSkel, Vt

        moving = self.moving
        skeleton = UsdSkel.Skeleton.Define(self.stage, f"{self.root}/body/skeleton")
        skeleton.CreateJointsAttr(self.joint_paths())
        skeleton.CreateJointNamesAttr(list(moving.joint_names))
        local = np.tile(np.eye(4), (len(moving.parents), 1, 1))
        local[:, :3, :3] = matrices(moving.rest_rotations_wxyz)
        local[:, :3, 3] = moving.rest_translations_m * self.scale
        world = np.tile(np.eye(4), (len(moving.parents), 1, 1))
        world[:, :3, 3], world[:, :3, :3] = moving.rest_world()
        world[:, :3, 3] *= self.scale
        # A matrix of USD has the translation in its last row.
        for values, create in (
            (local, skeleton.CreateRestTransformsAttr),
            (world, skeleton.CreateBindTransformsAttr),
        ):
            create(Vt.Matrix4dArray.FromNumpy(np.ascontiguousarray(values.transpose(0, 2, 1))))
        binding = UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
        binding.CreateAnimationSourceRel().SetTargets([f"{self.root}/body/animation"])

    def animation(self) -> None:
        from pxr import Sdf, UsdSkel, Vt

        moving = self.moving
        animation = UsdSkel.Animation.Define(self.stage, f"{self.root}/body/animation")
        animation.CreateJointsAttr(self.joint_paths())
        joints = len(moving.parents)
        animation.CreateScalesAttr(Vt.Vec3hArray.FromNumpy(np.ones((joints, 3), np.float16)))
        places = (moving.rest_translations_m * self.scale).astype(np.float32)
        moves = {joint: values * self.scale for joint, values in moving.translations_m.items()}
        # In memory a quaternion of USD ends with its real part.
        rotations = np.roll(moving.local_rotations_wxyz.astype(np.float32), -1, axis=-1)
        attributes = animation.CreateRotationsAttr().GetPath(), animation.CreateTranslationsAttr().GetPath()
        layer = self.stage.GetRootLayer()
        with Sdf.ChangeBlock():
            for row in range(len(moving)):
                for joint, values in moves.items():
                    places[joint] = values[row]
                code = float(moving.first_frame + row)
                layer.SetTimeSample(attributes[0], code, Vt.QuatfArray.FromNumpy(rotations[row]))
                layer.SetTimeSample(attributes[1], code, Vt.Vec3fArray.FromNumpy(places))

    def mesh(self, body: Any) -> None:
        from pxr import UsdGeom, UsdSkel, Vt

        shape = self.moving.mesh
        assert shape is not None
        mesh = UsdGeom.Mesh.Define(self.stage, f"{self.root}/body/mannequin")
        points = (shape.points_m * self.scale).astype(np.float32)
        extent = np.stack([points.min(axis=0), points.max(axis=0)])
        mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(points))
        mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(shape.triangles), 3, np.int32)))
        mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(shape.triangles.ravel().astype(np.int32)))
        mesh.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(shape.normals.astype(np.float32)))
        mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
        mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
        mesh.CreateExtentAttr(Vt.Vec3fArray.FromNumpy(extent))
        mesh.CreateDisplayColorAttr([_COLOUR])
        binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
        binding.CreateSkeletonRel().SetTargets([f"{self.root}/body/skeleton"])
        binding.CreateJointIndicesPrimvar(False, 1).Set(Vt.IntArray.FromNumpy(shape.joints.astype(np.int32)))
        binding.CreateJointWeightsPrimvar(False, 1).Set(
            Vt.FloatArray.FromNumpy(np.ones(len(shape.joints), np.float32))
        )
        binding.CreateGeomBindTransformAttr().Set(_gf_matrix(np.eye(4)))

    def camera(self) -> None:
        from pxr import Sdf, UsdGeom

        camera = self.moving.camera
        assert camera is not None
        prim = UsdGeom.Camera.Define(self.stage, f"{self.root}/camera")
        fx, fy, cx, cy = camera.intrinsics_px
        # Lengths of the film are tenths of the stage's unit; only their ratios matter to the picture.
        film = 10 * self.scale * _FILM_MM / 1000
        prim.CreateHorizontalApertureAttr(film)
        prim.CreateFocalLengthAttr(film * fx / camera.width)
        prim.CreateVerticalApertureAttr(film * fx / camera.width * camera.height / fy)
        prim.CreateHorizontalApertureOffsetAttr(film * (0.5 - cx / camera.width))
        prim.CreateVerticalApertureOffsetAttr(film * fx / fy * (cy - camera.height / 2) / camera.width)
        prim.CreateClippingRangeAttr((0.01 * self.scale, 1000 * self.scale))
        poses = camera.poses.copy()
        poses[:, :3, 3] *= self.scale
        attribute = prim.AddTransformOp().GetAttr()
        if len(poses) == 1:
            attribute.Set(_gf_matrix(poses[0]))
            return
        layer = self.stage.GetRootLayer()
        with Sdf.ChangeBlock():
            for row, pose in enumerate(poses):
                code = float(self.moving.first_frame + row)
                layer.SetTimeSample(attribute.GetPath(), code, _gf_matrix(pose))


def _gf_matrix(matrix: Any) -> Any:
    from pxr import Gf

    return Gf.Matrix4d(matrix.T.tolist())
