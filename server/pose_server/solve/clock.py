"""A uniform clock under what was seen at uneven times."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pose_server.pipeline.boundary import FloatArray, Pose3D, Track2D

__all__ = ["on_clock"]

#: A clip whose timestamps stay this near to a steady beat, in frames, is on it: containers round.
_STEADY = 0.25


def on_clock(track: Track2D, pose: Pose3D, rate: Fraction) -> tuple[Track2D, Pose3D]:
    """Return track and pose with a row every 1 / rate seconds; the same objects if they have that.

    Values between two rows are interpolated linearly, missing ones stay missing, and `indices` names
    the source frame nearest to each row.
    """
    times_s = track.times_s
    steady_s = times_s[0] + np.arange(len(times_s)) / float(rate)
    if len(times_s) < 2 or np.abs(times_s - steady_s).max() * float(rate) < _STEADY:
        return track, pose
    count = int(np.floor((times_s[-1] - times_s[0]) * float(rate) + _STEADY)) + 1
    wanted_s = times_s[0] + np.arange(count) / float(rate)
    after = np.clip(np.searchsorted(times_s, wanted_s, side="right"), 1, len(times_s) - 1)
    span_s = np.maximum(times_s[after] - times_s[after - 1], 1e-9)
    share = np.clip((wanted_s - times_s[after - 1]) / span_s, 0.0, 1.0)
    indices = np.where(share < 0.5, track.indices[after - 1], track.indices[after])

    def at(values: FloatArray) -> FloatArray:
        return _between(values, after, share)

    keypoints_px = at(track.keypoints_px)
    seen = np.isfinite(keypoints_px).all(axis=2)

    return (
        dataclasses.replace(
            track,
            indices=indices,
            times_s=wanted_s,
            boxes_px=at(track.boxes_px),
            keypoints_px=keypoints_px,
            keypoint_confidence=np.where(seen, at(track.keypoint_confidence), 0.0),
            landmarks_m=at(track.landmarks_m),
        ),
        dataclasses.replace(
            pose,
            indices=indices,
            times_s=wanted_s,
            joints_root_m=at(pose.joints_root_m),
            uncertainty_m=at(pose.uncertainty_m),
            root_camera_m=at(pose.root_camera_m),
            contacts=None if pose.contacts is None else at(pose.contacts),
        ),
    )


def _between(values: FloatArray, after: NDArray[np.intp], share: FloatArray) -> FloatArray:
    weight = share.reshape(-1, *[1] * (values.ndim - 1))
    # A row that is hit exactly must not be lost because its neighbour is missing.
    mixed = (1 - weight) * values[after - 1] + weight * values[after]
    return np.asarray(np.where(weight == 0, values[after - 1], np.where(weight == 1, values[after], mixed)))
