"""The film that the user is looking at: of an image plane, a camera's background, a movie clip."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

import bpy

__all__ = ["active_clip"]

_MOVING = ("MOVIE", "SEQUENCE")


def active_clip(context: bpy.types.Context) -> str:
    """Return the path of the clip of the active object or of the scene, or an empty string."""
    for path in _candidates(context):
        path = bpy.path.abspath(path)
        if Path(path).is_file():
            return path
    return ""


def _candidates(context: bpy.types.Context) -> Iterator[str]:
    active: Any = context.active_object
    if active is not None and active.type == "EMPTY":
        yield from _image(active.data)
    elif active is not None and active.type == "CAMERA":
        for background in active.data.background_images:
            if background.source == "MOVIE_CLIP" and background.clip:
                yield background.clip.filepath
            yield from _image(background.image)
    elif active is not None and active.active_material and active.active_material.node_tree:
        for node in active.active_material.node_tree.nodes:
            if node.type == "TEX_IMAGE":
                yield from _image(node.image)
    if context.scene.active_clip:
        yield context.scene.active_clip.filepath


def _image(image: bpy.types.Image | None) -> Iterator[str]:
    if image and image.source in _MOVING:
        yield image.filepath
