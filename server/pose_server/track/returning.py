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

# Measured in docs/detectors.md: halves of one stay in the picture are unlike by 0.002 to 0.028; two men in
# black, one in a hooded jacket and one in a T-shirt, by 0.031 to 0.047.
#: People whose looks differ by more than this are not known again.
SAME_LOOKS = 0.015
#: Nor if somebody else looks as much like one of them as they do, give or take this.
CLEARLY = 0.01
#: Root mean square difference of the logarithms of bones; one person's halves differ by up to 0.08.
SAME_PROPORTIONS = 0.09
#: What was seen for less time, or in fewer frames, is not known well enough.
_FEWEST = 8
_MOST_SIGHTINGS = 512


def join_returned(sightings: Sightings, people: Sequence[Track]) -> list[Track]:
    """Join tracks of people who were away.

    Two tracks, one of which begins after the other has ended, are one person if they look alike, have
    the same proportions where those are known, and nobody else comes near: everybody who is as like, but
    cannot be the same person because both were in the picture at once, puts them in doubt.

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
    apart = np.array([unlikeness(look, looks) for look in looks])
    proportions = proportions_of(sightings, people)
    built = np.array([_difference(one, proportions) for one in proportions])
    rows = np.array([(sightings.rows[track[0]], sightings.rows[track[-1]]) for track in people])
    together = (rows[:, None, 0] <= rows[None, :, 1]) & (rows[None, :, 0] <= rows[:, None, 1])
    seen = np.array([len(track) >= _FEWEST for track in people])
    apart = np.where(np.isfinite(apart) & seen & seen[:, None], apart, np.inf)
    joined = np.where(together | (built > SAME_PROPORTIONS) | (apart > SAME_LOOKS), np.inf, apart)
    np.fill_diagonal(joined, np.inf)
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


def _difference(one: FloatArray, others: FloatArray) -> FloatArray:
    """Return (M,) root mean square differences of logarithms of bones, 0 where they are not known."""
    return np.asarray(np.sqrt(np.nan_to_num(((others - one) ** 2).mean(axis=1))))
