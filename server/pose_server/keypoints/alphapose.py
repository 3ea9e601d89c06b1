"""AlphaPose's results: a list for all pictures, or its ``cmu`` and ``open`` forms; and PoseFlow's tracks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pose_server.keypoints.clip import NOBODY
from pose_server.keypoints.openpose import is_of_alphapose, is_people, openpose_people
from pose_server.keypoints.people import Person, corners_of, numbers_of, points_of

__all__ = [
    "alphapose_frames",
    "alphapose_people",
    "is_alphapose",
    "is_alphapose_frame",
    "is_poseflow",
    "poseflow_frames",
]

Frames = dict[int, list[Person]]


def is_alphapose(document: Any) -> bool:
    """Whether this is ``alphapose-results.json`` in any of its three forms."""
    if isinstance(document, dict):
        return bool(document) and is_alphapose_frame(next(iter(document.values())))
    entry = document[0] if isinstance(document, list) and document else None
    return isinstance(entry, dict) and isinstance(entry.get("image_id"), str) and "keypoints" in entry


def is_alphapose_frame(document: Any) -> bool:
    """Whether this is one picture of the ``cmu`` or ``open`` form, as ``sep-json`` holds them."""
    if not isinstance(document, dict) or not is_of_alphapose(document):
        return False
    return isinstance(document.get("bodies"), list) or is_people(document)


def alphapose_frames(document: Any) -> Frames:
    """Return the people of every picture that has some."""
    if isinstance(document, dict):
        numbers = numbers_of(document)
        return {numbers[name]: alphapose_people(frame) for name, frame in document.items()}
    numbers = numbers_of(str(entry["image_id"]) for entry in document)
    frames: Frames = {number: [] for number in numbers.values()}
    for entry in document:
        person = Person(
            points_of(entry["keypoints"]), _identity(entry.get("idx")), corners_of(entry.get("box"))
        )
        frames[numbers[str(entry["image_id"])]].append(person)
    return frames


def alphapose_people(document: Any) -> list[Person]:
    """Return the people of one picture of the ``cmu`` or ``open`` form."""
    if "bodies" in document:
        return [Person(points_of(body["joints"])) for body in document["bodies"]]
    return openpose_people(document)


def is_poseflow(document: Any) -> bool:
    """Whether this is ``poseflow-results.json``: a list of people with ``idx`` for every picture."""
    if not isinstance(document, dict) or not all(isinstance(frame, list) for frame in document.values()):
        return False
    person = next((frame[0] for frame in document.values() if frame), None)
    return isinstance(person, dict) and {"keypoints", "idx"} <= person.keys()


def poseflow_frames(document: Mapping[str, Any]) -> Frames:
    """Return the people of every picture, with PoseFlow's identities."""
    numbers = numbers_of(document)
    return {
        numbers[name]: [Person(points_of(p["keypoints"]), _identity(p["idx"])) for p in people]
        for name, people in document.items()
    }


def _identity(idx: Any) -> int:
    """Return a person's number, of which AlphaPose's trackers write several where they joined boxes."""
    while isinstance(idx, list) and idx:
        idx = idx[0]
    if isinstance(idx, (int, float)) and not isinstance(idx, bool) and 0 <= idx < 2**31:
        return int(idx)
    return NOBODY
