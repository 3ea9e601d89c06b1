"""How large a person is in the picture."""

from __future__ import annotations

import pytest
from pose_server.cleanup.scale import metric_scale


def test_scale_is_pixels_per_metre(filmed) -> None:
    track, points, camera = filmed(30, noise=0.0)
    truth = camera.matrix[0, 0] / points[..., 2].mean(axis=1)
    assert metric_scale(track) == pytest.approx(truth, rel=0.05)
