"""Training the house lifter."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from pose_shared.skeleton import BODY_31
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils import clip_grad_norm_

from pose_server.evaluate.metrics import contact_score, mpjpe_mm, p_mpjpe_mm, root_error
from pose_server.lift.folded import fast_precision
from pose_server.lift.network import Lifted, LiftNetwork, LiftShape
from pose_server.train.bodies import BONES
from pose_server.train.cameras import CameraModel
from pose_server.train.motions import MotionSet
from pose_server.train.run import TrainingRun, seed_everything
from pose_server.train.sightings import SightModel
from pose_server.train.windows import BodyModel, Window, WindowSource

__all__ = ["HELD_OUT", "HouseOptions", "train_house"]

#: CMU subjects that are never trained on.
HELD_OUT = ("10", "12", "13", "16", "26", "27", "29", "32", "86")

_WEIGHTS = torch.tensor(
    [
        0.5
        if any(part in name for part in ("eye", "ear", "nose", "toe", "heel", "index", "pinky"))
        else 0.7
        if name in ("spine", "chest", "neck", "head")
        else 1.0
        for name in BODY_31.joints
    ]
)
#: The joints that are measured, those of most benchmarks.
_LIMBS = [
    i
    for i, name in enumerate(BODY_31.joints)
    if any(part in name for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"))
]


#: What a checkpoint holds.
_KEPT = ("network", "averaged", "optimizers", "generator", "losses")


@dataclass(frozen=True)
class HouseOptions:
    """Everything that decides the weights, with the data."""

    steps: int = 18_000
    #: Windows per batch, frames per window: many short ones show more people and cameras for the same work.
    batch: int = 96
    frames: int = 16
    #: The last share of the steps has fewer, longer windows: the whole reach, and its middle without an end.
    late_frames: int = 48
    late_share: float = 0.2
    rate: float = 4e-3
    weight_decay: float = 0.01
    average: float = 0.999
    #: Weights of two terms of the loss, beside 1 for the joints' distance.
    bones: float = 0.2
    projection: float = 0.2
    seed: int = 1
    held_out: tuple[str, ...] = HELD_OUT
    shape: LiftShape = field(default_factory=LiftShape)
    cameras: CameraModel = field(default_factory=CameraModel)
    sights: SightModel = field(default_factory=SightModel)
    bodies: BodyModel = field(default_factory=BodyModel)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        values: dict[str, Any] = _plain(asdict(self))
        return values


def train_house(
    motions: MotionSet,
    options: HouseOptions,
    folder: Path,
    *,
    device: str = "cpu",
    threads: int = 1,
    resume: bool = False,
    measure_every: int = 1000,
    tell: Callable[[str], None] = print,
) -> LiftNetwork:
    """Train, and return the network with averaged weights, ready to measure.

    The folder keeps the run; see `TrainingRun`.

    Raises
    ------
    InputError
        From the split of the motions, or about the folder.
    """
    torch.set_num_threads(threads)  # one is the best use of a core: the layers are small
    training, test = motions.split(options.held_out)
    run = TrainingRun(
        folder, {**options.to_dict(), "motions_sha256": motions.sha256}, resume=resume, tell=tell
    )
    seed_everything(options.seed)
    network = LiftNetwork(options.shape).to(device)
    averaged = copy.deepcopy(network).eval()
    optimizers = _optimizers(network, options)
    generator = torch.Generator(device).manual_seed(options.seed)
    precision = fast_precision(device)
    losses: dict[str, Tensor] = {}
    first = 0
    if state := run.restore(*_KEPT):
        network.load_state_dict(state["network"])
        averaged.load_state_dict(state["averaged"])
        for optimizer, kept in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        generator.set_state(state["generator"])  # on the CPU, wherever it draws
        losses = {name: value.to(device) for name, value in state["losses"].items()}
        first = state["step"]
    early, late = (
        WindowSource(
            training,
            frames,
            options.cameras,
            options.sights,
            options.bodies,
            options.shape.causal,
            device,
        )
        for frames in (options.frames, options.late_frames)
    )
    held_out = _held_out(test, options, device)
    figures: dict[str, float] = {}
    for step in run.steps(first, options.steps):
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = options.rate * _schedule(step, options.steps)
        if step < round(options.steps * (1 - options.late_share)):
            window = early.draw(options.batch, generator)
        else:
            window = late.draw(max(2, options.batch * options.frames // options.late_frames), generator)
        network.train()
        with torch.autocast(device.split(":")[0], dtype=precision, enabled=precision != torch.float32):
            lifted = network(window.sight, window.crop)
        terms = _terms(lifted, window, options)
        total = sum(terms.values(), torch.zeros((), device=device))
        network.zero_grad(set_to_none=True)
        torch.autograd.backward(total)
        clip_grad_norm_(network.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        _average(averaged, network, min(options.average, (step + 1) / (step + 10)))
        for name, term in terms.items():
            # Numbers stay on the device: to read one waits for all before it.
            losses[name] = torch.lerp(losses.get(name, term.detach()), term.detach(), 0.01)
        done = step + 1
        if done % measure_every == 0 or done == options.steps:
            for window in held_out:
                figures |= _measured(averaged, window)
            run.log(done, **figures, **{f"loss_{name}": float(value) for name, value in losses.items()})
            run.save(
                done,
                {
                    "network": network.state_dict(),
                    "averaged": averaged.state_dict(),
                    "optimizers": [optimizer.state_dict() for optimizer in optimizers],
                    "generator": generator.get_state(),
                    "losses": losses,
                    "shape": options.shape.to_dict(),
                },
            )
    return averaged


def _optimizers(network: LiftNetwork, options: HouseOptions) -> list[torch.optim.Optimizer]:
    """Return Muon (Jordan et al., 2024) for the matrices inside and AdamW for everything else.

    Measured after 1000 steps: 106.7 mm on held-out people against 112.2 with AdamW alone, at an eighth
    more time per step.
    """
    inner = [
        parameter
        for name, parameter in network.named_parameters()
        if parameter.ndim == 2 and name.partition(".")[0] in ("enter", "mix", "point")
    ]
    known = {id(parameter) for parameter in inner}
    outer = [parameter for parameter in network.parameters() if id(parameter) not in known]
    return [
        torch.optim.Muon(
            inner, lr=options.rate, weight_decay=options.weight_decay, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(outer, lr=options.rate, weight_decay=options.weight_decay),
    ]


def _terms(lifted: Lifted, window: Window, options: HouseOptions) -> dict[str, Tensor]:
    """Return the weighted terms of the loss; all are in metres or close to them."""
    weights = _WEIGHTS.to(window.joints.device)
    error = lifted.joints.float() - window.joints
    distance = (error.square().sum(-1) + 1e-8).sqrt()
    depth = window.root[..., 2:]
    root = (lifted.root.float() - window.root) / depth
    speed = torch.diff(error, dim=1)
    change = torch.diff(speed, dim=1)
    spread = lifted.log_spread.float()
    bones = _lengths(lifted.joints.float()) - _lengths(window.joints)
    projected = _projected(lifted.joints.float(), lifted.root.float())
    projected = projected - _projected(window.joints, window.root)
    return {
        "joints": (distance * weights).mean(),
        "velocity": 2.0 * ((speed.square().sum(-1) + 1e-8).sqrt() * weights).mean(),
        "acceleration": ((change.square().sum(-1) + 1e-8).sqrt() * weights).mean(),
        "bones": options.bones * bones.abs().mean(),
        "projection": options.projection
        * ((projected.square().sum(-1) + 1e-8).sqrt().clamp(max=1.0) * depth * weights).mean(),
        "root": 0.3 * (root.square().sum(-1) + 1e-8).sqrt().mean(),
        "root_velocity": 0.6 * (torch.diff(root, dim=1).square().sum(-1) + 1e-8).sqrt().mean(),
        "contacts": 0.3 * F.binary_cross_entropy_with_logits(lifted.contacts.float(), window.contacts),
        # The distance is taken as given: how sure it is shall not make it worse.
        "spread": 0.01 * (distance.detach() * torch.exp(-spread) + spread).mean(),
    }


def _lengths(joints: Tensor) -> Tensor:
    first, second = (joints[:, :, list(ends)] for ends in zip(*BONES, strict=True))
    return ((first - second).square().sum(-1) + 1e-8).sqrt()


def _projected(joints: Tensor, root: Tensor) -> Tensor:
    placed = joints + root[:, :, None]
    return placed[..., :2] / placed[..., 2:].clamp(min=0.3)


def _held_out(test: MotionSet, options: HouseOptions, device: str) -> list[Window]:
    """Return fixed windows of other people, as they were captured, once with landmarks and once without."""
    still = BodyModel(0, 0, 0, 0, 0, 0, 0, (30.0, 30.0))
    windows = []
    for share in (0.0, 1.0):
        sights = SightModel(**{**asdict(options.sights), "landmarks_share": share})
        cameras = CameraModel(**{**asdict(options.cameras), "guessed_share": 0.0})
        source = WindowSource(test, 90, cameras, sights, still, options.shape.causal, device)
        windows.append(source.draw(64, torch.Generator(device).manual_seed(7)))
    return windows


@torch.no_grad()
def _measured(network: LiftNetwork, window: Window) -> dict[str, float]:
    """Return errors of one batch: millimetres and shares."""
    lifted = network(window.sight, window.crop)
    suffix = "" if window.sight.has_landmarks.any() else "_plain"
    joints, truth = (x[:, :, _LIMBS].flatten(0, 1).cpu().numpy() for x in (lifted.joints, window.joints))
    root, true_root = (x.flatten(0, 1).cpu().numpy() for x in (lifted.root, window.root))
    contacts, true_contacts = (x.flatten(0, 1).cpu().numpy() for x in (lifted.contacts, window.contacts))
    return {
        f"mpjpe_mm{suffix}": mpjpe_mm(joints, truth),
        f"p_mpjpe_mm{suffix}": p_mpjpe_mm(joints, truth),
        f"root_relative_depth{suffix}": root_error(root, true_root).relative_depth,
        f"contact_f1{suffix}": contact_score(contacts, true_contacts, threshold=0.0).f1,
    }


def _schedule(step: int, steps: int) -> float:
    """A short rise, then half a cosine."""
    rise = min(1.0, (step + 1) / 200)
    return rise * (0.5 * (1 + math.cos(math.pi * step / steps)) * 0.99 + 0.01)


@torch.no_grad()
def _average(averaged: LiftNetwork, network: LiftNetwork, keep: float) -> None:
    for old, new in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
        if old.dtype.is_floating_point:
            old.lerp_(new, 1 - keep)
        else:
            old.copy_(new)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return list(value) if isinstance(value, tuple) else value
