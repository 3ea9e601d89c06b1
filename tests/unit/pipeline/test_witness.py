"""What is remembered of frames for tracking: in whichever order detections settle, and how much it holds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from pose_server.pipeline.boundary import Detections
from pose_server.pipeline.witness import Witness
from pose_server.track.appearance import APPEARANCE_SIZE, unlikeness
from pose_server.track.footage import Footage
from pose_shared.skeleton import COCO_17

NAMES = COCO_17.joints
SIZE = (900, 600)
_DOWN = {"ear": 0, "shoulder": 60, "elbow": 110, "wrist": 150, "hip": 160, "knee": 230, "ankle": 300}


def person(x: float) -> NDArray[np.float64]:
    points = np.full((len(NAMES), 2), np.nan)
    for k, name in enumerate(NAMES):
        side, _, joint = name.partition("_")
        if joint in _DOWN:
            points[k] = x + (20 if side == "left" else -20), 150 + _DOWN[joint]
    return points


def film(frames: int = 12, step_px: int = 0) -> tuple[list[NDArray[np.uint8]], list[Detections]]:
    """Two people in red and blue who stand before a wall of patches; the camera pans by `step_px`."""
    random = np.random.default_rng(2)
    patches = random.integers(60, 200, (20, 60, 1)).repeat(3, axis=2).astype(np.uint8)
    wall = patches.repeat(40, axis=0)[:600].repeat(40, axis=1)
    pictures, found = [], []
    for index in range(frames):
        places = [600 - step_px * index, 250 - step_px * index]
        picture = wall[:, step_px * index : step_px * index + 900].copy()
        for x, colour in zip(places, ((200, 20, 20), (20, 20, 200)), strict=True):
            picture[130:470, max(0, x - 40) : x + 40] = colour
        points = np.array([person(x) for x in places])
        pictures.append(picture)
        found.append(
            Detections(
                index=index + 5,
                time_s=index / 30,
                boxes_px=np.array([[x - 40.0, 130.0, x + 40.0, 470.0] for x in places]),
                scores=np.ones(2),
                keypoints_px=points,
                keypoint_confidence=np.where(np.isfinite(points).all(axis=2), 0.9, 0.0),
                landmarks_m=np.full((2, len(NAMES), 3), np.nan),
            )
        )
    return pictures, found


def witnessed(pictures: list[NDArray[np.uint8]], found: list[Detections], lag: int) -> Witness:
    witness = Witness(SIZE, NAMES)
    for k, picture in enumerate(pictures):
        witness.take(k + 5, picture)
        if k >= lag:
            witness.settle(found[k - lag])
    for late in found[len(found) - lag :]:
        witness.settle(late)
    return witness


@pytest.mark.parametrize("lag", [1, 9])
def test_how_late_a_detector_is_changes_nothing(lag: int) -> None:
    pictures, found = film(step_px=4)
    prompt = witnessed(pictures, found, 0).footage(still=False)
    late = witnessed(pictures, found, lag).footage(still=False)
    for name, values in prompt.arrays().items():
        assert np.array_equal(values, late.arrays()[name], equal_nan=True), name


def test_looks_are_in_the_order_of_the_detections() -> None:
    looks = witnessed(*film(), 3).footage(still=True).appearance.astype(float)
    assert looks.shape == (24, APPEARANCE_SIZE)
    assert unlikeness(looks[0], looks[22]) < 0.02
    assert unlikeness(looks[1], looks[23]) < 0.02
    assert unlikeness(looks[0], looks[1]) > 0.5


def test_the_steady_picture_is_that_of_the_first_frame_in_pixels_of_the_frames() -> None:
    footage = witnessed(*film(step_px=6), 2).footage(still=False)
    moved = footage.steady[:, :, :2] @ np.array([450.0, 300.0]) + footage.steady[:, :, 2]
    wanted = np.stack([450.0 + 6 * np.arange(12), np.full(12, 300.0)], axis=1)
    assert np.abs(moved - wanted).max() < 3


def test_a_camera_that_is_known_to_stand_still_does() -> None:
    footage = witnessed(*film(step_px=6), 2).footage(still=True)
    assert np.array_equal(footage.steady, np.repeat(np.eye(2, 3)[None], 12, axis=0))


def test_a_blurred_person_is_less_sharp() -> None:
    import cv2

    pictures, found = film(2)
    for picture in pictures:
        picture[200:400:4, 560:640] = 255
    pictures[1] = cv2.blur(pictures[1], (25, 25))
    sharp = witnessed(pictures, found, 0).footage(still=True).sharpness
    assert sharp[0] > 3 * sharp[2]


def test_pictures_are_let_go_of_once_they_are_settled() -> None:
    pictures, found = film(12)
    witness = Witness(SIZE, NAMES)
    for k, picture in enumerate(pictures):
        witness.take(k + 5, picture)
        assert len(witness._kept) <= 4
        if k >= 3:
            witness.settle(found[k - 3])
    assert max(picture.nbytes for picture, _ in witness._kept.values()) < 0.6e6


def test_nothing_seen_is_an_empty_footage_that_can_be_kept() -> None:
    footage = Witness(SIZE, NAMES).footage(still=True)
    again = Footage.of_arrays(footage.arrays())
    assert (again.appearance.shape, again.sharpness.shape, again.steady.shape) == (
        (0, APPEARANCE_SIZE),
        (0,),
        (0, 2, 3),
    )
