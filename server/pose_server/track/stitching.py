"""Over gaps and crossings: short tracks joined to people, with the whole clip in view."""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from pose_server.pipeline.boundary import FloatArray, IntArray
from pose_server.track.appearance import mean_looks, unlikeness
from pose_server.track.linking import OPEN_S, Track
from pose_server.track.motion import Ends, ends_of, least_vagueness, misfits, velocity_of
from pose_server.track.sightings import Sightings, likeness

__all__ = ["merge_duplicates", "proportions_of", "stitch"]

#: Nobody who was lost for longer is taken for the same person.
LOST_S = 5.0
#: The same for somebody who lingers at the edge of the picture.
AWAY_S = 1.0
#: The worst cost (nats) of a join in the picture, and of one at its edge, where people come and go.
JOIN_LIMIT = 16.0
EDGE_JOIN_LIMIT = 8.0
#: The worst cost of a stray between two sightings of a track that is certainly one person.
WITHIN_LIMIT = 16.0
#: The most (nats) that an odd turn or pose counts: people do land, fall and spin, and detectors err.
MOST_ODDITY = 6.0
#: A shorter track may be an error of the detector, and is worth less to keep.
STRAY_S = 0.1
#: Cost of a gap, for it is odd not to be seen.
GAP_RATE = 0.3  # nats/s
#: Nobody is faster, measurement error aside.
TOP_SPEED = 4.0  # bodies/s
TOP_SLIP = 0.3  # bodies
#: A body whose centre is this near the edge of the picture is at the edge.
EDGE_MARGIN = 0.25  # bodies
#: Who walks out of the picture faster than this has left, and who walks in has come.
LEAVING_SPEED = 0.2  # bodies/s
#: Two tracks are one body if so much of what they share is so alike.
DUPLICATE_LIKENESS = 0.5
DUPLICATE_SHARE = 0.8
_PROPORTION_NOISE = 0.12  # of the logarithm of a bone's length
# Measured: half a second of somebody and half a second of the same within five are unlike by 0.005 to 0.07
# (median), against the sun by 0.2 at most; different people by 0.3 (median), one in twenty by less than 0.1.
_LOOKS_S = 0.5
_LOOKS_SCALE = 0.06  # of unlikeness, per nat
_LOOKS_WORST = 8.0  # nats: somebody may walk from the sun into the shade
_BLOCK = 256  # tracks whose joins are weighed at once


def stitch(sightings: Sightings, tracks: Sequence[Track], image_size: tuple[int, int]) -> list[Track]:
    """Join the tracks of each person.

    Every end of a track may go on in one beginning, at a cost that grows with the distance from where
    its motion, seen from both sides of the gap, leads, with the change of size, body proportions
    and pose, and with the gap.  Of all ways to pair them up the one with the greatest sum of gains is
    taken (a bipartite matching, as in Huang, Wu and Nevatia, Robust object tracking by hierarchical
    association of detection responses, 2008).

    Returns
    -------
    list
        Tracks as ascending indices of sightings, in the order of their first one.
    """
    if not tracks:
        return []
    whole = _fill_gaps(sightings, merge_duplicates(sightings, tracks), WITHIN_LIMIT)
    joined = _join(sightings, whole, image_size)
    return merge_duplicates(sightings, _fill_gaps(sightings, joined, JOIN_LIMIT))


def merge_duplicates(sightings: Sightings, tracks: Sequence[Track]) -> list[Track]:
    """Make one of two tracks that lie on one body in most of the frames that they share.

    In a frame that both have, the sighting of the track with more evidence stays.
    """
    order = sorted(range(len(tracks)), key=lambda t: (-sightings.scores[tracks[t]].sum(), tracks[t][0]))
    neighbours = _simultaneous(sightings, tracks)
    people: list[dict[int, int]] = []
    home: dict[int, int] = {}
    for t in order:
        rows = dict(zip(sightings.rows[tracks[t]].tolist(), tracks[t], strict=True))
        homes = sorted({home[other] for other in neighbours[t] if other in home})
        home[t] = next((h for h in homes if _same_body(sightings, people[h], rows)), len(people))
        if home[t] == len(people):
            people.append(rows)
        else:
            people[home[t]].update({row: i for row, i in rows.items() if row not in people[home[t]]})
    return sorted(sorted(person.values()) for person in people)


def _simultaneous(sightings: Sightings, tracks: Sequence[Track]) -> list[list[int]]:
    """Return for each track the others that live at the same time; `tracks` are in the order of begin."""
    neighbours: list[list[int]] = [[] for _ in tracks]
    alive: list[int] = []
    for t, track in enumerate(tracks):
        alive = [other for other in alive if sightings.rows[tracks[other][-1]] >= sightings.rows[track[0]]]
        for other in alive:
            neighbours[t].append(other)
            neighbours[other].append(t)
        alive.append(t)
    return neighbours


