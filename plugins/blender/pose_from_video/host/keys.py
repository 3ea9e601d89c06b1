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
    """An action on one data-block, and the curves in it.

    Since 4.4 an action moves only what its slot is assigned to, and since 5.0 its curves live in
    the slot's channel bag; before, they belong to the action itself.

    Parameters
    ----------
    owner
        The object, camera, … that the action animates.
    name
        Of a new action; Blender appends a number if it is taken.
    action
        One that was written before, to be written again; a new one is made and assigned when None.
    """

    def __init__(self, owner: Any, name: str, action: Any = None) -> None:
        self.action = action or bpy.data.actions.new(name)
        slot: Any = None
        self._curves_owner: Any = self.action
        if hasattr(self.action, "slots"):
            slots, layers = self.action.slots, self.action.layers
            slot = slots[0] if slots else slots.new(id_type=owner.id_type, name=owner.name)
            layer: Any = layers[0] if layers else layers.new("Layer")
            strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
            self._curves_owner = strip.channelbag(slot, ensure=True)
        if action is None:
            animation: Any = owner.animation_data_create()
            animation.action = self.action
            if slot:
                animation.action_slot = slot

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
        """Add one curve, or write all keys of an existing one anew.

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
        curves, groups = self._curves_owner.fcurves, self._curves_owner.groups
        curve = curves.find(data_path, index=index)
        if curve is None:
            curve = curves.new(data_path, index=index)
            curve.group = groups.get(group) or groups.new(group)
        points = curve.keyframe_points
        count = len(frames)
        points.clear()
        points.add(count)
        points.foreach_set("co", _interleaved(frames, values))
        points.foreach_set("interpolation", array("i", [interpolation]) * count)
        curve.update()


def _interleaved(frames: Sequence[float], values: Sequence[float]) -> array[float]:
    pairs = array("f", bytes(8 * len(frames)))
    pairs[0::2] = array("f", frames)
    pairs[1::2] = array("f", values)
    return pairs
