"""Everything that is written to Blender's data, and nothing else."""

from .markers import is_marked, mark, unmark
from .record import CLASSES, PoseImport, is_imported, is_linked, record_of
from .rig import describe_rig
from .rig_keys import key_rig
from .scene import Placement, scene_rate, write_import, write_refinement
from .scene_camera import scene_camera_track

__all__ = [
    "CLASSES",
    "Placement",
    "PoseImport",
    "describe_rig",
    "is_imported",
    "is_linked",
    "is_marked",
    "key_rig",
    "mark",
    "record_of",
    "scene_camera_track",
    "scene_rate",
    "unmark",
    "write_import",
    "write_refinement",
]
