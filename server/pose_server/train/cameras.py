"""Virtual cameras for motions: where it stands, how it tilts and pans, what lens it is thought to have.

Shapes: B clips, T frames, J points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pose_server.train.bodies import hips, rotation

__all__ = ["CameraModel", "filmed"]

#: World y up to camera y down, looking along the world's -z.
_FLIP = ((1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0))


@dataclass(frozen=True)
class CameraModel:
    """How cameras are drawn; angles in degrees."""

    pitch_mean: float = 10.0
    pitch_spread: float = 14.0
    roll_spread: float = 5.0
    #: Share of clips with a wide roll, and how wide.
    rolled_share: float = 0.2
    rolled_spread: float = 18.0
    #: Share of clips that are turned freely, as for a person who lies or hangs.
    free_share: float = 0.06
    nearest_m: float = 1.6
    farthest_m: float = 14.0
    #: How far off the middle of the picture people stand, in rays.
    side: float = 0.4
    height: float = 0.3
    #: Log error of the assumed lens: a known one, and a guessed one.
    focal_error: float = 0.03
    guessed_share: float = 0.5
    guessed_error: float = 0.25
    #: Share of clips in which the camera pans with the person, and how far in all.
    moving_share: float = 0.25
    pan: float = 15.0


def filmed(points_m: Tensor, model: CameraModel, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return points in the camera's axes (B, T, J, 3), and the error of the assumed focal length (B,).

    An assumed focal length longer by a factor makes rays shorter by it; a person then seems to stand
    as much farther away.
    """
    count, frames = points_m.shape[:2]

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, device=generator.device)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=generator.device)

    def degrees(value: Tensor, axis: int) -> Tensor:
        vector = value.new_zeros(*value.shape, 3)
        vector[..., axis] = value * (math.pi / 180)
        return rotation(vector)

    roll = torch.where(
        uniform(count) < model.rolled_share,
        normal(count) * model.rolled_spread,
        normal(count) * model.roll_spread,
    )
    turn = degrees(roll, 2) @ degrees(model.pitch_mean + model.pitch_spread * normal(count), 0)
    turn = turn @ points_m.new_tensor(_FLIP) @ degrees(360 * uniform(count), 1)
    free = (uniform(count) < model.free_share)[:, None, None]
    turn = torch.where(free, rotation(normal(count, 3) * 2) @ turn, turn)

    root = hips(points_m)
    middle = root.mean(dim=1, keepdim=True)
    placed = (points_m - middle[:, :, None]) @ turn[:, None].mT
    span = math.log(model.farthest_m / model.nearest_m)
    depth = model.nearest_m * torch.exp(span * uniform(count, 1))
    offset = (uniform(count, 2) * 2 - 1) * points_m.new_tensor([model.side, model.height])
    placed = placed + (torch.cat([offset, torch.ones_like(depth)], dim=1) * depth)[:, None, None]

    moving = (uniform(count) < model.moving_share)[:, None, None]
    # A swing that is smooth over the clip, about where it stands in the middle.
    phase = torch.linspace(-1, 1, frames, device=generator.device)[None, :, None]
    swing = normal(count, 1, 3) * phase + 0.3 * normal(count, 1, 3) * torch.sin(
        4 * phase + 3 * normal(count, 1, 1)
    )
    pans = rotation(torch.where(moving, swing * (model.pan / 3 * math.pi / 180), 0.0))
    placed = placed @ pans.mT

    # Nobody stands in the lens.
    lack = (0.6 - placed[..., 2].amin(dim=(1, 2))).clamp(min=0)
    placed = placed + torch.stack([lack * 0, lack * 0, lack], dim=1)[:, None, None]
    spread = torch.where(uniform(count) < model.guessed_share, model.guessed_error, model.focal_error)
    return placed, torch.exp(spread * normal(count))
