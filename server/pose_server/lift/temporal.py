"""The temporal convolutional network of VideoPose3D (Pavllo et al., CVPR 2019), every form of it.

Letters in shapes: B clips, T frames, J joints, F features of a joint.  Names and shapes of the
parameters are those of the published checkpoints, so that these load and ours load elsewhere.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from pose_shared.errors import InputError
from torch import Tensor, nn

__all__ = ["TemporalForm", "TemporalModel"]


@dataclass(frozen=True)
class TemporalForm:
    """The shape of a network; two networks of the same form take the same weights.

    Raises
    ------
    InputError
        A number is out of range (``ARCHITECTURE_INVALID``).
    """

    joints_in: int = 17
    features_in: int = 2
    """2 for x and y, 3 with the detector's score as in the oldest checkpoints."""
    joints_out: int = 17
    """1 for a trajectory network."""
    filter_widths: tuple[int, ...] = (3, 3, 3, 3, 3)
    """Frames that each layer looks at; their product is the receptive field."""
    channels: int = 1024
    causal: bool = False
    """Look at past frames alone."""
    dense: bool = False
    """Fill the gaps of the dilated filters, for comparison."""

    def __post_init__(self) -> None:
        if not self.filter_widths or any(width < 1 or width % 2 == 0 for width in self.filter_widths):
            raise InputError(
                f"The architecture {','.join(map(str, self.filter_widths))} is not possible; "
                "give odd filter widths such as 3,3,3,3,3.",
                reason="ARCHITECTURE_INVALID",
                widths=self.filter_widths,
            )
        if min(self.joints_in, self.features_in, self.joints_out, self.channels) < 1:
            raise InputError(
                "A network needs at least one joint, feature and channel; give positive numbers.",
                reason="ARCHITECTURE_INVALID",
            )

    @property
    def dilations(self) -> tuple[int, ...]:
        """Frames between two taps of each layer: the receptive field of all layers before it."""
        return tuple(itertools.accumulate((1, *self.filter_widths[:-1]), lambda a, b: a * b))

    @property
    def pads(self) -> tuple[int, ...]:
        """Frames that each layer takes away at either end."""
        pairs = zip(self.filter_widths, self.dilations, strict=True)
        return tuple((width - 1) * dilation // 2 for width, dilation in pairs)

    @property
    def kernel_sizes(self) -> tuple[int, ...]:
        """Width of each layer's stored filter."""
        first, *others = self.filter_widths
        return (first, *(2 * pad + 1 for pad in self.pads[1:])) if self.dense else (first, *others)

    @property
    def receptive_field(self) -> int:
        """Frames that one output frame depends on."""
        return 1 + 2 * sum(self.pads)

    @property
    def padding(self) -> tuple[int, int]:
        """Frames to add before and after a clip for one output per frame."""
        pad = sum(self.pads)
        return (2 * pad, 0) if self.causal else (pad, pad)


class TemporalModel(nn.Module):
    """Joints of each frame in 3D from the 2D joints of the frames around it.

    Parameters
    ----------
    form
        Its shape.
    dropout
        Share of activations dropped in training.
    strided
        Compute only every product-of-widths-th output: the same numbers with the same weights, without
        work whose result is not used, when each training sample has one output frame.
    """

    def __init__(self, form: TemporalForm, *, dropout: float = 0.25, strided: bool = False) -> None:
        super().__init__()
        if strided and form.dense:
            raise InputError(
                "A dense network has no strided form; train it without.", reason="ARCHITECTURE_INVALID"
            )
        self.form = form
        self.strided = strided
        width = form.channels
        self.drop = nn.Dropout(dropout)
        self.relu = nn.ReLU(inplace=True)
        first, *others = zip(form.kernel_sizes, form.dilations, strict=True)

        def layer(inputs: int, kernel: int, dilation: int) -> nn.Conv1d:
            return nn.Conv1d(
                inputs,
                width,
                kernel,
                stride=kernel if strided else 1,
                dilation=1 if strided or form.dense else dilation,
                bias=False,
            )

        self.expand_conv = layer(form.joints_in * form.features_in, *first)
        self.expand_bn = nn.BatchNorm1d(width)
        self.layers_conv = nn.ModuleList()
        self.layers_bn = nn.ModuleList()
        for kernel, dilation in others:
            self.layers_conv.extend([layer(width, kernel, dilation), nn.Conv1d(width, width, 1, bias=False)])
            self.layers_bn.extend([nn.BatchNorm1d(width), nn.BatchNorm1d(width)])
        self.shrink = nn.Conv1d(width, form.joints_out * 3, 1)

    def forward(self, keypoints: Tensor) -> Tensor:
        """Return (B, T', J, 3) metres for (B, T, J, F) normalised screen coordinates.

        T' is T minus the receptive field plus 1; the clip is padded by the caller, `TemporalForm.padding`
        says how far.
        """
        x = keypoints.flatten(2).transpose(1, 2)
        x = self.drop(self.relu(self.expand_bn(self.expand_conv(x))))
        for i in range(len(self.layers_conv) // 2):
            kept = self._middle(x, i + 1)
            for j in (2 * i, 2 * i + 1):
                x = self.drop(self.relu(self.layers_bn[j](self.layers_conv[j](x))))
            x = kept + x
        joints: Tensor = self.shrink(x).transpose(1, 2).unflatten(2, (self.form.joints_out, 3))
        return joints

    def _middle(self, x: Tensor, layer: int) -> Tensor:
        """Return the frames of (B, C, T) that a layer's outputs stand for."""
        width, pad = self.form.filter_widths[layer], self.form.pads[layer]
        if self.strided:
            start = width - 1 if self.form.causal else width // 2
            return x[:, :, start::width][:, :, : x.shape[2] // width]
        start = 2 * pad if self.form.causal else pad
        return x[:, :, start : x.shape[2] - 2 * pad + start]
