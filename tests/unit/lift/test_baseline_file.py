"""Files of linear networks: TensorFlow's names, kept as they are, and refused in one sentence."""

from __future__ import annotations

import itertools
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pose_server.lift.baseline_file import FORMAT, read_baseline, write_baseline
from pose_server.lift.baseline_model import BaselineModel
from pose_server.lift.linear import LinearNetwork
from pose_server.lift.points import HUMAN36M_INPUTS, MPII_INPUTS
from pose_shared.errors import InputError

OUTPUTS = tuple(name for name in HUMAN36M_INPUTS if name != "pelvis")


def made_model(seed: int = 0, *, inputs: tuple[str, ...] = HUMAN36M_INPUTS, **form: Any) -> BaselineModel:
    """A small untrained model with numbers of its own everywhere."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = LinearNetwork(2 * len(inputs), 3 * len(OUTPUTS), **{"linear_size": 6, **form}).eval()
    for name, values in network.state_dict().items():
        if "running" in name:
            values.copy_(torch.rand(values.shape) + 0.5)
    return BaselineModel(
        network=network,
        inputs=inputs,
        outputs=OUTPUTS,
        mean_2d_px=rng.uniform(400, 600, (len(inputs), 2)),
        std_2d_px=rng.uniform(50, 100, (len(inputs), 2)),
        mean_3d_mm=rng.uniform(-100, 100, (len(OUTPUTS), 3)),
        std_3d_mm=rng.uniform(50, 100, (len(OUTPUTS), 3)),
        camera_frame=False,
        focal_px=(900.0, 901.0),
        centre_px=(320.0, 240.0),
    )


@pytest.mark.parametrize(
    ("layers", "residual", "norm", "bound"), list(itertools.product((0, 1, 3), *[(True, False)] * 3))
)
def test_a_model_comes_back_as_it_was(
    tmp_path: Path, layers: int, residual: bool, norm: bool, bound: bool
) -> None:
    form = {"num_layers": layers, "residual": residual, "batch_norm": norm, "max_norm": bound}
    model = made_model(1, inputs=MPII_INPUTS, **form)
    write_baseline(tmp_path / "b.npz", model)
    found = read_baseline(tmp_path / "b.npz")
    points = np.random.default_rng(2).uniform(0, 1000, (7, 16, 2))
    np.testing.assert_array_equal(found.lifted_mm(points), model.lifted_mm(points))
    for field in ("inputs", "outputs", "camera_frame", "focal_px", "centre_px"):
        assert getattr(found, field) == getattr(model, field)
    assert [p.name for p in tmp_path.iterdir()] == ["b.npz"]


def test_the_names_are_tensorflows(tmp_path: Path) -> None:
    """As a checkpoint of 3d-pose-baseline lists them, its optimiser's left out."""
    write_baseline(tmp_path / "b.npz", made_model(num_layers=2))
    with np.load(tmp_path / "b.npz") as file:
        shapes = {name: file[name].shape for name in file.files if name.startswith("linear_model/")}
    norm = ("gamma", "beta", "moving_mean", "moving_variance")
    expected = {"w1": (32, 6), "b1": (6,), "w4": (6, 45), "b4": (45,)}
    expected |= {f"batch_normalization/{x}": (6,) for x in norm}
    for i in (0, 1):
        for kind, place in ((2, 1), (3, 2)):
            scope = f"two_linear_{i}/"
            expected |= {f"{scope}w{kind}_{i}": (6, 6), f"{scope}b{kind}_{i}": (6,)}
            expected |= {f"{scope}batch_normalization{place}{i}/{x}": (6,) for x in norm}
    assert shapes == {f"linear_model/{name}": shape for name, shape in expected.items()}


