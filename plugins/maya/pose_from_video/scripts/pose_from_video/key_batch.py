"""Curves on their way to the command that keys them: arguments of commands cannot hold so many numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Dict, Sequence

if TYPE_CHECKING:
    from pose_shared.scene_nodes import Curve

__all__ = ["KeyedCurve", "put", "take"]

_waiting: Dict[int, Sequence[KeyedCurve]] = {}


@dataclass(frozen=True)
class KeyedCurve:
    """Keys, and the node of an animation curve that shall have them."""

    node: str
    curve: Curve


def put(curves: Sequence[KeyedCurve]) -> int:
    """Lay curves down; return the number by which `take` gets them."""
    number = max(_waiting, default=0) + 1
    _waiting[number] = curves
    return number


def take(number: int) -> Sequence[KeyedCurve]:
    """Pick curves up, once; raises KeyError if there are none of that number."""
    return _waiting.pop(number)
