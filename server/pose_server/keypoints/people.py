"""From the people that a reader found to a `KeypointClip`: what every format has in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from pose_shared.errors import InputError
from pose_shared.skeleton import JOINT_SETS, JointSet

from pose_server.keypoints.clip import NOBODY, SHARES_END, KeypointClip
from pose_server.keypoints.files import trailing_number
from pose_server.pipeline.boundary import FloatArray

__all__ = [
    "BODY_LAYOUTS",
    "PIXEL_INDEX",
    "FoundClip",
    "Person",
    "clip_of",
    "corners_of",
    "layouts_of",
    "numbers_of",
    "points_of",
]

#: What to add where the centre of the first pixel is 0: networks trained on COCO's annotations, which
#: are indices of pixels, answer in them.
PIXEL_INDEX = 0.5
#: Fewer points than these are no person but a part torn off.
_FEWEST_POINTS = 3
_MOST_POINTS = 1000
_MOST_PEOPLE = 1000
_MOST_POINTS_IN_ALL = 8_000_000
#: Frames without a file are frames without anybody, but a number far from all others is a mistake.
_MOST_FRAMES, _FRAMES_FOR_EACH, _FRAMES_BESIDE = 1_000_000, 30, 1000
_FARTHEST_PX = 1e5
#: Confidence whose usual best (95th percentile) lies beyond these is on another scale than 0 to 1.
_SURE_LOW, _SURE_HIGH = 0.3, 1.2
#: What a whole body is written in; of two of the same length the first one, unless a format knows better.
BODY_LAYOUTS = (
    "coco_17",
    "coco_18",
    "body_25",
    "body_25b",
    "halpe_26",
    "blazepose_33",
    "wholebody_133",
    "fullbody_136",
    "mpii_16",
    "h36m_17",
    "humaneva_15",
)


@dataclass(frozen=True)
class Person:
    """Somebody in one frame, as a file has them."""

    points: FloatArray
    """(K, 3) x, y, confidence; all 0 or no numbers where missing."""
    identity: int = NOBODY
    box: FloatArray | None = None
    """(4,) left, top, right, bottom."""
    score: float | None = None
    """0..1; the mean confidence where the file has none."""


@dataclass(frozen=True)
class FoundClip:
    """What a reader gets out of a file."""

    name: str
    people: Mapping[int, Sequence[Person]]
    """By the file's own frame numbers; a frame without anybody may be there or not."""
    layouts: tuple[str, ...] = BODY_LAYOUTS
    """Joint sets it can be in, the likeliest first."""
    shift_px: float = 0.0
    """What makes the centre of the first pixel (0.5, 0.5)."""
    size: tuple[int, int] | None = None
    rate: Fraction | None = None
    names: tuple[str, ...] | None = None
    """Of its points, from a file that names them."""


def points_of(values: Any, columns: int = 3) -> FloatArray:
    """Return (K, 3) from a flat list of x, y and, with three columns, confidence.

    Raises
    ------
    ValueError
        It is no such list.
    """
    if not isinstance(values, list) or len(values) > columns * _MOST_POINTS:
        raise ValueError("a person is no list of points")
    flat = np.array(values, dtype=np.float64)
    if flat.ndim != 1 or len(flat) % columns:
        raise ValueError(f"a person has {flat.size} values, which are not {columns} for each point")
    points = flat.reshape(-1, columns)
    if columns == 2:
        found = (points != 0).any(axis=1)
        points = np.concatenate([points, found[:, None].astype(float)], axis=1)
    return points


def corners_of(box: Any) -> FloatArray | None:
    """Return left, top, right, bottom of COCO's left, top, width, height; None for anything else."""
    if not isinstance(box, list) or len(box) != 4:
        return None
    left, top, width, height = box
    return np.array([left, top, left + width, top + height], dtype=np.float64)


def numbers_of(names: Iterable[str]) -> dict[str, int]:
    """Return the frame number of each picture's name; those without numbers follow each other.

    Raises
    ------
    ValueError
        They belong to several clips.
    """
    named = list(dict.fromkeys(names))
    parts = [trailing_number(name) for name in named]
    if any(number is None for _, number in parts):
        return {name: place for place, name in enumerate(named)}
    numbers = {name: number for name, (_, number) in zip(named, parts, strict=True) if number is not None}
    if len(set(numbers.values())) < len(numbers):
        raise ValueError("pictures of several clips have the same numbers")
    return numbers


def layouts_of(count: int, layouts: Iterable[str]) -> list[JointSet]:
    """Return the joint sets of so many points, in their order."""
    return [JOINT_SETS[name] for name in layouts if len(JOINT_SETS[name]) == count]


