"""Weak spans on the time line, for those who ask for them."""

from __future__ import annotations

from typing import Any

import bpy

from .record import record_of

__all__ = ["is_marked", "mark", "unmark"]

# Of a marker's name.
_LIMIT = 63


def mark(scene: bpy.types.Scene, person: Any) -> None:
    """Put a marker where each weak span of an armature begins, named after why."""
    unmark(scene, person)
    for span in record_of(person).weak_spans:
        scene.timeline_markers.new(_name(person, span.why), frame=span.start)


def unmark(scene: bpy.types.Scene, person: Any) -> bool:
    """Remove these markers again, wherever they were moved; return whether there were any."""
    ours = _ours(scene, person)
    for marker in ours:
        scene.timeline_markers.remove(marker)
    return bool(ours)


def is_marked(scene: bpy.types.Scene, person: Any) -> bool:
    """Return whether the time line has these markers."""
    return bool(_ours(scene, person))


def _ours(scene: bpy.types.Scene, person: Any) -> list[Any]:
    names = {_name(person, span.why) for span in record_of(person).weak_spans}
    return [marker for marker in scene.timeline_markers if marker.name in names]


def _name(person: Any, why: str) -> str:
    record = record_of(person)
    return f"{record.clip_name} {record.person}: {why.replace('_', ' ')}".encode()[:_LIMIT].decode(
        errors="ignore"
    )
