"""Animation curves, written in bulk, in every Blender from 3.4 to 5.0."""

from __future__ import annotations

from array import array
from typing import Any, Sequence

import bpy

__all__ = ["CONSTANT", "LINEAR", "ActionWriter"]

#: `Keyframe.interpolation` as the numbers that `foreach_set` takes.
CONSTANT = 0
LINEAR = 1


class ActionWriter:
    """A new action on one data-block, and the curves in it.

    Since 4.4 an action moves only what its slot is assigned to, and since 5.0 its curves live in
    the slot's channel bag; before, they belong to the action itself.

    Parameters
    ----------
    owner
        The object, camera, … that the action animates.
    name
        Of the action; Blender appends a number if it is taken.
    """

    def __init__(self, owner: Any, name: str) -> None:
        self.action = bpy.data.actions.new(name)
        owner.animation_data_create()
        animation: Any = owner.animation_data
        animation.action = self.action
        self._curves_owner: Any = self.action
        self._slotted = hasattr(self.action, "slots")
        if self._slotted:
            slot = self.action.slots.new(id_type=owner.id_type, name=owner.name)
            animation.action_slot = slot
            strip: Any = self.action.layers.new("Layer").strips.new(type="KEYFRAME")
            self._curves_owner = strip.channelbag(slot, ensure=True)

    def write(
        self,
        data_path: str,
        index: int,
        frames: array[float],
        values: array[float],
        *,
        group: str,
        interpolation: int = LINEAR,
    ) -> None:
        """Add one curve.

        Parameters
        ----------
        data_path, index
            What it animates; an index of 0 serves for a property that is no array.
        frames
            Scene frames, ascending, no two the same.
        values
            As many float32 values.
        group
            The channel group that the curve is listed in.
        """
        curve = self._curves_owner.fcurves.new(data_path, index=index)
        groups = self._curves_owner.groups
        curve.group = groups.get(group) or groups.new(group)
        points = curve.keyframe_points
        count = len(frames)
        points.add(count)
        points.foreach_set("co", _interleaved(frames, values))
        points.foreach_set("interpolation", array("i", [interpolation]) * count)
        curve.update()


def _interleaved(frames: Sequence[float], values: Sequence[float]) -> array[float]:
    pairs = array("f", bytes(8 * len(frames)))
    pairs[0::2] = array("f", frames)
    pairs[1::2] = array("f", values)
    return pairs
