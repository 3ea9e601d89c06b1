from __future__ import annotations

import numpy as np
import pytest
from made_takes import walks
from pose_server.evaluate.mocap import LIMB_JOINTS, PERFECT
from pose_server.evaluate.moves import MOVES, TRAVELS, moved_before
from pose_server.evaluate.shooting import Shooting, shot
from pose_server.pipeline.camera import project
from pose_shared.skeleton import SEEN_27
from scipy.spatial.transform import Rotation

UP = np.array([0.0, -1.0, 0.0])
SEEN = [SEEN_27.index(name) for name in LIMB_JOINTS]


def walked(frames: int = 150) -> np.ndarray:
    """Along a line across the picture, 4 m away, at 1 m/s and 30 Hz."""
    return np.linspace(0, frames / 30, frames)[:, None] * [1.0, 0.0, 0.0] + [-2.5, 0.1, 4.0]


@pytest.mark.parametrize("move", MOVES)
def test_every_camera_begins_where_it_stands_and_keeps_the_person(move: str) -> None:
    root = walked()
    path = moved_before(root, UP, move, rate_hz=30.0, rng=np.random.default_rng(4))
    assert (path.places is not None) == (move in TRAVELS)
    places = np.zeros_like(root) if path.places is None else path.places
    np.testing.assert_allclose(places[0], 0, atol=1e-12)
    np.testing.assert_allclose(path.turns[0], np.eye(3), atol=1e-12)
    if move == "still":
        np.testing.assert_allclose(path.turns, path.turns[:1].repeat(150, axis=0))
        return
    seen = ((root - places)[:, None] @ np.swapaxes(path.turns, 1, 2))[:, 0]
    bearing = np.degrees(np.arctan2(seen[:, 0], seen[:, 2]))
    assert np.ptp(bearing) < 12 and seen[:, 2].min() > 1
    # No camera jolts: nothing is faster than hands.
    turned = Rotation.from_matrix(path.turns[1:] @ np.swapaxes(path.turns[:-1], 1, 2)).magnitude()
    assert np.degrees(turned).max() < 3 and np.linalg.norm(np.diff(places, axis=0), axis=1).max() < 0.12


def test_they_go_the_way_they_are_called() -> None:
    root = walked()

    def places(move: str) -> np.ndarray:
        path = moved_before(root, UP, move, rate_hz=30.0, rng=np.random.default_rng(4))
        assert path.places is not None and path.metric
        return path.places

    assert np.linalg.norm(places("dolly")[-1]) == pytest.approx(0.5 * 149 / 30)
    beside = places("beside")
    np.testing.assert_allclose(beside[75] - beside[15], root[75] - root[15], atol=0.35)
    middle = root.mean(axis=0)
    around = np.linalg.norm(places("orbit") - middle, axis=1)
    np.testing.assert_allclose(around, around[0], rtol=0.02)
    assert 0.01 < places("handheld").std(axis=0).max() < 0.15


def test_the_truth_of_a_moving_camera_lies_on_its_pixels() -> None:
    still = Shooting(count=2, outliers=0.0, sights=PERFECT)
    for move in ("orbit", "beside"):
        shots = zip(
            shot(walks(2, 2.0), still),
            shot(walks(2, 2.0), Shooting(count=2, outliers=0.0, sights=PERFECT, move=move)),
            strict=True,
        )
        for one, other in shots:
            assert one.path is None and other.path is not None and other.path.places is not None
            pixels = project(other.joints_m, other.camera.matrix)
            np.testing.assert_allclose(other.track.keypoints_px[:, SEEN], pixels, atol=0.1)
            # Back in the first frame's axes, from its place, both have the same people.
            back = other.joints_m @ other.path.turns + other.path.places[:, None]
            np.testing.assert_allclose(back, one.joints_m, atol=1e-4)
            np.testing.assert_allclose((other.up[:, None] @ other.path.turns)[:, 0], one.up, atol=1e-3)
