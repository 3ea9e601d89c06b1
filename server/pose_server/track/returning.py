"""Who leaves the picture and comes back: known again by looks and proportions, if beyond doubt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pose_server.pipeline.boundary import FloatArray
from pose_server.track.appearance import mean_looks, unlikeness
from pose_server.track.linking import Track
from pose_server.track.sightings import Sightings
from pose_server.track.stitching import proportions_of

__all__ = ["join_returned"]

# Measured on six people who come one by one, three of them in black, and again in a light of 15 % less: the
# same ones are unlike by 0.006 to 0.025, and differ in their bones by 0.01 to 0.04, which makes 0.4 to 1.4
# below; of different ones the nearest two men in black make 1.8 with crops that are not tracked, 7 with such.
#: Of unlikeness, and of the root mean square difference of the logarithms of bones.
_LOOKS, _BONES = 0.025, 0.05
#: What bones that are not known count.
_UNKNOWN_BONES = 0.6
#: People who differ by more than this are not known again: rather two of one than one of two.
SAME = 1.0
#: Nor if somebody else is as much like one of them as they are, give or take this.
CLEARLY = 1.0
#: What was seen for less time, or in fewer frames, is not known well enough.
_FEWEST = 8
_MOST_SIGHTINGS = 512


def join_returned(sightings: Sightings, people: Sequence[Track]) -> list[Track]:
    """Join tracks of people who were away.

    Two tracks, one of which begins after the other has ended, are one person if looks and proportions
    differ by little, and nobody else comes near: everybody who is about as like, but not the same person,
    because both were in the picture at once or differ by more, puts them in doubt.

    Returns
    -------
    list
        Tracks as ascending indices of sightings, in the order of their first one.

    Notes
    -----
    The most alike are joined first, and all tracks of one person must be like all others of theirs.
    """
    if len(people) < 2:
        return list(people)
    spread = [track[:: max(1, len(track) // _MOST_SIGHTINGS)] for track in people]
    looks = mean_looks(sightings.appearance, spread)
    proportions = proportions_of(sightings, people)
    apart = np.array(
        [
            unlikeness(look, looks) / _LOOKS + _bones_apart(bones, proportions)
            for look, bones in zip(looks, proportions, strict=True)
        ]
    )
    rows = np.array([(sightings.rows[track[0]], sightings.rows[track[-1]]) for track in people])
    together = (rows[:, None, 0] <= rows[None, :, 1]) & (rows[None, :, 0] <= rows[:, None, 1])
    seen = np.array([len(track) >= _FEWEST for track in people])
    apart = np.where(np.isfinite(apart) & seen & seen[:, None], apart, np.inf)
    joined = np.where(together | (apart > SAME), np.inf, apart)
    home = np.arange(len(people))
    pairs = np.argwhere(np.isfinite(joined) & np.tri(len(people), k=-1, dtype=np.bool_).T)
    for one, other in sorted(pairs.tolist(), key=lambda pair: (apart[pair[0], pair[1]], pair)):
        i, j = home[one], home[other]
        if i == j or np.isinf(joined[i, j]):
            continue
        same = (home == i) | (home == j)
        # Whoever might yet turn out to be the same person is no rival.
        rivals = ~same & (np.isinf(joined[i]) | np.isinf(joined[j]))[home]
        near = apart[np.ix_(same, rivals)]
        if near.size and near.min() < joined[i, j] + CLEARLY:
            joined[i, j] = joined[j, i] = np.inf
            continue
        farther = np.maximum(joined[i], joined[j])
        joined[i], joined[:, i] = farther, farther
        home[home == j] = i
    clusters = [np.flatnonzero(home == one) for one in np.unique(home)]
    return sorted(sorted(row for k in cluster for row in people[k]) for cluster in clusters)


def _bones_apart(one: FloatArray, others: FloatArray) -> FloatArray:
    """Return (M,) how much bones differ, of which (B,) and (M, B) logarithms are given."""
    squared = ((others - one) ** 2).mean(axis=1) / _BONES**2
    return np.asarray(np.where(np.isfinite(squared), squared, _UNKNOWN_BONES))
