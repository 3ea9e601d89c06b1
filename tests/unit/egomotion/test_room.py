"""Lens and vertical of made rooms, known to the last digit; and scenes that tell neither."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from made_lines import SIZE, Shot, made_clutter, made_lines, made_room, made_shot
from pose_server.egomotion.lines import lines_of
from pose_server.egomotion.room import Room, seen_room
from pose_server.pipeline.camera import camera_of_clip, with_focal
from scipy.spatial.transform import Rotation

UNKNOWN = camera_of_clip(SIZE)


def shot_of(focal_mm: float, *, pitch: float, roll: float = 0.0, yaw: float = 30.0) -> Shot:
    axes = Rotation.from_euler("ZXY", [roll, pitch, yaw], degrees=True).as_matrix()
    return Shot(focal_mm / 36 * max(SIZE), axes)


def up_error_deg(room: Room, up: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(room.vertical.up @ up, -1, 1))))


def painted(shot: Shot, seed: int) -> np.ndarray:
    """Return a grey picture of a tiled room, with noise."""
    picture = np.full(SIZE[::-1], 128.0, np.float32)
    walls = (
        ([-3, 0.0, -1], [0, 0, 1.0], [1.0, 0, 0], 9, 7),  # floor
        ([-3, 0, 8], [0, -1.0, 0], [1.0, 0, 0], 3, 7),
        ([-3, 0, -1], [0, -1.0, 0], [0, 0, 1.0], 3, 9),
        ([4, 0, -1], [0, -1.0, 0], [0, 0, 1.0], 3, 9),
    )
    rng = np.random.default_rng(seed)
    for corner, along, across, rows, columns in walls:
        for row in range(rows):
            for column in range(columns):
                square = [(row, column), (row + 1, column), (row + 1, column + 1), (row, column + 1)]
                points = np.array(
                    [np.array(corner) + np.array(along) * a + np.array(across) * b for a, b in square]
                )
                seen = (points - [0, -1.5, -3]) @ shot.axes.T
                shade = float(rng.uniform(60, 200))
                if (seen[:, 2] > 0.3).all():
                    pixels = seen[:, :2] / seen[:, 2:] * shot.focal_px + np.divide(SIZE, 2)
                    cv2.fillConvexPoly(picture, np.rint(pixels * 16).astype(np.int32), shade, cv2.LINE_AA, 4)
    blurred = cv2.GaussianBlur(picture, (0, 0), 0.8) + rng.normal(0, 2, picture.shape)
    return np.clip(blurred, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("focal_mm", "pitch", "roll"), [(24, 15, 0), (30, 25, -5), (42, 20, 6), (33, 26, 2), (26, -12, 3)]
)
def test_a_picture_of_a_room_tells_its_lens_and_what_is_up(
    focal_mm: float, pitch: float, roll: float
) -> None:
    shot = shot_of(focal_mm, pitch=pitch, roll=roll)
    room = seen_room(lines_of(painted(shot, 0)), UNKNOWN)
    assert room is not None
    assert room.focal_px == pytest.approx(shot.focal_px, rel=0.04)
    assert abs(np.log(room.focal_px / shot.focal_px)) < 2 * room.focal_sigma < 0.12
    assert up_error_deg(room, shot.up) < 1.2
    assert np.radians(up_error_deg(room, shot.up)) < 2.5 * room.vertical.sigma_rad


def test_true_lens_and_vertical_lie_within_what_is_said() -> None:
    """In 95 of a hundred; benchmarks/room.py counts more."""
    told, right, straight, found = 0, 0, 0, 0
    for seed in range(1000, 1070):
        rng = np.random.default_rng(seed)
        shot = made_shot(rng)
        lines = np.concatenate([made_lines(rng, made_room(rng), shot), made_clutter(rng, 30)])
        room = seen_room(lines, UNKNOWN)
        if room is None:
            continue
        found += 1
        straight += np.radians(up_error_deg(room, shot.up)) < 2.45 * room.vertical.sigma_rad
        if with_focal(UNKNOWN, room.focal_px, room.focal_sigma).focal_source == "estimated":
            told += 1
            right += abs(np.log(room.focal_px / shot.focal_px)) < 2 * room.focal_sigma
    assert found >= 14 and told >= 9
    assert straight >= 0.88 * found and right >= 0.85 * told


@pytest.mark.parametrize("bundles", [0, 8])
def test_lines_without_order_tell_nothing(bundles: int) -> None:
    rooms = [seen_room(made_clutter(np.random.default_rng(seed), 40, bundles), UNKNOWN) for seed in range(25)]
    assert sum(room is not None for room in rooms) <= 1


def test_few_lines_tell_nothing() -> None:
    for count in (0, 1, 2, 5):
        assert seen_room(made_clutter(np.random.default_rng(0), count), UNKNOWN) is None


def test_a_wall_seen_straight_on_tells_what_is_up_and_no_lens() -> None:
    shot = shot_of(50, pitch=0, roll=4, yaw=0)
    grid = np.arange(-2, 2.1, 0.5)
    edges = [[[x, -2, 6], [x, 2, 6]] for x in grid] + [[[-2, y, 6], [2, y, 6]] for y in grid]
    seen = np.array(edges, float) @ shot.axes.T
    pixels = seen[..., :2] / seen[..., 2:] * shot.focal_px + np.divide(SIZE, 2)
    pixels += np.random.default_rng(0).normal(0, 0.5, pixels.shape)
    room = seen_room(pixels, UNKNOWN)
    assert room is not None and up_error_deg(room, shot.up) < 2
    assert room.focal_sigma > 0.15
    assert with_focal(UNKNOWN, room.focal_px, room.focal_sigma) is UNKNOWN


def test_a_floor_alone_tells_what_is_up_and_no_lens() -> None:
    """Its boards need not lie at right angles, and nothing upright tells whether they do."""
    shot = shot_of(33, pitch=40)
    room = seen_room(lines_of(painted(shot, 0)), UNKNOWN)
    assert room is not None and up_error_deg(room, shot.up) < 3 * np.degrees(room.vertical.sigma_rad)
    assert with_focal(UNKNOWN, room.focal_px, room.focal_sigma) is UNKNOWN


def test_a_lens_that_is_known_stays_and_sharpens_the_vertical() -> None:
    shot = shot_of(45, pitch=20)
    lines = lines_of(painted(shot, 1))
    given = camera_of_clip(SIZE, focal_mm=45)
    room = seen_room(lines, given)
    assert room is not None and room.focal_px == pytest.approx(shot.focal_px, rel=0.005)
    assert up_error_deg(room, shot.up) < 1
    wrong = seen_room(lines, replace(UNKNOWN, focal_sigma=0.02))
    assert wrong is None or wrong.focal_px < 0.9 * shot.focal_px, "what is known is weighed in"


def test_the_mirror_image_tells_the_mirrored_and_a_larger_one_the_same() -> None:
    shot = shot_of(28, pitch=18, roll=5)
    lines = lines_of(painted(shot, 2))
    room = seen_room(lines, UNKNOWN)
    mirrored = seen_room(lines * [-1, 1] + [SIZE[0], 0], UNKNOWN)
    assert room is not None and mirrored is not None
    assert mirrored.vertical.up == pytest.approx(room.vertical.up * [-1, 1, 1], abs=3e-3)
    assert mirrored.focal_px == pytest.approx(room.focal_px, rel=5e-3)
    larger = seen_room(lines * 3, camera_of_clip((3 * SIZE[0], 3 * SIZE[1])))
    assert larger is not None
    assert larger.vertical.up == pytest.approx(room.vertical.up, abs=1e-6)
    assert larger.focal_px == pytest.approx(3 * room.focal_px)
