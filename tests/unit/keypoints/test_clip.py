"""Pixels and sizes: what is taken for what, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_keypoints import coco_results, made_points, write_detectron
from pose_server.keypoints.clip import KeypointClip
from pose_server.keypoints.registry import read_keypoints
from pose_shared.errors import InputError

POINTS = made_points(frames=5, people=2)


def read(path: Path, points: np.ndarray) -> KeypointClip:
    (path / "r.json").write_text(json.dumps(coco_results(points)))
    return read_keypoints(path / "r.json")[0]


def reason_of(clip: KeypointClip, size: tuple[int, int] | None) -> str:
    with pytest.raises(InputError) as error:
        clip.sized(size)
    return error.value.reason


def test_the_centre_of_the_first_pixel(tmp_path: Path) -> None:
    """COCO's results count pixels, Detectron's arrays measure from the corner of the first one."""
    points = POINTS.copy()
    points[0, 0, 0, :2] = 10, 20
    detectron = read_keypoints(write_detectron(tmp_path / "f.npz", points))[0]
    assert read(tmp_path, points).keypoints_px[0, 0].tolist() == [10.5, 20.5]
    assert detectron.keypoints_px[0, 0].tolist() == [10, 20]


def test_shares_of_the_picture_become_pixels(tmp_path: Path) -> None:
    shares = POINTS.copy()
    shares[..., :2] /= 640, 480
    clip = read(tmp_path, shares).sized((640, 480))
    np.testing.assert_allclose(clip.keypoints_px.reshape(POINTS[..., :2].shape), POINTS[..., :2], atol=1e-9)
    assert clip.boxes_px.max() > 100


def test_shares_about_the_middle_are_refused(tmp_path: Path) -> None:
    points = POINTS.copy()
    points[..., :2] = points[..., :2] / 320 - 1
    assert reason_of(read(tmp_path, points), (640, 480)) == "KEYPOINTS_NORMALISED"


def test_a_size_that_cannot_be_theirs(tmp_path: Path) -> None:
    clip = read(tmp_path, POINTS)
    assert reason_of(clip, (100, 100)) == "KEYPOINTS_OUTSIDE"
    assert reason_of(clip, None) == "KEYPOINTS_SIZE_MISSING"
    assert reason_of(replace(clip, size=(640, 480)), (480, 640)) == "KEYPOINTS_SIZE_DIFFERS"
    for size in ((0, 480), (1 << 20, 10), (16000, 16000), (-640, 480)):
        assert reason_of(replace(clip, size=size), None) == "KEYPOINTS_SIZE_INVALID"
    assert replace(clip, size=(640, 480)).sized(None).size == (640, 480)


def test_boxes_are_those_of_the_points_seen(tmp_path: Path) -> None:
    points = POINTS.copy()
    points[0, 0, 5] = 0
    clip = read(tmp_path, points)
    seen = np.delete(points[0, 0, :, :2], 5, axis=0) + 0.5
    np.testing.assert_allclose(clip.boxes_px[0], [*seen.min(axis=0), *seen.max(axis=0)])


def test_detections_of_a_frame_are_those_of_it(tmp_path: Path) -> None:
    clip = read(tmp_path, POINTS[:, :1])
    clip = replace(clip, frames=clip.frames + np.array([0, 0, 1, 1, 1]), frame_count=6)
    assert [len(clip.detections(i, index=i, time_s=0.0)) for i in range(-1, 7)] == [0, 1, 1, 0, 1, 1, 1, 0]
    found = clip.detections(3, index=33, time_s=1.5)
    assert (found.index, found.time_s) == (33, 1.5)
    np.testing.assert_array_equal(found.keypoints_px[0], clip.keypoints_px[2])
    assert np.isnan(found.landmarks_m).all()
