"""Which of turning, zooming and travelling explains what was seen, and how well: without any pictures."""

from __future__ import annotations

import numpy as np
import pytest
from pose_server.egomotion.background import Tracks
from pose_server.egomotion.keys import key_rows
from pose_server.egomotion.models import Move, move_of
from scipy.spatial.transform import Rotation
from seen_corners import corners_of, room_points

FRAMES, FOCAL_PX = 60, 550.0
T = np.linspace(0, 1, FRAMES)
ZERO = np.zeros(FRAMES)
SWAY = np.stack([np.sin(9 * T), np.sin(7 * T + 1), np.sin(5 * T)], axis=1)


def turned(yaw: np.ndarray, pitch: np.ndarray = ZERO) -> np.ndarray:
    return Rotation.from_euler("yx", np.stack([yaw, pitch], axis=1), degrees=True).as_matrix()


PAN = turned(30 * T, 4 * np.sin(7 * T))
HAND = turned(2 * np.sin(11 * T), np.sin(13 * T))
SIDE, FORWARD = (np.outer(2 * T, axis) for axis in ([1, 0, 0], [0, 0, 1.5]))
LATER = np.outer(2 * np.maximum(T - 0.4, 0), [1, 0, 0])


def moved(
    turns: np.ndarray, places: np.ndarray, *, guess: float = 1.0, sigma: float = 0.25, **more: float
) -> Move:
    tracks = corners_of(turns, places, room_points(), focal_px=FOCAL_PX, **more)
    return move_of(tracks, 0, FRAMES, focal_px=FOCAL_PX * guess, focal_sigma=sigma)


def path_error(move: Move, turns: np.ndarray, places: np.ndarray) -> float:
    """Return the largest distance over the path's length, after the best similarity (Umeyama, 1991)."""
    true = (places - places[0]) @ turns[0].T
    found, wanted = move.places - move.places.mean(axis=0), true - true.mean(axis=0)
    u, s, vt = np.linalg.svd(wanted.T @ found)
    sign = np.diag([1, 1, np.linalg.det(u @ vt)])
    factor = (s * np.diag(sign)).sum() / (found**2).sum()
    away = np.linalg.norm(factor * found @ (u @ sign @ vt).T - wanted, axis=1)
    return float(away.max() / np.linalg.norm(np.diff(true, axis=0), axis=1).sum())


def worst_deg(move: Move, turns: np.ndarray) -> float:
    away = Rotation.from_matrix(move.turns).inv() * Rotation.from_matrix(turns @ turns[0].T)
    return float(np.degrees(away.magnitude()).max())


@pytest.mark.parametrize("guess", [0.75, 1.0, 1.25])
def test_a_pan_tells_the_lens_and_nothing_of_travel(guess: float) -> None:
    move = moved(PAN, 0 * SWAY, guess=guess)
    assert move.kind == "turns" and worst_deg(move, PAN) < 0.3
    assert abs(np.log(move.focal_px / FOCAL_PX)) < 2 * move.focal_sigma < 0.1


@pytest.mark.parametrize("guess", [0.8, 1.25])
def test_a_known_lens_is_believed_even_if_it_is_wrong(guess: float) -> None:
    move = moved(PAN, 0 * SWAY, guess=guess, sigma=0.0)
    assert move.kind == "turns" and not move.places.any()
    # A longer lens makes less of a turn of the same pixels.
    assert Rotation.from_matrix(move.turns[-1]).magnitude() * guess == pytest.approx(np.radians(30), rel=0.1)
    assert move.focal_px == pytest.approx(FOCAL_PX, rel=0.02)  # but what is seen is said


@pytest.mark.parametrize(
    ("guess", "share", "most_deg"), [(1.0, 0.01, 0.4), (0.8, 0.1, 5.0), (1.25, 0.1, 5.0)]
)
@pytest.mark.parametrize(
    ("turns", "places"),
    [(HAND, SIDE), (HAND, FORWARD), (HAND, 0.2 * SWAY), (PAN, LATER)],
    ids=["side", "forward", "sway", "stands, then moves"],
)
def test_travel_is_found_and_hardly_bent_by_a_wrong_lens(
    turns: np.ndarray, places: np.ndarray, guess: float, share: float, most_deg: float
) -> None:
    move = moved(turns, places, guess=guess, sigma=0.0)
    assert move.kind == "travels"
    assert path_error(move, turns, places) < share and worst_deg(move, turns) < most_deg


def test_travel_before_one_wall_is_travel() -> None:
    wall = np.column_stack([np.random.default_rng(0).uniform(-9, 9, (900, 2)), np.full(900, 6.0)])
    tracks = corners_of(HAND, 1.5 * SIDE, wall, focal_px=FOCAL_PX)
    move = move_of(tracks, 0, FRAMES, focal_px=FOCAL_PX, focal_sigma=0.0)
    assert move.kind == "travels" and path_error(move, HAND, SIDE) < 0.05


