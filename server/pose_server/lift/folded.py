"""The temporal network as it is used: folded, in half the bits where asked, and streamed.

Batch norm is folded into the filters, and each layer keeps the frames that its next outputs need.
A clip therefore goes through in pieces of any size, without seams, without computing anything
twice, and in memory that does not grow with its length; one frame at a time is the live form.
"""

from __future__ import annotations

import platform

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d

from pose_server.lift.temporal import TemporalModel

__all__ = ["FoldedModel", "Stream", "fast_precision"]

#: Frames of a piece: some 60 MB of activations; shorter ones make threads wait for each other more often.
_PIECE = 2048


def fast_precision(device: str) -> torch.dtype:
    """Return bfloat16 where the device multiplies it faster than float32, else float32."""
    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    native = platform.machine() in ("x86_64", "AMD64") and torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if native else torch.float32


class FoldedModel:
    """A trained network, ready to run.

    Parameters
    ----------
    model
        The network; it is not kept.
    device
        ``cpu`` or ``cuda:N``.
    precision
        `torch.float32`, equal to the network to about 1e-6, or `torch.bfloat16`: the wide layers' filters and
        inputs are rounded to it.  What runs past them (the residual) is not, nor the first and last layer:
        a rounded keypoint would be pixels off.
    """

    def __init__(
        self, model: TemporalModel, *, device: str = "cpu", precision: torch.dtype = torch.float32
    ) -> None:
        self.form = model.form
        self.device = torch.device(device)
        # Every second layer after the first has one tap.
        dilations = [1] + [d for wide in self.form.dilations[1:] for d in (wide, 1)]
        convs = [model.expand_conv, *model.layers_conv]
        norms = [model.expand_bn, *model.layers_bn]
        #: Weight, bias and dilation of each layer.
        self.layers: list[tuple[Tensor, Tensor, int]] = []
        for conv, norm, dilation in zip(convs, norms, dilations, strict=True):
            weight, bias = self._folded(conv, norm, precision if self.layers else torch.float32)
            self.layers.append((weight, bias, 1 if self.form.dense else dilation))
        assert model.shrink.bias is not None
        weight, bias = (part.detach().clone().to(device) for part in (model.shrink.weight, model.shrink.bias))
        self.shrink = weight, bias

    def _folded(self, conv: nn.Module, norm: nn.Module, precision: torch.dtype) -> tuple[Tensor, Tensor]:
        assert isinstance(conv, nn.Conv1d) and isinstance(norm, nn.BatchNorm1d)
        state = {name: value.double() for name, value in norm.state_dict().items()}
        scale = state["weight"] / torch.sqrt(state["running_var"] + norm.eps)
        weight = conv.weight.detach().double() * scale[:, None, None]
        bias = state["bias"] - state["running_mean"] * scale
        return weight.to(self.device, precision).contiguous(), bias.to(self.device, precision)

    def __call__(self, keypoints: Tensor) -> Tensor:
        """Return (B, T, J, 3) joints for (B, T, J, F) keypoints: one output for every frame.

        The first and the last frame are repeated beyond the ends.
        """
        frames = keypoints.shape[1]
        before, after = self.form.padding
        index = torch.arange(-before, frames + after).clamp(0, frames - 1)
        stream = Stream(self)
        joints = torch.empty(len(keypoints), frames, self.form.joints_out, 3)
        done = 0
        for piece in torch.split(index, _PIECE):
            found = stream.push(keypoints[:, piece])
            joints[:, done : done + found.shape[1]] = found
            done += found.shape[1]
        return joints


class Stream:
    """A run of frames through a network, in pieces of any size."""

    def __init__(self, model: FoldedModel) -> None:
        self.model = model
        #: What each wide layer waits with: the last frames it has seen, (B, C, reach).
        self._waiting: dict[int, Tensor] = {}

    @torch.inference_mode()
    def push(self, keypoints: Tensor) -> Tensor:
        """Take (B, n, J, F) frames and return the (B, m, J, 3) outputs that they complete.

        m is n, less at the start of the run: the first output needs a whole receptive field.
        """
        model = self.model
        x = keypoints.flatten(2).transpose(1, 2).to(model.device, torch.float32)
        _, x = self._through(0, x)
        for layer in range(1, len(model.layers), 2):
            kept, y = self._through(layer, x)
            _, y = self._through(layer + 1, y)
            x = kept + y
        if not x.shape[2]:
            return torch.empty(len(x), 0, model.form.joints_out, 3)
        out = conv1d(x.float(), *model.shrink)
        return out.transpose(1, 2).reshape(len(out), -1, model.form.joints_out, 3).cpu()

    def _through(self, layer: int, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the inputs that a layer's new outputs stand for, and those outputs, both (B, C, m)."""
        weight, bias, dilation = self.model.layers[layer]
        reach = (weight.shape[2] - 1) * dilation
        if reach:
            if layer in self._waiting:
                x = torch.cat([self._waiting[layer], x], dim=2)
            self._waiting[layer] = x[:, :, -reach:].clone()
        count = max(x.shape[2] - reach, 0)
        start = reach if self.model.form.causal else reach // 2
        middle = x[:, :, start : start + count]
        if not count:
            return middle, x.new_empty(len(x), len(weight), 0)
        return middle, conv1d(x.to(weight.dtype), weight, bias, dilation=dilation).relu_()
