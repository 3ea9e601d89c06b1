from __future__ import annotations

import numpy as np
import pytest
import torch
from pose_server.lift.crop import crop_of, smallest_turn
from pose_shared.skeleton import SEEN_27
from scipy.spatial.transform import Rotation
from torch import Tensor

TORSO = [SEEN_27.index(side + part) for part in ("shoulder", "hip") for side in ("left_", "right_")]
#: Somebody who stands, metres about the hips; spread by a seed, because only the torso has a meaning here.
BODY = torch.from_numpy(np.random.default_rng(4).normal(scale=(0.2, 0.5, 0.1), size=(27, 3))).float()


def filmed(at: tuple[float, float, float], frames: int = 40) -> tuple[Tensor, Tensor]:
    """(1, T, 27, 2) rays and what is seen of somebody who stands still."""
    points = BODY - BODY[TORSO].mean(dim=0) + torch.tensor(at)
    rays = (points[:, :2] / points[:, 2:]).expand(1, frames, -1, -1).clone()
    return rays, torch.ones(1, frames, 27, dtype=torch.bool)


def test_the_turn_brings_a_ray_onto_the_axis_the_shortest_way() -> None:
    rays = torch.tensor([[0.0, 0.0], [0.5, 0.0], [-0.3, 0.8], [2.0, 2.0]], dtype=torch.float64)
    turns = smallest_turn(rays)
    torch.testing.assert_close(turns @ turns.mT, torch.eye(3, dtype=torch.float64).expand(4, 3, 3))
    ahead = torch.cat([rays, torch.ones(4, 1, dtype=torch.float64)], dim=1)
    ahead = ahead / ahead.norm(dim=1, keepdim=True)
    axis = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64).expand(4, 3)
    torch.testing.assert_close((turns @ ahead[..., None])[..., 0], axis)
    angle = Rotation.from_matrix(turns.numpy()).magnitude()
    np.testing.assert_allclose(angle, np.arccos(ahead[:, 2]), atol=1e-7)


@pytest.mark.parametrize("at", [(0.0, 0.0, 4.0), (2.0, -1.0, 4.0), (-1.5, 0.8, 3.0)])
def test_the_torso_comes_to_the_middle(at: tuple[float, float, float]) -> None:
    crop = crop_of(*filmed(at))
    assert crop.rays[:, :, TORSO].mean(dim=2).abs().max() < 0.01
    assert (crop.centre - torch.tensor(at[:2]) / at[2]).norm(dim=-1).max() < 0.02
    torch.testing.assert_close(crop.turn, smallest_turn(crop.centre))


def test_the_view_is_the_same_wherever_a_person_stands() -> None:
    rays, seen = filmed((0.0, 0.0, 5.0))
    ahead = torch.cat([rays, torch.ones_like(rays[..., :1])], dim=-1)
    straight = crop_of(rays, seen)
    for aside in ((0.4, 0.0), (-0.3, 0.3)):  # the camera turns; the person stays before it
        turned = ahead @ smallest_turn(torch.tensor(aside))
        crop = crop_of(turned[..., :2] / turned[..., 2:], seen)
        assert (crop.rays - straight.rays).norm(dim=-1).max() < 0.005
        assert float(crop.size[0, 0, 0] / straight.size[0, 0, 0]) == pytest.approx(1, rel=0.02)


def test_the_size_is_what_a_lens_or_a_distance_makes_of_it() -> None:
    near, far = (crop_of(*filmed((0.0, 0.0, z))) for z in (4.0, 8.0))
    assert float(near.size[0, 0, 0] / far.size[0, 0, 0]) == pytest.approx(2, rel=0.02)
    rays, seen = filmed((0.0, 0.0, 8.0))
    longer = crop_of(rays * 0.5, seen)  # a lens assumed twice as long
    torch.testing.assert_close(longer.size, far.size * 0.5)
    ours, theirs = (view.rays / view.size[..., None] for view in (longer, far))
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_what_is_not_seen_changes_nothing() -> None:
    rays, seen = filmed((0.5, 0.0, 4.0))
    seen[:, 5:20, ::3] = False
    other = rays.clone()
    other[~seen] = 1e4
    crop, same = crop_of(rays, seen), crop_of(other, seen)
    assert torch.equal(crop.centre, same.centre) and torch.equal(crop.size, same.size)
    assert torch.equal(crop.rays[seen], same.rays[seen]) and torch.isfinite(same.rays).all()


def test_where_the_torso_is_hidden_the_rest_stands_for_it() -> None:
    rays, seen = filmed((1.0, 0.0, 4.0))
    seen[:, :, TORSO] = False
    crop = crop_of(rays, seen)
    torch.testing.assert_close(crop.centre, (rays * seen[..., None]).sum(2) / seen.sum(2, keepdim=True))


def test_a_gap_is_bridged_and_a_person_never_seen_stands_somewhere() -> None:
    rays, seen = filmed((1.0, 0.0, 4.0), frames=300)
    rays[:, 150:] += 0.2
    seen[:, 50:250] = False
    crop = crop_of(rays, seen)
    first, last = crop.centre[0, 0, 0], crop.centre[0, -1, 0]
    assert last - first == pytest.approx(0.2, abs=1e-3)
    assert (crop.centre[0, 120:180, 0] - (first + last) / 2).abs().max() < 0.02  # the mean of the clip
    for causal in (False, True):
        nobody = crop_of(rays, torch.zeros_like(seen), causal=causal)
        for part in vars(nobody).values():
            assert torch.isfinite(part).all()
        assert (nobody.size > 0.05).all() and (nobody.size < 0.5).all()


@pytest.mark.parametrize("stride", [1, 2])
def test_a_causal_view_knows_nothing_of_later_frames(stride: int) -> None:
    draws = torch.Generator().manual_seed(1)
    rays = torch.rand(2, 80, 27, 2, generator=draws)
    seen = torch.rand(2, 80, 27, generator=draws) < 0.7
    seen[:, :3] = False
    later, later_seen = rays.clone(), seen.clone()
    later[:, 40:] += 1
    later_seen[:, 40:] = ~later_seen[:, 40:]
    before, after = (
        crop_of(r, s, stride=stride, causal=True) for r, s in ((rays, seen), (later, later_seen))
    )
    for name, part in vars(before).items():
        assert torch.equal(part[:, :40], vars(after)[name][:, :40]), name
    assert not torch.equal(before.size[:, 40:], after.size[:, 40:])
    offline = crop_of(rays, seen, stride=stride)
    assert not torch.equal(offline.size[:, 39], crop_of(later, later_seen, stride=stride).size[:, 39])


def test_the_view_does_not_follow_the_jitter_of_points() -> None:
    rays, seen = filmed((0.0, 0.0, 4.0), frames=200)
    noise = 0.02 * torch.randn(1, 200, 1, 2, generator=torch.Generator().manual_seed(2))
    crop = crop_of(rays + noise, seen)
    # A Gaussian of 5 frames leaves 1 / sqrt(2 sqrt(pi) 5) of white noise.
    assert float(crop.centre[0, 20:-20].std(dim=0).mean()) == pytest.approx(0.02 * 0.237, rel=0.4)