@pytest.mark.parametrize("seed", range(4))
def test_a_hand_that_trembles_does_not_travel(seed: int) -> None:
    move = moved(HAND, 0.01 * SWAY, noise_px=0.5, seed=seed)
    assert move.kind == "turns" and worst_deg(move, HAND) < 0.5


def test_a_zoom_is_no_travel() -> None:
    rng = np.random.default_rng(0)
    tracks = corners_of(PAN, 0 * SWAY, room_points(), focal_px=FOCAL_PX)
    # Longer by 1.5 in the end; what leaves the picture is still seen, which no matter.
    at_px = tracks.at_px * np.exp(0.4 * T[tracks.frame])[:, None] + rng.normal(0, 0.1, tracks.at_px.shape)
    zoomed = type(tracks)(tracks.frame, tracks.corner, at_px, (), FRAMES)
    move = move_of(zoomed, 0, FRAMES, focal_px=FOCAL_PX, focal_sigma=0.0)
    assert move.kind == "zooms" and not move.places.any() and worst_deg(move, PAN) < 0.5


def test_who_sees_nothing_stands_still() -> None:
    tracks = corners_of(PAN, 0 * SWAY, np.zeros((0, 3)), focal_px=FOCAL_PX)
    move = move_of(tracks, 0, FRAMES, focal_px=FOCAL_PX, focal_sigma=0.25)
    assert move.kind == "turns" and worst_deg(move, turned(ZERO)) < 1e-6 and not np.isfinite(move.focal_sigma)


def test_frames_that_see_nothing_lie_between_their_neighbours() -> None:
    tracks = corners_of(PAN, 0 * SWAY, room_points(), focal_px=FOCAL_PX)
    seen = (tracks.frame < 20) | (tracks.frame > 23)
    gone = type(tracks)(tracks.frame[seen], tracks.corner[seen], tracks.at_px[seen], (), FRAMES)
    move = move_of(gone, 0, FRAMES, focal_px=FOCAL_PX, focal_sigma=0.0)
    assert worst_deg(move, PAN) < 0.3


def test_the_lens_is_as_far_off_as_is_said() -> None:
    off, told = [], []
    for seed in range(20):
        wide, rng = 10 + 2 * seed, np.random.default_rng(seed)
        turns = turned(wide * T, rng.uniform(0, 5) * np.sin(6 * T))
        move = moved(turns, 0 * SWAY, guess=float(rng.uniform(0.8, 1.25)), noise_px=0.4, seed=seed)
        if np.isfinite(move.focal_sigma):
            off.append(abs(np.log(move.focal_px / FOCAL_PX)))
            told.append(move.focal_sigma)
    assert len(off) >= 14 and (np.array(off) < 2 * np.array(told)).mean() >= 0.93


#: A walk along a wall, that begins on the spot, looking about.
LONG = 400
WALK = Rotation.from_euler(
    "yx", np.stack([6 * np.sin(np.arange(LONG) / 37), 2 * np.sin(np.arange(LONG) / 10)], axis=1), degrees=True
).as_matrix()
WAY = np.outer(0.045 * np.maximum(np.arange(LONG) - 80, 0), [1, 0, 0.1])


def long_walk() -> Tracks:
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.uniform(-8, 30, 5000), rng.uniform(-2, 2, 5000), rng.uniform(2.5, 9, 5000)])
    return corners_of(WALK, WAY, points, focal_px=FOCAL_PX, wrong=0.02)


def test_a_long_way_is_grown_from_a_stretch_of_it() -> None:
    told: list[float] = []
    tracks = long_walk()
    assert len(key_rows(tracks)) > 60  # more than are looked at as a whole
    move = move_of(tracks, 0, LONG, focal_px=1.1 * FOCAL_PX, focal_sigma=0.25, report=told.append)
    assert move.kind == "travels" and move.focal_px == pytest.approx(FOCAL_PX, rel=0.02)
    assert path_error(move, WALK, WAY) < 0.005 and worst_deg(move, WALK) < 0.5
    steps = np.linalg.norm(np.diff(move.places, axis=0), axis=1)[100:]
    assert steps.max() < 1.5 * np.median(steps)  # it never jumps
    assert told == sorted(told) and told[0] == 0 and 0.9 < told[-1] <= 1 and len(told) > 100


@pytest.mark.parametrize("at", [0.0, 0.1, 0.6, 0.75])
def test_it_may_be_cancelled_at_any_time(at: float) -> None:
    class Cancelled(Exception):
        pass

    def report(share: float) -> None:
        if share >= at:
            raise Cancelled

    with pytest.raises(Cancelled):
        move_of(
            corners_of(HAND, SIDE, room_points()),
            0,
            FRAMES,
            focal_px=FOCAL_PX,
            focal_sigma=0.0,
            report=report,
        )
