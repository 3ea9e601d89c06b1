"""Quaternions w, x, y, z in arrays of any shape (..., 4)."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray

__all__ = ["matrices", "products", "quaternions", "turned"]


def matrices(wxyz: FloatArray) -> FloatArray:
    """Return (..., 3, 3) rotations."""
    flat = Rotation.from_quat(wxyz.reshape(-1, 4), scalar_first=True).as_matrix()
    return np.asarray(flat.reshape(*wxyz.shape[:-1], 3, 3))


def quaternions(rotations: FloatArray) -> FloatArray:
    """Return (..., 4) of (..., 3, 3) rotations."""
    flat = Rotation.from_matrix(rotations.reshape(-1, 3, 3)).as_quat(scalar_first=True)
    return np.asarray(flat.reshape(*rotations.shape[:-2], 4))


def products(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return (..., 4) Hamilton products: the rotation `second`, then `first`."""
    w, v = first[..., :1], first[..., 1:]
    s, u = second[..., :1], second[..., 1:]
    real = w * s - np.sum(v * u, axis=-1, keepdims=True)
    return np.concatenate([real, w * u + s * v + np.cross(v, u)], axis=-1)


def turned(wxyz: FloatArray, axes: FloatArray) -> FloatArray:
    """Return (..., 4) the same rotations seen from other axes: A R A^-1, whose vector part is A's of R's.

    Parameters
    ----------
    wxyz
        (..., 4).
    axes
        (3, 3) for all of them, or (J, 3, 3) for the last dimension but one.
    """
    result = wxyz.copy()
    np.einsum("...ik,...k->...i", axes.astype(wxyz.dtype), wxyz[..., 1:], out=result[..., 1:])
    return result
