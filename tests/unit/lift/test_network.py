from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from pose_server.lift.crop import Crop, smallest_turn
from pose_server.lift.network import Lifted, LiftNetwork, LiftShape, Sight
from pose_shared.skeleton import BODY_31, SEEN_27
from torch import Tensor

SHAPE = LiftShape(24, (1, 3, 9))
CAUSAL = LiftShape(24, (1, 3, 9), causal=True)


def network(shape: LiftShape, seed: int = 1) -> LiftNetwork:
    """A network as after some training: norms that do something, heads that are not small."""
    torch.manual_seed(seed)
    made = LiftNetwork(shape)
    with torch.no_grad():
        for name, value in made.named_buffers():
            if name.endswith("running_mean"):
                value.normal_(0, 0.2)
            elif name.endswith("running_var"):
                value.uniform_(0.3, 2.0)
        for head in (made.joints, made.gate, made.step):
            head.weight.mul_(5)
    return made.eval()


def scene(frames: int, clips: int = 2, seed: int = 2) -> tuple[Sight, Crop]:
    draws = torch.Generator().manual_seed(seed)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(clips, *shape, generator=draws)

    centre = uniform(frames, 2) - 0.5
    sight = Sight(
        rays=uniform(frames, 27, 2),
        confidence=uniform(frames, 27),
        seen=uniform(frames, 27) < 0.8,
        landmarks=uniform(frames, 27, 3) - 0.5,
        has_landmarks=uniform(frames) < 0.5,
        log_rate=uniform(1) * 0.1,
    )
    crop = Crop(smallest_turn(centre), centre, 0.1 + 0.05 * uniform(frames, 1), uniform(frames, 27, 2) - 0.5)
    return sight, crop


def changed(before: Lifted, after: Lifted) -> Tensor:
    """(T,) which frames differ."""
    parts = [
        (a - b).abs().flatten(2).amax(dim=(0, 2))
        for a, b in zip(vars(before).values(), vars(after).values(), strict=True)
    ]
    return torch.stack(parts).amax(dim=0) > 1e-9


@torch.no_grad()
@pytest.mark.parametrize("dilations", [(1,), (1, 3, 9), (1, 2, 4, 8)])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
def test_the_receptive_field_is_exactly_as_stated(
    dilations: tuple[int, ...], causal: bool, stride: int
) -> None:
    shape = LiftShape(24, dilations, causal)
    made = network(shape).double()
    sight, crop = (
        type(x)(**{k: v.double() if v.is_floating_point() else v for k, v in vars(x).items()})
        for x in scene(200)
    )
    rays = crop.rays.clone()
    rays[:, 80] += 0.3
    frames = torch.nonzero(
        changed(made(sight, crop, stride=stride), made(sight, replace(crop, rays=rays), stride=stride))
    )[:, 0]
    reach = (shape.receptive_field - 1) * stride
    first, last = (80, 80 + reach) if causal else (80 - reach // 2, 80 + reach // 2)
    assert (int(frames.min()), int(frames.max())) == (first, last)
    assert all((int(frame) - 80) % stride == 0 for frame in frames)


@torch.no_grad()
@pytest.mark.parametrize("shape", [SHAPE, CAUSAL], ids=["offline", "causal"])
@pytest.mark.parametrize("stride", [2, 3])
def test_a_stride_lifts_interleaved_clips(shape: LiftShape, stride: int) -> None:
    made = network(shape)
    sight, crop = scene(180)
    whole = made(sight, crop, stride=stride)
    for phase in range(stride):
        rows = slice(phase, None, stride)
        part_sight = Sight(**{k: v if k == "log_rate" else v[:, rows] for k, v in vars(sight).items()})
        part = made(part_sight, Crop(**{k: v[:, rows] for k, v in vars(crop).items()}))
        # Beyond the ends a clip repeats its own frames: the whole one others than its parts.
        reach = shape.receptive_field
        inner = slice(reach, None) if shape.causal else slice(reach, -reach)
        for name, value in vars(part).items():
            torch.testing.assert_close(
                vars(whole)[name][:, rows][:, inner], value[:, inner], atol=1e-5, rtol=1e-4
            )
        assert value[:, inner].shape[1] > 5


@torch.no_grad()
def test_what_is_not_seen_changes_nothing() -> None:
    made = network(SHAPE)
    sight, crop = scene(50)
    rays, confidence, landmarks = crop.rays.clone(), sight.confidence.clone(), sight.landmarks.clone()
    rays[~sight.seen] = 100.0
    confidence[~sight.seen] = 1.0
    landmarks[~sight.has_landmarks] = 9.0
    other = made(
        replace(sight, rays=sight.rays + 1, confidence=confidence, landmarks=landmarks),
        replace(crop, rays=rays),
    )
    assert not changed(made(sight, crop), other).any()


@torch.no_grad()
def test_a_seen_joint_lies_on_its_ray_where_the_gate_is_open() -> None:
    made = network(SHAPE)
    made.gate.weight.zero_()
    made.gate.bias.fill_(50.0)
    made.step.weight.zero_()
    made.step.bias.zero_()
    sight, crop = scene(30)
    lifted = made(sight, crop)
    place = (lifted.root[:, :, None] + lifted.joints)[:, :, : len(SEEN_27)]
    front = sight.seen & (place[..., 2] > 0.1)
    torch.testing.assert_close(
        place[..., :2][front], (crop.rays * place[..., 2:])[front], atol=1e-4, rtol=1e-4
    )
    # Its depth scales with the distance of the person: a size of half is a distance of twice.
    made.root.weight.zero_()
    half = made(sight, replace(crop, size=crop.size / 2))
    full = made(sight, crop)
    torch.testing.assert_close(half.root[..., 2], 2 * full.root[..., 2])


@torch.no_grad()
@pytest.mark.parametrize("shape", [SHAPE, CAUSAL], ids=["offline", "causal"])
def test_folding_changes_nothing(shape: LiftShape) -> None:
    made = network(shape)
    sight, crop = scene(40)
    for name, value in vars(made.folded()(sight, crop)).items():
        torch.testing.assert_close(value, vars(made(sight, crop))[name], atol=2e-4, rtol=1e-4)
    rough = made.folded(torch.bfloat16)(sight, crop)
    assert rough.joints.dtype == torch.float32 and torch.isfinite(rough.joints).all()
    assert (rough.log_spread - made(sight, crop).log_spread).abs().mean() < 0.05


@torch.no_grad()
@pytest.mark.parametrize("frames", [1, 2, 3])
def test_short_clips_are_lifted(frames: int) -> None:
    for shape in (SHAPE, CAUSAL):
        lifted = network(shape)(*scene(frames))
        assert lifted.joints.shape == (2, frames, len(BODY_31), 3)
        assert all(torch.isfinite(part).all() for part in vars(lifted).values())


def test_a_shape_survives_json_and_refuses_nonsense() -> None:
    assert LiftShape.from_dict({**CAUSAL.to_dict(), "dilations": [1, 3, 9]}) == CAUSAL
    assert SHAPE.receptive_field == 27
    for nonsense in (
        {"channels": -1, "dilations": [1], "causal": False},
        {"channels": 10**9, "dilations": [1], "causal": False},
        {"channels": 8, "dilations": [0], "causal": False},
        {"channels": 8, "dilations": "abc", "causal": False},
        {"channels": "wide", "dilations": [1], "causal": False},
    ):
        with pytest.raises(ValueError, match=r"shape|invalid literal"):
            LiftShape.from_dict(nonsense)
    with pytest.raises(KeyError):
        LiftShape.from_dict({"channels": 8})
