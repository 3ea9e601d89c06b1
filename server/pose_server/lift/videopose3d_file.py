"""The checkpoints of VideoPose3D: what its training writes and its authors publish, and ours alike.

A file is a dictionary that `torch.save` wrote, with the weights under ``model_pos`` and, of a network
that knows the path, ``model_traj``; or the weights alone.  The architecture is read from their
shapes.  What a file does not say, the order of the 2D joints and whether the network is causal,
ours keep under ``pose_server``; of others it is taken from the file's name, unless it is given.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pose_shared.errors import InputError
from pose_shared.skeleton import COCO_17, H36M_17, HUMANEVA_15, JOINT_SETS, MPII_16
from torch import Tensor

from pose_server.lift.temporal import TemporalForm, TemporalModel
from pose_server.weights.pickled import read_pickled

__all__ = ["PoseCheckpoint", "read_checkpoint", "write_checkpoint"]

_OURS = "pose_server"
#: Joint sets by their size, where a file does not name its own: in the picture, and in space.
_INPUTS = {15: HUMANEVA_15, 16: MPII_16, 17: COCO_17}
_OUTPUTS = {15: HUMANEVA_15, 17: H36M_17}
#: Joints of all published 2D sets; HumanEva has one of 20 besides.
_KNOWN_SIZES = (17, 15, 16, 20)


@dataclass(frozen=True)
class PoseCheckpoint:
    """Trained networks, and the joints they know."""

    pose: TemporalModel
    """Root-relative joints."""
    path: TemporalModel | None
    """The root's place in the camera, where it was trained."""
    inputs: tuple[str, ...]
    """Names of the 2D joints in the network's order."""
    outputs: tuple[str, ...]
    """Names of the 3D joints in the network's order."""
    epoch: int = 0
    rate: int = 50
    """Frames per second of the training data."""


def read_checkpoint(
    path: Path, *, inputs: str | None = None, causal: bool | None = None, dense: bool = False
) -> PoseCheckpoint:
    """Read a checkpoint of any age; nothing in it is run.

    Parameters
    ----------
    path
        The file.
    inputs
        Joint set of the 2D points, such as ``coco_17`` or ``h36m_17``; the file's name decides where this and
        the file itself do not say.
    causal, dense
        The form, where the file does not say; `causal` by its name if None.

    Raises
    ------
    InputError
        ``FILE_MISSING``, ``CHECKPOINT_DAMAGED``, ``CHECKPOINT_HOLDS_CODE``, ``CHECKPOINT_NOT_FINITE``,
        ``CHECKPOINT_SHAPE`` (no network of this kind, or other joints than are asked for).
    """
    content = read_pickled(path)
    if not isinstance(content, Mapping):
        raise _shape_error(path, "it holds no dictionary")
    weights = content.get("model_pos", content)
    told = _told(path, content.get(_OURS, {}))
    causal = told.get("causal", "causal" in path.stem.lower()) if causal is None else causal
    dense = told.get("dense", dense)
    joints = len(told["inputs"]) if told else None
    pose = _network(path, "model_pos", weights, causal=causal, dense=dense, joints=joints)
    root = content.get("model_traj")
    if told and pose.form.joints_out != len(told["outputs"]):
        raise _shape_error(path, f"it gives {pose.form.joints_out} joints and names {len(told['outputs'])}")
    epoch = content.get("epoch")
    return PoseCheckpoint(
        pose=pose,
        path=_network(path, "model_traj", root, causal=causal, dense=dense, joints=joints) if root else None,
        inputs=_inputs(path, pose.form.joints_in, inputs, told.get("inputs")),
        outputs=told.get("outputs") or _outputs(pose.form.joints_out),
        epoch=epoch if isinstance(epoch, int) else 0,
        rate=told.get("rate", 50),
    )


def write_checkpoint(path: Path, checkpoint: PoseCheckpoint, *, learning_rate: float = 0.0) -> None:
    """Write a checkpoint that VideoPose3D can evaluate too; it appears when it is complete."""

    def plain(model: TemporalModel) -> dict[str, Tensor]:
        return {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}

    content = {
        "epoch": checkpoint.epoch,
        "lr": learning_rate,
        "random_state": None,
        "optimizer": None,
        "model_pos": plain(checkpoint.pose),
        "model_traj": plain(checkpoint.path) if checkpoint.path else None,
        "random_state_semi": None,
        _OURS: {
            "inputs": list(checkpoint.inputs),
            "outputs": list(checkpoint.outputs),
            "causal": checkpoint.pose.form.causal,
            "dense": checkpoint.pose.form.dense,
            "rate": checkpoint.rate,
        },
    }
    partial = path.with_name(path.name + ".part")
    torch.save(content, partial)
    os.replace(partial, path)


def _told(path: Path, told: Any) -> dict[str, Any]:
    """Return what a file of ours says of itself; nothing from others."""
    if not told:
        return {}
    try:
        return {
            **{key: tuple(str(name) for name in told[key]) for key in ("inputs", "outputs")},
            **{key: bool(told[key]) for key in ("causal", "dense")},
            "rate": int(told["rate"]),
        }
    except (KeyError, TypeError, ValueError):
        raise _shape_error(path, f"its {_OURS} is not understood") from None


