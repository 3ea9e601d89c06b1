"""The house lifter's network: temporal convolutions over the whole clip.

Input are the points a detector saw in a `Crop`, with confidence and, where it gives them, its own
3D landmarks; output the body in metres, how sure it is, contacts, and where the person stands.
Where a point was seen, its x and y come from its ray, put right by a predicted step, and the
predicted depth ("residual decoding"), with a learned gate to a freely predicted place.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from pose_shared.skeleton import BODY_31, SEEN_27
from torch import Tensor, nn
from torch.nn import functional as F

from pose_server.lift.crop import Crop

__all__ = ["CONTACT_POINTS", "LiftNetwork", "LiftShape", "Lifted", "Sight"]

#: What may touch the ground.
CONTACT_POINTS = ("left_heel", "left_big_toe", "right_heel", "right_big_toe")

_SEEN, _BODY = len(SEEN_27), len(BODY_31)
_INNER = _BODY - _SEEN
#: Ray, confidence and presence of each seen point; landmarks and whether they are there; centre, size, rate.
_FEATURES = _SEEN * 4 + _SEEN * 3 + 1 + 4
#: The person stands about this many sizes away: log of depth times size.
_LOG_REACH = -0.75
#: More channels, or a longer reach, nobody trains: it is a damaged file.
_WIDEST = 4096


@dataclass(frozen=True)
class LiftShape:
    """What decides the parameters of a network."""

    channels: int = 384
    dilations: tuple[int, ...] = (1, 3, 9)
    causal: bool = False

    @property
    def receptive_field(self) -> int:
        """Frames that one output depends on, beside the steadying of the view."""
        return 1 + 2 * sum(self.dilations)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LiftShape:
        """From what `to_dict` gave; raises ValueError, TypeError or KeyError for anything else."""
        shape = cls(int(values["channels"]), tuple(map(int, values["dilations"])), bool(values["causal"]))
        if not 1 <= shape.channels <= _WIDEST or not all(1 <= d <= _WIDEST for d in shape.dilations):
            raise ValueError(f"a network of the shape {values}")
        return shape


@dataclass(frozen=True)
class Sight:
    """What a detector saw of a person; B clips, T frames, the 27 `SEEN_27`."""

    rays: Tensor
    """(B, T, 27, 2) in the camera."""
    confidence: Tensor
    """(B, T, 27) 0..1; 0 where missing."""
    seen: Tensor
    """(B, T, 27) bool."""
    landmarks: Tensor
    """(B, T, 27, 3) metres about the hips as seen along the axis; zero where there are none."""
    has_landmarks: Tensor
    """(B, T) bool."""
    log_rate: Tensor
    """(B, 1) log of the rate over 30 Hz."""


@dataclass(frozen=True)
class Lifted:
    """What the network makes of it; the 31 `BODY_31`, in the axes of the crop's virtual camera."""

    joints: Tensor
    """(B, T, 31, 3) metres about the middle of the hips."""
    log_spread: Tensor
    """(B, T, 31) log of the expected distance from the truth, metres."""
    root: Tensor
    """(B, T, 3) the middle of the hips, metres."""
    contacts: Tensor
    """(B, T, 4) logits of `CONTACT_POINTS`."""


