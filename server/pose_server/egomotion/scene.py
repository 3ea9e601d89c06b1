"""Cameras and points, what the cameras see of the points, and how that changes with both.

One description serves a camera that turns, zooms or travels; they differ in what may change.  Points are
homogeneous, of unit length, so that the far ones need no care: x ~ R (X - w c) for X = (X, w), as in
Triggs, McLauchlan, Hartley and Fitzgibbon, "Bundle Adjustment - A Modern Synthesis" (2000), section 2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from pose_server.egomotion.background import Tracks
from pose_server.pipeline.boundary import FloatArray

__all__ = ["Freedom", "Linear", "Scene", "away_px", "linear", "moved", "seen_from", "tangents"]

#: Points this little before a camera, as a sine, cannot be seen.
_BEHIND = 1e-6


@dataclass(frozen=True)
class Scene:
    """Cameras and points."""

    turns: FloatArray
    """(K, 3, 3) from the world's axes into each camera's."""
    places: FloatArray
    """(K, 3) of the cameras."""
    zooms: FloatArray
    """(K,) logarithm of each camera's focal length over the common one."""
    points: FloatArray
    """(P, 4) homogeneous, of unit length; NaN for one that is not known."""
    focal_px: float
    bend: float = 0.0
    """First radial term of the lens, as OpenCV's k1."""


@dataclass(frozen=True)
class Freedom:
    """What may change beside turns and the directions of points, and what is known of the lens."""

    focal_px: float
    """What the focal length is expected to be."""
    focal_sigma: float
    """How well that is known, relative."""
    travels: bool = False
    zooms: bool = False

    @property
    def camera(self) -> int:
        """Unknowns of a camera."""
        return 3 + 3 * self.travels + self.zooms

    @property
    def point(self) -> int:
        """Unknowns of a point."""
        return 2 + self.travels


@dataclass(frozen=True)
class Linear:
    """Distances and derivatives of M observations; 0 for those behind a camera."""

    away: FloatArray
    """(M, 2) px."""
    camera: FloatArray
    """(M, 2, C) by turn, place and zoom, as far as they are free."""
    point: FloatArray
    """(M, 2, Q)."""
    lens: FloatArray
    """(M, 2, 2) by the logarithm of the focal length, and by how much the lens bends."""


def seen_from(scene: Scene, tracks: Tracks) -> tuple[FloatArray, FloatArray]:
    """Return (M, 3) where points lie from the cameras, and (M, 2) where they are seen; NaN behind them."""
    points, frame = scene.points[tracks.corner], tracks.frame
    before = points[:, :3] - points[:, 3:] * scene.places[frame]
    there = np.einsum("mij,mj->mi", scene.turns[frame], before)
    with np.errstate(divide="ignore", invalid="ignore"):
        plane = np.where(there[:, 2:] > _BEHIND, there[:, :2] / there[:, 2:], np.nan)
    focal = scene.focal_px * np.exp(scene.zooms[frame])
    bent = 1 + scene.bend * (plane**2).sum(axis=1)
    return there, (focal * bent)[:, None] * plane


def away_px(scene: Scene, tracks: Tracks) -> FloatArray:
    """Return (M,) how far each observation is from where its point would be seen; NaN if it would not be."""
    return np.asarray(np.linalg.norm(seen_from(scene, tracks)[1] - tracks.at_px, axis=1))


def tangents(points: FloatArray, count: int) -> FloatArray:
    """Return (P, 4, Q) orthonormal directions in which unit points may move: 3, or 2 of those at infinity."""
    size = count + 1
    # Householder's reflection takes the last axis to the point; its other columns are the directions.
    vector = np.nan_to_num(points[:, :size], nan=0.5)
    vector[:, -1] += np.where(vector[:, -1] < 0, -1.0, 1.0)
    vector /= np.linalg.norm(vector, axis=1, keepdims=True)
    basis = np.zeros((len(points), 4, count))
    basis[:, :size] = np.eye(size)[:, :count] - 2 * vector[:, :, None] * vector[:, None, :count]
    return basis


def moved(scene: Scene, steps: FloatArray, freedom: Freedom) -> Scene:
    """Return the scene with its cameras moved by (K, C) steps."""
    return replace(
        scene,
        turns=Rotation.from_rotvec(steps[:, :3]).as_matrix() @ scene.turns,
        places=scene.places + steps[:, 3:6] if freedom.travels else scene.places,
        zooms=scene.zooms + steps[:, -1] if freedom.zooms else scene.zooms,
    )


def linear(scene: Scene, tracks: Tracks, freedom: Freedom) -> Linear:
    """Return how far each observation is off, and how that changes."""
    frame = tracks.frame
    points = np.nan_to_num(scene.points)
    there, seen = seen_from(scene, tracks)
    visible = there[:, 2] > _BEHIND
    there, seen = (np.where(visible[:, None], values, 0.0) for values in (there, seen))
    nearness = np.divide(1.0, there[:, 2], where=visible, out=np.zeros(len(frame)))
    focal = scene.focal_px * np.exp(scene.zooms[frame])
    x, y = plane = (there[:, :2] * nearness[:, None]).T
    # By the plane, of what the lens makes of it; by what lies before the camera, of the plane.
    square = x * x + y * y
    straight, bent = focal * (1 + scene.bend * square), 2 * scene.bend * focal
    xx, xy, yy = straight + bent * x * x, bent * x * y, straight + bent * y * y
    by_there = np.array([[xx, xy, -(xx * x + xy * y)], [xy, yy, -(xy * x + yy * y)]]) * nearness
    (u, v, w), (a, b, c) = by_there.transpose(1, 0, 2), there.T
    by_before = by_there.transpose(2, 0, 1) @ scene.turns[frame]
    camera = np.empty((len(frame), 2, freedom.camera))
    camera[:, :, :3] = np.array([b * w - c * v, c * u - a * w, a * v - b * u]).transpose(2, 1, 0)
    if freedom.travels:
        camera[:, :, 3:6] = by_before * -points[tracks.corner, 3][:, None, None]
    if freedom.zooms:
        camera[:, :, -1] = seen
    by_far = -(by_before @ scene.places[frame][..., None])
    by_point = np.concatenate([by_before, by_far], axis=2)
    return Linear(
        away=np.where(visible[:, None], seen - tracks.at_px, 0.0),
        camera=camera,
        point=by_point @ tangents(points, freedom.point)[tracks.corner],
        lens=np.stack([seen, (focal * square * plane).T], axis=2),
    )
