"""Keypoint results as the COCO evaluation takes them: a list with a number for every image."""

from __future__ import annotations

from typing import Any

from pose_server.keypoints.clip import NOBODY
from pose_server.keypoints.people import Person, corners_of, points_of

__all__ = ["coco_frames", "is_coco"]


def is_coco(document: Any) -> bool:
    """Whether this is a list of results with numbered images."""
    entry = document[0] if isinstance(document, list) and document else None
    return isinstance(entry, dict) and isinstance(entry.get("image_id"), int) and "keypoints" in entry


def coco_frames(document: Any) -> dict[int, list[Person]]:
    """Return the people of every image that has some; an image's number is its frame."""
    frames: dict[int, list[Person]] = {}
    for entry in document:
        if entry.get("category_id", 1) != 1:
            continue
        number, known = entry["image_id"], entry.get("track_id")
        if not isinstance(number, int):
            raise ValueError(f"an image has the number {number!r}")
        identity = known if isinstance(known, int) and 0 <= known < 2**31 else NOBODY
        frames.setdefault(number, []).append(
            Person(points_of(entry["keypoints"]), identity, corners_of(entry.get("bbox")))
        )
    return frames
