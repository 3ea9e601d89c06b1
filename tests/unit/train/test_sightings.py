from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest
import torch
from made_takes import walk
from pose_server.lift.crop import smallest_turn
from pose_server.lift.network import Sight
from pose_server.train.bodies import hips, torso_frames
from pose_server.train.cameras import CameraModel, filmed
from pose_server.train.sightings import SightModel, sighted
from pose_shared.skeleton import SEEN_27
from torch import Tensor

#: Nothing is wrong, and nothing varies.
NONE = SightModel(
    strength=1.0,
    strength_spread=0.0,
    definition=0.0,
    bias_m=0.0,
    quick_m=0.0,
    slow_m=0.0,
    jitter_m=0.0,
    spike_share=0.0,
    hidden_m=0.0,
    losses=0.0,
    flat_share=0.0,
    landmarks_share=0.0,
)
SHOULDER, HIP, WRIST = (SEEN_27.index(f"left_{part}") for part in ("shoulder", "hip", "wrist"))


def generator(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def camera_m() -> Tensor:
    """(40, 60, 31, 3) walkers before cameras."""
    points = torch.stack([torch.from_numpy(walk(1.0, seed=i).points_m) for i in range(40)])
    return filmed(points, CameraModel(), generator())[0]


def seen_by(camera_m: Tensor, model: SightModel, *, focal_error: float = 1.0, seed: int = 3) -> Sight:
    count = len(camera_m)
    return sighted(
        camera_m, torch.full((count,), focal_error), torch.full((count,), 30.0), model, generator(seed)
    )


def error_m(camera_m: Tensor, sight: Sight) -> Tensor:
    """(B, T, 27, 2) metres at the person."""
    exact = camera_m[:, :, :27, :2] / camera_m[:, :, :27, 2:]
    return (sight.rays - exact) * camera_m[..., 2].mean(dim=2)[..., None, None]


def test_perfect_sight_is_the_exact_projection(camera_m: Tensor) -> None:
    sight = seen_by(camera_m, NONE)
    exact = camera_m[:, :, :27, :2] / camera_m[:, :, :27, 2:]
    torch.testing.assert_close(sight.rays, exact)
    assert sight.seen.all() and not sight.has_landmarks.any() and not sight.landmarks.any()
    assert (sight.log_rate == 0).all()
    longer = seen_by(camera_m, NONE, focal_error=1.25)
    torch.testing.assert_close(longer.rays * 1.25, exact)


@pytest.mark.parametrize("field", ["bias_m", "quick_m", "slow_m", "jitter_m"])
@pytest.mark.parametrize("strength", [0.5, 2.0])
def test_errors_are_of_the_stated_size(camera_m: Tensor, field: str, strength: float) -> None:
    sight = seen_by(camera_m, replace(NONE, **{field: 0.01, "strength": strength}))
    error = error_m(camera_m, sight)
    assert float(error[:, :, SHOULDER].std()) == pytest.approx(0.01 * strength, rel=0.2)
    assert float(error[:, :, WRIST].std()) == pytest.approx(1.3 * 0.01 * strength, rel=0.2)
    assert abs(float(error.mean())) < 0.002 * strength


@pytest.mark.parametrize(
    ("field", "frames"), [("quick_m", NONE.quick_frames), ("slow_m", NONE.slow_frames), ("jitter_m", 0.0)]
)
def test_errors_change_as_fast_as_stated(camera_m: Tensor, field: str, frames: float) -> None:
    error = error_m(camera_m, seen_by(camera_m, replace(NONE, **{field: 0.01})))

    def alike(lag: int) -> float:
        return float((error[:, lag:] * error[:, :-lag]).mean() / error.square().mean())

    if not frames:
        assert abs(alike(1)) < 0.03
        return
    # White noise under a Gaussian of that width.
    for lag in (round(frames), round(2 * frames)):
        assert alike(lag) == pytest.approx(math.exp(-((lag / frames) ** 2) / 4), abs=0.08)


def test_a_bias_stays_through_a_clip(camera_m: Tensor) -> None:
    error = error_m(camera_m, seen_by(camera_m, replace(NONE, bias_m=0.01)))
    assert error.std(dim=1).max() < 1e-4 * 5


def test_strengths_differ_between_clips_as_stated() -> None:
    points = torch.from_numpy(walk(0.2).points_m).expand(800, -1, -1, -1)
    camera_m = filmed(points, CameraModel(), generator())[0]
    sight = seen_by(camera_m, replace(NONE, jitter_m=0.01, strength_spread=0.5))
    size = error_m(camera_m, sight).flatten(1).std(dim=1).log()
    assert float(size.std()) == pytest.approx(0.5, rel=0.1)


def test_a_detectors_own_idea_of_a_joint_turns_with_the_torso(camera_m: Tensor) -> None:
    sight = seen_by(camera_m, replace(NONE, definition=1.0))
    frames = torso_frames(camera_m)
    # Where on the ray? The offset has three unknowns per point and clip, and every frame gives two equations.
    point = camera_m[0, :, HIP]
    rays, axes = sight.rays[0, :, HIP].double(), frames[0].double()
    rows = torch.cat([axes[:, i] - rays[:, i, None] * axes[:, 2] for i in range(2)])
    right = torch.cat([rays[:, i] * point[:, 2] - point[:, i] for i in range(2)])
    solved = torch.linalg.lstsq(rows, right[:, None])
    rest = (rows @ solved.solution - right[:, None]).abs().max()
    assert rest < 2e-4 and 0.003 < solved.solution.norm() < 0.2
    shoulders = error_m(camera_m, sight)[:, :, SHOULDER]
    assert 0.015 < float(shoulders.std()) < 0.04


def test_spikes_are_rare_and_large(camera_m: Tensor) -> None:
    error = error_m(camera_m, seen_by(camera_m, replace(NONE, spike_share=0.01, spike_m=0.15)))
    hit = error.norm(dim=-1) > 1e-4
    assert float(hit.float().mean()) == pytest.approx(0.01, rel=0.1)
    assert float(error[hit].std()) == pytest.approx(0.15, rel=0.1)


def test_hidden_limbs_are_worse_and_said_to_be_less_sure() -> None:
    points = torch.stack([torch.from_numpy(walk(1.0, seed=i).points_m) for i in range(40)])
    level = replace(CameraModel(), pitch_mean=0.0, pitch_spread=0.0, rolled_share=0.0, free_share=0.0)
    camera_m = filmed(points, level, generator())[0]
    sight = seen_by(camera_m, replace(NONE, hidden_m=0.05))
    error = error_m(camera_m, sight).norm(dim=-1)
    hip, wrist = error[:, :, HIP].mean(), error[:, :, WRIST].mean()
    assert wrist > 1.4 * hip
    unsure = sight.confidence[:, :, WRIST] < 0.6
    assert error[:, :, WRIST][unsure].mean() > 3 * error[:, :, WRIST][~unsure].mean()


def test_without_losses_nothing_is_lost_and_with_them_feet_most(camera_m: Tensor) -> None:
    noisy = replace(SightModel(), losses=0.0, landmarks_share=0.0)
    assert seen_by(camera_m, noisy).seen.all()
    seen = torch.cat([seen_by(camera_m, replace(noisy, losses=1.0), seed=s).seen for s in range(6)])
    lost = 1 - seen.float().mean(dim=(0, 1))
    trunk, feet, hands = (
        float(lost[[SEEN_27.index(f"left_{p}") for p in parts]].mean())
        for parts in (("shoulder", "hip"), ("heel", "big_toe"), ("index", "pinky"))
    )
    assert 0.04 < trunk < 0.15 and 0.25 < feet < 0.5 and 0.35 < hands < 0.6
    assert lost[SEEN_27.index("left_small_toe")] > lost[SEEN_27.index("left_big_toe")]


def test_sides_are_exchanged_whole_and_seldom(camera_m: Tensor) -> None:
    sight = seen_by(camera_m, replace(NONE, losses=1.0))
    exact = camera_m[:, :, :27, :2] / camera_m[:, :, :27, 2:]
    own = (sight.rays - exact).norm(dim=-1) < 1e-5
    other = (sight.rays - exact[:, :, list(SEEN_27.mirror)]).norm(dim=-1) < 1e-5
    assert (own | other)[sight.seen].all()
    swapped = ~own & sight.seen
    assert 0.001 < float(swapped.float().mean()) < 0.03
    # Hips and knees go together.
    hip, knee = (SEEN_27.index(f"left_{part}") for part in ("hip", "knee"))
    both = sight.seen[:, :, hip] & sight.seen[:, :, knee]
    assert torch.equal(swapped[:, :, hip] & both, swapped[:, :, knee] & both)


def test_what_is_missing_says_nothing(camera_m: Tensor) -> None:
    sight = seen_by(camera_m, replace(SightModel(), losses=2.0))
    assert (~sight.seen).any() and sight.seen.any()
    assert not sight.rays[~sight.seen].any() and not sight.confidence[~sight.seen].any()
    assert not sight.landmarks[~sight.seen].any() and not sight.landmarks[~sight.has_landmarks].any()
    assert (sight.confidence[sight.seen] > 0).all() and sight.confidence.max() <= 1
    for field in fields(sight):
        assert torch.isfinite(getattr(sight, field.name).float()).all(), field.name


def test_flat_confidence_says_only_what_is_there(camera_m: Tensor) -> None:
    flat = seen_by(camera_m, replace(SightModel(), flat_share=1.0))
    for clip in range(8):
        assert len(flat.confidence[clip][flat.seen[clip]].unique()) == 1
    telling = seen_by(camera_m, replace(SightModel(), flat_share=0.0, losses=0.0))
    error = error_m(camera_m, telling).norm(dim=-1)
    pair = torch.stack([error.flatten(), telling.confidence.flatten()])
    assert torch.corrcoef(pair)[0, 1] < -0.3


def test_landmarks_are_right_in_shape_and_somewhat_wrong_in_all_else(camera_m: Tensor) -> None:
    sight = seen_by(camera_m, replace(NONE, landmarks_share=1.0))
    assert sight.has_landmarks.all()
    toes = [i for i, name in enumerate(SEEN_27.joints) if "small_toe" in name]
    assert not sight.seen[:, :, toes].any()  # detectors with landmarks have none
    both = [SEEN_27.index(side + "hip") for side in ("left_", "right_")]
    assert sight.landmarks[:, :, both].mean(dim=2).abs().max() < 1e-5
    root = hips(camera_m)
    turn = smallest_turn(root[..., :2] / root[..., 2:])
    truth = ((camera_m - root[:, :, None]) @ turn.mT)[:, :, :27]
    body = [i for i in range(27) if i not in toes]
    error = (sight.landmarks - truth)[:, :, body]
    assert 0.05 < float(error.norm(dim=-1).mean()) < 0.18
    assert float(error[..., 2].std()) > 1.2 * float(error[..., :2].std())
    half = seen_by(camera_m, replace(NONE, landmarks_share=0.5)).has_landmarks
    assert torch.equal(half.any(dim=1), half.all(dim=1)) and 0.3 < float(half.float().mean()) < 0.7


def test_the_same_seed_sees_the_same(camera_m: Tensor) -> None:
    first, again, other = (seen_by(camera_m, SightModel(), seed=seed) for seed in (1, 1, 2))
    for field in fields(first):
        assert torch.equal(getattr(first, field.name), getattr(again, field.name))
    assert not torch.equal(first.rays, other.rays)
