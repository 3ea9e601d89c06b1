"""Maya without a window."""

from __future__ import annotations

import maya.standalone

__all__ = ["start", "stop"]


def start() -> None:
    """Start Maya within this Python, unless it runs already."""
    maya.standalone.initialize(name="python")


def stop() -> None:
    """End it in order, as Maya asks of programs before they end; it cannot be started again."""
    maya.standalone.uninitialize()
