"""What a detector would report of bodies in front of a camera: rays with its kinds of error.

The kinds and their sizes follow what BlazePose was measured to do on a clip with a multi-view
reference (docs/lifter.md): its points lie a few centimetres off the joints' centres, the same way through
a clip; errors drift, half of them within a tenth of a second, and jitter on top; limbs behind the body are
worse and said to be less sure; limbs are lost, exchanged, or cut off by the picture's edge.
Sizes are metres at the person.  Shapes: B clips, T frames, K the 27 `SEEN_27`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from pose_shared.skeleton import SEEN_27
from torch import Tensor

from pose_server.lift.crop import smallest_turn
from pose_server.lift.network import Sight
from pose_server.train.bodies import hips, rotation, torso_frames

__all__ = ["SightModel", "sighted"]

_I = {name: i for i, name in enumerate(SEEN_27.joints)}
_MIRROR = list(SEEN_27.mirror)
_COUNT = len(SEEN_27)


def _indices(*parts: str) -> list[int]:
    return [i for name, i in _I.items() if any(part in name for part in parts)]


_FACE = _indices("nose", "eye", "ear")
_FEET = _indices("toe", "heel")
_HANDS = _indices("index", "pinky")
_SMALL_TOES = _indices("small_toe")
_LIMBS = [
    [i for name, i in _I.items() if name.startswith(side) and any(part in name for part in parts)]
    for side in ("left", "right")
    for parts in (("elbow", "wrist", "index", "pinky"), ("knee", "ankle", "toe", "heel"))
]
_UPPER = _indices("shoulder", "elbow", "wrist", "index", "pinky", "ear", "eye")
_LOWER = _indices("hip", "knee", "ankle", "toe", "heel")


def _table(default: float, **parts: float) -> Tensor:
    values = torch.full((_COUNT,), default)
    for part, value in parts.items():
        values[_indices(part)] = value
    return values


#: How far a detector's idea of a point lies from the body model's, one axis, metres.
_DEFINITION = _table(0.016, hip=0.035, shoulder=0.025, heel=0.022, toe=0.022, index=0.02, pinky=0.02)
#: How well a point can be seen, relative to the others.
_ERROR = _table(
    1.0, hip=1.2, wrist=1.3, ankle=1.2, heel=1.4, toe=1.5, index=1.6, pinky=1.6, nose=0.6, eye=0.6
)


@dataclass(frozen=True)
class SightModel:
    """How errors are drawn; strengths multiply all that is random in place."""

    strength: float = 0.5
    strength_spread: float = 0.5
    definition: float = 0.8
    bias_m: float = 0.008
    #: Errors that change within a tenth of a second, and within half of one.
    quick_m: float = 0.024
    quick_frames: float = 2.0
    slow_m: float = 0.018
    slow_frames: float = 8.0
    jitter_m: float = 0.007
    spike_share: float = 0.004
    spike_m: float = 0.15
    hidden_m: float = 0.05
    #: Multiplies how often points are lost, cut off or exchanged.
    losses: float = 1.0
    #: Share of clips whose confidence says nothing, for a network must not read depth from it.
    flat_share: float = 0.25
    landmarks_share: float = 0.6


def sighted(
    points: Tensor,
    focal_error: Tensor,
    rate_hz: Tensor,
    model: SightModel,
    generator: torch.Generator,
    *,
    slower: float = 1.0,
) -> Sight:
    """Return what a detector reports of (B, T, 31, 3) `BODY_31` in the camera.

    Parameters
    ----------
    focal_error
        (B,) the assumed over the true focal length.
    rate_hz
        (B,) of the frames.
    slower
        How many frames errors last for each of the model's, for films of higher rates.
    """
    draw = _Draw(points.shape[0], points.shape[1], generator, slower)
    strength = model.strength * torch.exp(model.strength_spread * draw.normal(1, 1))[..., None]
    frames = torso_frames(points)
    body = points[:, :, :_COUNT]
    error_of = _ERROR.to(points.device)
    offset = model.definition * _DEFINITION.to(points.device)[:, None] * draw.clip(_COUNT, 3)
    marked = body + (frames[:, :, None] * offset[..., None, :]).sum(dim=-1)

    behind = _behind(body)
    hidden = torch.maximum(behind, _shared(draw.spells(len(_LIMBS), 0.12, 12)))
    scale = strength * error_of[:, None]
    error = scale * (
        model.bias_m * draw.clip(_COUNT, 2)
        + model.quick_m * draw.drift(_COUNT, 2, model.quick_frames)
        + model.slow_m * draw.drift(_COUNT, 2, model.slow_frames)
        + model.jitter_m * draw.normal(draw.frames, _COUNT, 2)
    )
    error = error + strength * hidden[..., None] * model.hidden_m * draw.drift(_COUNT, 2, model.slow_frames)
    spikes = (draw.uniform(draw.frames, _COUNT, 1) < model.spike_share) * draw.normal(draw.frames, _COUNT, 2)
    error = error + spikes * model.spike_m
    depth = points[..., 2].mean(dim=2)[..., None, None].clamp(min=0.5)
    rays = marked[..., :2] / marked[..., 2:].clamp(min=0.3) + error / depth

    landmarks = _landmarks(points, draw, behind)
    confidence = (
        1 - 0.55 * hidden - 4.0 * error.square().sum(dim=-1).sqrt() + 0.06 * draw.normal(draw.frames, _COUNT)
    )
    swapped = _swaps(draw, model.losses)
    rays, landmarks = _exchanged(rays, swapped), _exchanged(landmarks, swapped)
    confidence = _exchanged(confidence[..., None], swapped)[..., 0]

    seen = _kept(rays, draw, model.losses)
    flat = draw.uniform(1, 1) < model.flat_share
    confidence = torch.where(flat, 0.5 + 0.5 * draw.uniform(1, 1), confidence.clamp(0.02, 1.0)) * seen

    has = (draw.uniform(1) < model.landmarks_share) & seen.any(dim=2)
    # Detectors with landmarks have no small toes.
    seen[..., _SMALL_TOES] &= ~has[..., None]
    known = has[..., None] & seen
    return Sight(
        rays=torch.where(seen[..., None], rays / focal_error[:, None, None, None], 0.0),
        confidence=confidence * seen,
        seen=seen,
        landmarks=torch.where(known[..., None], landmarks, 0.0),
        has_landmarks=has,
        log_rate=(rate_hz / 30).log()[:, None],
    )


class _Draw:
    """Random numbers in the shapes of a batch, on the generator's device."""

    def __init__(self, clips: int, frames: int, generator: torch.Generator, slower: float) -> None:
        self.clips, self.frames, self._generator, self._slower = clips, frames, generator, slower
        self.device = generator.device

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(self.clips, *shape, generator=self._generator, device=self.device)

    def uniform(self, *shape: int) -> Tensor:
        return torch.rand(self.clips, *shape, generator=self._generator, device=self.device)

    def clip(self, *shape: int) -> Tensor:
        """The same through a clip."""
        return self.normal(1, *shape)

    def drift(self, points: int, axes: int, sigma: float) -> Tensor:
        """Return standard normal noise that changes over `sigma` frames of the model."""
        sigma *= self._slower
        reach = math.ceil(3 * sigma)
        white = self.normal(points * axes, self.frames + 2 * reach)
        # One product with a band matrix: convolutions of single channels are slow.
        frames = torch.arange(self.frames + 2 * reach, device=self.device)
        offsets = frames[:, None] - frames[: self.frames] - reach
        band = torch.exp(-0.5 * (offsets / sigma) ** 2) * (offsets.abs() <= reach)
        blurred = white @ (band / band.square().sum(dim=0).sqrt())
        return blurred.reshape(self.clips, points, axes, self.frames).permute(0, 3, 1, 2)

    def spells(self, columns: int, share: float, frames: float) -> Tensor:
        """Return (B, T, columns) with 1 over spells of about so many frames in so large a share of time."""
        smooth = self.drift(columns, 1, frames / 2.5)[..., 0]
        return (smooth > float(torch.special.ndtri(torch.tensor(1 - share)))).to(smooth.dtype)


