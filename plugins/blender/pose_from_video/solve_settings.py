"""How to solve, as properties: of the import, of a refinement, and of what an armature remembers."""

from typing import Any

import bpy
from bpy.props import EnumProperty, FloatProperty
from pose_shared.solve_settings import CONTACTS, FLOORS, SETTINGS

__all__ = ["SolveSettings", "draw_settings"]


class SolveSettings:
    """To be inherited by a class that Blender registers; the defaults are the server's."""

    smoothing: FloatProperty(
        name="Smoothing", description="0 leaves the motion raw, 1 is calm", min=0.0, max=1.0, default=0.5
    )
    height_m: FloatProperty(
        name="Height (m)",
        description="Of the actor without shoes, in metres, which sets the scale of the room; "
        "0 if it is not known",
        min=0.0,
        max=3.0,
        step=1,
        precision=2,
    )
    floor: EnumProperty(
        name="Floor",
        description="What the feet stand on",
        items=FLOORS,
    )
    contacts: EnumProperty(
        name="Contacts",
        description="When feet stick to the ground",
        items=CONTACTS,
    )


def draw_settings(layout: bpy.types.UILayout, owner: Any) -> None:
    """Draw the settings of their owner, one below the other."""
    layout.prop(owner, "smoothing", slider=True)
    column = layout.column(align=True)
    for name in SETTINGS[1:]:
        column.prop(owner, name)