def clip_of(found: FoundClip, *, format_name: str, sha256: str) -> KeypointClip:
    """Check what a reader found, and return it as arrays.

    Raises
    ------
    InputError
        Nobody is in any frame (``KEYPOINTS_EMPTY``).
    ValueError
        Its content makes no sense.
    """
    rows = [(number, person) for number in sorted(found.people) for person in found.people[number]]
    if any(len(there) > _MOST_PEOPLE for there in found.people.values()):
        raise ValueError(f"it has more than {_MOST_PEOPLE} people in a frame")
    if sum(len(person.points) for _, person in rows) > _MOST_POINTS_IN_ALL:
        raise ValueError(f"it has more than {_MOST_POINTS_IN_ALL} points")
    rows = [(number, person) for number, person in rows if _seen(person.points).sum() >= _FEWEST_POINTS]
    if not rows:
        raise InputError(
            f"Nobody is in any frame of '{found.name}'; run the detector again with a lower threshold, "
            "or give another file.",
            reason="KEYPOINTS_EMPTY",
            path=found.name,
        )
    first, count = _span(found.people)
    lengths = {len(person.points) for _, person in rows}
    if len(lengths) > 1:
        raise ValueError(f"its people have {min(lengths)} to {max(lengths)} points")
    points = np.stack([person.points for _, person in rows])
    seen = _seen(points)
    if np.abs(points[seen][:, :2]).max() > _FARTHEST_PX:
        raise ValueError(f"a point lies farther than {_FARTHEST_PX:.0f} pixels away")
    # Shares of the picture are no pixels, and have no half ones either.
    shift_px = found.shift_px if np.abs(points[seen][:, :2]).max() > SHARES_END else 0.0
    pixels = np.where(seen[..., None], points[..., :2] + shift_px, np.nan)
    confidence = _to_one(np.where(seen, points[..., 2], 0.0))
    scores = [
        person.score if person.score is not None else float(sure.mean())
        for (_, person), sure in zip(rows, confidence, strict=True)
    ]
    boxes = np.concatenate([np.nanmin(pixels, axis=1), np.nanmax(pixels, axis=1)], axis=1)
    for row, (_, person) in enumerate(rows):
        if person.box is not None and _is_box(person.box):
            boxes[row] = person.box + shift_px
    names = found.names or _layout(found, points, seen).joints
    if len(names) != points.shape[1] or len(set(names)) < len(names):
        raise ValueError(f"its {points.shape[1]} points have {len(set(names))} names")
    clip = KeypointClip(
        name=found.name,
        format=format_name,
        keypoint_names=tuple(names),
        first_number=first,
        frame_count=count,
        frames=np.array([number - first for number, _ in rows], dtype=np.int64),
        keypoints_px=pixels,
        confidence=confidence,
        scores=np.clip(np.nan_to_num(np.array(scores, dtype=np.float64)), 0.0, 1.0),
        boxes_px=boxes,
        identities=np.array([person.identity for _, person in rows], dtype=np.int64),
        size=found.size,
        rate=found.rate,
        sha256=sha256,
    )
    return _once_a_frame(clip)


def _seen(points: FloatArray) -> Any:
    """Return (..., K) which points are there."""
    there = np.isfinite(points).all(axis=-1) & (points[..., 2] > 0)
    return there & (points[..., :2] != 0).any(axis=-1)


def _to_one(confidence: FloatArray) -> FloatArray:
    """Bring confidence to 0..1, by what the best points of the file have."""
    best = float(np.percentile(confidence[confidence > 0], 95))
    scale = best if not _SURE_LOW <= best <= _SURE_HIGH else 1.0
    return np.clip(confidence / scale, 0.0, 1.0)


def _is_box(box: FloatArray) -> bool:
    sensible = box.shape == (4,) and bool(np.isfinite(box).all()) and np.abs(box).max() < _FARTHEST_PX
    return sensible and bool((box[2:] > box[:2]).all())


def _span(people: Mapping[int, object]) -> tuple[int, int]:
    """Return the first frame number and how many frames there are up to the last."""
    first, last = min(people), max(people)
    count = last - first + 1
    if first < 0 or count > min(_MOST_FRAMES, _FRAMES_FOR_EACH * len(people) + _FRAMES_BESIDE):
        raise ValueError(f"its {len(people)} frames are numbered from {first} to {last}")
    return first, count


def _layout(found: FoundClip, points: FloatArray, seen: Any) -> JointSet:
    count = points.shape[1]
    layouts = layouts_of(count, found.layouts)
    if not layouts:
        known = ", ".join(sorted({str(len(JOINT_SETS[name])) for name in found.layouts}, key=int))
        raise ValueError(f"its people have {count} points, and bodies of {known} are known")
    return min(layouts, key=lambda layout: _misfit(layout, points, seen))


def _misfit(layout: JointSet, points: FloatArray, seen: Any) -> float:
    """Return how far the neck is from the middle of the shoulders, and the pelvis from that of the hips.

    In sizes of the body; 0 where a set has neither.  It tells sets of equal length from each other.
    """
    names, misfits = layout.joints, []
    for middle, sides in (("neck", "shoulder"), ("pelvis", "hip")):
        if middle not in names:
            continue
        columns = [names.index(name) for name in (middle, f"left_{sides}", f"right_{sides}")]
        rows = seen[:, columns].all(axis=1)
        if rows.any():
            there = points[rows][..., :2]
            off = there[:, columns[0]] - there[:, columns[1:]].mean(axis=1)
            extent = np.where(seen[rows][..., None], there, np.nan)
            size = np.linalg.norm(np.nanmax(extent, axis=1) - np.nanmin(extent, axis=1), axis=1)
            misfits.append(float(np.median(np.linalg.norm(off, axis=1) / np.maximum(size, 1e-9))))
    return max(misfits, default=0.0)


def _once_a_frame(clip: KeypointClip) -> KeypointClip:
    """Keep the better of two sightings of one person in one frame."""
    if not clip.identified:
        return clip
    order = np.lexsort((-clip.scores, clip.identities, clip.frames))
    keys = np.stack([clip.frames[order], clip.identities[order]])
    again = np.concatenate([[False], (keys[:, 1:] == keys[:, :-1]).all(axis=0)])
    kept = np.sort(order[~again])
    arrays = ("frames", "keypoints_px", "confidence", "scores", "boxes_px", "identities")
    return replace(clip, **{name: getattr(clip, name)[kept] for name in arrays})
