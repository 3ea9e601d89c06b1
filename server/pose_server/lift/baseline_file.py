"""The file of a linear network: TensorFlow's variable names in an ``.npz``, no pickles.

``docs/baseline.md`` lists every name and has the recipe that writes one from a checkpoint of
3d-pose-baseline.  Weights lie as in TensorFlow, (inputs, outputs).
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pose_shared.errors import InputError

from pose_server.lift.baseline_model import BaselineModel
from pose_server.lift.linear import LinearNetwork

__all__ = ["FORMAT", "read_baseline", "write_baseline"]

#: Value of the key ``format``.
FORMAT = "3d-pose-baseline/1"
_ROOT = "linear_model/"
_NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
_DETAILS = (
    *("format", "residual", "max_norm", "camera_frame", "inputs", "outputs"),
    *("mean_2d_px", "std_2d_px", "mean_3d_mm", "std_3d_mm", "focal_px", "centre_px"),
)


def write_baseline(path: Path, model: BaselineModel) -> None:
    """Write a model; the file appears when it is complete."""
    network = model.network
    state = network.state_dict()
    arrays: dict[str, Any] = {
        "format": np.array(FORMAT),
        "residual": np.array(network.residual),
        "max_norm": np.array(network.max_norm),
        "camera_frame": np.array(model.camera_frame),
        "inputs": np.array(model.inputs),
        "outputs": np.array(model.outputs),
        "focal_px": np.array(model.focal_px),
        "centre_px": np.array(model.centre_px),
    }
    for name in ("mean_2d_px", "std_2d_px", "mean_3d_mm", "std_3d_mm"):
        arrays[name] = np.asarray(getattr(model, name), dtype=np.float64)
    for theirs, ours in _variables(len(network.blocks), network.batch_norm).items():
        values = state[ours].detach().cpu().float().numpy()
        arrays[theirs] = values.T if values.ndim == 2 else values
    partial = path.with_name(path.name + ".part")
    with partial.open("wb") as file:
        np.savez(file, **arrays)
    os.replace(partial, path)


def read_baseline(path: Path) -> BaselineModel:
    """Read a model.

    Raises
    ------
    InputError
        It is missing, is no such file, is cut short, holds code, lacks a variable, or a variable has
        another shape or is not finite (``CHECKPOINT_INVALID``); the sentence says which.
    """
    arrays = _arrays(path)
    lacking = [name for name in _DETAILS if name not in arrays]
    if lacking:
        raise _refusal(path, f"it lacks '{lacking[0]}'")
    if str(arrays["format"]) != FORMAT:
        raise _refusal(path, f"its format is '{arrays['format']}' and not '{FORMAT}'")
    inputs, outputs = (tuple(str(x) for x in np.atleast_1d(arrays[name])) for name in ("inputs", "outputs"))
    if "pelvis" in outputs:
        raise _refusal(path, "its outputs name the pelvis, which is their origin")
    network = _network(path, arrays, 2 * len(inputs), 3 * len(outputs))
    shapes = {"2d_px": (len(inputs), 2), "3d_mm": (len(outputs), 3)}
    numbers = {
        f"{what}_{unit}": _floats(path, arrays, f"{what}_{unit}", shape, above_0=what == "std")
        for unit, shape in shapes.items()
        for what in ("mean", "std")
    }
    focal_px = _floats(path, arrays, "focal_px", (2,), above_0=True)
    centre_px = _floats(path, arrays, "centre_px", (2,))
    return BaselineModel(
        network=network,
        inputs=inputs,
        outputs=outputs,
        camera_frame=_flag(path, arrays, "camera_frame"),
        focal_px=(float(focal_px[0]), float(focal_px[1])),
        centre_px=(float(centre_px[0]), float(centre_px[1])),
        **numbers,
    )


def _network(path: Path, arrays: dict[str, NDArray[Any]], inputs: int, outputs: int) -> LinearNetwork:
    blocks = sum(1 for name in arrays if name.startswith(_ROOT + "two_linear_") and "/w2_" in name)
    batch_norm = _ROOT + "batch_normalization/gamma" in arrays
    variables = _variables(blocks, batch_norm)
    for name in arrays:
        if name not in _DETAILS and name not in variables:
            raise _refusal(path, f"'{name}' belongs to no network of {blocks} blocks")
    for name in variables:
        if name not in arrays:
            raise _refusal(path, f"it lacks '{name}'")
    # Without memory of its own, so that a file that lies about its size costs nothing.
    with torch.device("meta"):
        network = LinearNetwork(
            inputs,
            outputs,
            linear_size=arrays[_ROOT + "b1"].size,
            num_layers=blocks,
            residual=_flag(path, arrays, "residual"),
            batch_norm=batch_norm,
            max_norm=_flag(path, arrays, "max_norm"),
        )
    state = network.state_dict()
    for name in state:
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(0)
    for theirs, ours in variables.items():
        values = _floats(path, arrays, theirs, tuple(reversed(state[ours].shape))).astype(np.float32)
        state[ours] = torch.from_numpy(np.ascontiguousarray(values.T))
    network.load_state_dict(state, assign=True)
    return network.eval()


def _variables(blocks: int, batch_norm: bool) -> dict[str, str]:
    """Return which parameter of `LinearNetwork` each variable of TensorFlow is."""
    layers = [("w1", "b1", "batch_normalization", "first")]
    for i in range(blocks):
        scope = f"two_linear_{i}/"
        layers += [
            (f"{scope}w2_{i}", f"{scope}b2_{i}", f"{scope}batch_normalization1{i}", f"blocks.{i}.first"),
            (f"{scope}w3_{i}", f"{scope}b3_{i}", f"{scope}batch_normalization2{i}", f"blocks.{i}.second"),
        ]
    found = {_ROOT + "w4": "last.weight", _ROOT + "b4": "last.bias"}
    for weight, bias, norm, ours in layers:
        found |= {_ROOT + weight: f"{ours}.linear.weight", _ROOT + bias: f"{ours}.linear.bias"}
        if batch_norm:
            found |= {f"{_ROOT}{norm}/{theirs}": f"{ours}.norm.{name}" for theirs, name in _NORM.items()}
    return found


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise _refusal(path, "it is one array and no .npz")
        with file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise InputError(
            f"There is no file {path}; give the .npz of a trained baseline.",
            reason="CHECKPOINT_MISSING",
            path=path,
        ) from None
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        what = "it holds objects, which may carry code" if "allow_pickle" in str(error) else "it is damaged"
        raise _refusal(path, what) from None


def _floats(
    path: Path, arrays: dict[str, NDArray[Any]], name: str, shape: tuple[int, ...], *, above_0: bool = False
) -> NDArray[np.floating[Any]]:
    values = arrays[name]
    if values.shape != shape or values.dtype.kind != "f":
        raise _refusal(path, f"'{name}' should be {shape} of floats and is {values.shape} {values.dtype}")
    if not np.isfinite(values).all():
        raise _refusal(path, f"'{name}' has numbers that are not finite")
    if above_0 and not (values > 0).all():
        raise _refusal(path, f"'{name}' has numbers that are not above 0")
    return values


def _flag(path: Path, arrays: dict[str, NDArray[Any]], name: str) -> bool:
    if arrays[name].shape != () or arrays[name].dtype.kind != "b":
        raise _refusal(path, f"'{name}' should be true or false")
    return bool(arrays[name])


def _refusal(path: Path, what: str) -> InputError:
    return InputError(
        f"'{path.name}' cannot be used as a baseline: {what}; "
        "write it again by the recipe in docs/baseline.md.",
        reason="CHECKPOINT_INVALID",
        path=path,
        problem=what,
    )
