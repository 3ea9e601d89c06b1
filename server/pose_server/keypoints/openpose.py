"""OpenPose's ``--write_json``: a file a frame; and the same as tf-pose-estimation and AlphaPose write it."""

from __future__ import annotations

from typing import Any

from pose_server.keypoints.clip import NOBODY
from pose_server.keypoints.people import Person, points_of

__all__ = ["is_of_alphapose", "is_openpose", "is_people", "is_tf_pose", "openpose_people", "tf_pose_people"]

#: Since version 1.1, and before.
_KEYS = ("pose_keypoints_2d", "pose_keypoints")
#: tf-pose-estimation writes x and y of 18 points.
_TF_POSE_VALUES = 36


def is_openpose(document: Any) -> bool:
    """Whether this is one frame of OpenPose's, and not of one who writes as it does and says so."""
    return is_people(document) and not is_tf_pose(document) and not is_of_alphapose(document)


def is_tf_pose(document: Any) -> bool:
    """Whether this is one frame of tf-pose-estimation's, which looks like OpenPose's without confidence."""
    if not is_people(document):
        return False
    lengths = [len(values) for values in _values(document) if isinstance(values, list) and values]
    return bool(lengths) and all(length == _TF_POSE_VALUES for length in lengths)


def is_of_alphapose(document: Any) -> bool:
    """Whether a frame says that AlphaPose wrote it."""
    return str(document.get("version", "")).startswith("AlphaPose")


def openpose_people(document: Any) -> list[Person]:
    """Return the people of a frame; ``{}`` and people without points are none."""
    return [
        Person(points_of(values), identity=_identity(person))
        for person, values in zip(document["people"], _values(document), strict=True)
        if values
    ]


def tf_pose_people(document: Any) -> list[Person]:
    """Return the people of a frame; whatever was found has confidence 1."""
    return [Person(points_of(values, columns=2)) for values in _values(document) if values]


def is_people(document: Any) -> bool:
    """Whether this is one frame in OpenPose's form, whoever wrote it."""
    if not isinstance(document, dict) or not isinstance(document.get("people"), list):
        return False
    people = document["people"]
    return all(isinstance(person, dict) for person in people) and (
        not people or any(not person or any(key in person for key in _KEYS) for person in people)
    )


def _values(document: Any) -> list[Any]:
    return [next((person[key] for key in _KEYS if key in person), None) for person in document["people"]]


def _identity(person: Any) -> int:
    """Return what OpenPose's tracker found; it writes [-1] where none ran."""
    known = person.get("person_id")
    if isinstance(known, list) and len(known) == 1 and isinstance(known[0], int) and known[0] >= 0:
        return int(known[0])
    return NOBODY
