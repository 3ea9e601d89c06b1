"""Which tracks are people: neither flickers nor specks nor poses that a detector saw in a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pose_server.track.linking import Track
from pose_server.track.sightings import Sightings

__all__ = ["keep_people"]

#: Seen for less time than this (or this share of a clip that is shorter), a track is a flicker.
MIN_SEEN_S = 0.5
MIN_SEEN_SHARE = 1 / 3
#: A body smaller than this share of the picture's height is a speck, unless it is seen this often.
SPECK_SIZE = 0.04
SPECK_COVERAGE = 0.2
#: Mean confidence of all keypoints below which most of a body was never seen.
MIN_CONFIDENCE = 0.15
#: Ten bones of an adult measure 3.2 to 3.6 m in a detector's landmarks, steady to 5 %; what it takes for a
#: person in furniture or a bush stays below this length and is less steady than this from frame to frame.
GHOST_BONES_M = 2.95
GHOST_UNSTEADY = 0.05
GHOST_SIGHTINGS = 5


def keep_people(
    sightings: Sightings, tracks: Sequence[Track], image_size: tuple[int, int], *, sure_score: float = 0.0
) -> list[Track]:
    """Return the tracks that show a person.

    A track is dropped if any of these holds:

    - it is seen for less than 0.5 s, and in less than a third of the clip's frames;
    - its body is smaller than 4 % of the picture's height, and it is seen in less than 20 % of the frames;
    - the mean confidence of all its keypoints is below 0.15;
    - no detection of it has a score of `sure_score`;
    - it has landmarks whose bones are too short for a person and change their lengths.

    So the only person of a single picture, or of a clip of a few frames, always stays.
    """
    frames = len(sightings.frame_times_s)
    fewest = min(MIN_SEEN_S / sightings.frame_s, MIN_SEEN_SHARE * frames) if frames > 1 else 1
    kept = []
    for track in tracks:
        flicker = len(track) < fewest
        size = np.median(sightings.sizes_px[track]) / image_size[1]
        speck = size < SPECK_SIZE and len(track) < SPECK_COVERAGE * frames
        unseen = sightings.confidence[track].mean() < MIN_CONFIDENCE
        unsure = sightings.scores[track].max() < sure_score
        if not (flicker or speck or unseen or unsure or _is_ghost(sightings, track)):
            kept.append(track)
    return kept


def _is_ghost(sightings: Sightings, track: Track) -> bool:
    lengths = sightings.bones_m[track]
    if len(track) < GHOST_SIGHTINGS or not np.isfinite(lengths).all():
        return False
    typical = np.median(lengths, axis=0)
    unsteady = np.median(np.median(np.abs(lengths - typical), axis=0) / typical)
    return bool(typical.sum() < GHOST_BONES_M and unsteady > GHOST_UNSTEADY)
