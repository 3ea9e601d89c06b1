"""What stands behind the people, seen through a lens that bends."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from made_lines import SIZE, made_lines, made_room, made_shot
from pose_server.egomotion.background import Background, Tracks
from pose_server.egomotion.room import seen_room
from pose_server.pipeline.boundary import Camera
from pose_server.pipeline.camera import camera_of_clip
from pose_server.pipeline.distortion import distorted

BEND = np.array([-0.25, 0.05, 0.002, -0.001, 0.0])


def bent(camera: Camera, *, stretch: float = 1.0) -> Camera:
    matrix = camera.matrix.copy()
    matrix[1, 1] *= stretch
    matrix[:2, 2] += (20, -12)
    return dataclasses.replace(camera, matrix=matrix, distortion=BEND)


def corners(frame: np.ndarray, camera: Camera) -> Tracks:
    background = Background(camera)
    background.add(frame, np.zeros((0, 4)))
    return background.tracks()


def test_corners_are_those_of_a_pinhole_with_square_pixels() -> None:
    rng = np.random.default_rng(1)
    noise = cv2.GaussianBlur(rng.integers(0, 256, (540, 960, 3)).astype(np.uint8), (0, 0), 2)
    straight = camera_of_clip((960, 540), fov_deg=75)
    lens = bent(straight, stretch=1.1)
    raw, seen = corners(noise, straight), corners(noise, lens)
    scale = 640 / 960
    raw_px = raw.at_px.astype(float) / scale + straight.matrix[:2, 2]
    expected = cv2.undistortPointsIter(
        raw_px[:, None], lens.matrix, BEND, None, None, (cv2.TERM_CRITERIA_COUNT, 500, 0)
    )
    assert len(raw.corner) == len(seen.corner) > 100
    assert np.abs(seen.at_px - expected[:, 0] * lens.matrix[0, 0] * scale).max() < 0.01
    assert np.abs(seen.at_px - raw.at_px).max() > 10


@pytest.mark.parametrize("seed", [3, 4])
def test_lines_that_a_lens_bends_tell_what_straight_ones_tell(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shot = made_shot(rng)
    lines = made_lines(rng, made_room(rng, odd=0.0), shot)
    camera = dataclasses.replace(camera_of_clip(SIZE), focal_source="given", focal_sigma=None)
    matrix = camera.matrix.copy()
    matrix[[0, 1], [0, 1]] = shot.focal_px
    camera = dataclasses.replace(camera, matrix=matrix)
    lens = dataclasses.replace(camera, distortion=BEND)
    seen = distorted(lines, lens)
    seen = seen[np.isfinite(seen).all(axis=(1, 2))]
    told = [seen_room(lines, camera), seen_room(seen, lens), seen_room(seen, camera)]
    errors = [180.0 if room is None else np.degrees(np.arccos(room.vertical.up @ shot.up)) for room in told]
    assert errors[1] < errors[0] + 0.1 < 1.5
    assert errors[2] > errors[1] + 0.3  # without the calibration
