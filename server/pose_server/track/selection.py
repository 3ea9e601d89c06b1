"""Which of the people in a clip the user gets, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pose_shared.errors import InputError, MediaError

from pose_server.pipeline.boundary import Track2D

__all__ = ["coverage", "select_people"]


def coverage(track: Track2D, frame_count: int) -> float:
    """Return the share of a clip's frames in which a person was found, 0 to 1."""
    return float(track.found.sum()) / frame_count if frame_count else 0.0


def select_people(
    tracks: Sequence[Track2D], *, people: int | None, persons: tuple[int, ...], frame_count: int
) -> list[Track2D]:
    """Return the people asked for, the most prominent first.

    Prominence is coverage times size, the mean side of a person's box; of two equals the one comes
    first who appears first, then who stands further left.

    Parameters
    ----------
    tracks
        Everybody, in any order.
    people
        How many of the most prominent to keep; all when None.
    persons
        Keep these, counted from 1 in the order of prominence; overrides `people`.
    frame_count
        Frames of the clip.

    Raises
    ------
    MediaError
        Nobody is in the clip (``NO_PERSON``).
    InputError
        There are fewer people than a number in `persons` (``PERSON_UNKNOWN``).
    """
    if not tracks:
        raise MediaError(
            "Nobody was found in the clip; people should be upright, at least a tenth of the picture high "
            "and in sight for half a second: try a clip, a range or a crop that shows them larger.",
            reason="NO_PERSON",
        )
    ranked = sorted(tracks, key=lambda track: _rank(track, frame_count))
    unknown = [person for person in persons if not 1 <= person <= len(ranked)]
    if unknown:
        there_are = "is 1 person" if len(ranked) == 1 else f"are {len(ranked)} people"
        raise InputError(
            f"Person {unknown[0]} is not in the clip: there {there_are}, counted from 1.",
            reason="PERSON_UNKNOWN",
            person=unknown[0],
            people=len(ranked),
        )
    if persons:
        return [ranked[person - 1] for person in sorted(set(persons))]
    return ranked[:people]


def _rank(track: Track2D, frame_count: int) -> tuple[float, ...]:
    boxes = track.boxes_px[track.found]
    sides = np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
    prominence = coverage(track, frame_count) * float(sides.mean()) if len(boxes) else 0.0
    return (-prominence, float(track.indices[0]), *boxes[0].tolist())
