"""The linear network against a slow loop written from its description, in every form."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from pose_server.lift.linear import LinearNetwork

FORMS = [
    {"linear_size": size, "num_layers": layers, "residual": residual, "batch_norm": norm, "max_norm": bound}
    for (size, layers), residual, norm, bound in itertools.product(
        ((8, 2), (5, 1), (7, 3), (6, 0)), (True, False), (True, False), (True, False)
    )
]


def seeded(outputs: int = 6, **form: object) -> LinearNetwork:
    """A network whose every number, running statistics too, is drawn from a seed."""
    network = LinearNetwork(4, outputs, **form)  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(3)
    for name, values in network.state_dict().items():
        if values.dtype.is_floating_point:
            drawn = torch.randn(values.shape, generator=generator)
            values.copy_(drawn.abs() + 0.2 if "var" in name else drawn)
    return network


def slow(network: LinearNetwork, batch: np.ndarray, *, training: bool) -> np.ndarray:
    """What the network should give, number by number, in Python's floats."""
    state = {name: values.double().numpy() for name, values in network.state_dict().items()}

    def linear(rows: list[list[float]], name: str) -> list[list[float]]:
        weight, bias = state[name + ".weight"], state[name + ".bias"]
        if network.max_norm:
            norm = math.sqrt(sum(w * w for row in weight for w in row))
            weight = [[w * min(1.0, 1.0 / norm) for w in row] for row in weight]
        return [
            [sum(w * x for w, x in zip(ws, row, strict=True)) + b for ws, b in zip(weight, bias, strict=True)]
            for row in rows
        ]

    def layer(rows: list[list[float]], name: str) -> list[list[float]]:
        rows = linear(rows, name + ".linear")
        if network.batch_norm:
            for j in range(len(rows[0])):
                mean, variance = (
                    state[f"{name}.norm.running_mean"][j],
                    state[f"{name}.norm.running_var"][j],
                )
                if training:
                    mean = sum(row[j] for row in rows) / len(rows)
                    variance = sum((row[j] - mean) ** 2 for row in rows) / len(rows)
                for row in rows:
                    scaled = (row[j] - mean) / math.sqrt(variance + 1e-3)
                    row[j] = scaled * state[f"{name}.norm.weight"][j] + state[f"{name}.norm.bias"][j]
        return [[max(x, 0.0) for x in row] for row in rows]

    rows = layer([list(map(float, row)) for row in batch], "first")
    for i in range(len(network.blocks)):
        through = layer(layer(rows, f"blocks.{i}.first"), f"blocks.{i}.second")
        rows = [
            [a + b if network.residual else b for a, b in zip(x, y, strict=True)]
            for x, y in zip(rows, through, strict=True)
        ]
    return np.array(linear(rows, "last"))


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_every_form_equals_the_slow_loop(form: dict[str, object], training: bool) -> None:
    network = seeded(**form, dropout_keep=1.0).train(training)
    batch = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    expected = slow(network, batch, training=training)
    with torch.no_grad():
        found = network(torch.from_numpy(batch)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)


def test_the_published_network_has_its_published_size() -> None:
    """4,288,560 numbers to learn: 32 in, 1024 wide, two blocks, 48 out, five norms."""
    network = LinearNetwork(32, 48)
    weights = 32 * 1024 + 4 * 1024 * 1024 + 1024 * 48
    biases = 5 * 1024 + 48
    assert sum(p.numel() for p in network.parameters()) == weights + biases + 5 * 2 * 1024


def test_the_norm_is_bounded_as_a_whole_and_small_weights_are_left() -> None:
    network = LinearNetwork(3, 3, linear_size=4, num_layers=0, batch_norm=False, max_norm=True)
    with torch.no_grad():
        for values in network.parameters():
            values.zero_()
        network.first.linear.weight[:3] = 0.1 * torch.eye(3)
        network.last.weight[:, :3] = 2 * torch.eye(3)
        found = network.eval()(torch.ones(1, 3))
    np.testing.assert_allclose(found, np.full((1, 3), 0.1 / math.sqrt(3)), rtol=1e-6)


def test_dropout_keeps_its_share_in_training_alone() -> None:
    network = LinearNetwork(4, 2000, linear_size=64, num_layers=0, batch_norm=False, dropout_keep=0.5)
    hidden = []
    network.first.register_forward_hook(lambda *args: hidden.append(args[2]))
    torch.manual_seed(0)
    with torch.no_grad():
        network.train()(torch.ones(500, 4))
        network.eval()(torch.ones(1, 4))
    on = hidden[1][0] > 0
    assert (hidden[0][:, on] > 0).float().mean() == pytest.approx(0.5, abs=0.02)
    torch.testing.assert_close(hidden[0][:, on].mean(dim=0), hidden[1][0, on], atol=0, rtol=0.2)


def test_weights_begin_as_he_draws_them() -> None:
    torch.manual_seed(0)
    layer = LinearNetwork(32, 48).first.linear
    spread = math.sqrt(2 / 32)
    assert layer.weight.abs().max() <= 2 * spread
    assert layer.weight.std().item() == pytest.approx(0.88 * spread, rel=0.02)
    assert layer.bias.std().item() == pytest.approx(0.88 * math.sqrt(2 / 1024), rel=0.1)
