"""A person: an armature with named bones, and the action that moves it."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Sequence

import bpy
from mathutils import Vector

from .keys import ActionWriter
from .record import record_of

if TYPE_CHECKING:
    from pose_shared.motion import Bone, MotionChannels

__all__ = ["add_person", "change_person"]

# Left, right and middle, as Blender's own colour sets.
_COLOURS = {"Left": "THEME04", "Right": "THEME01", "Middle": "THEME09"}
_SAME_M = 1e-5


def add_person(
    stage: bpy.types.Scene,
    collection: bpy.types.Collection,
    motion: MotionChannels,
    name: str,
    frames: array[float],
    *,
    confidence: bool,
) -> bpy.types.Object:
    """Add an armature and key it.

    Parameters
    ----------
    stage
        A scene that nobody looks at, in which the bones are drawn up.
    collection
        Where the armature belongs; must be part of the stage.
    motion
        Bones and channels of one person.
    name
        For the object, its data and its action.
    frames
        Scene frame of each row.
    confidence
        Whether every bone gets its confidence as a keyed custom property too.
    """
    armature = bpy.data.armatures.new(name)
    person = bpy.data.objects.new(name, armature)
    collection.objects.link(person)
    _draw_bones(stage, person, motion.bones)
    _colour_bones(person, motion.bones)
    person.show_in_front = True
    for bone in _pose(person).bones:
        bone.rotation_mode = "QUATERNION"
    action = ActionWriter(person, name)
    _key(action, person, motion, motion.bones, frames, confidence=confidence)
    record = record_of(person)
    record.action, record.confidence = action.action, confidence
    return person


def change_person(
    stage: bpy.types.Scene, person: bpy.types.Object, motion: MotionChannels, frames: array[float]
) -> None:
    """Give an armature that was added before another motion, and the bones that go with it.

    What the user has added to it or to its action stays; bones that the user has removed stay away.

    Parameters
    ----------
    stage
        As for `add_person`.
    person
        The armature.
    motion, frames
        As for `add_person`.
    """
    bones = [bone for bone in motion.bones if bone.name in _pose(person).bones]
    if any(_differs(bone, person) for bone in bones):
        # Bones of a hidden armature cannot be edited.
        hidden, person.hide_viewport = person.hide_viewport, False
        stage.collection.objects.link(person)
        _draw_bones(stage, person, bones)
        stage.collection.objects.unlink(person)
        person.hide_viewport = hidden
    for bone in bones:
        _pose(person).bones[bone.name].rotation_mode = "QUATERNION"
    record = record_of(person)
    action = ActionWriter(person, person.name, record.action)
    _key(action, person, motion, bones, frames, confidence=record.confidence)
    record.action = action.action


def _differs(bone: Bone, person: bpy.types.Object) -> bool:
    """Return whether a bone rests elsewhere in the armature."""
    rest: Any = person.data.bones[bone.name]  # type: ignore[union-attr]
    there = (*rest.head_local, *rest.tail_local, *rest.matrix_local.col[2][:3])
    here = (*bone.head_m, *bone.tail_m, *bone.z_axis)
    return any(abs(a - b) > _SAME_M for a, b in zip(there, here))


def _pose(person: bpy.types.Object) -> bpy.types.Pose:
    pose = person.pose
    if pose is None:
        raise RuntimeError(f"{person.name} has no pose")
    return pose


def _draw_bones(stage: bpy.types.Scene, person: bpy.types.Object, bones: Sequence[Bone]) -> None:
    """Make or move bones, in the stage: the user's mode, selection and active object stay as they are."""
    mode: Any = person.mode
    layer = stage.view_layers[0]
    layer.objects.active = person
    with bpy.context.temp_override(
        scene=stage,
        view_layer=layer,
        active_object=person,
        object=person,
        edit_object=None,
        selected_objects=[person],
    ):
        bpy.ops.object.mode_set(mode="OBJECT")
        bpy.ops.object.mode_set(mode="EDIT")
        edit_bones: Any = person.data.edit_bones  # type: ignore[union-attr]
        for bone in bones:
            edit_bone = edit_bones.get(bone.name)
            if edit_bone is None:
                edit_bone = edit_bones.new(bone.name)
                edit_bone.parent = edit_bones[bones[bone.parent].name] if bone.parent >= 0 else None
            edit_bone.head = bone.head_m
            edit_bone.tail = bone.tail_m
            edit_bone.align_roll(Vector(bone.z_axis))
        bpy.ops.object.mode_set(mode="OBJECT")
        bpy.ops.object.mode_set(mode=mode)


def _side(bone: Bone) -> str:
    return {"left": "Left", "right": "Right"}.get(bone.joint.split("_")[0], "Middle")


def _colour_bones(person: bpy.types.Object, bones: Sequence[Bone]) -> None:
    """Give each side its colour: bone collections since 4.0, bone groups before."""
    armature: Any = person.data
    pose: Any = _pose(person)
    groups: dict[str, Any] = {}
    for bone in bones:
        side = _side(bone)
        if hasattr(armature, "collections"):
            if side not in groups:
                groups[side] = armature.collections.new(side)
            groups[side].assign(armature.bones[bone.name])
            armature.bones[bone.name].color.palette = _COLOURS[side]
        else:
            if side not in groups:
                groups[side] = pose.bone_groups.new(name=side)
                groups[side].color_set = _COLOURS[side]
            pose.bones[bone.name].bone_group = groups[side]


def _key(
    action: ActionWriter,
    person: bpy.types.Object,
    motion: MotionChannels,
    bones: Sequence[Bone],
    frames: array[float],
    *,
    confidence: bool,
) -> None:
    channels = motion.channels
    for bone in bones:
        path = f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"]'
        if bone.parent < 0:
            for index, axis in enumerate("xyz"):
                values = channels[f"{bone.name}/location/{axis}"]
                action.write(f"{path}.location", index, frames, values, group=bone.name)
        for index, axis in enumerate("wxyz"):
            values = channels[f"{bone.name}/rotation/{axis}"]
            action.write(f"{path}.rotation_quaternion", index, frames, values, group=bone.name)
        if confidence:
            _pose(person).bones[bone.name]["confidence"] = 0.0
            values = channels[f"{bone.name}/confidence"]
            action.write(f'{path}["confidence"]', 0, frames, values, group="Confidence")
    for name in motion.contact_names:
        key = f"contact {name.replace('_', ' ')}"
        if key not in person.keys():  # noqa: SIM118, only its keys can be asked
            person[key] = 0.0
            shown: Any = person.id_properties_ui(key)
            shown.update(min=0.0, max=1.0, description="1 where it stands on the ground")
        values = channels[f"contact/{name}"]
        action.write(f'["{bpy.utils.escape_identifier(key)}"]', 0, frames, values, group="Contacts")
