"""A camera that turns before a wall of noise."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from pose_server.egomotion.following import followed
from pose_server.egomotion.stillness import Stillness
from pose_server.pipeline.boundary import ClipInfo, Detections, FrameBatch
from pose_server.pipeline.camera import camera_of_clip
from pose_server.pipeline.progress import SilentProgress
from scipy.spatial.transform import Rotation

SIZE, FRAMES = (480, 270), 45
CAMERA = camera_of_clip(SIZE, fov_deg=50)
T = np.arange(FRAMES) / FRAMES
PAN = Rotation.from_euler(
    "yxz", np.stack([20 * T, 3 * np.sin(6 * T), 4 * np.sin(9 * T)], axis=1), degrees=True
).as_matrix()


class Shot:
    """A `FrameSource` that films a wall far away, and somebody who walks before it."""

    def __init__(
        self, turns: np.ndarray, walker: float = 0.0, *, width: int = 200, blank: bool = False
    ) -> None:
        rng = np.random.default_rng(1)
        wall = cv2.GaussianBlur(rng.integers(0, 256, (1200, 1600)).astype(np.uint8), (0, 0), 3)
        self.wall = np.full_like(wall, 90) if blank else cv2.normalize(wall, None, 0, 255, cv2.NORM_MINMAX)
        self.turns, self.walker, self.width = turns, walker, width
        self.patch = np.repeat(self.wall[:270, :200, None], 3, axis=2)
        self.info = ClipInfo(
            path=Path("wall.mp4"),
            width=SIZE[0],
            height=SIZE[1],
            rate=Fraction(30),
            frame_count=len(turns),
            first_frame=0,
            start_time_s=0.0,
            rotation_ccw_deg=0,
            pixel_aspect=Fraction(1),
            codec="none",
        )

    def box(self, index: int) -> np.ndarray:
        left = 20 + self.walker * index
        return np.array([[left, 0, left + self.width, 270]])

    def batches(self, size: int = 8) -> Iterator[FrameBatch]:
        on_wall = np.array([[900.0, 0, 800], [0, 900.0, 600], [0, 0, 1]])
        for start in range(0, len(self.turns), size):
            frames = []
            for index in range(start, min(start + size, len(self.turns))):
                move = CAMERA.matrix @ self.turns[index] @ np.linalg.inv(on_wall)
                grey = cv2.warpPerspective(self.wall, move, SIZE)
                frame = np.repeat(grey[..., None], 3, axis=2)
                if self.walker:
                    left, _, right, _ = self.box(index)[0].astype(int)
                    frame[:, left:right] = self.patch[:, : frame[:, left:right].shape[1]]
                frames.append(frame)
            rows = np.arange(start, start + len(frames))
            yield FrameBatch(np.stack(frames), rows, rows / 30)


def seen(shot: Shot, *, hidden: bool) -> list[Detections]:
    boxes = [shot.box(i) if hidden else np.zeros((0, 4)) for i in range(len(shot.turns))]
    return [
        Detections(
            index=i,
            time_s=i / 30,
            boxes_px=box,
            scores=np.ones(len(box)),
            keypoints_px=np.zeros((len(box), 17, 2)),
            keypoint_confidence=np.ones((len(box), 17)),
            landmarks_m=np.zeros((len(box), 17, 3)),
        )
        for i, box in enumerate(boxes)
    ]


def worst_deg(turns: np.ndarray) -> float:
    away = Rotation.from_matrix(turns).inv() * Rotation.from_matrix(PAN @ PAN[0].T)
    return float(np.degrees(away.magnitude()).max())


def test_a_pan_is_followed_beyond_the_first_picture() -> None:
    shot = Shot(PAN)
    turns = followed(shot, seen(shot, hidden=False), CAMERA, SilentProgress()).path
    assert turns is not None and worst_deg(turns.turns) < 0.15
    np.testing.assert_array_equal(turns.indices, np.arange(FRAMES))


def test_people_are_no_background() -> None:
    shot = Shot(PAN, walker=4.0)
    turns = followed(shot, seen(shot, hidden=True), CAMERA, SilentProgress()).path
    assert turns is not None and worst_deg(turns.turns) < 0.3


@pytest.mark.parametrize("blank", [False, True])
def test_a_camera_that_stands_still_or_sees_nothing_has_no_turns(blank: bool) -> None:
    shot = Shot(np.repeat(PAN[:1], 10, axis=0), blank=blank)
    assert followed(shot, seen(shot, hidden=False), CAMERA, SilentProgress()).path is None


def test_a_glance_tells_a_tripod_from_a_hand() -> None:
    rocked = Rotation.from_rotvec(np.linspace(0, 0.01, 10)[:, None] * [1.0, 0, 0]).as_matrix() @ PAN[0]
    for turns, moved in ((np.repeat(PAN[:1], 10, axis=0), False), (rocked, True), (PAN[:10], True)):
        stillness = Stillness()
        for batch in Shot(turns).batches():
            for frame in batch.frames:
                stillness.look(frame)
        assert stillness.moved is moved


def test_a_film_may_begin_in_the_dark() -> None:
    stillness = Stillness()
    for shot in (Shot(PAN[:3], blank=True), Shot(PAN[:10])):
        for batch in shot.batches():
            for frame in batch.frames:
                stillness.look(frame)
    assert stillness.moved


def test_a_glance_is_not_misled_by_who_walks_by_or_by_darkness() -> None:
    for shot in (Shot(np.repeat(PAN[:1], 10, axis=0), walker=12.0, width=90), Shot(PAN[:5], blank=True)):
        stillness = Stillness()
        for batch in shot.batches():
            for frame in batch.frames:
                stillness.look(frame)
        assert not stillness.moved
