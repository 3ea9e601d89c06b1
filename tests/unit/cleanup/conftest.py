"""A figure that walks before a camera, for whoever takes tracks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from filmed_figure import figure
from pose_server.pipeline.boundary import Camera, Track2D


@pytest.fixture(scope="session")
def filmed() -> Callable[..., tuple[Track2D, np.ndarray, Camera]]:
    """Film the figure: filmed(fps, seconds=, turn_deg_s=, noise=)."""
    return figure
