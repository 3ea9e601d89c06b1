from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from made_takes import walk
from pose_server.train.bodies import hips, torso_frames
from pose_server.train.cameras import CameraModel, filmed
from torch import Tensor

STILL = replace(CameraModel(), moving_share=0.0, free_share=0.0)


def walkers(count: int, seconds: float = 1.0) -> Tensor:
    one = torch.from_numpy(walk(seconds).points_m)
    return one.expand(count, -1, -1, -1)


def generator(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_still_camera_keeps_distances_and_hands() -> None:
    points = walkers(16)
    placed, _ = filmed(points, STILL, generator())
    pairs = torch.randint(31 * 60, (2, 200), generator=generator())
    before, after = (
        (x.flatten(1, 2)[:, pairs[0]] - x.flatten(1, 2)[:, pairs[1]]).norm(dim=-1) for x in (points, placed)
    )
    torch.testing.assert_close(before, after, atol=2e-5, rtol=1e-5)
    torch.testing.assert_close(torch.linalg.det(torso_frames(placed)), torch.ones(16, 60))


def test_people_stand_upright_before_the_camera() -> None:
    placed, _ = filmed(walkers(400), replace(STILL, roll_spread=0.0, rolled_share=0.0), generator())
    up = torso_frames(placed)[..., 1].mean(dim=1)
    up = up / up.norm(dim=-1, keepdim=True)
    # World y up is camera y down; looking down brings the head nearer.
    pitch = torch.rad2deg(torch.atan2(-up[:, 2], -up[:, 1]))
    assert pitch.mean() == pytest.approx(10, abs=2.5) and pitch.std() == pytest.approx(14, rel=0.15)
    yaw = torso_frames(placed)[:, 0, :, 2]
    # They face anywhere: as often towards the camera as away, left as right.
    assert abs(float((yaw[:, 2] > 0).float().mean()) - 0.5) < 0.08
    assert abs(float((yaw[:, 0] > 0).float().mean()) - 0.5) < 0.08


def test_distances_are_spread_evenly_over_their_logarithm() -> None:
    placed, _ = filmed(walkers(2000, 0.1), STILL, generator())
    depth = hips(placed)[..., 2].mean(dim=1)
    inside = (depth > 1.55) & (depth < 14.1)
    assert inside.float().mean() > 0.97
    middle = (1.6 * 14.0) ** 0.5
    assert float((depth < middle).float().mean()) == pytest.approx(0.5, abs=0.04)
    place = (hips(placed)[..., :2] / hips(placed)[..., 2:]).mean(dim=1)
    assert float(place[:, 0].abs().mean()) == pytest.approx(0.2, abs=0.02)
    assert float(place[:, 1].abs().mean()) == pytest.approx(0.15, abs=0.02)


def test_nobody_stands_in_the_lens() -> None:
    near = replace(CameraModel(), nearest_m=0.3, farthest_m=1.0, moving_share=1.0, pan=60.0, free_share=0.5)
    placed, _ = filmed(walkers(200), near, generator())
    assert placed[..., 2].min() >= 0.6 - 1e-4
    assert torch.isfinite(placed).all()


def test_a_moving_camera_turns_without_jumps() -> None:
    moving = replace(STILL, moving_share=1.0)
    still_placed, _ = filmed(walkers(50), replace(moving, pan=0.0), generator())
    placed, _ = filmed(walkers(50), moving, generator())
    # It stands where it stood: the distance from the lens is that of the still camera, or it was pushed back.
    kept = (placed.norm(dim=-1) - still_placed.norm(dim=-1)).abs().amax(dim=(1, 2)) < 1e-3
    assert kept.float().mean() > 0.9
    away = (placed - still_placed)[..., 0, :]
    assert away.norm(dim=-1).amax(dim=1).median() > 0.1
    assert away.diff(dim=1).diff(dim=1).norm(dim=-1).max() < 0.02


def test_the_error_of_the_lens_is_as_stated() -> None:
    _, known = filmed(walkers(2000, 0.05), replace(STILL, guessed_share=0.0), generator())
    _, guessed = filmed(walkers(2000, 0.05), replace(STILL, guessed_share=1.0), generator())
    assert float(known.log().std()) == pytest.approx(0.03, rel=0.06)
    assert float(guessed.log().std()) == pytest.approx(0.25, rel=0.06)
    _, none = filmed(walkers(9, 0.05), replace(STILL, guessed_share=0.0, focal_error=0.0), generator())
    assert (none == 1).all()


def test_the_same_seed_films_the_same() -> None:
    first, again, other = (filmed(walkers(4), CameraModel(), generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])