def _shared(spells: Tensor) -> Tensor:
    """Give the points of each limb its (B, T, limb) fate; the trunk and the face have none."""
    fates = spells.new_zeros(*spells.shape[:2], _COUNT)
    for number, limb in enumerate(_LIMBS):
        fates[..., limb] = spells[..., number, None]
    return fates


def _behind(body: Tensor) -> Tensor:
    """Return 0..1 how far each point is hidden: behind the trunk as the camera sees it.

    The trunk is the line from hips to shoulders: it leans away from a camera that looks down.
    """
    low, high = (
        (body[:, :, [_I["left_" + part]]] + body[:, :, [_I["right_" + part]]]) / 2
        for part in ("hip", "shoulder")
    )
    along = high - low
    share = ((body - low) * along).sum(dim=-1, keepdim=True) / along.square().sum(dim=-1, keepdim=True)
    away = body - low - share.clamp(0, 1) * along
    beside = (away[..., :2] / 0.3).square().sum(dim=-1)
    return torch.sigmoid((away[..., 2] - 0.1) / 0.04) * torch.exp(-0.5 * beside)


def _landmarks(points: Tensor, draw: _Draw, behind: Tensor) -> Tensor:
    """Return what a detector with 3D landmarks says: right in shape, wrong in turn, depth and size."""
    root = hips(points)
    centre = root[..., :2] / root[..., 2:].clamp(min=0.3)
    body = (points[:, :, :_COUNT] - root[:, :, None]) @ smallest_turn(centre).mT
    angles = draw.normal(1, 3) * points.new_tensor([5.0, 9.0, 3.0]) + (
        draw.drift(1, 3, 10.0)[:, :, 0] * points.new_tensor([3.0, 5.0, 2.0])
    )
    body = body @ rotation(angles * (math.pi / 180)).mT
    flat = 0.95 + 0.1 * draw.normal(1, 1, 1)
    size = 0.98 + 0.06 * draw.normal(1, 1, 1)
    body = body * size * torch.cat([torch.ones_like(flat), torch.ones_like(flat), flat], dim=-1)
    error = (
        0.02 * draw.drift(_COUNT, 3, 6.0)
        + 0.02 * draw.clip(_COUNT, 3)
        + 0.008 * draw.normal(draw.frames, _COUNT, 3)
    )
    uneven = points.new_tensor([1.0, 1.0, 1.7]) * _ERROR.to(points.device)[:, None]
    error = error * uneven * (1 + behind[..., None])
    body = body + error
    return body - (body[:, :, _I["left_hip"]] + body[:, :, _I["right_hip"]])[:, :, None] / 2


