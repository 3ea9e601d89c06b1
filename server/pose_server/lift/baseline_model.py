"""A linear network with all that is needed to use it: points, units, camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pose_server.lift.linear import LinearNetwork

__all__ = ["HUMAN36M_CENTRE_PX", "HUMAN36M_FOCAL_PX", "BaselineModel"]

FloatArray = NDArray[np.floating[Any]]

#: The mean of Human3.6M's four cameras, whose pictures are 1000 to 1002 pixels wide and high.
HUMAN36M_FOCAL_PX = (1147.344, 1146.236)
HUMAN36M_CENTRE_PX = (514.044, 506.700)
_BATCH = 4096


@dataclass(frozen=True, eq=False)
class BaselineModel:
    """What a file of a trained linear network holds.

    Both sides are normalised number by number: minus the training set's mean, over its standard
    deviation.
    """

    network: LinearNetwork
    inputs: tuple[str, ...]
    """Names of the K points it takes."""
    outputs: tuple[str, ...]
    """Names of the J joints it gives; the pelvis is their origin and not among them."""
    mean_2d_px: FloatArray
    """(K, 2), as the two below in pixels of the training camera."""
    std_2d_px: FloatArray
    """(K, 2)."""
    mean_3d_mm: FloatArray
    """(J, 3), millimetres about the pelvis."""
    std_3d_mm: FloatArray
    """(J, 3)."""
    camera_frame: bool = True
    """Whether it gives camera axes; the axes of the training room otherwise."""
    focal_px: tuple[float, float] = HUMAN36M_FOCAL_PX
    centre_px: tuple[float, float] = HUMAN36M_CENTRE_PX

    @property
    def matrix(self) -> FloatArray:
        """(3, 3) of the camera in whose pictures it was trained."""
        (fx, fy), (cx, cy) = self.focal_px, self.centre_px
        return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])

    def normalised_2d(self, points_px: FloatArray) -> NDArray[np.float32]:
        """Return (N, K, 2) points as the network takes them, (N, 2 K)."""
        return _flat((points_px - self.mean_2d_px) / self.std_2d_px)

    def normalised_3d(self, joints_mm: FloatArray) -> NDArray[np.float32]:
        """Return (N, J, 3) joints about the pelvis as the network should give them, (N, 3 J)."""
        return _flat((joints_mm - self.mean_3d_mm) / self.std_3d_mm)

    def lifted_mm(self, points_px: FloatArray) -> FloatArray:
        """Return the (N, J, 3) joints of (N, K, 2) points, about the pelvis; NaN where one is missing."""
        whole = np.isfinite(points_px).all(axis=(1, 2))
        result = np.full((len(points_px), len(self.outputs), 3), np.nan)
        device = next(self.network.parameters()).device
        given = torch.from_numpy(self.normalised_2d(points_px[whole])).to(device)
        self.network.eval()
        with torch.inference_mode():
            found = [self.network(part).float().cpu().numpy() for part in torch.split(given, _BATCH)]
        flat = np.concatenate(found).reshape(-1, len(self.outputs), 3)
        result[whole] = flat * self.std_3d_mm + self.mean_3d_mm
        return result


def _flat(values: FloatArray) -> NDArray[np.float32]:
    return values.reshape(len(values), values.shape[1] * values.shape[2]).astype(np.float32)
