"""Key frames are few, and no corner ties too many of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from pose_server.egomotion.background import Tracks
from pose_server.egomotion.keys import key_rows, moved_px, short_lived
from scipy.spatial.transform import Rotation
from seen_corners import corners_of, room_points

FRAMES = 60
T = np.linspace(0, 1, FRAMES)


def seen(yaw_deg: np.ndarray, **more: float) -> Tracks:
    turns = Rotation.from_euler("y", yaw_deg[:, None], degrees=True).as_matrix()
    return corners_of(turns, np.zeros((len(yaw_deg), 3)), room_points(), **more)


def test_key_frames_are_few_where_little_moves() -> None:
    assert len(key_rows(seen(0 * T, wrong=0.0))) <= 3
    assert len(key_rows(seen(5 * np.sin(40 * T)))) < 0.7 * len(key_rows(seen(40 * T)))


def test_what_two_rows_share_moved_as_the_camera_did() -> None:
    tracks = seen(40 * T, noise_px=0.0, wrong=0.0)
    moved = moved_px(tracks, 3, 5)
    a, b = (set(tracks.corner[tracks.in_row(row)].tolist()) for row in (3, 5))
    assert len(moved) == len(a & b) > 50
    # A turn of 40 / 59 * 2 degrees, of a lens of 550 px: least in the middle of the picture.
    assert moved.min() > 0.99 * 550 * np.tan(np.radians(80 / 59))


def test_a_corner_that_is_always_seen_becomes_another_now_and_then() -> None:
    frames, corners = 130, 30
    frame = np.repeat(np.arange(frames), corners)
    tracks = Tracks(
        frame, np.tile(np.arange(corners), frames), np.arange(2.0 * len(frame)).reshape(-1, 2), (), frames
    )
    cut = short_lived(tracks, np.arange(frames))
    lives = np.bincount(cut.corner)
    assert lives.max() == 40 and len(lives) == 4 * corners
    np.testing.assert_array_equal(cut.frame, frame)
    for row in range(frames):
        part = cut.in_row(row)
        assert (np.diff(cut.corner[part]) > 0).all()  # as `Tracks` has it
        np.testing.assert_array_equal(np.sort(cut.at_px[part], axis=0), tracks.at_px[part])
    # The same corner, at the same place of the picture, keeps its name within a life.
    for one, other in pairwise(range(40)):
        np.testing.assert_array_equal(cut.corner[cut.in_row(one)], cut.corner[cut.in_row(other)])
    assert short_lived(tracks.within(0, 20), np.arange(0, 20)).corner.max() == corners - 1
    few = np.arange(0, frames, 10)  # frames between keys live as long as these
    assert short_lived(tracks, few) is tracks


def test_rows_are_found_without_looking_at_the_rest() -> None:
    tracks = seen(40 * T)
    rows = np.array([2, 3, 17, 40])
    kept = np.isin(tracks.frame, rows)
    part, same = tracks.of(rows), tracks.of_rows(rows)
    np.testing.assert_array_equal(same.frame, tracks.frame[kept])
    np.testing.assert_array_equal(rows[part.frame], tracks.frame[kept])
    np.testing.assert_array_equal(part.at_px, tracks.at_px[kept])
    names = np.unique(part.corner)[::3]
    named = part.named(names)
    np.testing.assert_array_equal(names[named.corner], part.corner[np.isin(part.corner, names)])
