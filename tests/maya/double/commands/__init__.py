"""The commands of maya.cmds; importing this registers them."""

from . import (
    animation,
    attributes,
    cameras,
    connections,
    dag,
    interface,
    layers,
    nodes,
    scene_settings,
    session,
    transforms,
)

__all__ = [
    "animation",
    "attributes",
    "cameras",
    "connections",
    "dag",
    "interface",
    "layers",
    "nodes",
    "scene_settings",
    "session",
    "transforms",
]