def _swaps(draw: _Draw, losses: float) -> Tensor:
    """Return (B, T, K) where left and right are exchanged: what repair before the lifter leaves."""
    clips = (draw.uniform(1, 1) < 0.15 * losses).to(torch.float32)
    spells = draw.spells(3, 0.06, 5) * clips > 0
    swapped = torch.zeros(draw.clips, draw.frames, _COUNT, dtype=torch.bool, device=draw.device)
    swapped[..., _UPPER] |= (spells[..., :1]) | spells[..., 2:]
    swapped[..., _LOWER] |= (spells[..., 1:2]) | spells[..., 2:]
    return swapped


def _exchanged(values: Tensor, swapped: Tensor) -> Tensor:
    return torch.where(swapped[..., None], values[:, :, _MIRROR], values)


def _kept(rays: Tensor, draw: _Draw, losses: float) -> Tensor:
    """Return (B, T, K) what is reported at all."""
    lost = draw.spells(_COUNT, 0.015 * losses, 4) > 0
    lost = lost | (_shared(draw.spells(len(_LIMBS), 0.03 * losses, 10)) > 0)
    lost = lost | (draw.spells(1, 0.03 * losses, 5) > 0)
    for group, share in ((_FACE, 0.05), (_FEET, 0.25), (_HANDS, 0.4), (_SMALL_TOES, 0.4)):
        lost[..., group] |= draw.uniform(1, 1) < share * losses
    # An edge of the picture cuts people off, mostly below.
    middle = rays.mean(dim=2, keepdim=True)
    extent = (rays - middle).abs().amax(dim=(1, 2), keepdim=True)
    edge = (draw.uniform(1, 1, 2) * 1.1 - 0.1) * extent
    sides = draw.uniform(1, 1, 2) < losses * rays.new_tensor([0.04, 0.10])
    sign = torch.where(draw.uniform(1, 1, 2) < rays.new_tensor([0.5, 0.15]), -1.0, 1.0)
    outside = ((rays - middle) * sign > edge) & sides
    return ~(lost | outside.any(dim=-1))
