"""Where the background goes while the camera moves, and that a still one stands still."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pose_server.egomotion.shifts import Shifts

SIZE = (144, 256)
NOBODY = np.zeros((0, 4))


def scene(seed: int = 0) -> NDArray[np.uint8]:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (60, 90)).astype(np.uint8)
    return cv2.resize(coarse, (900, 600), interpolation=cv2.INTER_CUBIC)


def shown(transform: NDArray[np.float64], picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What a camera sees of a scene; `transform` (2, 3) maps its pixels into those of the scene."""
    return cv2.warpAffine(picture, transform, SIZE[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def moved(x: float, y: float, *, turn: float = 0.0, scale: float = 1.0) -> NDArray[np.float64]:
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    return np.array([[c, -s, 300.0 + x], [s, c, 200.0 + y]])


def relative(transforms: list[NDArray[np.float64]], point: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where a pixel of each frame is in the first frame."""
    first = np.vstack([transforms[0], (0, 0, 1)])
    back = np.linalg.inv(first)
    return np.array([(back @ np.append(one @ np.append(point, 1), 1))[:2] for one in transforms])


def followed(pictures: list[NDArray[np.uint8]], boxes: list[NDArray[np.float64]] | None = None) -> Shifts:
    shifts = Shifts()
    for k, picture in enumerate(pictures):
        shifts.look(picture)
        shifts.settle(NOBODY if boxes is None else boxes[k])
    return shifts


def places(shifts: Shifts, point: NDArray[np.float64], scale: float = 1.0) -> NDArray[np.float64]:
    steady = shifts.steady(scale)
    return steady[:, :, :2] @ point + steady[:, :, 2]


CAMERAS = {
    "pan": [moved(3.0 * t, 0) for t in range(60)],
    "whip": [moved(0 if t < 10 else min(25.0 * (t - 10), 150.0), 0) for t in range(30)],
    "shake": [moved(4 * np.sin(1.7 * t), 3 * np.cos(2.9 * t)) for t in range(60)],
    "roll": [moved(0, 0, turn=0.01 * t) for t in range(30)],
    "zoom": [moved(0, 0, scale=0.995**t) for t in range(40)],
}


@pytest.mark.parametrize("name", CAMERAS)
def test_a_moving_camera_is_undone(name: str) -> None:
    transforms, picture = CAMERAS[name], scene()
    shifts = followed([shown(transform, picture) for transform in transforms])
    for point in ((128.0, 72.0), (40.0, 30.0)):
        off = places(shifts, np.array(point)) - relative(transforms, np.array(point))
        assert np.linalg.norm(off, axis=1).max() < 2.5


def test_a_still_camera_stands_still_exactly_whatever_the_noise() -> None:
    random, picture = np.random.default_rng(1), shown(moved(0, 0), scene())
    noisy = [np.clip(picture + random.normal(0, 4, SIZE), 0, 255).astype(np.uint8) for _ in range(40)]
    assert np.array_equal(followed(noisy).steady(1.0), np.repeat(np.eye(2, 3)[None], 40, axis=0))


def test_people_who_walk_do_not_move_the_background() -> None:
    picture, body = shown(moved(0, 0), scene()), scene(7)[:110, :120]
    pictures, boxes = [], []
    for t in range(30):
        frame = picture.copy()
        left = 10 + 4 * t
        frame[20:130, left : left + 120] = body
        pictures.append(frame)
        boxes.append(np.array([[left, 20.0, left + 120.0, 130.0]]))
    assert np.abs(places(followed(pictures, boxes), np.array([128.0, 72.0])) - (128, 72)).max() < 0.5


def test_a_cut_and_a_blank_picture_move_nothing() -> None:
    blank = np.full(SIZE, 90, dtype=np.uint8)
    pictures = [shown(moved(0, 0), scene())] * 3 + [blank] * 3 + [shown(moved(0, 0), scene(3))] * 3
    assert np.array_equal(followed(pictures).steady(1.0), np.repeat(np.eye(2, 3)[None], 9, axis=0))


def test_people_may_be_heard_of_much_later() -> None:
    transforms, picture = CAMERAS["pan"][:20], scene()
    pictures = [shown(transform, picture) for transform in transforms]
    whole = places(followed(pictures), np.array([128.0, 72.0]))
    late = Shifts()
    for picture in pictures:
        late.look(picture)
    for _ in pictures:
        late.settle(NOBODY)
    assert np.array_equal(places(late, np.array([128.0, 72.0])), whole)


def test_pixels_are_those_of_the_frames() -> None:
    shifts = followed([shown(transform, scene()) for transform in CAMERAS["pan"]])
    small, large = places(shifts, np.array([0.0, 0.0])), places(shifts, np.array([0.0, 0.0]), 0.25)
    assert np.allclose(4 * small, large)
    assert shifts.steady(1.0).shape == (60, 2, 3)
    assert Shifts().steady(1.0).shape == (0, 2, 3)
