"""Where a motion is more guessed than seen: what an animator should look at first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_server.pipeline.boundary import FloatArray, Motion

__all__ = ["WEAK_REASONS", "WeakSpan", "weak_spans"]

#: ``gap``: not seen, bridged; ``low_confidence``: hardly seen; ``reprojection``: away from where it
#: was seen; ``outlier``: the whole body is, as when another one was seen in its place.
WEAK_REASONS = ("gap", "low_confidence", "outlier", "reprojection")

#: The confidence of bridged rows, and one at which a point is hardly seen.
_BRIDGED, _HARDLY = 0.2, 0.4
#: Shorter gaps are bridged well, shorter doubts are none.
_GAP_S, _DOUBT_S, _AWAY_S = 0.3, 0.2, 0.08
#: Runs that nearly touch, or begin and end together in several joints, are one.
_NEAR_S = 0.15
#: A joint is away when it is so many times farther from its evidence than usual, and farther than this
#: share of the body's height in the picture.
_AWAY, _AWAY_SHARE = 4.0, 0.04


@dataclass(frozen=True)
class WeakSpan:
    """Some joints through some frames."""

    first_frame: int
    """Source frames, the last one included."""
    last_frame: int
    why: str
    """One of `WEAK_REASONS`."""
    joints: tuple[str, ...]


def weak_spans(motion: Motion) -> list[WeakSpan]:
    """Return the weak spans of a motion, by their first frame."""
    if not len(motion):
        return []
    rate_hz = float(motion.rate)
    away = _away(motion)
    known = np.isfinite(motion.reprojection_px).sum(axis=1)
    outlier = (away.sum(axis=1) > known / 2) & (known > 0)
    gap = _lasting(motion.confidence <= _BRIDGED, _GAP_S * rate_hz)
    doubt = _lasting((motion.confidence < _HARDLY) & ~gap, _DOUBT_S * rate_hz)
    masks = {
        "gap": gap,
        "low_confidence": doubt,
        "outlier": outlier[:, None] & np.isfinite(motion.reprojection_px),
        "reprojection": _lasting(away & ~outlier[:, None] & ~gap, _AWAY_S * rate_hz),
    }
    spans = [
        WeakSpan(
            int(motion.frames[begin]),
            int(motion.frames[end - 1]),
            why,
            tuple(motion.joint_names[joint] for joint in joints),
        )
        for why, mask in masks.items()
        for begin, end, joints in _together(mask, _NEAR_S * rate_hz)
    ]
    return sorted(spans, key=lambda span: (span.first_frame, span.last_frame, span.why))


def _away(motion: Motion) -> NDArray[np.bool_]:
    """Return (T, J) whether joints lie far from where they were seen."""
    errors = np.nan_to_num(motion.reprojection_px.astype(np.float64))
    seen = errors[np.isfinite(motion.reprojection_px)]
    if not len(seen):
        return np.zeros(errors.shape, dtype=bool)
    return np.asarray(errors > max(_AWAY * float(np.median(seen)), _AWAY_SHARE * _height_px(motion)))


def _height_px(motion: Motion) -> float:
    """Return how tall the body usually is in the picture."""
    heights: FloatArray = motion.joints_camera_m[..., 1] / np.maximum(motion.joints_camera_m[..., 2], 1e-3)
    return float(np.median(np.ptp(heights, axis=1)) * motion.camera.matrix[1, 1])


def _lasting(mask: NDArray[np.bool_], rows: float) -> NDArray[np.bool_]:
    """Return the (T, J) mask without runs of fewer rows."""
    result = mask.copy()
    for joint in range(mask.shape[1]):
        for begin, end in _runs(mask[:, joint]):
            if end - begin < rows:
                result[begin:end, joint] = False
    return result


def _together(mask: NDArray[np.bool_], near: float) -> list[tuple[int, int, list[int]]]:
    """Return begin, end and joints of runs, those together that begin and end nearly at once."""
    runs = [(*run, joint) for joint in range(mask.shape[1]) for run in _joined(mask[:, joint], near)]
    found: list[tuple[int, int, list[int]]] = []
    for begin, end, joint in sorted(runs):
        for i in range(len(found) - 1, -1, -1):
            first, last, joints = found[i]
            if begin - first > near:
                found.append((begin, end, [joint]))
                break
            if abs(last - end) <= near and joint not in joints:
                found[i] = (first, max(last, end), sorted([*joints, joint]))
                break
        else:
            found.append((begin, end, [joint]))
    return found


def _joined(mask: NDArray[np.bool_], near: float) -> list[tuple[int, int]]:
    """Return the runs of one joint, with breaks of no more than `near` rows passed over."""
    runs: list[tuple[int, int]] = []
    for begin, end in _runs(mask):
        if runs and begin - runs[-1][1] <= near:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((begin, end))
    return runs


def _runs(mask: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
