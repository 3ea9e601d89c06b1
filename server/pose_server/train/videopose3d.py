"""Training of VideoPose3D's networks as Pavllo et al. (2019) did it: with joints, and with films alone.

Supervised: the mean distance of root-relative joints.  Semi-supervised: a second network learns the
root's path, so that what both make of unlabelled films can be projected and compared with the 2D
points that went in, and the bones of unlabelled people keep the mean lengths of labelled ones.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from pose_shared.errors import InputError
from pose_shared.skeleton import H36M_17, HUMANEVA_15
from torch import Tensor

from pose_server.lift.folded import FoldedModel
from pose_server.lift.temporal import TemporalForm, TemporalModel
from pose_server.lift.videopose3d import predicted
from pose_server.lift.videopose3d_file import PoseCheckpoint, write_checkpoint
from pose_server.train.chunks import Batch, Chunks
from pose_server.train.pose_sets import PoseSet, View
from pose_server.train.run import TrainingRun, seed_everything
from pose_server.train.screen import projected

__all__ = ["VideoPose3DOptions", "bone_pairs", "projected_pairs", "train_videopose3d"]

#: Parents of the joints that move on their own, for the lengths of bones.
_PARENTS = {
    H36M_17.joints: (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15),
    HUMANEVA_15.joints: (-1, 0, 1, 2, 3, 1, 5, 6, 0, 8, 9, 0, 11, 12, 1),
}
#: Momentum of batch norm at the first and after the last epoch.
_MOMENTUM = (0.1, 0.001)


@dataclass(frozen=True)
class VideoPose3DOptions:
    """What decides a network and its training; the defaults are the published ones."""

    filter_widths: tuple[int, ...] = (3, 3, 3)
    causal: bool = False
    dense: bool = False
    channels: int = 1024
    dropout: float = 0.25
    stride: int = 1
    """Output frames of a training sample."""
    epochs: int = 60
    batch_size: int = 1024
    """Output frames of a step; as many unlabelled ones beside them."""
    learning_rate: float = 1e-3
    decay: float = 0.95
    """Of the learning rate, per epoch."""
    mirror: bool = True
    """Train on mirror images too."""
    strided: bool = True
    """Compute only what a sample of one frame needs."""
    trajectory: bool = False
    """Train the path network with labels alone too."""
    warmup: int = 1
    """Epochs before unlabelled films count."""
    projection: bool = True
    bone_length: bool = True
    linear_projection: bool = False
    half: bool = False
    """Multiply in bfloat16; weights and optimiser stay in 32 bits."""
    seed: int = 0

    def __post_init__(self) -> None:
        self.form(17, 2, 17)
        for name, low, high in (
            ("stride", 1, 1 << 16),
            ("epochs", 1, 1 << 30),
            ("batch_size", 2, 1 << 20),
            ("learning_rate", 1e-9, 10),
            ("decay", 1e-3, 1),
            ("dropout", 0, 0.99),
            ("warmup", 0, 1 << 30),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(
                    f"{name.replace('_', '-')} {value:g} is not possible; give {low:g} to {high:g}.",
                    reason="OPTION_INVALID",
                    option=name,
                    value=value,
                )

    def form(self, joints_in: int, features_in: int, joints_out: int) -> TemporalForm:
        """Return the form of a network for so many joints."""
        return TemporalForm(
            joints_in, features_in, joints_out, self.filter_widths, self.channels, self.causal, self.dense
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain JSON data."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(self).items()}


def train_videopose3d(
    data: PoseSet,
    options: VideoPose3DOptions,
    run: TrainingRun,
    *,
    labelled: Sequence[View],
    unlabelled: Sequence[View] = (),
    test: Sequence[View] = (),
    keep_every: int = 10,
    device: str = "cpu",
) -> PoseCheckpoint:
    """Train the networks, write them into the run's folder as ``model.bin``, and return them.

    Parameters
    ----------
    data
        Where the views come from.
    options, run
        How, and where it is kept.
    labelled
        Views with joints, to learn from.
    unlabelled
        Views whose joints are not looked at; with any, the training is semi-supervised.
    test
        Views whose error is measured after every epoch.
    keep_every
        Epochs between the files ``epoch_N.bin``; 0 for none.
    device
        ``cpu`` or ``cuda:N``.

    Raises
    ------
    InputError
        ``DATASET_UNLABELLED`` (views to learn from lack joints), ``LENS_UNKNOWN`` (the unlabelled views'
        lenses are not known), or ``TRAINING_DIVERGED``.
    """
    if any(view.joints_m is None for view in (*labelled, *test)):
        raise InputError(
            f"{data.name} has views without 3D joints among those to learn from or to test on; "
            "name them as unlabelled subjects.",
            reason="DATASET_UNLABELLED",
        )
    if options.projection and any(view.camera.lens is None for view in unlabelled):
        raise InputError(
            f"The lenses of {data.name} are not known, so nothing can be projected; "
            "train it without unlabelled subjects, or with --no-proj.",
            reason="LENS_UNKNOWN",
        )
    return _Training(data, options, run, labelled, unlabelled, test, device).run_all(keep_every)


class _Training:
    """The networks, their samples and what is measured of them."""

    def __init__(
        self,
        data: PoseSet,
        options: VideoPose3DOptions,
        run: TrainingRun,
        labelled: Sequence[View],
        unlabelled: Sequence[View],
        test: Sequence[View],
        device: str,
    ) -> None:
        self.data, self.options, self.run, self.test = data, options, run, test
        self.device = device
        features = labelled[0].points.shape[2]
        form = options.form(len(data.inputs), features, len(data.outputs))
        seed_everything(options.seed)
        strided = options.strided and options.stride == 1 and not options.dense
        self.pose = TemporalModel(form, dropout=options.dropout, strided=strided).to(device)
        self.path: TemporalModel | None = None
        if unlabelled or options.trajectory:
            root = dataclasses.replace(form, joints_out=1)
            self.path = TemporalModel(root, dropout=options.dropout, strided=strided).to(device)
        self.models = [model for model in (self.pose, self.path) if model is not None]
        self.optimizer = torch.optim.Adam(
            [p for model in self.models for p in model.parameters()], lr=options.learning_rate, amsgrad=True
        )
        mirrors = data.mirrors if options.mirror else None

        def chunks(views: Sequence[View]) -> Chunks:
            return Chunks(views, form, stride=options.stride, mirrors=mirrors, device=device)

        self.labelled = chunks(labelled)
        self.unlabelled = chunks(unlabelled) if unlabelled else None
        self.pairs = torch.tensor(projected_pairs(data), device=device).T
        self.bones = torch.tensor(bone_pairs(data.outputs), device=device).T

    def run_all(self, keep_every: int) -> PoseCheckpoint:
        options, run = self.options, self.run
        first = 0
        state = run.restore()
        if state is not None:
            first = int(state["step"]) + 1
            for model, weights in zip(self.models, state["models"], strict=True):
                model.load_state_dict(weights)
            self.optimizer.load_state_dict(state["optimizer"])
        for epoch in run.steps(first, options.epochs):
            measured = self.epoch(epoch)
            run.log(epoch, **measured)
            models = [model.state_dict() for model in self.models]
            run.save(epoch, {"models": models, "optimizer": self.optimizer.state_dict()})
            if keep_every and (epoch + 1) % keep_every == 0:
                self.write(f"epoch_{epoch + 1}.bin", epoch + 1)
        return self.write("model.bin", options.epochs)

    def write(self, name: str, epoch: int) -> PoseCheckpoint:
        checkpoint = PoseCheckpoint(
            pose=self.plain(self.pose),
            path=self.plain(self.path) if self.path else None,
            inputs=self.data.inputs,
            outputs=self.data.outputs,
            epoch=epoch,
            rate=self.data.rate,
        )
        write_checkpoint(self.run.folder / name, checkpoint, learning_rate=self.rate(epoch))
        return checkpoint

    def plain(self, model: TemporalModel) -> TemporalModel:
        """Return the network as it is used, on the CPU."""
        copy = TemporalModel(model.form)
        copy.load_state_dict(model.state_dict())
        return copy.eval()

    def rate(self, epoch: int) -> float:
        return self.options.learning_rate * self.options.decay**epoch

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train an epoch and return what was measured; it depends on its number alone."""
        options = self.options
        torch.manual_seed(options.seed * 1_000_003 + epoch)
        rng = np.random.default_rng([options.seed, epoch])
        begin, end = _MOMENTUM
        momentum = begin * math.exp(-epoch / options.epochs * math.log(begin / end))
        for model in self.models:
            model.train()
            for norm in (m for m in model.modules() if isinstance(m, torch.nn.BatchNorm1d)):
                norm.momentum = momentum
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(epoch)
        batch = max(options.batch_size // options.stride, 1)
        films = None
        if self.unlabelled is not None and epoch >= options.warmup:
            films = self.unlabelled.endless(batch, np.random.default_rng([options.seed, epoch, 1]))
        sums: dict[str, float] = {}
        count = 0
        for seen in self.labelled.epoch(batch, rng):
            losses = self.losses(seen, next(films) if films is not None else None)
            total = torch.stack(list(losses.values())).sum()
            self.optimizer.zero_grad()
            total.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            size = len(seen.points)
            count += size
            for name, loss in losses.items():
                sums[name] = sums.get(name, 0.0) + float(loss.detach()) * size
        measured = {name: value / count for name, value in sums.items()}
        if not all(math.isfinite(value) for value in measured.values()):
            raise InputError(
                "The training came to numbers that are not finite; give a smaller --learning-rate.",
                reason="TRAINING_DIVERGED",
                epoch=epoch,
            )
        return {"learning_rate": self.rate(epoch), **measured, **self.tested()}

    def losses(self, seen: Batch, films: Batch | None) -> dict[str, Tensor]:
        """Return every part of the loss, in metres and units of the screen."""
        assert seen.joints_m is not None
        options, known = self.options, len(seen.points)
        # One batch of both, so that batch norm sees the unlabelled films too.
        points = seen.points if films is None else torch.cat([seen.points, films.points])
        with torch.autocast(self.device.split(":")[0], torch.bfloat16, enabled=options.half):
            pose = self.pose(points)
            path = self.path(points) if self.path is not None else None
        pose = pose.float()
        target = seen.joints_m[:, :, :1]
        relative = torch.cat([torch.zeros_like(target), seen.joints_m[:, :, 1:] - target], dim=2)
        losses = {"pose_m": _distance(pose[:known], relative).mean()}
        if path is None:
            return losses
        path = path.float()
        losses["path"] = (_distance(path[:known], target) / target[..., 2]).mean()
        if films is None:
            return losses
        if options.projection:
            assert films.lens is not None
            place = projected(pose[known:] + path[known:], films.lens, linear=options.linear_projection)
            before, after = self.pose.form.padding
            middle = films.points[:, before : films.points.shape[1] - after, :, :2]
            joints, keypoints = self.pairs
            losses["projection"] = _distance(place[:, :, joints], middle[:, :, keypoints]).mean()
        if options.bone_length:
            ends, starts = self.bones
            lengths = _distance(pose[:, :, ends], pose[:, :, starts]).mean(dim=1)
            losses["bones_m"] = (lengths[:known].mean(dim=0) - lengths[known:].mean(dim=0)).abs().mean()
        return losses

    def tested(self) -> dict[str, float]:
        """Return the mean error over all test frames, without mirror images."""
        if not self.test:
            return {}
        models = [FoldedModel(self.plain(model), device=self.device) for model in self.models]
        pose_mm, path_m = [], []
        for view in self.test:
            assert view.joints_m is not None
            relative = view.joints_m - view.joints_m[:, :1]
            found = predicted(models[0], view.points, None)
            pose_mm.append(np.linalg.norm(found - relative, axis=-1).mean(axis=1) * 1e3)
            if len(models) > 1:
                root = predicted(models[1], view.points, None)[:, 0]
                path_m.append(np.linalg.norm(root - view.joints_m[:, 0], axis=-1))
        measured = {"test_mm": float(np.concatenate(pose_mm).mean())}
        if path_m:
            measured["test_path_m"] = float(np.concatenate(path_m).mean())
        return measured


def projected_pairs(data: PoseSet) -> list[tuple[int, int]]:
    """Return which joint is seen as which keypoint: (joint, keypoint).

    Of points that Human3.6M defines itself all; of another layout those of the same name, without the
    nose, since the joint of that name lies in the neck.
    """
    if data.inputs == data.outputs:
        return [(i, i) for i in range(len(data.outputs))]
    pairs = [
        (data.outputs.index(name), place)
        for place, name in enumerate(data.inputs)
        if name in data.outputs and name != "nose"
    ]
    return pairs or [(i, i) for i in range(min(len(data.inputs), len(data.outputs)))]


def bone_pairs(outputs: Sequence[str]) -> list[tuple[int, int]]:
    """Return the bones of a joint set: (joint, parent); of one without known parents those to the root."""
    parents = _PARENTS.get(tuple(outputs), (-1, *[0] * (len(outputs) - 1)))
    return [(joint, parent) for joint, parent in enumerate(parents) if parent >= 0]


def _distance(first: Tensor, second: Tensor) -> Tensor:
    distance: Tensor = torch.linalg.vector_norm(first - second, dim=-1)
    return distance
