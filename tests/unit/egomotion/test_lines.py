"""Lines of a background: without the people before it, however long the clip is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from pose_server.egomotion.lines import Backdrop, lines_of
from pose_server.pipeline.boundary import Detections

SIZE = (640, 360)
WALL = 120


def frame_of(left: int | None, shelf: int = 100) -> np.ndarray:
    """Return an RGB frame with a shelf, and somebody of 80 by 200 pixels with sharp edges."""
    picture = np.full((*SIZE[::-1], 3), WALL, np.uint8)
    cv2.line(picture, (20, shelf), (620, shelf), (250, 250, 250), 6)
    if left is not None:
        picture[120:320, left : left + 80] = 10
    return picture


def seen(index: int, left: int | None) -> Detections:
    boxes = np.zeros((0, 4)) if left is None else np.array([[left, 120.0, left + 80, 320.0]])
    count = len(boxes)
    return Detections(
        index=index,
        time_s=index / 30,
        boxes_px=boxes,
        scores=np.ones(count),
        keypoints_px=np.zeros((count, 1, 2)),
        keypoint_confidence=np.zeros((count, 1)),
        landmarks_m=np.zeros((count, 1, 3)),
    )


def backdrop_of(lefts: list[int | None], first: int = 0, **looks: int) -> tuple[Backdrop, list[Detections]]:
    backdrop = Backdrop()
    for number, left in enumerate(lefts):
        backdrop.look(first + 15 * number, frame_of(left, **looks))
    return backdrop, [seen(first + 15 * number, left) for number, left in enumerate(lefts)]


def directions(lines: np.ndarray) -> np.ndarray:
    along = lines[:, 1] - lines[:, 0]
    return np.degrees(np.arctan2(along[:, 1], along[:, 0])) % 180


@pytest.mark.parametrize("lefts", [[50, 50, 50], [50, 200, 350, 500], [50]])
def test_nobody_leaves_lines_behind(lefts: list[int | None]) -> None:
    backdrop, found = backdrop_of(lefts, first=7)
    lines = backdrop.lines(found, SIZE, still=True)
    assert len(lines) >= 1
    assert np.minimum(directions(lines), 180 - directions(lines)).max() < 3, "people stand upright"
    assert np.abs(lines[..., 1] - 100).max() < 6


def test_an_undetected_person_does() -> None:
    backdrop, _ = backdrop_of([50, 50])
    assert (np.abs(directions(backdrop.lines([], SIZE, still=True)) - 90) < 3).any()


def test_only_the_first_frame_of_a_moving_camera_counts() -> None:
    backdrop = Backdrop()
    for index, shelf in enumerate((60, 160, 260)):
        backdrop.look(index, frame_of(None, shelf))
    first = backdrop.lines([], SIZE, still=False)
    assert np.abs(first[..., 1] - 60).max() < 6
    assert np.ptp(backdrop.lines([], SIZE, still=True)[..., 1]) > 150


def test_long_clips_are_seen_to_their_end_in_as_little_memory() -> None:
    backdrop = Backdrop()
    for index in range(1000):
        backdrop.look(index, frame_of(None))
    kept = [index for index, _ in backdrop._kept]
    assert len(kept) < 16 and kept[0] == 0 and max(kept) > 850
    assert len(set(np.diff(kept))) == 1


def test_pixels_are_those_of_the_clip_however_large() -> None:
    backdrop = Backdrop()
    large = cv2.resize(frame_of(None), None, fx=4, fy=4)
    backdrop.look(0, large)
    lines = backdrop.lines([], (2560, 1440), still=True)
    assert np.abs(lines[..., 1] - 402).max() < 24 and np.ptp(lines[..., 0]) > 2200


def test_nothing_seen_gives_no_lines() -> None:
    assert Backdrop().lines([], SIZE, still=True).shape == (0, 2, 2)
    assert lines_of(np.zeros((50, 50), np.uint8)).shape == (0, 2, 2)
