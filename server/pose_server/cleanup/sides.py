"""Left and right exchanged: what detectors do to a track now and then.

They report it with full confidence, so only the motion gives it away.  All limits are in metres and
seconds, so that they hold at any frame rate and distance.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from numpy.typing import NDArray
from pose_shared.skeleton import mirrored_name

from pose_server.pipeline.boundary import FloatArray, Track2D

__all__ = ["sides_restored"]

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


def sides_restored(track: Track2D, scale: FloatArray) -> Track2D:
    """Return the track with exchanged sides put back.

    Parameters
    ----------
    track
        One person.
    scale
        (T,) pixels per metre.

    Notes
    -----
    The cheapest path (Viterbi) through the states of each frame, exchanged or not above the hips, at the
    thighs and at the feet, where a step costs what the points would have to jump.
    """
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


def _sides(names: tuple[str, ...]) -> tuple[NDArray[np.intp], list[NDArray[np.intp]]]:
    """Return each name's counterpart on the other side, and which names belong to each part."""
    mirror = np.array(
        [names.index(m) if (m := mirrored_name(n)) in names else i for i, n in enumerate(names)]
    )
    sided = mirror != np.arange(len(names))
    return mirror, [
        np.flatnonzero(sided & [any(word in name for word in part) for name in names]) for part in _PARTS
    ]


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
