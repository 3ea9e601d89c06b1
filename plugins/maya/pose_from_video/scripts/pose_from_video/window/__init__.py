"""The window of the add-on, in plain Qt: it knows the scene by `pose_from_video.scene_host` alone.

``PoseWindow(host)`` is an ordinary widget; whoever docks it calls `PoseWindow.leave_work` when it is closed,
`PoseWindow.scene_closed` when another scene is opened, and `PoseWindow.look_at_scene` when the selection or
the nodes of the scene have changed.
"""

from .main_window import PoseWindow

__all__ = ["PoseWindow"]
