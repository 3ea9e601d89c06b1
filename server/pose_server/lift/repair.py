"""Undo what a detector does to a track now and then: left and right exchanged, frames of nonsense.

Detectors report both with full confidence, so only the motion gives them away.  All limits are
in metres and seconds, so that they hold at any frame rate and distance.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from numpy.typing import NDArray
from pose_shared.skeleton import mirrored_name

from pose_server.pipeline.boundary import FloatArray, Track2D

__all__ = ["metric_scale", "repaired"]

#: Parts of the body that detectors exchange as one.
_PARTS = (
    ("eye", "ear", "mouth", "shoulder", "elbow", "wrist", "pinky", "index", "thumb"),
    ("hip", "knee"),
    ("ankle", "heel", "toe"),
)
#: The states of a frame: which parts are exchanged?
_STATES = tuple(itertools.product((False, True), repeat=len(_PARTS)))
#: Cost per second of an exchange of everything and of some parts only, in units of one point's
#: expected step: one that lasts a second or two is no mistake but how the person stands.
_WHOLE_COST, _PART_COST = 60.0, 90.0
#: A point's step is judged against detector noise and the speed of a lively limb.
_NOISE_M = 0.03
_SPEED_M_S = 1.0
_STEP_LIMIT = 4.0

_GATE_HALF_WINDOW_S = 0.12
_GATE_M = 0.25
_GATE_M_S = 1.0
_GATE_SIZE_RATIO = 1.4
#: A clip in which more frames than this look wrong is one in which people move in jumps.
_GATE_SHARE = 0.3


def repaired(track: Track2D) -> Track2D:
    """Return the track with exchanged sides put back and frames that do not belong emptied.

    Notes
    -----
    Sides: the cheapest path (Viterbi) through the states of each frame, exchanged or not above the
    hips, at the thighs and at the feet, where a step costs what the points would have to jump.
    Frames: one whose points lie far from the local median of their neighbours, or which is
    much larger or smaller, is emptied (NaN, confidence 0) and left for `solve` to bridge.
    """
    if track.found.sum() < 3:
        return track
    scale = metric_scale(track)
    return _gated(_sides_restored(track, scale), scale)


def metric_scale(track: Track2D) -> FloatArray:
    """Return (T,) pixels per metre at the person, from the size of the landmarks in the picture.

    Without landmarks the box tells: its diagonal is taken for 1.9 m.
    """
    seen = np.isfinite(track.keypoints_px).all(axis=2) & np.isfinite(track.landmarks_m).all(axis=2)
    weight = np.where(seen, track.keypoint_confidence + 1e-3, 0.0)[..., None]

    def spread(points: FloatArray) -> FloatArray:
        points = np.where(weight > 0, points, 0.0)
        total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-9)
        centre = (weight * points).sum(axis=1, keepdims=True) / total
        return np.asarray(np.sqrt((weight * (points - centre) ** 2).sum(axis=(1, 2)) / total[:, 0, 0]))

    diagonal = np.linalg.norm(track.boxes_px[:, 2:] - track.boxes_px[:, :2], axis=1) / 1.9
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = spread(track.keypoints_px) / spread(track.landmarks_m[..., :2])
    return np.asarray(np.where(np.isfinite(ratio) & (ratio > 0), ratio, diagonal))


def _sides(names: tuple[str, ...]) -> tuple[NDArray[np.intp], list[NDArray[np.intp]]]:
    """Return each name's counterpart on the other side, and which names belong to each part."""
    mirror = np.array(
        [names.index(m) if (m := mirrored_name(n)) in names else i for i, n in enumerate(names)]
    )
    sided = mirror != np.arange(len(names))
    return mirror, [
        np.flatnonzero(sided & [any(word in name for word in part) for name in names]) for part in _PARTS
    ]


def _sides_restored(track: Track2D, scale: FloatArray) -> Track2D:
    mirror, parts = _sides(track.keypoint_names)
    rows = np.flatnonzero(track.found & np.isfinite(scale) & (scale > 0))
    if len(rows) < 2:
        return track
    gaps_s = np.diff(track.times_s[rows])
    points_m = track.keypoints_px[rows] / scale[rows, None, None]
    # Each pair of frames shares one scale, or growing would look like moving.
    before = track.keypoints_px[rows[:-1]] / scale[rows[1:], None, None]
    allowed = (_NOISE_M + _SPEED_M_S * gaps_s)[:, None]

    def cost(members: NDArray[np.intp], to: NDArray[np.intp]) -> FloatArray:
        total = np.zeros(len(gaps_s))
        landmarks = track.landmarks_m[rows]
        # Depth is seen less well than place: landmarks count half.
        for now, then, share in ((points_m[1:], before, 1.0), (landmarks[1:], landmarks[:-1], 0.5)):
            step = np.linalg.norm(now[:, members] - then[:, to], axis=2) / allowed
            total += share * np.minimum(np.nan_to_num(step, nan=0.0), _STEP_LIMIT).sum(axis=1)
        return total

    kept = np.stack([cost(part, part) for part in parts])
    crossed = np.stack([cost(part, mirror[part]) for part in parts])
    states = np.array(_STATES)
    changes = states[:, None] != states[None]
    steps = np.einsum("abp,pt->tab", changes, crossed) + np.einsum("abp,pt->tab", ~changes, kept)
    per_second = np.where(states.all(axis=1), _WHOLE_COST, np.where(states.any(axis=1), _PART_COST, 0.0))
    path = _cheapest_path(steps, per_second * np.median(gaps_s))

    order = np.tile(np.arange(len(mirror)), (len(track), 1))
    for part, members in enumerate(parts):
        order[np.ix_(rows[states[path, part]], members)] = mirror[members]
    return dataclasses.replace(
        track,
        keypoints_px=np.take_along_axis(track.keypoints_px, order[..., None], axis=1),
        keypoint_confidence=np.take_along_axis(track.keypoint_confidence, order, axis=1),
        landmarks_m=np.take_along_axis(track.landmarks_m, order[..., None], axis=1),
    )


def _cheapest_path(steps: FloatArray, state_cost: FloatArray) -> NDArray[np.intp]:
    """Viterbi: `steps` (T-1, S, S) costs from state to state, `state_cost` (S,) of being in one."""
    best = state_cost.copy()
    came_from = np.empty(steps.shape[:2], dtype=np.intp)
    for t, step in enumerate(steps):
        through = best[:, None] + step
        came_from[t] = through.argmin(axis=0)
        best = through.min(axis=0) + state_cost
    path = np.empty(len(steps) + 1, dtype=np.intp)
    path[-1] = best.argmin()
    for t in range(len(steps) - 1, -1, -1):
        path[t] = came_from[t, path[t + 1]]
    return path


def _gated(track: Track2D, scale: FloatArray) -> Track2D:
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


def _median(windows: FloatArray) -> FloatArray:
    """Median over axis 1; far faster than nanmedian, because missing rows sort to the end."""
    ordered = np.sort(windows, axis=1)
    count = np.isfinite(ordered).sum(axis=1, keepdims=True)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    high = np.minimum(high, ordered.shape[1] - 1)
    middle = np.take_along_axis(ordered, low, axis=1) + np.take_along_axis(ordered, high, axis=1)
    return np.asarray(middle[:, 0] / 2)
