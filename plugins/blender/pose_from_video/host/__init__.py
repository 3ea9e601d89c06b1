"""Everything that is written to Blender's data, and nothing else."""

from .scene import Placement, scene_rate, write_import

__all__ = ["Placement", "scene_rate", "write_import"]
