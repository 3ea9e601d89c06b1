"""What the house lifter sees: a person turned into the middle of the view and brought to one size.

A virtual camera looks along the ray through the torso; in it the body's rays, divided by their
spread, look the same wherever the person stands, however large the picture and whatever the lens.
Shapes: B clips, T frames, K points.  Rays are (x/z, y/z) in the camera; missing ones are any
finite value with `seen` False.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pose_shared.skeleton import SEEN_27
from torch import Tensor
from torch.nn import functional as F

__all__ = ["Crop", "crop_of", "smallest_turn"]

_TORSO = [SEEN_27.index(side + part) for part in ("shoulder", "hip") for side in ("left_", "right_")]
#: Frames that steady the view; a clip's rate hardly matters for it.
_SIGMA_FRAMES = 5.0
_REACH_FRAMES = 15
#: Beyond the reach of the window, the clip's mean decides.
_FLOOR = 1e-4
#: Before anything was seen, the view is that of a person some three metres away on the axis.
_USUAL_SIZE = 0.15


@dataclass(frozen=True)
class Crop:
    """A virtual camera per frame, and the body in it."""

    turn: Tensor
    """(B, T, 3, 3) from the camera into the virtual one."""
    centre: Tensor
    """(B, T, 2) the ray it looks along, in the camera."""
    size: Tensor
    """(B, T, 1) spread of the body in rays."""
    rays: Tensor
    """(B, T, K, 2) in the virtual camera."""


def crop_of(rays: Tensor, seen: Tensor, *, stride: int = 1, causal: bool = False) -> Crop:
    """Return the view of each frame.

    Parameters
    ----------
    rays
        (B, T, K, 2) of `SEEN_27`.
    seen
        (B, T, K) bool.
    stride
        Frames of the clip for each of the rate that the network knows.
    causal
        Steady the view by earlier frames only.
    """
    weight = seen.to(rays.dtype)[..., None]
    torso = weight[:, :, _TORSO]
    # Where the torso is hidden, what is seen stands for it.
    torso_rays, torso_weight = _mean(rays[:, :, _TORSO], torso)
    body_rays, body_weight = _mean(rays, weight)
    middle = torch.where(torso_weight > 0, torso_rays, body_rays)
    found = (body_weight > 0).to(rays.dtype)
    centre = _steady(middle, found, stride, causal)
    turn = smallest_turn(centre)
    turned = _turned(rays, turn)
    # Measured after the turn: off the middle of a picture, rays spread wider.
    away = turned - _turned(middle[:, :, None], turn)
    spread = (weight * away**2).sum(dim=(2, 3)) / body_weight[..., 0].clamp(min=1)
    size = _steady(spread.clamp(min=1e-8).sqrt()[..., None], found, stride, causal)
    size = torch.where(size > 0, size, _USUAL_SIZE)
    return Crop(turn, centre, size, turned)


def smallest_turn(centre: Tensor) -> Tensor:
    """Return (..., 3, 3) rotations that bring the rays (..., 2) onto the optical axis (Rodrigues)."""
    x, y = centre[..., 0], centre[..., 1]
    length = (x * x + y * y + 1).sqrt()
    a, b, c = x / length, y / length, 1 / length
    k = 1 / (1 + c)
    rows = [1 - k * a * a, -k * a * b, -a, -k * a * b, 1 - k * b * b, -b, a, b, c]
    return torch.stack(rows, dim=-1).reshape(*centre.shape[:-1], 3, 3)


def _turned(rays: Tensor, turn: Tensor) -> Tensor:
    """Return (B, T, K, 2) rays as the virtual camera sees them."""
    ahead = torch.cat([rays, torch.ones_like(rays[..., :1])], dim=-1) @ turn.mT
    return ahead[..., :2] / ahead[..., 2:].clamp(min=0.1)


def _mean(values: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    total = weight.sum(dim=2)
    return (values * weight).sum(dim=2) / total.clamp(min=1), total


def _steady(values: Tensor, weight: Tensor, stride: int, causal: bool) -> Tensor:
    """Blur (B, T, C) over time by what was found, weight (B, T, 1)."""
    reach = _REACH_FRAMES * stride
    offsets = torch.arange(-reach, reach + 1, dtype=values.dtype, device=values.device)
    kernel = torch.exp(-0.5 * (offsets / (_SIGMA_FRAMES * stride)) ** 2)
    if causal:
        kernel = kernel * (offsets <= 0)

    def blurred(signal: Tensor) -> Tensor:
        flat = signal.transpose(1, 2).reshape(-1, 1, signal.shape[1])
        out = F.conv1d(flat, kernel[None, None], padding=reach)
        return out.reshape(signal.shape[0], signal.shape[2], -1).transpose(1, 2)

    mean = (values * weight).sum(dim=1, keepdim=True) / weight.sum(dim=1, keepdim=True).clamp(min=1)
    if causal:  # the mean of what came before
        total = weight.cumsum(dim=1)
        mean = (values * weight).cumsum(dim=1) / total.clamp(min=1)
    return (blurred(values * weight) + _FLOOR * mean) / (blurred(weight) + _FLOOR)
