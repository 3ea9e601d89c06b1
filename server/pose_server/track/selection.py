"""Which number each person of a clip has, and which of them the user gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pose_shared.errors import InputError, MediaError

from pose_server.pipeline.boundary import FloatArray, Track2D

__all__ = ["choose_people", "coverage", "number_people", "unknown_person"]


def coverage(track: Track2D, frame_count: int) -> float:
    """Return the share of a clip's frames in which a person was found, 0 to 1."""
    return float(track.found.sum()) / frame_count if frame_count else 0.0


def number_people(tracks: Sequence[Track2D], frame_count: int) -> dict[int, Track2D]:
    """Return everybody by their number, counted from 1 by prominence.

    Prominence is coverage times size, the mean side of a person's box; of two equals the one comes
    first who appears first, then who stands further left.

    Raises
    ------
    MediaError
        Nobody is in the clip (``NO_PERSON``).
    """
    if not tracks:
        raise MediaError(
            "Nobody was found in the clip; people should be upright, at least a tenth of the picture high "
            "and in sight for half a second: try a clip, a range or a crop that shows them larger.",
            reason="NO_PERSON",
        )
    return dict(enumerate(sorted(tracks, key=lambda track: _rank(track, frame_count)), start=1))


def choose_people(
    people: Mapping[int, Track2D],
    *,
    count: int | None,
    persons: Sequence[int],
    people_by: str,
    frame_count: int,
) -> dict[int, Track2D]:
    """Return the people asked for, by their numbers, which stay.

    Parameters
    ----------
    people
        Everybody.
    count
        How many to keep, the first by `people_by`; all when None.
    persons
        Keep these; overrides `count`.
    people_by
        ``prominence``, ``area`` (the mean of the box's), or ``score_area`` (the mean of that times the mean
        confidence of the keypoints).
    frame_count
        Frames of the clip.

    Raises
    ------
    InputError
        There is nobody of a number in `persons` (``PERSON_UNKNOWN``).
    """
    for person in persons:
        if person not in people:
            raise unknown_person(person, people)
    if persons:
        kept = set(persons)
    else:
        ranked = sorted(people, key=lambda number: (-_worth(people[number], people_by, frame_count), number))
        kept = set(ranked[:count])
    return {number: people[number] for number in sorted(kept)}


def unknown_person(person: int, people: Mapping[int, Track2D]) -> InputError:
    """Return the error of a number that nobody has."""
    count = len(people)
    there_are = "is 1 person" if count == 1 else f"are {count} people"
    numbers = "counted from 1" if set(people) == set(range(1, count + 1)) else ", ".join(map(str, people))
    return InputError(
        f"Person {person} is not in the clip: there {there_are}, {numbers}.",
        reason="PERSON_UNKNOWN",
        person=person,
        people=count,
    )


def _worth(track: Track2D, people_by: str, frame_count: int) -> float:
    if people_by == "prominence":
        return -_rank(track, frame_count)[0]
    areas = _sides(track) ** 2
    if people_by == "score_area":
        areas = areas * track.keypoint_confidence[track.found].mean(axis=1)
    return float(areas.mean()) if len(areas) else 0.0


def _rank(track: Track2D, frame_count: int) -> tuple[float, ...]:
    sides = _sides(track)
    prominence = coverage(track, frame_count) * float(sides.mean()) if len(sides) else 0.0
    return (-prominence, float(track.indices[0]), *track.boxes_px[track.found][0].tolist())


def _sides(track: Track2D) -> FloatArray:
    """Return (n,) the mean sides of the boxes where a person was found."""
    boxes = track.boxes_px[track.found]
    return np.asarray(np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])))
