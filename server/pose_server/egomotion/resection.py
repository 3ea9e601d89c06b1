"""Cameras by themselves, among points that are known more or less."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_server.egomotion.background import Tracks
from pose_server.egomotion.normal import summed
from pose_server.egomotion.robust import NOISE_PX, WIDE, scale_of, weights
from pose_server.egomotion.scene import Freedom, Scene, away_px, linear, moved
from pose_server.pipeline.boundary import FloatArray

__all__ = ["loose", "resected"]

#: Cameras that turn less than this in a step have arrived, radians.
_STEADY, _PASSES = 1e-5, 20
#: What is known of every point before it is seen, in squares of pixels by radian; next to nothing.
_LOOSEST = 1e-4
_TINY = 1e-9
#: So many observations are taken in one go: what lies between is large.
_CHUNK = 20_000


def loose(scene: Scene, tracks: Tracks, freedom: Freedom) -> FloatArray:
    """Return (P, Q, Q) how far points may be off along their tangents, as covariances, for these cameras."""
    away = away_px(scene, tracks)
    weight = weights(away, scale_of(away))[:, None, None]
    size, count = freedom.point, len(scene.points)
    told = np.tile(_LOOSEST * np.eye(size), (count, 1, 1))
    for start in range(0, len(away), _CHUNK):
        part = slice(start, start + _CHUNK)
        seen, corner = linear(scene, tracks.part(part), freedom).point, tracks.corner[part]
        low, high = corner.min(), corner.max() + 1
        told[low:high] += summed(corner - low, high - low, seen.transpose(0, 2, 1) * weight[part] @ seen)
    return np.asarray(NOISE_PX**2 * np.linalg.inv(told))


def resected(
    scene: Scene, tracks: Tracks, freedom: Freedom, points: FloatArray, *, off: FloatArray | None = None
) -> tuple[Scene, NDArray[np.int_]]:
    """Return the scene with each camera moved to where it sees the points as it did, and how many it does.

    Each camera by itself, robustly.

    Parameters
    ----------
    scene
        Its cameras are where to begin; all points are known.
    tracks
        What these cameras saw.
    freedom
        Whether they travel.
    points
        (P, Q, Q) how well the points are known, as `loose` has it: one whose distance is not known tells
        how a camera turned, but nothing of where it stood.
    off
        (K,) a camera is not farther from where it begins, one standard deviation, unless it sees that it is.
    """
    count, size = len(scene.turns), freedom.camera
    begun, at_least = scene.places, 2 * NOISE_PX
    found = np.zeros(count, dtype=int)
    going = np.arange(count)
    for _ in range(_PASSES):
        own = replace(scene, turns=scene.turns[going], places=scene.places[going], zooms=scene.zooms[going])
        left = tracks.of(going) if len(going) < count else tracks
        seen = linear(own, left, freedom)
        unsure = seen.point @ points[left.corner] @ seen.point.transpose(0, 2, 1)
        certain = np.linalg.inv(unsure / NOISE_PX**2 + np.eye(2))
        away = np.sqrt(np.einsum("mi,mij,mj->m", seen.away, certain, seen.away))
        scale = np.maximum(at_least, WIDE * _medians(away, left.frame, len(going)))
        weight = weights(away, scale[left.frame]) * np.any(seen.camera, axis=(1, 2))
        weighted = seen.camera.transpose(0, 2, 1) @ (certain * weight[:, None, None])
        normal = summed(left.frame, len(going), weighted @ seen.camera)
        right = summed(left.frame, len(going), weighted @ seen.away[..., None])[..., 0]
        if off is not None and freedom.travels:
            tied = (NOISE_PX / np.maximum(off[going], 1e-12)) ** 2
            normal[:, 3:6, 3:6] += tied[:, None, None] * np.eye(3)
            right[:, 3:6] += tied[:, None] * (own.places - begun[going])
        firm = (1e-6 * np.trace(normal, axis1=1, axis2=2) / size + _TINY)[:, None, None] * np.eye(size)
        steps = -np.linalg.solve(normal + firm, right[..., None])[..., 0]
        own = moved(own, steps, freedom)
        turns, places, zooms = scene.turns.copy(), scene.places.copy(), scene.zooms.copy()
        turns[going], places[going], zooms[going] = own.turns, own.places, own.zooms
        scene = replace(scene, turns=turns, places=places, zooms=zooms)
        close = (away < 2 * at_least) & (weight > 0)
        found[going] = np.bincount(left.frame[close], minlength=len(going))
        going = going[np.abs(steps[:, :3]).max(axis=1) >= _STEADY]
        if not len(going):
            break
    return scene, found


def _medians(values: FloatArray, group: NDArray[np.integer[Any]], count: int) -> FloatArray:
    """Return (count,) the median of each group's values; 0 of an empty one."""
    values = np.nan_to_num(values, nan=1e6)
    order = np.lexsort((values, group))
    ends = np.searchsorted(group, np.arange(count + 1))
    middle = np.minimum((ends[:-1] + ends[1:]) // 2, max(len(values) - 1, 0))
    return np.where(np.diff(ends) > 0, values[order][middle] if len(values) else 0.0, 0.0)
