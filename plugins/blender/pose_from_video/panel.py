"""The panels of *Pose from Video* in the 3D view's sidebar, and the entry in File > Import."""

import textwrap
import time
from pathlib import Path
from typing import Any

import bpy
from pose_shared.session import Session

from . import operators, picking, work
from .active_clip import active_clip
from .host import is_imported, is_marked, record_of
from .job_operators import known_jobs
from .preferences import preferences
from .server_operators import local_server
from .solve_settings import draw_settings

__all__ = [
    "CLASSES",
    "POSE_PT_character",
    "POSE_PT_from_video",
    "POSE_PT_jobs",
    "POSE_PT_refine",
    "POSE_PT_weak_spans",
    "POSE_UL_weak_spans",
    "draw_menu_entry",
]

_CHARACTER_PX = 7
# Characters of a bar, where Blender has none of its own.
_BAR = 12
# More would push everything else out of the sidebar.
_MOST_JOBS = 12


class POSE_PT_from_video(bpy.types.Panel):
    """Import, progress, what came of it, and the server"""

    bl_label = "Pose from Video"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Pose"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        session = work.running()
        if session:
            _draw_progress(layout, session)
            return
        asked = picking.current()
        if asked:
            _draw_people(layout, asked)
            return
        _draw_imports(layout, context)
        outcome = work.last_outcome()
        if outcome:
            _draw_text(layout.box(), context, outcome.message, "ERROR" if outcome.reason else "CHECKMARK")
        _draw_server(layout, context)


class POSE_PT_jobs(bpy.types.Panel):
    """What the server works on, and what it has kept"""

    bl_label = "Jobs"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Pose"
    bl_parent_id = "POSE_PT_from_video"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return work.running() is None and picking.current() is None

    def draw(self, context: bpy.types.Context) -> None:
        layout, jobs = self.layout, known_jobs(context)
        layout.operator("pose.list_jobs", text="Refresh", icon="FILE_REFRESH")
        if jobs.known and not jobs.jobs:
            layout.label(text="The server has no jobs.")
        for row in jobs.rows(time.time())[:_MOST_JOBS]:
            column = layout.box().column(align=True)
            column.label(text=f"{row.clip}, {row.age}")
            line = column.row(align=True)
            line.label(text=row.state if row.factor is None else f"{row.state} {row.factor:.0%}")
            actions: tuple[tuple[bool, str, Any], ...] = (
                (row.can_fetch, "pose.fetch_job", "IMPORT"),
                (row.can_cancel, "pose.cancel_job", "X"),
                (row.can_delete, "pose.delete_job", "TRASH"),
            )
            for can, operator, icon in actions:
                if can:
                    button: Any = line.operator(operator, text="", icon=icon)
                    button.job = row.job.name


