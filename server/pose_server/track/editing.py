"""What the user knows better about who is who: people taken apart, and put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InputError

from pose_server.pipeline.boundary import FloatArray, IntArray, Track2D
from pose_server.track.selection import unknown_person

__all__ = ["merge_people", "split_people"]

#: Two boxes show two bodies if they share less than this of the smaller one.
_SHARED = 0.3
#: Seen apart for longer than this in all, two people are not one.
_APART_S = 0.25
_SEEN = ("boxes_px", "keypoints_px", "keypoint_confidence", "landmarks_m")


def split_people(
    people: Mapping[int, Track2D], splits: Sequence[tuple[int, int]]
) -> tuple[dict[int, Track2D], dict[tuple[int, int], int]]:
    """Make somebody new of people from a frame on.

    Parameters
    ----------
    people
        Everybody by number.
    splits
        Person and first frame of the new one, each.

    Returns
    -------
    people
        With the new ones, who are counted on from the last number in the order of person and frame.
    numbers
        Of the new ones, by what split made them.

    Raises
    ------
    InputError
        There is no such person (``PERSON_UNKNOWN``), or they are not seen on both sides of a split
        (``TRACK_EDIT_INVALID``).
    """
    edited, numbers = dict(people), {}
    for person, _ in splits:
        if person not in people:
            raise unknown_person(person, people)
    parts: dict[int, int] = {}
    for number, (person, frame) in enumerate(sorted(set(splits)), start=max(people, default=0) + 1):
        last = parts.get(person, person)
        track = edited[last]
        seen = track.indices[track.found]
        if not seen[0] < frame <= seen[-1]:
            raise InputError(
                f"Person {person} cannot be split at frame {frame}: they are seen from frame {seen[0]} to "
                f"{seen[-1]}; split after the first of them.",
                reason="TRACK_EDIT_INVALID",
                person=person,
                frame=frame,
            )
        edited[last] = _rows(track, track.found & (track.indices < frame))
        edited[number] = _rows(track, track.found & (track.indices >= frame))
        parts[person] = numbers[person, frame] = number
    return edited, numbers


def merge_people(
    people: Mapping[int, Track2D],
    merges: Sequence[Sequence[int]],
    *,
    frame_indices: IntArray,
    frame_times_s: FloatArray,
) -> dict[int, Track2D]:
    """Make one person of several, with the lowest of their numbers.

    In a frame that more than one of them has, the sighting with the surer keypoints stays.

    Parameters
    ----------
    people
        Everybody by number.
    merges
        Numbers of those who are one, each.
    frame_indices, frame_times_s
        (F,) of the whole clip.

    Raises
    ------
    InputError
        There is no such person (``PERSON_UNKNOWN``), or some of them are seen in two places at once for
        more than a quarter of a second (``TRACK_EDIT_INVALID``).
    """
    edited = dict(people)
    for merge in merges:
        for person in merge:
            if person not in people:
                raise unknown_person(person, people)
        first, *others = sorted(merge)
        for other in others:
            one, more = (_spread(edited[person], frame_indices, frame_times_s) for person in (first, other))
            _check_apart(one, more, first, other)
            edited[first] = _merged(one, more)
            del edited[other]
    return dict(sorted(edited.items()))


def _check_apart(one: Track2D, other: Track2D, first: int, second: int) -> None:
    """Raise if two people are seen in two places at once."""
    apart = one.found & other.found & (_overlap(one, other) < _SHARED)
    if apart.sum() * np.median(np.diff(one.times_s, append=np.inf)) <= _APART_S:
        return
    frames = one.indices[apart]
    raise InputError(
        f"Persons {first} and {second} are not one: both are seen between frames {frames[0]} and "
        f"{frames[-1]}, in different places; split one of them first.",
        reason="TRACK_EDIT_INVALID",
        first=int(frames[0]),
        last=int(frames[-1]),
    )


def _merged(a: Track2D, b: Track2D) -> Track2D:
    surer = b.keypoint_confidence.sum(axis=1) > a.keypoint_confidence.sum(axis=1)
    take = b.found & (~a.found | surer)

    def mixed(name: str) -> FloatArray:
        own, theirs = getattr(a, name), getattr(b, name)
        return np.where(take.reshape(-1, *[1] * (own.ndim - 1)), theirs, own)

    seen: dict[str, Any] = {name: mixed(name) for name in _SEEN}
    merged = replace(a, **seen)
    return _rows(merged, merged.found)


def _overlap(a: Track2D, b: Track2D) -> FloatArray:
    """Return (T,) what two people's boxes share, over the smaller of both."""
    low = np.maximum(a.boxes_px[:, :2], b.boxes_px[:, :2])
    high = np.minimum(a.boxes_px[:, 2:], b.boxes_px[:, 2:])
    areas = [np.prod(t.boxes_px[:, 2:] - t.boxes_px[:, :2], axis=1) for t in (a, b)]
    return np.asarray(np.prod(np.maximum(high - low, 0), axis=1) / np.maximum(np.minimum(*areas), 1e-6))


def _rows(track: Track2D, found: NDArray[np.bool_]) -> Track2D:
    """Return the part of a track from the first to the last of some of its rows."""
    rows = np.flatnonzero(found)
    part = slice(rows[0], rows[-1] + 1)
    return replace(track, **{name: getattr(track, name)[part] for name in ("indices", "times_s", *_SEEN)})


def _spread(track: Track2D, indices: IntArray, times_s: FloatArray) -> Track2D:
    """Return a track with a row for every frame of the clip."""
    rows = np.searchsorted(indices, track.indices)

    def over(name: str) -> FloatArray:
        values = getattr(track, name)
        missing = 0.0 if name == "keypoint_confidence" else np.nan
        spread = np.full((len(indices), *values.shape[1:]), missing, dtype=values.dtype)
        spread[rows] = values
        return spread

    seen: dict[str, Any] = {name: over(name) for name in _SEEN}
    return replace(track, indices=indices, times_s=times_s, **seen)
