"""Everything that touches Maya, and nothing else."""

from .maya_scene import MayaScene
from .scene import scene_rate, up_axis, write_scene

__all__ = ["MayaScene", "scene_rate", "up_axis", "write_scene"]