def _same_body(sightings: Sightings, one: dict[int, int], other: dict[int, int]) -> bool:
    common = sorted(one.keys() & other.keys())
    if not common:
        return False
    a, b = (np.array([track[row] for row in common]) for track in (one, other))
    alike = likeness(
        sightings.keypoints_px[a],
        sightings.keypoints_px[b],
        sightings.confidence[a] * sightings.confidence[b],
        np.sqrt(sightings.sizes_px[a] * sightings.sizes_px[b]),
    )
    return bool(np.mean(alike >= DUPLICATE_LIKENESS) >= DUPLICATE_SHARE)


def _join(sightings: Sightings, tracks: Sequence[Track], image_size: tuple[int, int]) -> list[Track]:
    """Join ends to beginnings so that the clip as a whole is most plausible."""
    successor = _best_successors(*_gains(sightings, tracks, image_size), len(tracks))
    joined = []
    for track in sorted(set(range(len(tracks))) - set(successor.values())):
        chain: Track = []
        follow: int | None = track
        while follow is not None:
            chain += tracks[follow]
            follow = successor.get(follow)
        joined.append(chain)
    return joined


def _fill_gaps(sightings: Sightings, tracks: Sequence[Track], limit: float) -> list[Track]:
    """Put each stray into the gap of a person that it fits best, if it costs less than a limit."""
    spans_s = _spans_s(sightings, tracks)
    people = [list(track) for track, span_s in zip(tracks, spans_s, strict=True) if span_s >= STRAY_S]
    strays = [track for track, span_s in zip(tracks, spans_s, strict=True) if span_s < STRAY_S]
    begins, ends = (sightings.rows[[person[at] for person in people]] for at in (0, -1))
    left = []
    for stray in strays:
        first, last = sightings.rows[stray[0]], sightings.rows[stray[-1]]
        best, best_cost = None, limit
        for who in np.flatnonzero((begins < first) & (ends > last)):
            person = people[who]
            k = bisect(person, stray[0])
            before, after = sightings.rows[person[k - 1 : k + 1]]
            if not before < first <= last < after:
                continue
            cost = _cost_between(sightings, person[:k], stray, person[k:])
            if cost < best_cost:
                best, best_cost = (person, k), cost
        if best is None:
            left.append(stray)
        else:
            person, k = best
            person[k:k] = stray
    return sorted(people + left)


def _cost_between(sightings: Sightings, before: Track, stray: Track, after: Track) -> float:
    ends = ends_of(sightings, [before, stray], at_end=True)
    starts = ends_of(sightings, [stray, after], at_end=False)
    place, manner, vagueness = misfits(ends, starts)
    return float((place + _oddity(manner) + vagueness).sum())


def _oddity(manner: FloatArray) -> FloatArray:
    return np.asarray(MOST_ODDITY * -np.expm1(-manner / MOST_ODDITY))


