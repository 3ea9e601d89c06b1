"""Training of 3d-pose-baseline's network, as Martinez et al. (2017) did it.

Adam on the mean squared error of normalised joints; the rate falls by 0.96 every 100,000 steps,
smoothly.  The published command sets all of ``residual``, ``batch_norm``, ``max_norm`` and
``camera_frame`` and keeps 0.5 of the activations, though the script's own defaults are off and 1;
here the published values are the defaults.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pose_shared.errors import InputError, InternalError
from pose_shared.skeleton import H36M_17
from torch.nn import functional

from pose_server.lift.baseline_file import write_baseline
from pose_server.lift.baseline_model import HUMAN36M_CENTRE_PX, HUMAN36M_FOCAL_PX, BaselineModel
from pose_server.lift.linear import LinearNetwork
from pose_server.lift.points import HUMAN36M_INPUTS
from pose_server.train.run import TrainingRun

__all__ = [
    "OUTPUTS_14",
    "OUTPUTS_16",
    "BaselineOptions",
    "PoseClip",
    "fresh_model",
    "train_baseline",
]

FloatArray = NDArray[np.floating[Any]]

#: Every joint of Human3.6M but the origin, and what ``predict_14`` leaves of them.
OUTPUTS_16 = tuple(joint for joint in H36M_17.joints if joint != "pelvis")
OUTPUTS_14 = tuple(joint for joint in OUTPUTS_16 if joint not in ("spine", "nose"))
#: A number that varies less, in pixels or millimetres, never changes in the data; it is not scaled,
#: or the first person who differs would blow it up.
_LEAST_STD = 1e-3
_TEST_BATCH = 8192


@dataclass(frozen=True, eq=False)
class PoseClip:
    """One camera's view of one recording."""

    subject: str
    action: str
    points_px: FloatArray
    """(T, K, 2) of the network's inputs; NaN where missing."""
    joints_m: FloatArray
    """(T, 17, 3) of Human3.6M, metres, camera or room axes."""
    fps: float = 50.0

    def __post_init__(self) -> None:
        frames = len(self.points_px)
        if self.points_px.ndim != 3 or self.joints_m.shape != (frames, len(H36M_17), 3):
            raise InternalError(
                f"PoseClip.joints_m: expected ({frames}, 17, 3), got {self.joints_m.shape}",
                reason="BAD_SHAPE",
            )

    def joints_mm(self, outputs: Sequence[str]) -> FloatArray:
        """Return (T, J, 3) of some joints in millimetres about the pelvis."""
        about = self.joints_m - self.joints_m[:, :1]
        return about[:, [H36M_17.index(joint) for joint in outputs]] * 1e3


