"""Markerless motion capture: from a video to a keyed armature."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("pose-server")
