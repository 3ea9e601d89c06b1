"""Operators for the server: start and stop one here, and see whether one answers."""

from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import StringProperty
from pose_shared.client import Client
from pose_shared.errors import PoseError
from pose_shared.local_server import LocalServer

from . import work
from .preferences import preferences

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

__all__ = [
    "CLASSES",
    "POSE_OT_start_server",
    "POSE_OT_stop_server",
    "POSE_OT_test_connection",
    "local_server",
]

#: The server that this Blender has started.
local_server = LocalServer()

_LOOK_S = 0.5


class POSE_OT_start_server(bpy.types.Operator):
    """Start a pose server on this machine, with the command of the preferences; it ends with Blender"""

    bl_idname = "pose.start_server"
    bl_label = "Start Local Server"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return not local_server.running

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        chosen = preferences(context)
        try:
            local_server.start(bpy.path.abspath(chosen.executable), chosen.server)
            if bpy.app.background:
                local_server.wait()
        except PoseError as error:
            self.report({"ERROR"}, error.message)
            return {"CANCELLED"}
        if not local_server.ready:
            bpy.app.timers.register(_look_at_server, first_interval=_LOOK_S)
        return {"FINISHED"}


def _look_at_server() -> float | None:
    """Watch a server that starts until it is ready; show why when it ends instead."""
    try:
        local_server.check()
    except PoseError as error:
        work.show_error(error)
        return None
    work.redraw()
    return None if local_server.ready else _LOOK_S


class POSE_OT_stop_server(bpy.types.Operator):
    """Stop the pose server that was started from here"""

    bl_idname = "pose.stop_server"
    bl_label = "Stop Local Server"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return local_server.running

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        local_server.stop()
        return {"FINISHED"}


class POSE_OT_test_connection(bpy.types.Operator):
    """Ask the pose server who it is"""

    bl_idname = "pose.test_connection"
    bl_label = "Test Connection"

    server: StringProperty(
        name="Server", description="Address; that of the preferences when empty", options={"SKIP_SAVE"}
    )

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        try:
            with Client(self.server or preferences(context).server) as client:
                info = client.check_compatible()
        except PoseError as error:
            self.report({"ERROR"}, error.message)
            return {"CANCELLED"}
        usable = ", ".join(d.name for d in info.detectors if d.usable) or "no detector"
        self.report(
            {"INFO"},
            f"Pose server {info.version} at {client.address}: {usable}, on {', '.join(info.devices)}.",
        )
        return {"FINISHED"}


CLASSES: tuple[Any, ...] = (POSE_OT_start_server, POSE_OT_stop_server, POSE_OT_test_connection)
