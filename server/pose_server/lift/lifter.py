"""What every lifter offers: from a 2D track to 3D joints in the camera."""

from __future__ import annotations

from typing import Protocol

from pose_server.pipeline.boundary import Camera, Pose3D, Track2D

__all__ = ["Lifter"]


class Lifter(Protocol):
    """A model that gives depth to a track."""

    @property
    def name(self) -> str:
        """As reports name it."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same track could give other numbers."""

    def lift(self, track: Track2D, camera: Camera) -> Pose3D:
        """Return a pose for every row of the track; NaN where the track has nothing to lift."""
