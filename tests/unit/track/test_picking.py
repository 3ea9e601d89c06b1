"""Clicks on people: whom they mean, and what is said where nobody is."""

from __future__ import annotations

import numpy as np
import pytest
from pose_server.pipeline.boundary import Track2D
from pose_server.track.picking import person_at
from pose_shared.errors import InputError
from pose_shared.skeleton import COCO_17

NAMES = COCO_17.joints
FRAMES, TIMES_S = np.arange(60), np.arange(60) / 30


def standing(
    x: float, *, first: int = 0, last: int = 59, height: float = 200.0, missed: tuple[int, ...] = ()
) -> Track2D:
    """Somebody upright about `x`, arms spread to half their height on both sides."""
    places = {"shoulder": (0.15, 0.2), "elbow": (0.35, 0.2), "wrist": (0.5, 0.2)}
    places |= {"hip": (0.1, 0.5), "knee": (0.1, 0.75), "ankle": (0.1, 1.0)}
    points = np.zeros((len(NAMES), 2))
    for k, name in enumerate(NAMES):
        side, _, joint = name.partition("_")
        across, down = places.get(joint, (0.0, 0.05))
        points[k] = x + (across if side == "left" else -across) * height, 100 + down * height
    rows = last - first + 1
    box = np.array([points[:, 0].min(), 100, points[:, 0].max(), 100 + height])
    boxes = np.tile(box, (rows, 1))
    boxes[np.array(missed, dtype=int) - first] = np.nan
    return Track2D(
        keypoint_names=NAMES,
        indices=np.arange(first, last + 1),
        times_s=TIMES_S[first : last + 1],
        boxes_px=boxes,
        keypoints_px=np.tile(points, (rows, 1, 1)),
        keypoint_confidence=np.full((rows, len(NAMES)), 0.9),
        landmarks_m=np.full((rows, len(NAMES), 3), np.nan),
    )


def at(people: dict[int, Track2D], x: float, y: float, frame: int = 0) -> int:
    return person_at(people, (x, y), frame, frame_indices=FRAMES, frame_times_s=TIMES_S)


def test_a_click_on_somebody_is_theirs() -> None:
    people = {1: standing(200), 2: standing(500), 5: standing(800)}
    assert [at(people, x, 200) for x in (200, 500, 800)] == [1, 2, 5]


def test_of_two_boxes_the_nearer_body_is_meant() -> None:
    people = {1: standing(300), 2: standing(380)}
    assert at(people, 320, 250) == 1
    assert at(people, 365, 250) == 2
    assert at(people, 378, 180) == 2


def test_what_stands_in_front_of_a_box_is_told_by_its_limbs() -> None:
    people = {1: standing(300, height=400), 2: standing(420, height=100)}
    assert at(people, 420, 150) == 2
    assert at(people, 300, 300) == 1


def test_somebody_missed_in_the_frame_is_where_they_are_found_next() -> None:
    people = {1: standing(300, missed=tuple(range(20, 26)))}
    assert at(people, 300, 200, 22) == 1
    with pytest.raises(InputError):
        at({1: standing(300, missed=tuple(range(10, 40)))}, 300, 200, 25)


def test_beside_everybody_is_nobody_and_who_is_near_is_said() -> None:
    with pytest.raises(
        InputError, match="Nobody is at 620,200 in frame 3; person 2 is nearest, around 500,200"
    ) as caught:
        at({1: standing(200), 2: standing(500)}, 620, 200, 3)
    assert caught.value.reason == "CLICK_NOBODY"


def test_in_an_empty_frame_it_is_said_when_there_is_somebody() -> None:
    with pytest.raises(InputError, match="nor is anybody else; person 2 is seen from frame 20 to 40"):
        at({1: standing(200, first=50), 2: standing(200, first=20, last=40)}, 200, 200, 2)


def test_a_body_without_sure_keypoints_is_where_its_box_is() -> None:
    vague = standing(300)
    vague.keypoint_confidence[:] = 0.1
    assert at({1: vague, 2: standing(800)}, 310, 190) == 1
