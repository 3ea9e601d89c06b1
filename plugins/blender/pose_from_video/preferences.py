"""What the add-on remembers for the user: where the server is, and how to start one here."""

from typing import Any

import bpy
from bpy.props import StringProperty

__all__ = ["PoseFromVideoPreferences", "preferences"]

DEFAULT_ADDRESS = "127.0.0.1:50551"


class PoseFromVideoPreferences(bpy.types.AddonPreferences):
    """The add-on's page in Blender's preferences."""

    bl_idname = __package__

    server: StringProperty(
        name="Server",
        description="Address of the pose server, as host:port",
        default=DEFAULT_ADDRESS,
    )
    executable: StringProperty(
        name="pose-server Command",
        description="The pose-server command on this machine, to start a server with",
        default="pose-server",
        subtype="FILE_PATH",
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "server")
        layout.prop(self, "executable")
        row = layout.row()
        row.operator("pose.start_server", icon="PLAY")
        row.operator("pose.stop_server", icon="SNAP_FACE")
        row.operator("pose.test_connection", icon="URL")


def preferences(context: bpy.types.Context) -> Any:
    """Return the add-on's preferences."""
    return context.preferences.addons[__package__].preferences