def _gains(
    sightings: Sightings, tracks: Sequence[Track], image_size: tuple[int, int]
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return which track may go on in which, and how much (nats) each such join explains."""
    ends = ends_of(sightings, tracks, at_end=True)
    starts = ends_of(sightings, tracks, at_end=False)
    end_at_edge, leaving = _at_edge(sightings, tracks, ends, image_size, at_end=True)
    start_at_edge, entering = _at_edge(sightings, tracks, starts, image_size, at_end=False)
    proportions = proportions_of(sightings, tracks)
    looks_before, looks_after = (_looks(sightings, tracks, at_end=at_end) for at_end in (True, False))
    looked_at = np.minimum(_spans_s(sightings, tracks) / _LOOKS_S, 1.0)
    worth = np.minimum(_spans_s(sightings, tracks) / STRAY_S, 1.0)
    order = np.argsort(starts.times_s, kind="stable")
    found = []
    for block in np.array_split(np.arange(len(tracks)), math.ceil(len(tracks) / _BLOCK)):
        i, j = _within_reach(ends, starts, block, order)
        gap_s = starts.times_s[j] - ends.times_s[i]
        # Nobody goes and comes back within a tenth of a second: who bobs at the edge is still there.
        away = gap_s > max(OPEN_S, 1.01 * sightings.frame_s)
        edge = (end_at_edge[i] | start_at_edge[j]) & away
        limit = np.where(edge, EDGE_JOIN_LIMIT, JOIN_LIMIT) * np.minimum(worth[i], worth[j])
        waiting = least_vagueness(gap_s) + GAP_RATE * gap_s
        replaced = leaving[i] & entering[j] & away
        possible = (waiting < limit) & (gap_s <= np.where(edge, AWAY_S, LOST_S)) & ~replaced
        i, j, limit, gap_s = i[possible], j[possible], limit[possible], gap_s[possible]
        place, manner, vagueness = misfits(ends[i], starts[j])
        altered = np.minimum(looked_at[i], looked_at[j]) * _altered(looks_before[i], looks_after[j])
        unlike = _unlike(proportions[i], proportions[j]) + altered
        gain = limit - (place + _oddity(manner) + vagueness + GAP_RATE * gap_s + unlike)
        found.append((i[gain > 0], j[gain > 0], gain[gain > 0]))
    i, j, gain = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return i, j, gain


def _within_reach(ends: Ends, starts: Ends, which: IntArray, order: IntArray) -> tuple[IntArray, IntArray]:
    """Return the pairs of some ends with all beginnings to which somebody could get in time."""
    times = starts.times_s[order]
    first = np.searchsorted(times, ends.times_s[which], side="right")
    last = np.searchsorted(times, ends.times_s[which] + LOST_S, side="right")
    i = np.repeat(which, last - first)
    j = order[np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True)])]
    size_px = np.sqrt(ends.sizes_px[i] * starts.sizes_px[j])
    way = np.linalg.norm(starts.centres_px[j] - ends.centres_px[i], axis=1) / size_px
    near = way <= TOP_SLIP + TOP_SPEED * (starts.times_s[j] - ends.times_s[i])
    return i[near], j[near]


def _spans_s(sightings: Sightings, tracks: Sequence[Track]) -> FloatArray:
    """How long each track was seen, its first frame counted."""
    ends = np.array([(track[0], track[-1]) for track in tracks])
    return np.asarray(sightings.times_s[ends[:, 1]] - sightings.times_s[ends[:, 0]] + sightings.frame_s)


def _at_edge(
    sightings: Sightings, tracks: Sequence[Track], ends: Ends, image_size: tuple[int, int], *, at_end: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whose centre is near the edge of the picture, and who walks out there, or in at the beginning.

    Whom only a turn of the camera takes out of the picture has not walked.
    """
    which = [track[-1 if at_end else 0] for track in tracks]
    centres, sizes = sightings.centres_px[which], sightings.sizes_px[which, None]
    moving = [velocity_of(sightings.centres_px, sightings.times_s, track, at_end=at_end) for track in tracks]
    way = 1.0 if at_end else -1.0
    before = centres < EDGE_MARGIN * sizes
    after = centres > np.array(image_size) - EDGE_MARGIN * sizes
    unknown = ends.velocity_precision[:, None] == 0
    in_picture = way * np.array(moving)[:, :2] / sizes
    of_their_own = way * ends.velocities / ends.sizes_px[:, None]
    left_or_up = np.maximum(in_picture, of_their_own) < -LEAVING_SPEED
    right_or_down = np.minimum(in_picture, of_their_own) > LEAVING_SPEED
    outward = (before & (unknown | left_or_up)) | (after & (unknown | right_or_down))
    return (before | after).any(axis=1), outward.any(axis=1)


def proportions_of(sightings: Sightings, tracks: Sequence[Track]) -> FloatArray:
    """Return (M, B) logarithms of each track's median bone lengths; NaN without landmarks."""
    return np.asarray(np.log([np.median(sightings.bones_m[track], axis=0) for track in tracks]))


def _looks(sightings: Sightings, tracks: Sequence[Track], *, at_end: bool) -> FloatArray:
    """Return (M, D) how each track looks in the half second at one of its ends."""
    times = sightings.times_s
    near = []
    for track in tracks:
        part = track[-1:-65:-1] if at_end else track[:64]
        near.append([i for i in part if abs(times[i] - times[part[0]]) <= _LOOKS_S])
    return mean_looks(sightings.appearance, near)


def _altered(before: FloatArray, after: FloatArray) -> FloatArray:
    """Return the cost (nats) of looking otherwise, 0 where looks are not known."""
    return np.asarray(np.minimum(np.nan_to_num(unlikeness(before, after)) / _LOOKS_SCALE, _LOOKS_WORST))


def _unlike(a: FloatArray, b: FloatArray) -> FloatArray:
    squared = ((a - b) / _PROPORTION_NOISE) ** 2
    return np.asarray(np.nan_to_num(squared.mean(axis=1)) / 2)


def _best_successors(i: IntArray, j: IntArray, gain: FloatArray, count: int) -> dict[int, int]:
    """Return for each end the beginning that follows it, with the greatest sum of gains.

    Every row may also take a column of its own, which means that nothing follows.
    """
    rows = np.concatenate([i, np.arange(count)])
    columns = np.concatenate([j, count + np.arange(count)])
    weights = np.concatenate([JOIN_LIMIT + 1 - gain, np.full(count, JOIN_LIMIT + 1)])
    graph = csr_array((weights, (rows, columns)), shape=(count, 2 * count))
    matched = zip(*min_weight_full_bipartite_matching(graph), strict=True)
    return {int(row): int(column) for row, column in matched if column < count}
