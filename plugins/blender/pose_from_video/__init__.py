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

from . import host, job_operators, operators, panel, picking, retarget_operators, server_operators, work  # noqa: E402
from .preferences import PoseFromVideoPreferences  # noqa: E402

_CLASSES = (
    PoseFromVideoPreferences,
    *host.CLASSES,
    *operators.CLASSES,
    *job_operators.CLASSES,
    *retarget_operators.CLASSES,
    *server_operators.CLASSES,
    *panel.CLASSES,
)


@persistent
def _abandon_work(_file: object) -> None:
    """Cancel what runs when another file is loaded: its scene goes away."""
    work.abandon()
    picking.forget()


def _import_menu() -> Any:
    return bpy.types.TOPBAR_MT_file_import


def register() -> None:
    """Add everything to Blender."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Object.pose_import = bpy.props.PointerProperty(type=host.PoseImport)  # type: ignore[attr-defined]
    _import_menu().append(panel.draw_menu_entry)
    bpy.app.handlers.load_pre.append(_abandon_work)


def unregister() -> None:
    """Take everything out of Blender again, and stop what runs."""
    work.abandon()
    picking.forget()
    server_operators.local_server.stop()
    bpy.app.handlers.load_pre.remove(_abandon_work)
    _import_menu().remove(panel.draw_menu_entry)
    del bpy.types.Object.pose_import  # type: ignore[attr-defined]
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
