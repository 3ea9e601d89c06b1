"""Who is at a point of the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pose_shared.errors import InputError

from pose_server.pipeline.boundary import FloatArray, IntArray, Track2D
from pose_server.track.sightings import BONES

__all__ = ["person_at"]

#: Boxes reach this much further than they say.
_AROUND = 0.05
#: Who is missed in the very frame is where they are next found, within this time.
_NEAR_S = 0.25
_SURE = 0.3
_LIMBS = (
    *BONES,
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
    ("nose", "left_shoulder"),
    ("nose", "right_shoulder"),
)


def person_at(
    people: Mapping[int, Track2D],
    point_px: tuple[float, float],
    frame: int,
    *,
    frame_indices: IntArray,
    frame_times_s: FloatArray,
) -> int:
    """Return the number of the person whose body is nearest to a point inside their box.

    Parameters
    ----------
    people
        Everybody by number.
    point_px
        In the upright picture.
    frame
        Source frame number.
    frame_indices, frame_times_s
        (F,) of the whole clip.

    Raises
    ------
    InputError
        Nobody is there (``CLICK_NOBODY``); says who is near.
    """
    at = np.array(point_px)
    time_s = float(np.interp(frame, frame_indices, frame_times_s))
    there = {number: row for number, track in people.items() if (row := _row_near(track, time_s)) is not None}
    hit = {
        number: _distance(people[number], row, at)
        for number, row in there.items()
        if _outside(people[number].boxes_px[row], at, _AROUND) == 0
    }
    if hit:
        return min(hit, key=lambda number: (hit[number], number))
    raise InputError(
        f"Nobody is at {at[0]:g},{at[1]:g} in frame {frame}{_who_is_near(people, there, at, frame)}",
        reason="CLICK_NOBODY",
        frame=frame,
    )


def _who_is_near(people: Mapping[int, Track2D], there: Mapping[int, int], at: FloatArray, frame: int) -> str:
    if there:
        away = {number: _outside(people[number].boxes_px[row], at, 0.0) for number, row in there.items()}
        number = min(away, key=lambda person: (away[person], person))
        left, top, right, bottom = people[number].boxes_px[there[number]]
        return (
            f"; person {number} is nearest, around {(left + right) / 2:.0f},{(top + bottom) / 2:.0f}. "
            "Click on them, or name another frame."
        )
    number = min(people, key=lambda person: _frames_away(people[person].indices, frame))
    seen = people[number].indices
    return f", nor is anybody else; person {number} is seen from frame {seen[0]} to {seen[-1]}."


def _frames_away(indices: Sequence[int] | IntArray, frame: int) -> int:
    return max(int(indices[0]) - frame, frame - int(indices[-1]), 0)


def _row_near(track: Track2D, time_s: float) -> int | None:
    rows = np.flatnonzero(track.found)
    away = np.abs(track.times_s[rows] - time_s)
    nearest = int(away.argmin())
    return int(rows[nearest]) if away[nearest] <= _NEAR_S else None


def _outside(box_px: FloatArray, at: FloatArray, around: float) -> float:
    """Return how far a point lies outside of a box, 0 inside."""
    margin = around * (box_px[2:] - box_px[:2])
    beyond = np.maximum(np.maximum(box_px[:2] - margin - at, at - box_px[2:] - margin), 0)
    return float(np.hypot(*beyond))


def _distance(track: Track2D, row: int, at: FloatArray) -> float:
    """Return how far a point is from somebody's limbs, from the middle of their box if none is seen."""
    names = track.keypoint_names
    points, confidence = track.keypoints_px[row], track.keypoint_confidence[row]
    distances = []
    for start, end in _LIMBS:
        if start not in names or end not in names:
            continue
        a, b = names.index(start), names.index(end)
        if min(confidence[a], confidence[b]) < _SURE:
            continue
        along = points[b] - points[a]
        share = np.clip((at - points[a]) @ along / max(float(along @ along), 1e-6), 0, 1)
        distances.append(float(np.linalg.norm(points[a] + share * along - at)))
    box = track.boxes_px[row]
    return min(distances, default=float(np.linalg.norm((box[:2] + box[2:]) / 2 - at)))
