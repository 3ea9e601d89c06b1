"""A camera that turns before a wall of noise, and one that travels through a room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from filmed_room import ROOM, WALL, FilmedRoom, Plane
from pose_server.egomotion.following import Followed, followed
from pose_server.egomotion.stillness import Stillness
from pose_server.pipeline.boundary import Camera, CameraPath, ClipInfo, Detections, FrameBatch
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
        self.patch = np.repeat(self.wall[:270, :400, None], 3, axis=2)
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


def glanced(*shots: Shot, hidden: bool = False) -> bool:
    stillness, found = Stillness(), []
    for shot in shots:
        for batch in shot.batches():
            for index, frame in zip(batch.indices, batch.frames, strict=True):
                stillness.look(int(index) + len(found), frame)
        found += [replace(one, index=one.index + len(found)) for one in seen(shot, hidden=hidden)]
    return stillness.moved(found)


def test_a_glance_tells_a_tripod_from_a_hand() -> None:
    rocked = Rotation.from_rotvec(np.linspace(0, 0.01, 10)[:, None] * [1.0, 0, 0]).as_matrix() @ PAN[0]
    for turns, moved in ((np.repeat(PAN[:1], 10, axis=0), False), (rocked, True), (PAN[:10], True)):
        assert glanced(Shot(turns)) is moved


def test_a_film_may_begin_in_the_dark() -> None:
    assert glanced(Shot(PAN[:3], blank=True), Shot(PAN[:10]))


def test_a_glance_is_not_misled_by_who_walks_by_or_by_darkness() -> None:
    for shot in (Shot(np.repeat(PAN[:1], 10, axis=0), walker=12.0, width=90), Shot(PAN[:5], blank=True)):
        assert not glanced(shot)


def test_a_glance_looks_past_who_fills_the_picture() -> None:
    for turns, moved in ((np.repeat(PAN[:1], 10, axis=0), False), (PAN[:10], True)):
        close = Shot(turns, walker=6.0, width=340)
        assert glanced(close, hidden=True) is moved
    assert glanced(Shot(np.repeat(PAN[:1], 10, axis=0), walker=6.0, width=340))  # as nobody says where


#: Frames of the films of a room.
LONG = 45
R = np.linspace(0, 1, LONG)
NONE = np.zeros(LONG)


def euler(yaw: np.ndarray, pitch: np.ndarray = NONE, roll: np.ndarray = NONE) -> np.ndarray:
    return Rotation.from_euler("yxz", np.stack([yaw, pitch, roll], axis=1), degrees=True).as_matrix()


def towards(places: np.ndarray, target: list[float]) -> np.ndarray:
    ahead = np.array(target) - places
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    right = np.cross([0.0, 1.0, 0.0], ahead)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    return np.stack([right, np.cross(ahead, right), ahead], axis=1)


TREMBLE = euler(0.4 * np.sin(23 * R), 0.3 * np.sin(17 * R + 1), 0.3 * np.sin(19 * R))
SWAY = np.stack([np.sin(9 * R), np.sin(7 * R + 1), np.sin(5 * R)], axis=1)
ARC = np.stack([5 * np.sin(R - 0.5), NONE, 6 - 5 * np.cos(R - 0.5)], axis=1)
#: Turns, places, and bounds: degrees, and the share of the path's length after the best similarity.
MOVES = {
    "sway": (TREMBLE, 0.12 * SWAY, 0.35, 0.05),
    "sideways": (TREMBLE, np.stack([1.5 * R, NONE, NONE], axis=1), 0.35, 0.02),
    "forward": (TREMBLE, np.stack([NONE, NONE, 1.8 * R], axis=1), 0.35, 0.02),
    "orbit": (towards(ARC, [0, 0.5, 6.0]), ARC, 0.8, 0.02),
    "walk": (
        TREMBLE @ euler(-20 * np.sin(3 * R)),
        np.stack([1.2 * np.sin(2 * R), 0.03 * np.sin(25 * R), 1.8 * R], axis=1),
        0.35,
        0.02,
    ),
}


def room(turns: np.ndarray, places: np.ndarray, **more: object) -> FilmedRoom:
    return FilmedRoom(turns, places, size=(384, 216), **more)


def follow(film: FilmedRoom, camera: Camera | None = None) -> Followed:
    return followed(film, film.seen(), camera or film.camera, SilentProgress())


def off_deg(path: CameraPath, turns: np.ndarray) -> float:
    away = Rotation.from_matrix(path.turns).inv() * Rotation.from_matrix(turns @ turns[0].T)
    return float(np.degrees(away.magnitude()).max())


def off_path(path: CameraPath, turns: np.ndarray, places: np.ndarray) -> float:
    true = (places - places[0]) @ turns[0].T
    found, wanted = path.places - path.places.mean(axis=0), true - true.mean(axis=0)
    u, s, vt = np.linalg.svd(wanted.T @ found)
    sign = np.diag([1, 1, np.linalg.det(u @ vt)])
    factor = (s * np.diag(sign)).sum() / (found**2).sum()
    away = np.linalg.norm(factor * found @ (u @ sign @ vt).T - wanted, axis=1)
    return float(away.max() / np.linalg.norm(np.diff(true, axis=0), axis=1).sum())


@pytest.mark.parametrize("name", MOVES)
def test_travel_through_a_room_is_followed_behind_who_walks_there(name: str) -> None:
    turns, places, most_deg, most = MOVES[name]
    path = follow(room(turns, places, walker=True)).path
    assert path is not None and path.places is not None and not path.metric
    assert off_deg(path, turns) < most_deg and off_path(path, turns, places) < most


def test_a_guessed_lens_gives_way_to_what_a_pan_tells() -> None:
    film = room(euler(25 * R, 4 * np.sin(6 * R)), 0.003 * SWAY)
    matrix = film.camera.matrix * np.array([[1.25, 1, 1], [1, 1.25, 1], [1, 1, 1]])
    guessed = replace(film.camera, matrix=matrix, focal_source="assumed", focal_sigma=0.25)
    moved = follow(film, guessed)
    assert moved.path is not None and moved.path.places is None
    assert off_deg(moved.path, film.turns) < 0.5
    assert moved.focal_px is not None
    assert abs(np.log(moved.focal_px / film.camera.matrix[0, 0])) < 2 * moved.focal_sigma < 0.1


def test_a_hand_that_trembles_only_turns() -> None:
    film = room(TREMBLE @ euler(2 * np.sin(4 * R)), 0.003 * SWAY, walker=True)
    path = follow(film).path
    assert path is not None and path.places is None and off_deg(path, film.turns) < 0.2


def test_travel_along_a_bare_wall_is_never_wild() -> None:
    places = np.stack([2 * R, NONE, NONE], axis=1)
    path = follow(room(TREMBLE, places, planes=WALL)).path
    assert path is not None
    assert path.places is None or off_path(path, TREMBLE, places) < 0.1


def test_blurred_frames_do_not_cut_the_film() -> None:
    def blurred(row: int, frame: np.ndarray) -> np.ndarray:
        return cv2.blur(frame, (41, 5)) if row in (20, 21) else frame

    turns, places, _, most = MOVES["sideways"]
    moved = follow(room(turns, places, spoil=blurred))
    assert moved.breaks == () and moved.path is not None and moved.path.places is not None
    assert off_path(moved.path, turns, places) < 2 * most


def test_a_cut_is_no_move_of_the_camera() -> None:
    turns = np.repeat(np.eye(3)[None], 30, axis=0)
    turns[14:] = Rotation.from_euler("y", 180, degrees=True).as_matrix()
    back = [Plane.of(50, [5, -2.5, -6], [-10, 0, 0], [0, 4, 0])]
    moved = follow(room(turns, np.zeros((30, 3)), planes=[*ROOM, *back]))
    assert moved.path is None and moved.breaks == (14,)


def test_travel_on_both_sides_of_a_cut_has_no_common_size() -> None:
    turns, places, *_ = MOVES["sideways"]
    mirrored = [frame[::-1, ::-1] for frame in (room(turns, places).frame(row) for row in range(LONG))]
    film = room(turns, places, spoil=lambda row, frame: mirrored[row] if row >= 25 else frame)
    moved = follow(film)
    assert moved.breaks == (25,) and (moved.path is None or moved.path.places is None)


def test_a_zoom_is_said_and_not_taken_for_travel() -> None:
    moved = follow(room(TREMBLE @ euler(6 * R), 0 * SWAY, focal=np.exp(0.3 * R)))
    assert moved.zooms and moved.focal_px is None
    assert (
        moved.path is not None
        and moved.path.places is None
        and off_deg(moved.path, TREMBLE @ euler(6 * R)) < 1
    )


def test_what_was_found_is_kept() -> None:
    path = CameraPath(np.arange(3), np.repeat(np.eye(3)[None], 3, axis=0), np.ones((3, 3)))
    for moved in (
        Followed(),
        Followed(path, 500.0, 0.02, True, (4, 9)),
        Followed(replace(path, places=None)),
    ):
        again = Followed.of_arrays(moved.arrays())
        assert repr(again) == repr(moved)