@dataclass(frozen=True)
class BaselineOptions:
    """What decides a network and its training."""

    linear_size: int = 1024
    num_layers: int = 2
    residual: bool = True
    batch_norm: bool = True
    max_norm: bool = True
    predict_14: bool = False
    camera_frame: bool = True
    inputs: tuple[str, ...] = HUMAN36M_INPUTS
    epochs: int = 200
    batch_size: int = 64
    learning_rate: float = 1e-3
    decay: float = 0.96
    decay_steps: int = 100_000
    dropout_keep: float = 0.5
    half: bool = False
    """Multiply in bfloat16; weights and optimiser stay in 32 bits."""
    seed: int = 0
    focal_px: tuple[float, float] = HUMAN36M_FOCAL_PX
    """Of the cameras of the training set, for who lifts with the result."""
    centre_px: tuple[float, float] = HUMAN36M_CENTRE_PX

    def __post_init__(self) -> None:
        for name, low, high in (
            ("linear_size", 1, 1 << 16),
            ("num_layers", 0, 100),
            ("epochs", 1, 1 << 30),
            ("batch_size", 2, 1 << 20),
            ("learning_rate", 1e-9, 10),
            ("decay", 1e-3, 1),
            ("dropout_keep", 0.01, 1),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(
                    f"{name.replace('_', '-')} {value:g} is not possible; give {low:g} to {high:g}.",
                    reason="OPTION_INVALID",
                    option=name,
                    value=value,
                )

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain JSON data."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(self).items()}


def fresh_model(clips: Sequence[PoseClip], options: BaselineOptions) -> BaselineModel:
    """Return an untrained model whose normalisation is the clips'.

    Raises
    ------
    InputError
        There are fewer frames than one batch holds (``FRAMES_TOO_FEW``).
    """
    outputs = OUTPUTS_14 if options.predict_14 else OUTPUTS_16
    points, joints = _examples(clips, outputs)
    if len(points) < options.batch_size:
        raise InputError(
            f"The data hold {len(points)} whole frames, fewer than one batch of {options.batch_size}; "
            "give more data, or a smaller batch.",
            reason="FRAMES_TOO_FEW",
            frames=len(points),
        )
    network = LinearNetwork(
        2 * len(options.inputs),
        3 * len(outputs),
        linear_size=options.linear_size,
        num_layers=options.num_layers,
        residual=options.residual,
        batch_norm=options.batch_norm,
        max_norm=options.max_norm,
        dropout_keep=options.dropout_keep,
    )
    return BaselineModel(
        network=network,
        inputs=options.inputs,
        outputs=outputs,
        mean_2d_px=points.mean(axis=0),
        std_2d_px=_spread(points),
        mean_3d_mm=joints.mean(axis=0),
        std_3d_mm=_spread(joints),
        camera_frame=options.camera_frame,
        focal_px=options.focal_px,
        centre_px=options.centre_px,
    )


def train_baseline(
    clips: Sequence[PoseClip],
    options: BaselineOptions,
    run: TrainingRun,
    *,
    test_clips: Sequence[PoseClip] = (),
    device: str = "cpu",
) -> BaselineModel:
    """Train on `clips`, write ``baseline.npz`` into the run's folder, and return the model.

    Frames with a missing point or joint are left out, and each epoch the odd ones that fill no
    batch.  A run goes on from its last whole epoch and ends as if it had never been stopped.

    The curves hold, per epoch, the training loss and rate, and of the test clips the loss and
    the mean joint error in millimetres, the pelvis counted as published.
    """
    torch.manual_seed(options.seed)
    model = fresh_model(clips, options)
    network = model.network.to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=options.learning_rate)
    given, wanted = _tensors(model, clips, device)
    tests = _tensors(model, test_clips, device) if test_clips else None
    batches = len(given) // options.batch_size

    first = 0
    state = run.restore()
    if state is not None:
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        first = int(state["step"])
    for epoch in run.steps(first, options.epochs):
        # Each epoch draws from its own seed, so that one begun again is the same.
        torch.manual_seed(options.seed * 1_000_003 + epoch)
        network.train()
        total = torch.zeros((), device=device)
        for number, rows in enumerate(_batches(len(given), options.batch_size, device)):
            step = epoch * batches + number
            rate = options.learning_rate * options.decay ** (step / options.decay_steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            with torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=options.half):
                found = network(given[rows])
            loss = functional.mse_loss(found.float(), wanted[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += loss.detach()
        measured = {"loss": float(total) / batches, "learning_rate": rate}
        if tests is not None:
            measured |= _tested(model, *tests)
        run.log(epoch + 1, **measured)
        run.save(epoch + 1, {"network": network.state_dict(), "optimizer": optimizer.state_dict()})
    network.eval()
    write_baseline(run.folder / "baseline.npz", model)
    return model


def _spread(values: FloatArray) -> FloatArray:
    spread = values.std(axis=0)
    return np.where(spread > _LEAST_STD, spread, 1.0)


def _examples(clips: Sequence[PoseClip], outputs: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Return the points (N, K, 2) and joints (N, J, 3) of every whole frame."""
    points = [clip.points_px for clip in clips] or [np.empty((0, 1, 2))]
    joints = [clip.joints_mm(outputs) for clip in clips] or [np.empty((0, 1, 3))]
    all_points, all_joints = np.concatenate(points), np.concatenate(joints)
    whole = np.isfinite(all_points).all(axis=(1, 2)) & np.isfinite(all_joints).all(axis=(1, 2))
    return all_points[whole], all_joints[whole]


def _tensors(
    model: BaselineModel, clips: Sequence[PoseClip], device: str
) -> tuple[torch.Tensor, torch.Tensor]:
    points, joints = _examples(clips, model.outputs)
    given, wanted = model.normalised_2d(points), model.normalised_3d(joints)
    return torch.from_numpy(given).to(device), torch.from_numpy(wanted).to(device)


def _batches(frames: int, size: int, device: str) -> Iterator[torch.Tensor]:
    order = torch.randperm(frames).to(device)
    for begin in range(0, frames - size + 1, size):
        yield order[begin : begin + size]


def _tested(model: BaselineModel, given: torch.Tensor, wanted: torch.Tensor) -> dict[str, float]:
    model.network.eval()
    scale = torch.from_numpy(model.std_3d_mm).to(given)
    squares = distance = 0.0
    with torch.inference_mode():
        for points, truth in zip(
            torch.split(given, _TEST_BATCH), torch.split(wanted, _TEST_BATCH), strict=True
        ):
            off = model.network(points) - truth
            squares += float((off**2).sum())
            distance += float((off.unflatten(1, scale.shape) * scale).norm(dim=2).sum())
    # The pelvis is right by definition and counts among the seventeen; not among the fourteen.
    counted = len(model.outputs) + (len(model.outputs) == len(OUTPUTS_16))
    return {
        "test_loss": squares / max(wanted.numel(), 1),
        "test_mpjpe_mm": distance / max(len(wanted) * counted, 1),
    }
