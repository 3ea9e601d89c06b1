"""A live rig as a description, and keys for it."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Sequence, Tuple

import bpy
from mathutils import Euler, Matrix
from pose_shared.errors import InputError
from pose_shared.rig import IkChain, Rig, RigBone, Setting, Switch

__all__ = ["describe_rig"]

_SIDES = ("L", "R")
#: Rigify's controls of the body, in the order in which they carry each other.
_RIGIFY = (
    "root",
    "torso",
    "hips",
    "chest",
    "spine_fk",
    "spine_fk.001",
    "spine_fk.002",
    "spine_fk.003",
    "neck",
    "head",
    *(
        f"{name}.{side}"
        for side in _SIDES
        for name in (
            *(
                "shoulder",
                "upper_arm_fk",
                "forearm_fk",
                "hand_fk",
                "thigh_fk",
                "shin_fk",
                "foot_fk",
                "toe_fk",
            ),
            *("hand_ik", "upper_arm_ik_target", "foot_ik", "thigh_ik_target"),
        )
    ),
)
_RIGIFY_LIMBS = (
    ("thigh_fk", "shin_fk", "foot_fk", "foot_ik", "thigh_ik_target", "thigh_parent"),
    ("upper_arm_fk", "forearm_fk", "hand_fk", "hand_ik", "upper_arm_ik_target", "upper_arm_parent"),
)
#: With these, neck and head turn with the chest, knees and elbows point to their poles, and limbs are as
#: long as they are at rest.
_RIGIFY_SETTINGS = (
    ("torso", "neck_follow", 1.0),
    ("torso", "head_follow", 1.0),
    *(
        (f"{limb}_parent.{side}", *setting)
        for limb in ("thigh", "upper_arm")
        for side in _SIDES
        for setting in (("pole_vector", 1.0), ("IK_Stretch", 0.0))
    ),
)
_PROBE = Euler((0.3, 0.2, 0.1))
_SAME = 1e-4


def describe_rig(ob: bpy.types.Object) -> Rig:
    """Return what retargeting must know of an armature.

    Of a generated Rigify rig these are its controls; which of them carries which is found by turning each
    a little and looking, because constraints and drivers say it, not parents.  Nothing is left changed.

    Raises
    ------
    InputError
        ``RIG_SCALED``: the object is scaled differently along its axes.
    """
    scale: Any = ob.matrix_world.to_scale()
    if max(scale) - min(scale) > _SAME * max(scale):
        raise InputError(
            f"'{ob.name}' is scaled differently along its axes; apply its scale first.",
            reason="RIG_SCALED",
            rig=ob.name,
        )
    bones: Any = ob.pose.bones  # type: ignore[union-attr]
    rigify = [name for name in _RIGIFY if name in bones] if _is_rigify(ob) else []
    settings = tuple(
        Setting(bone, name, value)
        for bone, name, value in _RIGIFY_SETTINGS
        if rigify and bone in bones and name in bones[bone]
    )
    names = rigify or [bone.name for bone in bones]
    carriers = _probed(bones, names, settings) if rigify else _parents(bones)
    scene: Any = bpy.context.scene
    unit = scene.unit_settings.scale_length * scale[0]
    described = [_bone(bones[name], carriers[name]) for name in names]
    placed: List[RigBone] = []
    while described:
        known = {bone.name for bone in placed} | {""}
        placed += [bone for bone in described if bone.parent in known]
        described = [bone for bone in described if bone.parent not in known]
    return Rig(ob.name, tuple(placed), _rigify_chains(bones) if rigify else (), unit, "z", settings)


def _is_rigify(ob: bpy.types.Object) -> bool:
    return "rig_id" in ob.data.keys() and "torso" in ob.data.bones  # type: ignore[union-attr]  # noqa: SIM118


def _bone(bone: Any, parent: str) -> RigBone:
    rest, tail = bone.bone.matrix_local, bone.bone.tail_local
    keys = []
    if not all(bone.lock_location) and not (bone.bone.use_connect and bone.parent):
        keys.append("location")
    if not all(bone.lock_rotation):
        keys.append("rotation")
    mode = bone.rotation_mode
    axes = None
    if not bone.bone.use_local_location:
        there: Any = bone.parent.bone.matrix_local.to_3x3() if bone.parent else Matrix.Identity(3)
        axes = tuple(value for row in there for value in row)
    return RigBone(
        name=bone.name,
        parent=parent,
        rest=tuple(value for row in rest for value in row),
        tail=(tail[0], tail[1], tail[2]),
        rotation=mode if mode in ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX") else "quaternion",
        keys=tuple(keys),
        location_axes=axes,
    )


def _parents(bones: Iterable[Any]) -> Dict[str, str]:
    return {bone.name: bone.parent.name if bone.parent else "" for bone in bones}


def _probed(bones: Any, names: Sequence[str], settings: Sequence[Setting]) -> Dict[str, str]:
    """Return which control carries each: of those that move it as one piece the one nearest to it."""
    kept = [(setting, bones[setting.bone][setting.name]) for setting in settings]
    switches = [chain.switch for chain in _rigify_chains(bones) if chain.switch]
    fk = [(switch, bones[switch.bone][switch.name]) for switch in switches]
    poses: Dict[str, Any] = {name: bones[name].matrix_basis.copy() for name in names}
    rigid: Dict[str, List[str]] = {name: [] for name in names}
    try:
        for setting, value in kept:
            bones[setting.bone][setting.name] = type(value)(setting.value)
        for switch, value in fk:
            bones[switch.bone][switch.name] = type(value)(switch.fk)
        for name in names:
            bones[name].matrix_basis = Matrix()
        before = _matrices(bones, names)
        for name in names:
            bones[name].matrix_basis = _PROBE.to_matrix().to_4x4()
            now = _matrices(bones, names)
            turn = now[name] @ before[name].inverted()
            for other in names:
                if (
                    other != name
                    and _differ(now[other], before[other])
                    and not _differ(now[other], turn @ before[other])
                ):
                    rigid[other].append(name)
            bones[name].matrix_basis = Matrix()
    finally:
        for setting, value in kept:
            bones[setting.bone][setting.name] = value
        for switch, value in fk:
            bones[switch.bone][switch.name] = value
        for name, pose in poses.items():
            bones[name].matrix_basis = pose
        _update()
    # A carrier that carries the others' carriers too is further away.
    return {name: max(found, key=lambda one: len(rigid[one]), default="") for name, found in rigid.items()}


def _matrices(bones: Any, names: Iterable[str]) -> Dict[str, Any]:
    _update()
    return {name: bones[name].matrix.copy() for name in names}


def _update() -> None:
    layer: Any = bpy.context.view_layer
    layer.update()


def _differ(one: Any, other: Any) -> bool:
    return any(abs(a - b) > _SAME for row, line in zip(one, other) for a, b in zip(row, line))


def _rigify_chains(bones: Any) -> Tuple[IkChain, ...]:
    chains = []
    for side in _SIDES:
        for root, mid, end, target, pole, switch in _RIGIFY_LIMBS:
            if all(f"{name}.{side}" in bones for name in (root, mid, end, target, pole, switch)):
                chains.append(
                    IkChain(
                        f"{root}.{side}",
                        f"{mid}.{side}",
                        f"{end}.{side}",
                        f"{target}.{side}",
                        f"{pole}.{side}",
                        Switch(f"{switch}.{side}", "IK_FK", 0.0, 1.0),
                    )
                )
    return tuple(chains)
