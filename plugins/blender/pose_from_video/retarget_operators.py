"""The operator that puts an imported motion onto the user's own rig."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty
from pose_shared.client import Client
from pose_shared.errors import InputError, PoseError

from .host import describe_rig, is_imported, is_linked, key_rig, record_of
from .preferences import preferences

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

__all__ = ["CLASSES"]


class POSE_OT_retarget(bpy.types.Operator):
    """Move the active character as the other selected armature, which came from a video, does"""

    bl_idname = "pose.retarget"
    bl_label = "Retarget to Character"
    bl_options = {"REGISTER", "UNDO"}

    source: StringProperty(
        name="Motion",
        description="Armature that came from a video; the selected one when empty",
        options={"SKIP_SAVE"},
    )
    target: StringProperty(
        name="Character", description="Armature to move; the active one when empty", options={"SKIP_SAVE"}
    )
    in_place: BoolProperty(name="In Place", description="Keep the character over one place")
    root_motion: EnumProperty(
        name="Root Motion",
        description="Which bone goes the way through the scene",
        items=(
            ("root", "Root", "The root bone, if the character has one"),
            ("hips", "Hips", "The hips"),
        ),
    )
    hold_hands: BoolProperty(
        name="Hold Hands", description="Hold hands where they touch, too, as feet where they stand"
    )
    server: StringProperty(
        name="Server",
        description="Address of the pose server; that of the preferences when empty",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.active_object is not None and context.active_object.type == "ARMATURE"

    def execute(self, context: bpy.types.Context) -> set[OperatorReturnItems]:
        try:
            self.report({"INFO"}, self._retarget(context))
        except PoseError as error:
            self.report({"ERROR"}, error.message)
            return {"CANCELLED"}
        return {"FINISHED"}

    def _retarget(self, context: bpy.types.Context) -> str:
        source, target = self._source(context), self._target(context)
        record = record_of(source)
        options: dict[str, Any] = {
            "in_place": self.in_place,
            "root_motion": self.root_motion,
            "relock": ("legs", "arms") if self.hold_hands else ("legs",),
            "fps": Fraction(record.asked_rate) if record.asked_rate else None,
        }
        with Client(self.server or preferences(context).server) as client:
            motion = client.retarget(record.job, record.person, describe_rig(target), options)
        timing = record.timing(motion.source_rate)
        frames = timing.row_frames(motion.start_time_s, motion.rate, motion.frame_count)
        key_rig(target, motion, frames, f"{record.clip_name} {record.person}")
        notes = "".join(f" {note}" for note in motion.notes)
        kind = f" Taken for {motion.kind}." if motion.kind else ""
        return f"'{target.name}' moves as person {record.person} of {record.clip_name}.{kind}{notes}"

    def _source(self, context: bpy.types.Context) -> Any:
        named = bpy.data.objects.get(self.source) if self.source else None
        others = [
            ob for ob in context.selected_objects if is_imported(ob) and ob is not context.active_object
        ]
        source = named or (others[0] if len(others) == 1 and not self.source else None)
        if not is_imported(source):
            raise InputError(
                "Select one armature that came from a video, then the character, and retarget again.",
                reason="NOT_IMPORTED",
            )
        return source

    def _target(self, context: bpy.types.Context) -> Any:
        target = bpy.data.objects.get(self.target) if self.target else context.active_object
        if target is None or target.type != "ARMATURE" or is_imported(target):
            raise InputError(
                "Make the character's own armature the active object, and retarget again.",
                reason="NO_CHARACTER",
            )
        if is_linked(target):
            raise InputError(
                f"'{target.name}' is linked from another file; override it first.", reason="ARMATURE_LINKED"
            )
        return target


CLASSES: tuple[Any, ...] = (POSE_OT_retarget,)
