"""The clip's camera, as hosts and files take it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pose_server.pipeline.boundary import FloatArray, Motion

__all__ = ["CameraView", "camera_view"]

# From the axes of a camera that looks along -z with y up, as in OpenGL, to OpenCV's.
_LOOKS_BACK = np.diag([1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True)
class CameraView:
    """A pinhole camera in the world that sees the armature on top of the film."""

    world_to_camera: FloatArray
    """(4, 4), or (T, 4, 4) when the camera moves; camera axes x right, y down, z forward."""
    intrinsics_px: tuple[float, float, float, float]
    """fx, fy, cx, cy."""
    width: int
    height: int

    @property
    def poses(self) -> FloatArray:
        """(1 or T, 4, 4) into the world, from the axes of a camera that looks along -z with y up."""
        return np.asarray(np.linalg.inv(self.world_to_camera.reshape(-1, 4, 4)) @ _LOOKS_BACK)


def camera_view(motion: Motion) -> CameraView:
    """Return the camera of a motion; a host's has no distortion."""
    matrix = motion.camera.matrix
    width, height = motion.camera.image_size
    return CameraView(
        world_to_camera=motion.world_to_camera,
        intrinsics_px=(float(matrix[0, 0]), float(matrix[1, 1]), float(matrix[0, 2]), float(matrix[1, 2])),
        width=width,
        height=height,
    )