class _ImportedPanel:
    """Shown while an armature that came from a video is active, and nothing runs."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Pose"
    bl_parent_id = "POSE_PT_from_video"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        person = context.active_object
        return is_imported(person) and record_of(person).person > 0 and work.running() is None


class POSE_PT_refine(_ImportedPanel, bpy.types.Panel):
    """How to solve the clip of the active armature again"""

    bl_label = "Refine"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        draw_settings(layout, record_of(context.active_object))
        column = layout.column()
        column.scale_y = 1.3
        column.operator("pose.refine", text="Refine", icon="FILE_REFRESH")


class POSE_PT_character(bpy.types.Panel):
    """How a character gets the motion: it is active, and an armature that came from a video is selected"""

    bl_label = "Character"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Pose"
    bl_parent_id = "POSE_PT_from_video"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        character = context.active_object
        return (
            character is not None
            and character.type == "ARMATURE"
            and not is_imported(character)
            and work.running() is None
        )

    def draw(self, context: bpy.types.Context) -> None:
        sources = [ob for ob in context.selected_objects if is_imported(ob)]
        column = self.layout.column()
        if len(sources) != 1:
            _draw_text(column, context, "Select one armature that came from a video, too.", "INFO")
        button = column.row()
        button.enabled = len(sources) == 1
        button.scale_y = 1.3
        button.operator("pose.retarget", text="Retarget", icon="ARMATURE_DATA")


class POSE_UL_weak_spans(bpy.types.UIList):
    """Weak spans by their first frame: where, why, and which joints"""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any,
        item: Any,
        icon: Any,
        active_data: Any,
        active_property: Any,
        index: int = 0,
        flt_flag: int = 0,
    ) -> None:
        row = layout.row(align=True)
        button: Any = row.operator("pose.show_weak_span", text="", icon="PLAY", emboss=False)
        button.index = index
        why = item.bl_rna.properties["why"].enum_items[item.why].name
        row.label(text=f"{item.start}–{item.end}  {why}: {item.joints}")


class POSE_PT_weak_spans(_ImportedPanel, bpy.types.Panel):
    """Where the motion of the active armature is more guessed than seen"""

    bl_label = "Weak Spans"
    bl_options = {"DEFAULT_CLOSED"}

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        self.layout.label(text=str(len(record_of(context.active_object).weak_spans)))

    def draw(self, context: bpy.types.Context) -> None:
        layout, person = self.layout, context.active_object
        record = record_of(person)
        if not record.weak_spans:
            layout.label(text="Everything was seen well", icon="CHECKMARK")
            return
        layout.template_list("POSE_UL_weak_spans", "", record, "weak_spans", record, "weak_span", rows=4)
        # The row has no room for many joints.
        _draw_text(layout, context, record.weak_spans[record.weak_span].joints, "BONE_DATA")
        marked = is_marked(context.scene, person)
        text = "Remove Markers" if marked else "Add Markers"
        layout.operator("pose.mark_weak_spans", text=text, icon="MARKER_HLT" if marked else "MARKER")


CLASSES: tuple[Any, ...] = (
    POSE_PT_from_video,
    POSE_PT_jobs,
    POSE_PT_refine,
    POSE_PT_character,
    POSE_UL_weak_spans,
    POSE_PT_weak_spans,
)


def draw_menu_entry(menu: Any, context: Any) -> None:
    """Draw the entry in File > Import."""
    menu.layout.operator(operators.POSE_OT_import_video.bl_idname, text="Pose from Video")


def _draw_imports(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    column = layout.column(align=True)
    column.scale_y = 1.3
    column.operator("pose.import_video", text="Import Video…", icon="FILE_MOVIE")
    clip = active_clip(context)
    if clip:
        button: Any = column.operator(
            "pose.import_video", text=f"Import {Path(clip).name}", icon="OUTLINER_OB_ARMATURE"
        )
        button.filepath = clip


def _draw_people(layout: bpy.types.UILayout, asked: picking.Picking) -> None:
    layout.label(text=f"Who of {asked.task.request.name} comes?", icon="COMMUNITY")
    for row in asked.choice.rows:
        line = layout.box().row()
        picture = picking.thumbnail(row.person)
        if picture:
            line.template_icon(icon_value=picture, scale=4)
        column = line.column(align=True)
        icon: Any = "CHECKBOX_HLT" if row.chosen else "CHECKBOX_DEHLT"
        tick: Any = column.operator("pose.choose_person", text=row.title, icon=icon)
        tick.person = row.person.index
        column.label(text=row.coverage)
        column.label(text=row.span)
    column = layout.column(align=True)
    column.scale_y = 1.3
    bring = column.row()
    bring.enabled = bool(asked.choice.chosen)
    bring.operator("pose.import_chosen", text=f"Import {asked.choice.summary}", icon="IMPORT")
    column.operator("pose.import_nobody")


def _draw_progress(layout: bpy.types.UILayout, session: Session) -> None:
    column = layout.column()
    column.label(text=f"{session.request.name}: {session.stage}", icon="TIME")
    if hasattr(layout, "progress"):
        column.progress(factor=session.factor, text=f"{session.factor:.0%}")
    else:
        filled = round(session.factor * _BAR)
        column.label(text="█" * filled + "░" * (_BAR - filled) + f" {session.factor:.0%}")
    column.label(text=session.counts)
    column.label(text=session.pace)
    row = layout.row()
    row.enabled = not session.cancelling
    row.operator("pose.cancel_import", text="Cancel", icon="X")


def _draw_text(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: Any) -> None:
    scale = context.preferences.system.ui_scale
    width = max(20, int((context.region.width - 60) / (_CHARACTER_PX * scale)))
    column = layout.column(align=True)
    for paragraph in text.split("\n"):
        for line in textwrap.wrap(paragraph, width):
            column.label(text=line, icon=icon)
            icon = "BLANK1"


def _draw_server(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    column = layout.column(align=True)
    column.label(text=f"Server {preferences(context).server}", icon="URL")
    row = column.row(align=True)
    if local_server.running:
        row.operator("pose.stop_server", text="Stop" if local_server.ready else "Stop (starting)")
    else:
        row.operator("pose.start_server", text="Start")
    row.operator("pose.test_connection", text="Test")
