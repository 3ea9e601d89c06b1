"""Directions and the rotations between them, for a whole clip at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray

__all__ = ["across", "between", "framed", "unit"]


def unit(vectors: FloatArray) -> FloatArray:
    """Return (..., 3) vectors of length 1; NaN where there is no direction."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(length > 1e-9, length, np.nan))


def across(vectors: FloatArray, axis: FloatArray) -> FloatArray:
    """Return the part of (..., 3) vectors at right angles to unit (..., 3) axes."""
    return np.asarray(vectors - np.sum(vectors * axis, axis=-1, keepdims=True) * axis)


def framed(
    primary: FloatArray, secondary: FloatArray, rest_primary: ArrayLike, rest_secondary: ArrayLike
) -> FloatArray:
    """Return (T, 3, 3) rotations that turn one rest direction exactly, a second as nearly as possible.

    Parameters
    ----------
    primary, secondary
        (T, 3) directions now.
    rest_primary, rest_secondary
        (3,) the same directions at rest.
    """

    def basis(first: FloatArray, second: FloatArray) -> FloatArray:
        x = unit(first)
        y = unit(across(second, x))
        return np.stack([x, y, np.cross(x, y)], axis=-1)

    rest = basis(np.asarray(rest_primary, dtype=float), np.asarray(rest_secondary, dtype=float))
    return basis(primary, secondary) @ rest.T


def between(
    start: FloatArray, end: FloatArray, *, share: float = 1.0, limit_rad: float = np.pi
) -> FloatArray:
    """Return the (T, 3, 3) smallest rotations from (T, 3) directions to others, or a share of them."""
    start, end = unit(start), unit(end)
    axis = np.cross(start, end)
    sine = np.linalg.norm(axis, axis=-1, keepdims=True)
    cosine = np.sum(start * end, axis=-1, keepdims=True)
    # Opposite directions have no smallest rotation: any axis across will do.
    spare = unit(across(np.eye(3)[np.argmin(np.abs(start), axis=-1)], start))
    axis = np.where(sine > 1e-9, axis / np.maximum(sine, 1e-9), spare)
    angle = np.minimum(np.arctan2(sine, cosine) * share, limit_rad)
    return np.asarray(Rotation.from_rotvec(axis * angle).as_matrix())
