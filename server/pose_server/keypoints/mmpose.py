"""MMPose's predictions: of its inferencer, and of its demo scripts with ``--save-predictions``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pose_server.keypoints.clip import NOBODY
from pose_server.keypoints.people import Person, points_of
from pose_server.pipeline.boundary import FloatArray

__all__ = ["is_mmpose", "is_mmpose_picture", "mmpose_frames", "mmpose_layouts", "mmpose_people"]

_HUMAN36M_FIRST = "root"


def is_mmpose(document: Any) -> bool:
    """Whether this has a list of instances for every frame of a film."""
    frames = _frames_in(document)
    frame = frames[0] if isinstance(frames, list) and frames else None
    return isinstance(frame, dict) and {"frame_id", "instances"} <= frame.keys()


def is_mmpose_picture(document: Any) -> bool:
    """Whether this is the list of instances of one picture."""
    person = document[0] if isinstance(document, list) and document else None
    return isinstance(person, dict) and {"keypoints", "keypoint_scores"} <= person.keys()


def mmpose_frames(document: Any) -> dict[int, list[Person]]:
    """Return the people of every frame, counted from 0; the demo scripts count from 1."""
    frames: dict[int, list[Person]] = {}
    before = 1 if isinstance(document, dict) else 0
    for frame in _frames_in(document):
        if not isinstance(frame["frame_id"], int) or frame["frame_id"] - before in frames:
            raise ValueError(f"a frame has the number {frame['frame_id']!r}")
        frames[frame["frame_id"] - before] = mmpose_people(frame["instances"])
    return frames


def mmpose_people(instances: Any) -> list[Person]:
    """Return the people of one picture."""
    return [_person(instance) for instance in instances]


def mmpose_layouts(document: Any) -> tuple[str, ...]:
    """Return the joint sets that the file's own names of its points mean; none where it names none."""
    meta = document.get("meta_info") if isinstance(document, dict) else None
    names = meta.get("keypoint_id2name") if isinstance(meta, Mapping) else None
    if isinstance(names, Mapping) and str(names.get("0")) == _HUMAN36M_FIRST:
        return ("h36m_17",)
    return ()


def _frames_in(document: Any) -> Any:
    return document.get("instance_info") if isinstance(document, dict) else document


def _person(instance: Any) -> Person:
    pairs, scores = instance["keypoints"], instance["keypoint_scores"]
    if any(len(pair) != 2 for pair in pairs) or len(pairs) != len(scores):
        raise ValueError("an instance has not one score for each pair of coordinates")
    known = instance.get("track_id")
    return Person(
        points_of([value for pair, score in zip(pairs, scores, strict=True) for value in (*pair, score)]),
        identity=known if isinstance(known, int) and 0 <= known < 2**31 else NOBODY,
        box=_box(instance.get("bbox")),
    )


def _box(box: Any) -> FloatArray | None:
    """Return left, top, right, bottom, which MMPose wraps in one more list."""
    if isinstance(box, list) and len(box) == 1:
        box = box[0]
    if not isinstance(box, list) or len(box) != 4:
        return None
    return np.array(box, dtype=np.float64)
