"""Who of a clip's people is in the result, and under which number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pose_shared.errors import InputError

from pose_server.pipeline.boundary import Detections, FloatArray, IntArray, Track2D
from pose_server.pipeline.moment import Moment
from pose_server.pipeline.options import ImportOptions
from pose_server.track.editing import merge_people, split_people
from pose_server.track.picking import person_at
from pose_server.track.selection import choose_people, number_people

__all__ = ["cast_people"]


def cast_people(
    tracks: Sequence[Track2D], options: ImportOptions, found: Sequence[Detections]
) -> dict[int, Track2D]:
    """Return the people asked for by their numbers, growing.

    Everybody is numbered by prominence; then what the user says of splits and merges is done; then
    those are kept who are asked for.  Numbers never change: see `TrackingOptions`.

    Parameters
    ----------
    tracks
        Everybody.
    options
        Of the import.
    found
        One for each frame of the clip.

    Raises
    ------
    MediaError
        Nobody is in the clip (``NO_PERSON``).
    InputError
        Somebody or something asked for is not there (``PERSON_UNKNOWN``, ``TRACK_EDIT_INVALID``,
        ``CLICK_NOBODY``, ``FRAME_OUTSIDE``).
    """
    tracking = options.tracking
    frames = {
        "frame_indices": np.array([frame.index for frame in found]),
        "frame_times_s": np.array([frame.time_s for frame in found]),
    }

    def frame_of(moment: Moment | None) -> int:
        return _frame_of(moment, frames["frame_indices"], frames["frame_times_s"])

    people = number_people(tracks, len(found))
    people, new = split_people(people, [(part.person, frame_of(part.at)) for part in tracking.splits])
    merges = [
        [part.person if part.at is None else new[part.person, frame_of(part.at)] for part in merge.parts]
        for merge in tracking.merges
    ]
    people = merge_people(people, merges, **frames)
    clicked = [
        person_at(people, (click.x_px, click.y_px), frame_of(click.at), **frames) for click in tracking.clicks
    ]
    return choose_people(
        people,
        count=options.people,
        persons=(*options.persons, *clicked),
        people_by=tracking.people_by,
        frame_count=len(found),
    )


def _frame_of(moment: Moment | None, indices: IntArray, times_s: FloatArray) -> int:
    """Return the source frame of a place in the clip, which must be in it."""
    if moment is None:
        return int(indices[0])
    if moment.frame is not None:
        frame = moment.frame
    else:
        row = int(np.searchsorted(times_s, (moment.seconds or 0.0) - 1e-6))
        frame = int(indices[row]) if row < len(indices) else int(indices[-1]) + 1
    if not indices[0] <= frame <= indices[-1]:
        raise InputError(
            f"{moment} lies outside of what was imported, frames {indices[0]} to {indices[-1]} "
            f"({times_s[0]:.2f} to {times_s[-1]:.2f} s); name a place in it.",
            reason="FRAME_OUTSIDE",
            value=moment,
        )
    return frame