class LiftNetwork(nn.Module):
    """Blocks of dilated convolutions with residuals, after Pavllo et al., CVPR 2019.

    Written as linear layers on shifted views, which a CPU multiplies fastest.
    """

    def __init__(self, shape: LiftShape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.channels
        self.enter = nn.Linear(_FEATURES, width)
        self.enter_norm: nn.Module = nn.BatchNorm1d(width)
        self.mix = nn.ModuleList(nn.Linear(3 * width, width, bias=False) for _ in shape.dilations)
        self.mix_norm = nn.ModuleList(nn.BatchNorm1d(width) for _ in shape.dilations)
        self.point = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in shape.dilations)
        self.point_norm = nn.ModuleList(nn.BatchNorm1d(width) for _ in shape.dilations)
        self.joints = nn.Linear(width, _BODY * 3)
        self.gate = nn.Linear(width, _SEEN)
        self.step = nn.Linear(width, _SEEN * 2)
        self.spread = nn.Linear(width, _BODY)
        self.root = nn.Linear(width, 3)
        self.contacts = nn.Linear(width, len(CONTACT_POINTS))
        with torch.no_grad():
            for layer in (self.joints, self.root, self.gate, self.step):
                layer.weight.mul_(0.1)
            self.gate.bias.fill_(1.5)
            self.root.bias.copy_(torch.tensor([0.0, 0.0, _LOG_REACH]))

    def forward(self, sight: Sight, crop: Crop, *, stride: int = 1) -> Lifted:
        """Return the body of every frame.

        A stride of n takes every n-th frame for a neighbour: at n times the rate, frames are lifted as
        if n clips of the trained rate were interleaved.
        """
        exact = torch.autocast(crop.rays.device.type, enabled=False)  # millimetres need all the bits
        with exact:
            x = F.relu(_normed(self.enter_norm, self.enter(_features(sight, crop))))
        for dilation, mix, mix_norm, point, point_norm in zip(
            self.shape.dilations, self.mix, self.mix_norm, self.point, self.point_norm, strict=True
        ):
            y = F.relu(_normed(mix_norm, self._mixed(x, mix, stride * dilation)))
            y = F.relu(_normed(point_norm, point(y)))
            x = x + y.to(x.dtype)
        with exact:
            return self._decoded(x, sight, crop)

    def folded(self, precision: torch.dtype = torch.float32) -> LiftNetwork:
        """Return the same network for use alone.

        Batch norm is folded into the layers before it, and the blocks' layers multiply in `precision`;
        what runs past them, what comes in and what goes out stays in float32.
        """
        network = copy.deepcopy(self).eval()
        network.enter, network.enter_norm = _folded(network.enter, network.enter_norm), nn.Identity()
        for layers, norms in ((network.mix, network.mix_norm), (network.point, network.point_norm)):
            for i, (layer, norm) in enumerate(zip(layers, norms, strict=True)):
                layers[i], norms[i] = _folded(layer, norm).to(precision), nn.Identity()
        return network

    def _mixed(self, x: Tensor, mix: nn.Module, dilation: int) -> Tensor:
        """Return a linear layer of each frame and two neighbours; the clip's ends repeat their own."""
        count = x.shape[1]
        before, after = (2 * dilation, 0) if self.shape.causal else (dilation, dilation)
        ends = (x[:, :1].expand(-1, before, -1), x, x[:, -1:].expand(-1, after, -1))
        assert isinstance(mix, nn.Linear)
        padded = torch.cat(ends, dim=1).to(mix.weight.dtype)
        first, middle, last = mix.weight.chunk(3, dim=1)
        mixed = F.linear(padded[:, :count], first, mix.bias)
        mixed = mixed + F.linear(padded[:, dilation : dilation + count], middle)
        return mixed + F.linear(padded[:, 2 * dilation : 2 * dilation + count], last)

    def _decoded(self, x: Tensor, sight: Sight, crop: Crop) -> Lifted:
        free = self.joints(x).unflatten(2, (_BODY, 3))
        place = self.root(x)
        depth = torch.exp(place[..., 2:].clamp(-3, 3)) / crop.size
        root = torch.cat([place[..., :2] * crop.size * depth, depth], dim=2)
        gate = torch.sigmoid(self.gate(x))[..., None] * sight.seen[..., None]
        depths = (depth + free[:, :, :_SEEN, 2]).clamp(min=0.1)[..., None]
        step = self.step(x).unflatten(2, (_SEEN, 2)) * crop.size[..., None]
        on_ray = (crop.rays + step) * depths - root[:, :, None, :2]
        xy = gate * on_ray + (1 - gate) * free[:, :, :_SEEN, :2]
        seen = torch.cat([xy, free[:, :, :_SEEN, 2:]], dim=3)
        joints = torch.cat([seen, free[:, :, _SEEN:]], dim=2)
        return Lifted(joints, self.spread(x) - 3.0, root, self.contacts(x))


def _features(sight: Sight, crop: Crop) -> Tensor:
    seen = sight.seen[..., None].to(crop.rays.dtype)
    rays = (crop.rays / crop.size[..., None]).clamp(-6, 6) * seen
    has = sight.has_landmarks[..., None].to(crop.rays.dtype)
    count = crop.rays.shape[1]
    parts = (
        rays.flatten(2),
        (sight.confidence[..., None] * seen).flatten(2),
        seen.flatten(2),
        sight.landmarks.flatten(2) * has,
        has,
        crop.centre,
        crop.size.log(),
        sight.log_rate[:, None].expand(-1, count, -1),
    )
    return torch.cat(parts, dim=2)


def _folded(layer: nn.Module, norm: nn.Module) -> nn.Linear:
    """Return a linear layer that does what a linear layer and the norm behind it do."""
    assert isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d)
    state = {name: value.double() for name, value in norm.state_dict().items()}
    scale = state["weight"] / torch.sqrt(state["running_var"] + norm.eps)
    shift = state["bias"] - state["running_mean"] * scale
    if layer.bias is not None:
        shift = shift + layer.bias.double() * scale
    folded = nn.Linear(layer.in_features, layer.out_features)
    with torch.no_grad():
        folded.weight.copy_(layer.weight.double() * scale[:, None])
        folded.bias.copy_(shift)
    return folded


def _normed(norm: nn.Module, x: Tensor) -> Tensor:
    normed: Tensor = norm(x.flatten(0, 1))
    return normed.view_as(x)
