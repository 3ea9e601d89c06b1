"""The camera of VideoPose3D's data: coordinates of the screen, and a lens of nine numbers.

Screen coordinates are x from -1 to 1 over the picture's width and y in the same unit, so that a lens
is focal length (2), centre (2), radial distortion (3) and tangential distortion (2) in that unit.
Letters in shapes: B clips, T frames, J joints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["ScreenCamera", "lens_of", "mirrored_lens", "projected"]

FloatArray = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class ScreenCamera:
    """One camera of a capture."""

    name: str
    size: tuple[int, int]
    """Width and height in pixels."""
    lens: FloatArray | None = None
    """(9,), where it is known."""
    rotation: FloatArray | None = None
    """(3, 3) from the room's axes to the camera's, where they are known; None is no turn."""
    translation_m: FloatArray | None = None
    """(3,) the room's origin in the camera."""

    def seen(self, joints_world_m: FloatArray) -> FloatArray:
        """Return points (..., 3) of the room in the camera."""
        if self.rotation is None or self.translation_m is None:
            return joints_world_m
        return np.asarray(joints_world_m @ self.rotation.T + self.translation_m)

    def pixels(self, screen: FloatArray) -> FloatArray:
        """Return screen coordinates (..., 2) in pixels."""
        width, height = self.size
        return np.asarray((screen + np.array([1, height / width])) * width / 2)


def lens_of(
    size: tuple[int, int], focal_px: FloatArray, centre_px: FloatArray, distortion: FloatArray
) -> FloatArray:
    """Return the (9,) lens of a camera whose distortion is given as OpenCV's k1, k2, p1, p2, k3.

    The two tangential numbers change places: the data's formula names them in the other order.
    """
    width, height = size
    k1, k2, p1, p2, k3 = distortion
    centre = np.asarray(centre_px) / width * 2 - np.array([1, height / width])
    lens = np.concatenate([np.asarray(focal_px) / width * 2, centre, [k1, k2, k3, p2, p1]])
    return np.asarray(lens, dtype=np.float32)


def mirrored_lens(lens: Tensor) -> Tensor:
    """Return the (..., 9) lens that sees the mirrored room as the lens sees the room, mirrored."""
    return lens * lens.new_tensor([1, 1, -1, 1, 1, 1, 1, -1, 1])


def projected(joints_m: Tensor, lens: Tensor, *, linear: bool = False) -> Tensor:
    """Return where (B, T, J, 3) joints are on the screen of (B, 9) lenses: (B, T, J, 2).

    Notes
    -----
    The data sets' formula: points more than 45 degrees off the axis are drawn in to that, and the
    tangential part lacks the factor 2 that OpenCV's has.  `linear` leaves all distortion out.
    """
    lens = lens[:, None, None]
    plane = (joints_m[..., :2] / joints_m[..., 2:]).clamp(-1, 1)
    if not linear:
        radial, tangential = lens[..., 4:7], lens[..., 7:9]
        square = (plane**2).sum(dim=-1, keepdim=True)
        powers = torch.cat([square, square**2, square**3], dim=-1)
        bend = 1 + (radial * powers).sum(dim=-1, keepdim=True)
        tilt = (tangential * plane).sum(dim=-1, keepdim=True)
        plane = plane * (bend + tilt) + tangential * square
    return lens[..., :2] * plane + lens[..., 2:4]
