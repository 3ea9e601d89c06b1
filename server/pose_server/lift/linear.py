"""The residual linear network of Martinez et al. (2017), "A simple yet effective baseline for 3d
human pose estimation", as 3d-pose-baseline builds it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["LinearNetwork"]

#: What TensorFlow's batch normalisation adds to a variance, and keeps of a running mean; torch
#: counts the other share.
_BATCH_NORM_EPSILON = 1e-3
_BATCH_NORM_KEPT = 0.99


class LinearNetwork(nn.Module):
    """From one frame's points in the picture to the same frame's joints, both normalised.

    A layer is linear, batch norm, ReLU, dropout.  The first one widens to `linear_size`; each of
    `num_layers` blocks has two, and adds what went in; the last is linear alone.

    Parameters
    ----------
    inputs, outputs
        Numbers that go in and come out: 2 per point, 3 per joint.
    linear_size
        Width.
    num_layers
        Blocks of two layers.
    residual
        Add what goes into a block to what comes out.
    batch_norm
        Normalise each layer over the batch.
    max_norm
        Scale each weight matrix down to a Frobenius norm of 1 where it is above, as a whole and not
        by unit: ``tf.clip_by_norm(w, 1)``.
    dropout_keep
        Share of activations that training keeps, 0 to 1.

    Notes
    -----
    The running variance is of the unbiased estimate, where TensorFlow takes the biased one: a
    difference of one part in the batch size, in training alone.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        linear_size: int = 1024,
        num_layers: int = 2,
        residual: bool = True,
        batch_norm: bool = True,
        max_norm: bool = True,
        dropout_keep: float = 0.5,
    ) -> None:
        super().__init__()
        self.residual, self.batch_norm, self.max_norm = residual, batch_norm, max_norm
        self.first = _Layer(inputs, linear_size, batch_norm, max_norm, dropout_keep)
        self.blocks = nn.ModuleList(
            _Block(linear_size, residual, batch_norm, max_norm, dropout_keep) for _ in range(num_layers)
        )
        self.last = _Linear(linear_size, outputs, max_norm)

    def forward(self, points: Tensor) -> Tensor:
        """Return (N, outputs) for (N, inputs)."""
        hidden: Tensor = self.first(points)
        for block in self.blocks:
            hidden = block(hidden)
        result: Tensor = self.last(hidden)
        return result


class _Linear(nn.Linear):
    """A linear layer whose weights may be bounded as a whole."""

    def __init__(self, inputs: int, outputs: int, max_norm: bool) -> None:
        super().__init__(inputs, outputs)
        self.max_norm = max_norm

    def reset_parameters(self) -> None:
        """Draw from He's normal, cut at two deviations; the bias by its own length, as published."""
        for values, fan in ((self.weight, self.in_features), (self.bias, self.out_features)):
            nn.init.trunc_normal_(
                values, std=(2 / fan) ** 0.5, a=-2 * (2 / fan) ** 0.5, b=2 * (2 / fan) ** 0.5
            )

    def forward(self, values: Tensor) -> Tensor:
        weight = self.weight
        if self.max_norm:
            weight = weight / torch.linalg.matrix_norm(weight).clamp_min(1.0)
        return functional.linear(values, weight, self.bias)


class _Layer(nn.Module):
    def __init__(
        self, inputs: int, outputs: int, batch_norm: bool, max_norm: bool, dropout_keep: float
    ) -> None:
        super().__init__()
        self.linear = _Linear(inputs, outputs, max_norm)
        self.norm: nn.Module = (
            nn.BatchNorm1d(outputs, eps=_BATCH_NORM_EPSILON, momentum=1 - _BATCH_NORM_KEPT)
            if batch_norm
            else nn.Identity()
        )
        self.dropout = nn.Dropout(1 - dropout_keep)

    def forward(self, values: Tensor) -> Tensor:
        out: Tensor = self.dropout(functional.relu(self.norm(self.linear(values))))
        return out


class _Block(nn.Module):
    def __init__(
        self, size: int, residual: bool, batch_norm: bool, max_norm: bool, dropout_keep: float
    ) -> None:
        super().__init__()
        self.first = _Layer(size, size, batch_norm, max_norm, dropout_keep)
        self.second = _Layer(size, size, batch_norm, max_norm, dropout_keep)
        self.residual = residual

    def forward(self, values: Tensor) -> Tensor:
        through: Tensor = self.second(self.first(values))
        return values + through if self.residual else through
