"""Maya without a window."""

from __future__ import annotations

import maya.standalone

__all__ = ["start"]


def start() -> None:
    """Start Maya within this Python, unless it runs already."""
    maya.standalone.initialize(name="python")
