"""The rig in a USD file: the skeleton of UsdSkel with the most joints.

Read by usd-core (https://openusd.org/release/api/usd_skel_page_front.html).  Files that are put
together from others are refused, so that opening one opens nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pose_shared.errors import MissingExtraError
from pose_shared.rig import Rig, RigBone

from pose_server.pipeline.boundary import FloatArray
from pose_server.rigs.faults import bad_rig, content_of

__all__ = ["read_usd_rig"]

_EVEN = 1e-2
_MOST_JOINTS = 10_000


def read_usd_rig(path: Path) -> Rig:
    """Read the rig of a ``.usd``, ``.usda``, ``.usdc`` or ``.usdz``.

    Raises
    ------
    MissingExtraError
        usd-core is not installed.
    NotFoundError
        There is no such file.
    InputError
        ``RIG_UNREADABLE``, ``RIG_INVALID``.
    """
    try:
        from pxr import Sdf, Tf, Usd, UsdGeom, UsdSkel
    except ImportError:
        raise MissingExtraError(
            "USD files need usd-core; install it with: pip install 'pose-server[usd]'.",
            reason="MISSING_EXTRA",
            extra="usd",
        ) from None
    content_of(path)
    try:
        layer = Sdf.Layer.FindOrOpen(str(path))
        if layer is None:
            raise bad_rig(path, "it is no USD")
        others = [] if path.suffix.lower() == ".usdz" else list(layer.GetCompositionAssetDependencies())
        if others:
            raise bad_rig(
                path, f"it is put together from other files, such as '{str(others[0])[:60]}'", "flatten it"
            )
        stage = Usd.Stage.Open(layer)
        skeletons = [UsdSkel.Skeleton(prim) for prim in stage.Traverse() if prim.IsA(UsdSkel.Skeleton)]
        if not skeletons:
            raise bad_rig(path, "it has no skeleton", "export the character with its rig")
        skeleton = max(skeletons, key=lambda found: len(found.GetJointsAttr().Get() or ()))
        joints = [str(joint) for joint in skeleton.GetJointsAttr().Get() or ()]
        places = UsdGeom.Xformable(skeleton).ComputeLocalToWorldTransform(Usd.TimeCode.Default())
        unit = float(UsdGeom.GetStageMetersPerUnit(stage))
        up = str(UsdGeom.GetStageUpAxis(stage)).lower()
        rest = _matrices(skeleton.GetRestTransformsAttr().Get())
        bind = _matrices(skeleton.GetBindTransformsAttr().Get())
    except Tf.ErrorException as error:
        raise bad_rig(path, f"it is damaged ({str(error).strip().splitlines()[-1][:120]})") from None
    return Rig(path.stem[:200], _bones(path, joints, np.array(places).T, rest, bind), (), unit, up)


def _matrices(values: Any) -> FloatArray:
    """Return (J, 4, 4) that multiply columns, as ours do and USD's do not."""
    return np.array([np.array(value).T for value in values or ()], dtype=np.float64).reshape(-1, 4, 4)


def _bones(
    path: Path, joints: list[str], places: FloatArray, rest: FloatArray, bind: FloatArray
) -> tuple[RigBone, ...]:
    """Return the bones of joints that are told by their paths, a parent before its children.

    Notes
    -----
    Rest transforms are about the parent, bind transforms about the skeleton; a skeleton may have but one.
    """
    if not 0 < len(joints) <= _MOST_JOINTS:
        raise bad_rig(path, f"its skeleton has {len(joints)} joints; 1 to {_MOST_JOINTS} are read")
    if len(joints) not in (len(rest), len(bind)):
        raise bad_rig(path, "its skeleton has no transform at rest for each joint")
    if len(set(joints)) < len(joints):
        raise bad_rig(path, "two of its joints have one path")
    index = {joint: i for i, joint in enumerate(joints)}
    last = [joint.rsplit("/", 1)[-1] for joint in joints]
    names = [name if last.count(name) == 1 else joint for name, joint in zip(last, joints, strict=True)]
    worlds: list[FloatArray] = []
    bones = []
    for i, joint in enumerate(joints):
        parent = _above(joint, index)
        if parent >= i:
            raise bad_rig(path, f"the joint '{joint[:80]}' stands before its parent")
        if len(rest) == len(joints):
            world = (worlds[parent] if parent >= 0 else places) @ rest[i]
        else:
            world = places @ bind[i]
        worlds.append(world)
        scale = np.linalg.norm(world[:3, :3], axis=0)
        if not np.isfinite(world).all() or scale.min() < 1e-9 or scale.max() / scale.min() - 1 > _EVEN:
            raise bad_rig(path, f"the joint '{joint[:80]}' is not scaled alike", "apply its transform")
        still = np.eye(4)
        still[:3, :3], still[:3, 3] = world[:3, :3] / scale, world[:3, 3]
        bones.append(
            RigBone(
                names[i],
                names[parent] if parent >= 0 else "",
                tuple(still.reshape(-1).tolist()),
                keys=("location", "rotation"),
            )
        )
    return tuple(bones)


def _above(joint: str, index: dict[str, int]) -> int:
    """Return the place of the nearest joint whose path this one's begins with, -1 for none."""
    while "/" in joint:
        joint = joint.rsplit("/", 1)[0]
        if joint in index:
            return index[joint]
    return -1
