"""Training samples of a temporal network: short runs of output frames and all that they depend on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pose_server.lift.temporal import TemporalForm
from pose_server.train.pose_sets import View
from pose_server.train.screen import mirrored_lens

__all__ = ["Batch", "Chunks"]


@dataclass(frozen=True)
class Batch:
    """B samples side by side."""

    points: Tensor
    """(B, receptive field + stride - 1, K, F) screen coordinates."""
    joints_m: Tensor | None
    """(B, stride, J, 3) in the camera, the first joint the root; None of unlabelled samples."""
    lens: Tensor | None
    """(B, 9); None where lenses are not known."""


class Chunks:
    """The samples of some views: each run of `stride` frames, and each mirrored.

    Parameters
    ----------
    views
        The recordings.
    form
        Of the network that learns from them.
    stride
        Output frames of a sample.
    mirrors
        Counterparts among keypoints and joints, for mirrored samples; None for none.
    device
        Where everything is kept.

    Notes
    -----
    Frames beyond the ends of a recording are its first and last one again.  A recording whose length
    is no multiple of the stride lies in the middle of its samples.
    """

    def __init__(
        self,
        views: Sequence[View],
        form: TemporalForm,
        *,
        stride: int,
        mirrors: tuple[Sequence[int], Sequence[int]] | None,
        device: str = "cpu",
    ) -> None:
        self._points = torch.from_numpy(np.concatenate([view.points for view in views])).to(device)
        labelled = [view.joints_m for view in views if view.joints_m is not None]
        self._joints = (
            torch.from_numpy(np.concatenate(labelled)).to(device) if len(labelled) == len(views) else None
        )
        lenses = [view.camera.lens for view in views if view.camera.lens is not None]
        self._lenses = torch.from_numpy(np.stack(lenses)).to(device) if len(lenses) == len(views) else None
        self._mirrors = mirrors
        self._stride = stride
        before, after = form.padding
        self._window = torch.arange(-before, stride + after, device=device)
        rows = []
        begin = 0
        for number, view in enumerate(views):
            count = -(-len(view) // stride)
            shift = (count * stride - len(view)) // 2
            rows += [(begin + i * stride - shift, begin, begin + len(view) - 1, number) for i in range(count)]
            begin += len(view)
        #: First output frame, first and last frame of its recording, and the recording, of each sample.
        self._rows = torch.tensor(rows, device=device).reshape(-1, 4)

    def __len__(self) -> int:
        return len(self._rows) * (2 if self._mirrors else 1)

    def epoch(self, batch: int, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield every sample once, in an order that `rng` draws, `batch` at a time.

        A last batch of one sample, whose spread batch norm cannot tell, is left out.
        """
        order = torch.from_numpy(rng.permutation(len(self)))
        for numbers in torch.split(order, batch):
            if len(numbers) > 1 or len(self) == 1:
                yield self.batch(numbers)

    def endless(self, batch: int, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield epochs one after the other, batches always full."""
        order = np.empty(0, dtype=np.int64)
        while True:
            while len(order) < batch:
                order = np.concatenate([order, rng.permutation(len(self))])
            yield self.batch(torch.from_numpy(order[:batch]))
            order = order[batch:]

    def batch(self, numbers: Tensor) -> Batch:
        """Return some samples; those from the number of rows on are mirrored."""
        numbers = numbers.to(self._rows.device)
        turned = numbers >= len(self._rows)
        first, low, high, view = self._rows[numbers % len(self._rows)].unbind(dim=1)

        def frames(window: Tensor) -> Tensor:
            return (first[:, None] + window).clamp(low[:, None], high[:, None])

        points = self._points[frames(self._window)]
        joints = None
        if self._joints is not None:
            joints = self._joints[frames(torch.arange(self._stride, device=first.device))]
        lens = self._lenses[view] if self._lenses is not None else None
        if self._mirrors is not None and bool(turned.any()):
            of_points, of_joints = (list(mirror) for mirror in self._mirrors)
            points[turned] = _mirrored(points[turned], of_points)
            if joints is not None:
                joints[turned] = _mirrored(joints[turned], of_joints)
            if lens is not None:
                lens[turned] = mirrored_lens(lens[turned])
        return Batch(points, joints, lens)


def _mirrored(values: Tensor, mirror: list[int]) -> Tensor:
    """Return (B, T, J, n) with x negative and sides exchanged."""
    values = values[:, :, mirror].clone()
    values[..., 0] *= -1
    return values