def _network(
    path: Path, part: str, weights: Any, *, causal: bool, dense: bool, joints: int | None
) -> TemporalModel:
    """Return the network that weights belong to, after every check that could fail later."""
    if not isinstance(weights, Mapping) or not all(isinstance(v, Tensor) for v in weights.values()):
        raise _shape_error(path, f"its {part} is no table of weights")
    weights = {str(name).removeprefix("module."): value for name, value in weights.items()}
    form = _form(path, weights, causal=causal, dense=dense, joints=joints)
    with torch.device("meta"):
        expected = TemporalModel(form).state_dict()
    # Batch norm of torch before 0.4.1 did not count its batches, and nothing here needs the count.
    counted = {name for name in expected if name.endswith("num_batches_tracked")}
    for name in sorted(set(expected) - counted):
        if name not in weights:
            raise _shape_error(path, f"{name} is missing")
        if weights[name].shape != expected[name].shape:
            raise _shape_error(
                path,
                f"{name} has the shape {tuple(weights[name].shape)} and not {tuple(expected[name].shape)}",
            )
        if not bool(torch.isfinite(weights[name]).all()):
            raise InputError(
                f"{path.name} has weights that are not finite ({name}); its training went wrong, "
                "use an earlier checkpoint.",
                reason="CHECKPOINT_NOT_FINITE",
                path=path,
                name=name,
            )
    unknown = sorted(set(weights) - set(expected))
    if unknown:
        raise _shape_error(path, f"it has {unknown[0]}, which that network has not")
    model = TemporalModel(form)
    model.load_state_dict({name: weights[name] for name in expected if name in weights}, strict=False)
    return model.eval()


def _form(
    path: Path, weights: Mapping[str, Tensor], *, causal: bool, dense: bool, joints: int | None
) -> TemporalForm:
    """Read a network's form from the shapes of its weights."""
    names = ["expand_conv.weight"]
    while f"layers_conv.{2 * (len(names) - 1)}.weight" in weights:
        names.append(f"layers_conv.{2 * (len(names) - 1)}.weight")
    lacking = [name for name in (names[0], "shrink.weight") if name not in weights]
    if lacking:
        raise _shape_error(path, f"{lacking[0]} is missing")
    if any(weights[name].ndim != 3 for name in (*names, "shrink.weight")):
        raise _shape_error(path, "its filters are not of one dimension")
    widths: list[int] = []
    spread = 1
    for name in names:
        kernel = weights[name].shape[2]
        widths.append((kernel - 1) // spread + 1 if dense else kernel)
        spread *= widths[-1]
    channels, taken, _ = weights["expand_conv.weight"].shape
    joints = joints or _joints(taken)
    outputs = weights["shrink.weight"].shape[0]
    if taken % joints or outputs % 3:
        raise _shape_error(path, f"it takes {taken} numbers per frame and gives {outputs}")
    try:
        return TemporalForm(joints, taken // joints, outputs // 3, tuple(widths), channels, causal, dense)
    except InputError:
        raise _shape_error(path, f"it has filters {widths} wide") from None


def _joints(numbers: int) -> int:
    """Return how many joints so many numbers per frame are: two each, three with the score."""
    for features in (2, 3):
        if numbers % features == 0 and numbers // features in _KNOWN_SIZES:
            return numbers // features
    return numbers // 2 if numbers % 2 == 0 else numbers


def _inputs(path: Path, joints: int, asked: str | None, told: Sequence[str] | None) -> tuple[str, ...]:
    if asked is not None:
        if asked not in JOINT_SETS or len(JOINT_SETS[asked]) != joints:
            fitting = [name for name, joint_set in JOINT_SETS.items() if len(joint_set) == joints]
            raise InputError(
                f"{path.name} takes {joints} joints, which {asked} has not; choose "
                f"{' or '.join(fitting) or 'another checkpoint'}.",
                reason="CHECKPOINT_SHAPE",
                path=path,
                inputs=asked,
            )
        return JOINT_SETS[asked].joints
    if told:
        return tuple(told)
    # Every published file but those of COCO detectors names the detector that was tuned on Human3.6M.
    name = path.stem.lower()
    human36m = "coco" not in name and any(
        word in name for word in ("cpn", "_ft_h36m", "_sh_", "_gt", "h36m_gt")
    )
    if joints == 17:
        return (H36M_17 if human36m else COCO_17).joints
    if joints in _INPUTS:
        return _INPUTS[joints].joints
    return tuple(f"joint_{i}" for i in range(joints))


def _outputs(joints: int) -> tuple[str, ...]:
    return _OUTPUTS[joints].joints if joints in _OUTPUTS else tuple(f"joint_{i}" for i in range(joints))


def _shape_error(path: Path, what: str) -> InputError:
    return InputError(
        f"{path.name} is no checkpoint of VideoPose3D: {what}; choose another file.",
        reason="CHECKPOINT_SHAPE",
        path=path,
        detail=what,
    )
