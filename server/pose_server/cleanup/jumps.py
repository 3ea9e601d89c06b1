"""Frames and points that do not belong to a track: a detector's slip to somewhere else and back.

Detectors report them with full confidence, so only the motion gives them away.  All limits are
in metres and seconds, so that they hold at any frame rate and distance.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from pose_server.pipeline.boundary import FloatArray, Track2D

__all__ = ["frames_gated", "points_gated"]

_GATE_HALF_WINDOW_S = 0.12
_GATE_M = 0.25
_GATE_M_S = 1.0
_GATE_SIZE_RATIO = 1.4
#: A clip in which more frames than this look wrong is one in which people move in jumps.
_GATE_SHARE = 0.3

#: A point that leaves the straight line between its neighbours by more than this, and than a limb can that
#: is hurled, while these neighbours agree, was seen somewhere else.
_JUMP_M = 0.15
_HURLED_M_S2 = 150.0
_JUMP_RATIO = 1.5


def frames_gated(track: Track2D, scale: FloatArray) -> Track2D:
    """Return the track without frames whose points lie far from the local median of their neighbours, or
    which are much larger or smaller: emptied (NaN, confidence 0), for others to bridge.
    """
    rows = np.flatnonzero(track.found & np.isfinite(scale) & (scale > 0))
    if len(rows) < 5:
        return track
    interval_s = float(np.median(np.diff(track.times_s[rows])))
    half = max(2, round(_GATE_HALF_WINDOW_S / max(interval_s, 1e-6)))
    window = np.clip(rows[:, None] + np.arange(-half, half + 1), 0, len(track) - 1)
    with np.errstate(all="ignore"):
        away_m = track.keypoints_px[rows] - _median(track.keypoints_px[window])
        away_m = np.linalg.norm(away_m, axis=2) / scale[rows, None]
        visible = np.where(np.isfinite(away_m), track.keypoint_confidence[rows] + 1e-3, 0.0)
        off_m = (np.nan_to_num(away_m) * visible).sum(axis=1) / visible.sum(axis=1)
        growth = np.abs(np.log(scale[rows] / _median(scale[window])))
    wrong = (off_m > _GATE_M + _GATE_M_S * half * interval_s) | (growth > np.log(_GATE_SIZE_RATIO))
    if wrong.mean() > _GATE_SHARE:
        return track
    empty = rows[wrong]

    def emptied(values: FloatArray, fill: float) -> FloatArray:
        result = values.copy()
        result[empty] = fill
        return result

    return dataclasses.replace(
        track,
        boxes_px=emptied(track.boxes_px, np.nan),
        keypoints_px=emptied(track.keypoints_px, np.nan),
        keypoint_confidence=emptied(track.keypoint_confidence, 0.0),
        landmarks_m=emptied(track.landmarks_m, np.nan),
    )


def points_gated(track: Track2D, scale: FloatArray) -> Track2D:
    """Return the track without points that are elsewhere for a single frame: NaN, confidence 0."""
    if len(track) < 3:
        return track
    before, here, after = (track.keypoints_px[slice(i, len(track) - 2 + i)] for i in range(3))
    to_s, from_s = np.diff(track.times_s)[:-1, None], np.diff(track.times_s)[1:, None]
    share = (to_s / (to_s + from_s))[..., None]
    per_m = scale[1:-1, None]
    with np.errstate(invalid="ignore"):
        away_m = np.linalg.norm(here - before - share * (after - before), axis=2) / per_m
        way_m = np.linalg.norm(after - before, axis=2) / per_m
        jumps = away_m > np.maximum(_JUMP_M + _HURLED_M_S2 * to_s * from_s / 2, _JUMP_RATIO * way_m)
    gone = np.zeros(track.keypoint_confidence.shape, dtype=np.bool_)
    gone[1:-1] = jumps
    return dataclasses.replace(
        track,
        keypoints_px=np.where(gone[..., None], np.nan, track.keypoints_px),
        keypoint_confidence=np.where(gone, 0.0, track.keypoint_confidence),
        landmarks_m=np.where(gone[..., None], np.nan, track.landmarks_m),
    )


def _median(windows: FloatArray) -> FloatArray:
    """Median over axis 1; far faster than nanmedian, because missing rows sort to the end."""
    ordered = np.sort(windows, axis=1)
    count = np.isfinite(ordered).sum(axis=1, keepdims=True)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    high = np.minimum(high, ordered.shape[1] - 1)
    middle = np.take_along_axis(ordered, low, axis=1) + np.take_along_axis(ordered, high, axis=1)
    return np.asarray(middle[:, 0] / 2)
