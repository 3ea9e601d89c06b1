"""Derivatives against differences, the adjustment against SciPy's, and doubt against many trials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pose_server.egomotion.background import Tracks
from pose_server.egomotion.bundle import adjusted, doubt
from pose_server.egomotion.resection import loose, resected
from pose_server.egomotion.robust import NOISE_PX
from pose_server.egomotion.scene import Freedom, Scene, away_px, linear, seen_from, tangents
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

CAMERAS, POINTS = 5, 30


def made(seed: int = 0, *, travels: bool = True, noise_px: float = 0.0) -> tuple[Scene, Tracks]:
    rng = np.random.default_rng(seed)
    turns = Rotation.from_rotvec(rng.normal(0, 0.1, (CAMERAS, 3))).as_matrix()
    places = rng.normal(0, 0.5, (CAMERAS, 3)) * travels
    turns[0], places[0] = np.eye(3), 0
    points = np.column_stack([rng.normal(0, 1.5, (POINTS, 2)), rng.uniform(4, 8, POINTS), np.ones(POINTS)])
    points[:, 3] *= travels
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    scene = Scene(turns, places, np.zeros(CAMERAS), points, 500.0)
    tracks = Tracks(
        np.repeat(np.arange(CAMERAS), POINTS),
        np.tile(np.arange(POINTS), CAMERAS),
        np.zeros((CAMERAS * POINTS, 2)),
        (),
        CAMERAS,
    )
    seen = seen_from(scene, tracks)[1] + rng.normal(0, noise_px, (CAMERAS * POINTS, 2))
    return scene, replace(tracks, at_px=seen)


def test_derivatives_are_those_of_what_is_seen() -> None:
    scene, tracks = made()
    scene = replace(scene, zooms=np.linspace(-0.1, 0.1, CAMERAS), bend=0.1)
    told = linear(scene, tracks, Freedom(500.0, 0.1, travels=True, zooms=True))
    step, before = 1e-6, seen_from(scene, tracks)[1]

    def moved(change: Scene) -> np.ndarray:
        return (seen_from(change, tracks)[1] - before) / step

    for axis in range(3):
        small = np.eye(3)[axis] * step
        turned = replace(scene, turns=Rotation.from_rotvec(small).as_matrix() @ scene.turns)
        np.testing.assert_allclose(told.camera[:, :, axis], moved(turned), rtol=1e-3, atol=1e-2)
        placed = replace(scene, places=scene.places + small)
        np.testing.assert_allclose(told.camera[:, :, 3 + axis], moved(placed), rtol=1e-3, atol=1e-2)
        points = scene.points + tangents(scene.points, 3)[:, :, axis] * step
        np.testing.assert_allclose(told.point[:, :, axis], moved(replace(scene, points=points)), atol=1e-1)
    zoomed = replace(scene, zooms=scene.zooms + step)
    np.testing.assert_allclose(told.camera[:, :, 6], moved(zoomed), rtol=1e-3, atol=1e-2)
    longer = replace(scene, focal_px=500.0 * np.exp(step))
    np.testing.assert_allclose(told.lens[:, :, 0], moved(longer), rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(
        told.lens[:, :, 1], moved(replace(scene, bend=0.1 + step)), rtol=1e-3, atol=1e-2
    )


def test_it_comes_to_rest_where_scipy_does() -> None:
    scene, tracks = made(1, travels=False, noise_px=0.03)  # far below what counts as wrong
    start = replace(scene, turns=Rotation.from_rotvec(np.full((CAMERAS, 3), 0.02)).as_matrix() @ scene.turns)
    start.turns[0] = np.eye(3)
    found = adjusted(start, tracks, Freedom(500.0, 0.0), passes=50)

    def unknowns(values: np.ndarray) -> Scene:
        turns = np.concatenate([np.eye(3)[None], Rotation.from_rotvec(values[:12].reshape(4, 3)).as_matrix()])
        points = np.column_stack([values[13:].reshape(-1, 2), np.ones(POINTS), np.zeros(POINTS)])
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        return replace(scene, turns=turns, points=points, bend=values[12])

    def left(values: np.ndarray) -> np.ndarray:
        away = seen_from(unknowns(values), tracks)[1] - tracks.at_px
        return np.append(away.ravel(), NOISE_PX / 0.05 * values[12])

    turned = Rotation.from_matrix(start.turns[1:]).as_rotvec().ravel()
    slow = least_squares(left, np.concatenate([turned, [0.0], (tracks.at_px[:POINTS] / 500.0).ravel()]))
    assert (away_px(found, tracks) ** 2).sum() == pytest.approx(2 * slow.cost, rel=1e-2)
    apart = Rotation.from_matrix(found.turns).inv() * Rotation.from_matrix(unknowns(slow.x).turns)
    assert np.degrees(apart.magnitude()).max() < 1e-3


def test_wrong_observations_do_not_bend_it() -> None:
    scene, tracks = made(2)
    at_px = tracks.at_px.copy()
    at_px[::9] += 40
    tracks = replace(tracks, at_px=at_px)
    rng = np.random.default_rng(0)
    points = scene.points + rng.normal(0, 0.005, scene.points.shape)
    start = replace(scene, points=points / np.linalg.norm(points, axis=1, keepdims=True))
    found = adjusted(start, tracks, Freedom(500.0, 0.0, travels=True), passes=60)
    right = np.arange(len(at_px)) % 9 > 0
    assert np.median(away_px(found, tracks)[right]) < 0.05


def test_doubt_is_honest() -> None:
    off, told = [], []
    for seed in range(60):
        scene, tracks = made(seed % 3, travels=False, noise_px=0.0)
        noise = np.random.default_rng(seed).normal(0, 0.3, tracks.at_px.shape)
        tracks = replace(tracks, at_px=tracks.at_px + noise)
        freedom = Freedom(500.0, 0.25)
        found = adjusted(scene, tracks, freedom, passes=40)
        off.append(np.log(found.focal_px / 500.0))
        told.append(doubt(found, tracks, freedom, np.arange(0)).focal)
    within = (np.abs(off) < 2 * np.array(told)).mean()
    assert 0.85 <= within <= 1.0
    assert 0.7 < np.std(off) / np.mean(told) < 1.4  # neither shy nor bold


@pytest.mark.parametrize("travels", [False, True])
def test_one_camera_finds_its_place_among_known_points(travels: bool) -> None:
    scene, tracks = made(3, travels=travels)
    freedom = Freedom(500.0, 0.0, travels=travels)
    unsure = loose(scene, tracks, freedom)
    turns = Rotation.from_rotvec(np.full((CAMERAS, 3), 0.03)).as_matrix() @ scene.turns
    start = replace(scene, turns=turns, places=scene.places + 0.05 * travels)
    found, close = resected(start, tracks, freedom, unsure)
    np.testing.assert_array_equal(close, POINTS)
    np.testing.assert_allclose(found.turns, scene.turns, atol=1e-6)
    np.testing.assert_allclose(found.places, scene.places, atol=1e-5)


def test_points_at_no_known_distance_tell_no_place() -> None:
    scene, tracks = made(4)
    basis = tangents(scene.points, 3)
    ray = basis[:, 3]  # to and fro from the first camera
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    vague = 1e2 * ray[:, :, None] * ray[:, None] + 1e-9 * np.eye(3)
    start = replace(scene, places=scene.places + np.array([0.3, 0, 0]))
    found, _ = resected(start, tracks, Freedom(500.0, 0.0, travels=True), vague, off=np.full(CAMERAS, 0.01))
    # It may go where the rays let it, but is not pulled back to where made-up distances say.
    assert np.linalg.norm(found.places[0] - start.places[0]) < 0.2
