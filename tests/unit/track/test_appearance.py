"""Colours of a body's parts: what tells people apart, and what does not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from pose_server.track.appearance import APPEARANCE_SIZE, PARTS, AppearanceReader, mean_looks, unlikeness
from pose_shared.skeleton import BLAZEPOSE_33, COCO_17

NAMES = BLAZEPOSE_33.joints
#: Of a body that stands upright, in a picture of 400 x 300.
JOINTS = {
    "shoulder": (30, 80),
    "elbow": (38, 125),
    "wrist": (40, 165),
    "hip": (18, 170),
    "knee": (18, 220),
    "ankle": (18, 270),
    "ear": (8, 45),
}


def body(names: tuple[str, ...] = NAMES, x: float = 150.0) -> NDArray[np.float64]:
    points = np.full((1, len(names), 2), np.nan)
    for k, name in enumerate(names):
        side, _, joint = name.partition("_")
        if joint in JOINTS:
            across, down = JOINTS[joint]
            points[0, k] = x + (across if side == "left" else -across), down
    return points


def dressed(shirt: tuple[int, int, int], trousers: tuple[int, int, int], x: int = 150) -> NDArray[np.uint8]:
    picture = np.full((300, 400, 3), 120, dtype=np.uint8)
    picture[20:72, x - 20 : x + 20] = (90, 60, 40)
    picture[72:175, x - 48 : x + 48] = shirt
    picture[175:300, x - 30 : x + 30] = trousers
    return picture


def look(picture: NDArray[np.uint8], points: NDArray[np.float64], scale: float = 1.0) -> NDArray[np.float64]:
    confidence = np.where(np.isfinite(points).all(axis=2), 0.9, 0.0)
    return AppearanceReader(NAMES).read(picture, scale, points, confidence)[0].astype(float)


RED, BLUE, BLACK, WHITE = (200, 30, 30), (30, 40, 180), (15, 15, 15), (240, 240, 240)


def test_each_part_is_a_distribution_of_its_own() -> None:
    bins = look(dressed(RED, BLUE), body()).reshape(len(PARTS), -1)
    assert np.allclose(bins.sum(axis=1), 1, atol=2e-3)
    trunk, thighs, shins = (bins[PARTS.index(part)] for part in ("trunk", "thighs", "shins"))
    assert np.allclose(thighs, shins, atol=0.05)
    assert np.abs(trunk - thighs).sum() > 1


def test_the_same_clothes_are_alike_wherever_somebody_stands_and_others_are_not() -> None:
    here = look(dressed(RED, BLUE), body())
    there = look(dressed(RED, BLUE, 260), body(x=260))
    assert unlikeness(here, there) < 0.01
    for other in (dressed(BLUE, BLUE), dressed(RED, BLACK), dressed(WHITE, BLUE)):
        assert unlikeness(here, look(other, body())) > 0.1


def test_a_darker_picture_changes_less_than_other_clothes_do() -> None:
    here = look(dressed(RED, BLUE), body())
    darker = look((dressed(RED, BLUE) * 0.85).astype(np.uint8), body())
    assert unlikeness(here, darker) < 0.03
    assert unlikeness(here, look(dressed((200, 120, 30), BLUE), body())) > 2 * unlikeness(here, darker)


def test_a_smaller_picture_shows_the_same() -> None:
    whole, half = look(dressed(RED, BLUE), body()), look(dressed(RED, BLUE)[::2, ::2], body(), 0.5)
    assert unlikeness(whole, half) < 0.01


def test_what_is_not_seen_is_missing_and_counts_for_nothing() -> None:
    points = body()
    legs = [k for k, name in enumerate(NAMES) if name.endswith(("knee", "ankle"))]
    points[0, legs] = np.nan
    above = look(dressed(RED, BLUE), points).reshape(len(PARTS), -1)
    missing = np.isnan(above).all(axis=1)
    assert [part for part, gone in zip(PARTS, missing, strict=True) if gone] == ["thighs", "shins"]
    assert unlikeness(above.ravel(), look(dressed(RED, BLACK), body())) < 0.01
    assert np.isnan(unlikeness(np.full(APPEARANCE_SIZE, np.nan), above.ravel()))


def test_parts_outside_of_the_picture_are_missing() -> None:
    looks = look(dressed(RED, BLUE)[:170], body()).reshape(len(PARTS), -1)
    assert np.isfinite(looks[PARTS.index("trunk")]).all()
    assert np.isnan(looks[PARTS.index("shins")]).all()


def test_the_mean_leaves_out_what_is_missing() -> None:
    looks = np.full((3, 4), np.nan, np.float16)
    looks[0], looks[1, :2] = 1.0, 3.0
    means = mean_looks(looks, [[0, 1, 2], [2], []])
    assert means[0].tolist() == [2.0, 2.0, 1.0, 1.0]
    assert np.isnan(means[1:]).all()


@pytest.mark.parametrize("names", [COCO_17.joints, NAMES])
def test_any_set_of_keypoints_with_a_body_will_do(names: tuple[str, ...]) -> None:
    points = body(names)
    confidence = np.where(np.isfinite(points).all(axis=2), 0.9, 0.0)
    looks = AppearanceReader(names).read(dressed(RED, BLUE), 1.0, points, confidence)
    assert looks.shape == (1, APPEARANCE_SIZE)
    assert np.isfinite(looks).all()


def test_keypoints_without_a_body_tell_nothing() -> None:
    reader = AppearanceReader(("nose",))
    looks = reader.read(dressed(RED, BLUE), 1.0, np.full((2, 1, 2), 50.0), np.ones((2, 1)))
    assert looks.shape == (2, APPEARANCE_SIZE)
    assert np.isnan(looks).all()
    assert AppearanceReader(NAMES).read(dressed(RED, BLUE), 1.0, body()[:0], np.ones((0, 33))).shape == (
        0,
        APPEARANCE_SIZE,
    )
