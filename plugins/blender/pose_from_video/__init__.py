"""Pose from Video: turn the people in a video into keyed armatures, through a pose server."""

import sys
from pathlib import Path
from typing import Any

__all__ = ["bl_info", "register", "unregister"]

# For Blender 3.4 to 4.1; later ones read blender_manifest.toml.
bl_info = {
    "name": "Pose from Video",
    "author": "The pose-server authors",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "3D View > Sidebar > Pose",
    "description": "Turn a video into keyed armatures, through a pose server",
    "category": "Animation",
}


def _find_vendored() -> None:
    """Make the packages importable that the legacy zip carries, unless somebody else brings them."""
    vendor = Path(__file__).parent / "vendor"
    try:
        import pose_shared  # noqa: F401
    except ImportError:
        compiled = vendor / f"cp{sys.version_info.major}{sys.version_info.minor}"
        sys.path += [str(folder) for folder in (vendor, compiled) if folder.is_dir()]


_find_vendored()

import bpy  # noqa: E402
from bpy.app.handlers import persistent  # noqa: E402

from . import importing, operators, panel  # noqa: E402
from .preferences import PoseFromVideoPreferences  # noqa: E402

_CLASSES = (PoseFromVideoPreferences, *operators.CLASSES, panel.POSE_PT_from_video)


@persistent
def _abandon_import(_file: object) -> None:
    """Cancel what runs when another file is loaded: its scene goes away."""
    importing.abandon()


def _import_menu() -> Any:
    return bpy.types.TOPBAR_MT_file_import


def register() -> None:
    """Add everything to Blender."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    _import_menu().append(panel.draw_menu_entry)
    bpy.app.handlers.load_pre.append(_abandon_import)


def unregister() -> None:
    """Take everything out of Blender again, and stop what runs."""
    importing.abandon()
    operators.local_server.stop()
    bpy.app.handlers.load_pre.remove(_abandon_import)
    _import_menu().remove(panel.draw_menu_entry)
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
