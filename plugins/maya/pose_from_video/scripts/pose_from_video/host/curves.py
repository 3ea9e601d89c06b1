"""Animation curves: made by Maya's commands, keyed all at once by the plug-in's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, List

from maya import cmds
from pose_shared.scene_nodes import Curve

from .. import key_batch

__all__ = ["Destination", "ready_plug_in", "write_curves"]

_PLUG_IN = "pose_from_video_keys"
_PLUG_INS = Path(__file__).resolve().parents[3] / "plug-ins"
#: Of a curve over time by the kind of its values; anything but lengths and angles has no unit.
_TYPES = {"distance": "animCurveTL", "angle": "animCurveTA"}


@dataclass(frozen=True)
class Destination:
    """A curve, the plug that it drives, and what its node shall be called."""

    curve: Curve
    plug: str
    name: str


def ready_plug_in() -> None:
    """Load the plug-in, unless it is; not to be done within an undo step."""
    if not cmds.pluginInfo(_PLUG_IN, query=True, loaded=True):
        cmds.loadPlugin(str(_PLUG_INS / f"{_PLUG_IN}.py"), quiet=True)


def write_curves(destinations: Iterable[Destination]) -> None:
    """Make a curve for each plug, which nothing drives yet, and key them in one command."""
    keyed: List[key_batch.KeyedCurve] = []
    for destination in destinations:
        kind = _TYPES.get(destination.curve.kind, "animCurveTU")
        node = cmds.createNode(kind, name=destination.name, skipSelect=True)
        cmds.connectAttr(f"{node}.output", destination.plug)
        keyed.append(key_batch.KeyedCurve(node, destination.curve))
    if keyed:
        cmds.poseKeys(key_batch.put(keyed))
