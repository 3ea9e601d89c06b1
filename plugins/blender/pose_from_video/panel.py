"""The panel *Pose from Video* in the 3D view's sidebar, and the entry in File > Import."""

import textwrap
from pathlib import Path
from typing import Any

import bpy

from . import importing, operators
from .active_clip import active_clip
from .preferences import preferences
from .session import ImportSession

__all__ = ["POSE_PT_from_video", "draw_menu_entry"]

_CHARACTER_PX = 7
# Characters of a bar, where Blender has none of its own.
_BAR = 12


class POSE_PT_from_video(bpy.types.Panel):
    """Import, progress, what came of it, and the server"""

    bl_label = "Pose from Video"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Pose"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        session = importing.running()
        if session:
            _draw_progress(layout, session)
            return
        _draw_imports(layout, context)
        outcome = importing.last_outcome()
        if outcome:
            _draw_text(layout.box(), context, outcome.message, "ERROR" if outcome.reason else "CHECKMARK")
        _draw_server(layout, context)


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


def _draw_progress(layout: bpy.types.UILayout, session: ImportSession) -> None:
    column = layout.column()
    column.label(text=f"{session.request.clip.name}: {session.stage}", icon="TIME")
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
    if operators.local_server.running:
        row.operator("pose.stop_server", text="Stop" if operators.local_server.ready else "Stop (starting)")
    else:
        row.operator("pose.start_server", text="Start")
    row.operator("pose.test_connection", text="Test")
