"""From frame to frame: short tracks, each of which is certainly one person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pose_server.pipeline.boundary import FloatArray, IntArray
from pose_server.pipeline.progress import Progress
from pose_server.track.motion import misfits, states_of, velocity_of
from pose_server.track.sightings import Sightings, likeness

__all__ = ["Track", "link_frames"]

#: A track stays open through this many seconds of misses (and always for one frame).
OPEN_S = 0.1
#: The worst misfit (nats) of a link.
LINK_LIMIT = 4.5
#: Another way to share out the sightings that is worse by less than this (nats) makes a link doubtful.
DOUBT = 2.0
#: Detections below this score continue tracks but take nothing from those above it (ByteTrack).
HIGH_SCORE = 0.5
#: Two detections of one frame that are alike by more than this are one body.
DUPLICATE_LIKENESS = 0.6

#: Ascending indices of sightings, at most one of each frame.
Track = list[int]

_IMPOSSIBLE = 1e3
_VELOCITY_UNKNOWN = (0.0, 0.0, 0.0)


def link_frames(sightings: Sightings, progress: Progress, *, sure_score: float = 0.0) -> list[Track]:
    """Join the sightings of neighbouring frames where there is no doubt who is who.

    Parameters
    ----------
    sightings
        Of the whole clip.
    progress
        Is told of frames, and may cancel.
    sure_score
        What scores less need not be a person: it continues a track where nothing better does, and puts
        none in doubt that goes on in something sure.

    Returns
    -------
    list
        Tracks as ascending indices of sightings, in the order of their first one.

    Notes
    -----
    Each frame is an assignment problem (Kuhn 1955), solved once for confident detections and once
    more for what is left (Zhang et al., ByteTrack, 2022).  Where two people are so near each other
    that the swapped answer is about as good, or where one detection fits two people, all of their
    tracks end and new ones begin: who is who is left to `stitching`, which knows what comes after.
    """
    bounds = np.searchsorted(sightings.rows, np.arange(len(sightings.frame_indices) + 1))
    times = sightings.frame_times_s
    done: list[Track] = []
    open_tracks: list[_OpenTrack] = []
    for row in range(len(times)):
        if row % 64 == 0:
            progress.report("track", row, len(times))
        patience_s = max(OPEN_S, 1.01 * (times[row] - times[row - 1])) if row else 0.0
        done += [t.track for t in open_tracks if times[row] - t.seen_s > patience_s]
        open_tracks = [t for t in open_tracks if times[row] - t.seen_s <= patience_s]
        present = _distinct(sightings, np.arange(bounds[row], bounds[row + 1]))
        links, doubtful = _links(sightings, open_tracks, present, sure_score)
        done += [open_tracks[i].track for i in doubtful]
        kept = [t for i, t in enumerate(open_tracks) if i not in doubtful]
        continued = {j: i for i, j in links if i not in doubtful}
        for j, sighting in enumerate(present):
            if j in continued:
                open_tracks[continued[j]].add(sightings, int(sighting))
            else:
                kept.append(_OpenTrack(sightings, int(sighting)))
        open_tracks = kept
    return sorted(done + [t.track for t in open_tracks])


class _OpenTrack:
    """A track that the next frame may continue."""

    def __init__(self, sightings: Sightings, sighting: int) -> None:
        self.track: Track = []
        self.add(sightings, sighting)

    def add(self, sightings: Sightings, sighting: int) -> None:
        self.track.append(sighting)
        self.seen_s = float(sightings.times_s[sighting])
        self.velocity = velocity_of(sightings.steady_centres_px, sightings.times_s, self.track, at_end=True)


def _distinct(sightings: Sightings, present: IntArray) -> IntArray:
    """Leave out detections of a body that a better one of the same frame shows too."""
    if len(present) < 2:
        return present
    a, b = (present[side] for side in np.triu_indices(len(present), 1))
    keypoints, confidence = sightings.keypoints_px, sightings.confidence
    alike = likeness(
        keypoints[a],
        keypoints[b],
        confidence[a] * confidence[b],
        np.sqrt(sightings.sizes_px[a] * sightings.sizes_px[b]),
    )
    worth = dict(
        zip(present.tolist(), sightings.scores[present] * confidence[present].sum(axis=1), strict=True)
    )
    dropped: set[int] = set()
    for pair in np.argsort(-alike, kind="stable"):
        if alike[pair] < DUPLICATE_LIKENESS:
            break
        one, other = int(a[pair]), int(b[pair])
        if one not in dropped and other not in dropped:
            dropped.add(one if worth[one] < worth[other] else other)
    return np.array([i for i in present if i not in dropped], dtype=np.int64)


def _links(
    sightings: Sightings, tracks: Sequence[_OpenTrack], present: IntArray, sure_score: float
) -> tuple[list[tuple[int, int]], set[int]]:
    """Return which track goes on in which sighting, and the tracks of which that is in doubt."""
    if not tracks or not len(present):
        return [], set()
    ends = states_of(sightings, [t.track[-1] for t in tracks], [t.velocity for t in tracks])
    starts = states_of(sightings, present, [_VELOCITY_UNKNOWN] * len(present))
    shape = (len(tracks), len(present))
    i, j = (index.ravel() for index in np.indices(shape))
    place, manner, vagueness = (values.reshape(shape) for values in misfits(ends[i], starts[j]))
    cost = np.where(place + manner <= LINK_LIMIT, place + manner + vagueness, np.inf)
    high = sightings.scores[present] >= max(HIGH_SCORE, sure_score)
    free = np.ones(len(tracks), dtype=np.bool_)
    links = _assign(cost, free, high)
    free[[i for i, _ in links]] = False
    links += _assign(cost, free, ~high)
    return links, _doubtful(cost, links, sightings.scores[present] >= sure_score)


def _assign(cost: FloatArray, tracks: NDArray[np.bool_], present: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the cheapest pairs of the chosen rows and columns, leaving impossible ones out."""
    rows, columns = np.flatnonzero(tracks), np.flatnonzero(present)
    part = cost[np.ix_(rows, columns)]
    pairs = zip(*linear_sum_assignment(np.where(np.isfinite(part), part, _IMPOSSIBLE)), strict=True)
    return [(int(rows[i]), int(columns[j])) for i, j in pairs if np.isfinite(part[i, j])]


def _doubtful(cost: FloatArray, links: Sequence[tuple[int, int]], sure: NDArray[np.bool_]) -> set[int]:
    """Return the tracks whose sightings could about as well belong to others."""
    goes_to = dict(links)
    taken_by = {j: i for i, j in links}
    doubtful: set[int] = set()
    for i, j in np.argwhere(np.isfinite(cost)).tolist():
        if goes_to.get(i) == j:
            continue
        rival, own = taken_by.get(j), goes_to.get(i)
        if rival is None and (own is None or (sure[own] and not sure[j])):
            continue
        now = (cost[i, own] if own is not None else 0.0) + (cost[rival, j] if rival is not None else 0.0)
        if rival is not None and own is not None:
            swapped = cost[i, j] + cost[rival, own]
        else:
            swapped = cost[i, j]
        if swapped - now < DOUBT:
            doubtful.update(k for k in (i, rival) if k is not None)
    return doubtful