def test_missing_points_give_missing_joints_and_units_are_millimetres() -> None:
    model = made_model(num_layers=1)
    points = np.random.default_rng(2).uniform(0, 1000, (3, 16, 2))
    points[1, 4] = np.nan
    found = model.lifted_mm(points)
    assert np.isfinite(found[[0, 2]]).all()
    assert np.isnan(found[1]).all()
    given = ((points[0] - model.mean_2d_px) / model.std_2d_px).reshape(1, -1)
    with torch.no_grad():
        out = model.network(torch.from_numpy(given).float()).numpy().reshape(-1, 3)
    np.testing.assert_allclose(found[0], out * model.std_3d_mm + model.mean_3d_mm, rtol=1e-5)
    assert model.lifted_mm(points[:0]).shape == (0, 15, 3)


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, ("raise SystemExit('code of the file ran')",)


def kept(folder: Path) -> dict[str, Any]:
    write_baseline(folder / "whole.npz", made_model(num_layers=1))
    with np.load(folder / "whole.npz") as file:
        return {name: file[name] for name in file.files}


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_baseline(path)
    error = caught.value
    assert error.reason == "CHECKPOINT_INVALID"
    assert error.message.count(".") <= 4, "one sentence"
    assert "\n" not in error.message
    return error.message


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"linear_model/w1": None}, "it lacks 'linear_model/w1'"),
        ({"linear_model/b1": None}, "it lacks 'linear_model/b1'"),
        ({"linear_model/b1": np.zeros(10**6, np.float32)}, "(1000000, 45) of floats and is (6, 45)"),
        ({"linear_model/two_linear_0/w3_0": None}, "it lacks 'linear_model/two_linear_0/w3_0'"),
        ({"linear_model/batch_normalization/gamma": None}, "batch_normalization/beta' belongs to no network"),
        ({"mean_2d_px": None}, "it lacks 'mean_2d_px'"),
        ({"residual": None}, "it lacks 'residual'"),
        ({"residual": np.array(1)}, "'residual' should be true or false"),
        ({"format": np.array("other/2")}, f"its format is 'other/2' and not '{FORMAT}'"),
        ({"inputs": np.array(HUMAN36M_INPUTS[:15])}, "should be (30, 6) of floats and is (32, 6)"),
        ({"outputs": np.array(("pelvis", *OUTPUTS[1:]))}, "its outputs name the pelvis"),
        (
            {"linear_model/w4": np.zeros((6, 48), np.float32)},
            "w4' should be (6, 45) of floats and is (6, 48)",
        ),
        (
            {"linear_model/w1/Adam": np.zeros((32, 6))},
            "'linear_model/w1/Adam' belongs to no network of 1 blocks",
        ),
        (
            {"linear_model/b4": np.full(45, np.nan, np.float32)},
            "'linear_model/b4' has numbers that are not finite",
        ),
        ({"std_3d_mm": np.zeros((15, 3))}, "'std_3d_mm' has numbers that are not above 0"),
        ({"linear_model/w1": np.array([[Trap()]], dtype=object)}, "it holds objects, which may carry code"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else next(iter(value)),
)
def test_what_is_wrong_is_said(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    arrays = kept(tmp_path) | change
    np.savez(tmp_path / "bad.npz", **{name: value for name, value in arrays.items() if value is not None})
    assert says in refusal(tmp_path / "bad.npz")


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_a_file_cut_short(tmp_path: Path, share: float) -> None:
    kept(tmp_path)
    whole = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: int(share * len(whole))])
    assert "it is damaged" in refusal(tmp_path / "cut.npz")


def test_a_flipped_byte_in_the_weights(tmp_path: Path) -> None:
    kept(tmp_path)
    whole = bytearray((tmp_path / "whole.npz").read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    (tmp_path / "bad.npz").write_bytes(whole)
    with pytest.raises(InputError):
        read_baseline(tmp_path / "bad.npz")


def test_other_files(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no weights here")
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(Trap()))
    np.save(tmp_path / "one.npy", np.zeros(3))
    assert "cannot be used" in refusal(tmp_path / "text.npz")
    assert "cannot be used" in refusal(tmp_path / "pickle.npz")
    assert "one array and no .npz" in refusal(tmp_path / "one.npy")
    assert "it is damaged" in refusal(tmp_path)
    with pytest.raises(InputError, match="There is no file") as caught:
        read_baseline(tmp_path / "none.npz")
    assert caught.value.reason == "CHECKPOINT_MISSING"
