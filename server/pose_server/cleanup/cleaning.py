"""The clean-up of one person's track, step by step."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from pose_server.cleanup.gaps import bridged
from pose_server.cleanup.jumps import frames_gated, points_gated
from pose_server.cleanup.scale import metric_scale
from pose_server.cleanup.sides import sides_restored
from pose_server.pipeline.boundary import FloatArray, Track2D
from pose_server.pipeline.cleanup_options import CleanupOptions
from pose_server.pipeline.curves import curves_filtered
from pose_server.pipeline.filter_options import NamedFilter

__all__ = ["cleaned_up"]


def cleaned_up(track: Track2D, options: CleanupOptions | None = None) -> Track2D:
    """Return a person's track as a lifter should see it.

    Sides that were exchanged are put back, frames and points that do not belong are emptied, frames in
    which the person was missed for a short while are bridged with little confidence, and the points are
    smoothed, each as the options have it.  A point that is missing while others are seen stays
    missing: lifters know more of it than its own past.
    """
    options = options or CleanupOptions()
    if track.found.sum() < 3:
        return track
    scale = metric_scale(track)
    if options.repair in ("all", "sides"):
        track = sides_restored(track, scale)
    if options.repair in ("all", "jumps"):
        track = points_gated(frames_gated(track, scale), scale)
    if options.gaps != "none":
        track = _bridged(track, float(np.nanmedian(scale)), options)
    if options.smoothing is not None:
        track = _smoothed(track, float(np.nanmedian(scale)), options.smoothing)
    return track


def _bridged(track: Track2D, px_per_m: float, options: CleanupOptions) -> Track2D:
    missed = ~track.found
    if not missed.any():
        return track

    def filled(values: FloatArray, confidence: FloatArray) -> tuple[FloatArray, FloatArray]:
        limit_s = options.longest_gap_s
        return bridged(values, confidence, track.times_s, missed, how=options.gaps, limit_s=limit_s)

    keypoints, confidence = filled(track.keypoints_px / px_per_m, track.keypoint_confidence)
    landmarks, _ = filled(track.landmarks_m, track.keypoint_confidence)
    boxes, _ = filled(track.boxes_px[:, None] / px_per_m, np.ones((len(track), 1)))
    known = np.isfinite(keypoints).all(axis=2).any(axis=1)
    return dataclasses.replace(
        track,
        boxes_px=np.where(known[:, None], boxes[:, 0] * px_per_m, track.boxes_px),
        keypoints_px=keypoints * px_per_m,
        keypoint_confidence=confidence,
        landmarks_m=landmarks,
    )


def _smoothed(track: Track2D, px_per_m: float, how: NamedFilter) -> Track2D:
    """Filter each point's runs between its gaps, those of points that are seen together at once."""
    seen = np.isfinite(track.keypoints_px).all(axis=2)
    rate_hz = 1 / float(np.median(np.diff(track.times_s)))
    points_m = track.keypoints_px / px_per_m
    patterns, which = np.unique(seen, axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        columns = np.flatnonzero(which.ravel() == number)
        for run in _runs(pattern):
            points_m[run, columns] = curves_filtered(points_m[run][:, columns], how, rate_hz)
    return dataclasses.replace(track, keypoints_px=points_m * px_per_m)


def _runs(mask: NDArray[np.bool_]) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [slice(begin, end) for begin, end in zip(edges[::2], edges[1::2], strict=True)]
