"""Parity with the published formulation: an independent slow loop in float64, and the table of keys."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pose_server.lift.temporal import TemporalForm, TemporalModel
from pose_shared.errors import InputError

FORMS = {
    "27": TemporalForm(4, 2, 3, (3, 3, 3), 8),
    "27 causal": TemporalForm(4, 2, 3, (3, 3, 3), 8, causal=True),
    "63": TemporalForm(4, 2, 3, (3, 3, 7), 8),
    "75 causal, with scores": TemporalForm(4, 3, 3, (5, 3, 5), 8, causal=True),
    "trajectory": TemporalForm(4, 2, 1, (3, 5), 8),
    "dense": TemporalForm(4, 2, 3, (3, 3, 3), 8, dense=True),
    "dense causal": TemporalForm(4, 2, 3, (3, 3, 3), 8, causal=True, dense=True),
    "one layer": TemporalForm(4, 2, 3, (3,), 8),
    "single frame": TemporalForm(4, 2, 3, (1, 1, 1), 8),
    "243": TemporalForm(4, 2, 3, (3, 3, 3, 3, 3), 6),
}


def seeded(form: TemporalForm, *, strided: bool = False, seed: int = 0) -> TemporalModel:
    """A network whose weights and running statistics are all random, the same for every form of it."""
    model = TemporalModel(form, strided=strided).eval()
    random = torch.Generator().manual_seed(seed)
    for name, value in model.state_dict().items():
        if name.endswith("running_var"):
            value.copy_(torch.rand(value.shape, generator=random) + 0.5)
        elif value.is_floating_point():
            value.copy_(torch.randn(value.shape, generator=random) * 0.4)
    return model


def slow(form: TemporalForm, state: dict[str, torch.Tensor], clip: np.ndarray) -> np.ndarray:
    """(T, J, F) to (T', J, 3), one frame, channel and tap at a time, as the paper describes it."""
    weights = {name: value.double().numpy() for name, value in state.items()}

    def normed(value: float, bn: str, c: int) -> float:
        scale = weights[f"{bn}.weight"][c] / np.sqrt(weights[f"{bn}.running_var"][c] + 1e-5)
        return max((value - weights[f"{bn}.running_mean"][c]) * scale + weights[f"{bn}.bias"][c], 0.0)

    def layer(rows: list[np.ndarray], conv: str, bn: str, step: int) -> list[np.ndarray]:
        kernel = weights[f"{conv}.weight"]
        out_channels, in_channels, taps = kernel.shape
        result = []
        for t in range(len(rows) - (taps - 1) * step):
            row = np.zeros(out_channels)
            for o in range(out_channels):
                total = 0.0
                for k in range(taps):
                    for c in range(in_channels):
                        total += kernel[o, c, k] * rows[t + k * step][c]
                row[o] = normed(total, bn, o)
            result.append(row)
        return result

    # Channel = joint * features + feature.
    rows = [np.array([v for joint in frame for v in joint]) for frame in clip]
    rows = layer(rows, "expand_conv", "expand_bn", 1)
    before = form.filter_widths[0]
    for i, width in enumerate(form.filter_widths[1:]):
        reach = (width - 1) * before
        new = layer(rows, f"layers_conv.{2 * i}", f"layers_bn.{2 * i}", 1 if form.dense else before)
        new = layer(new, f"layers_conv.{2 * i + 1}", f"layers_bn.{2 * i + 1}", 1)
        shift = reach if form.causal else reach // 2
        rows = [new[t] + rows[t + shift] for t in range(len(new))]
        before *= width
    out = [weights["shrink.weight"][:, :, 0] @ row + weights["shrink.bias"] for row in rows]
    return np.array(out).reshape(len(out), form.joints_out, 3)


def clip_of(form: TemporalForm, outputs: int, seed: int = 1) -> np.ndarray:
    frames = form.receptive_field + outputs - 1
    rng = np.random.default_rng(seed)
    return rng.normal(size=(frames, form.joints_in, form.features_in)).astype(np.float32) * 0.5


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_equals_an_independent_loop(form: TemporalForm) -> None:
    model = seeded(form)
    clip = clip_of(form, outputs=4)
    expected = slow(form, model.state_dict(), clip)
    with torch.no_grad():
        found = model(torch.from_numpy(clip)[None])[0].numpy()
    assert found.shape == (4, form.joints_out, 3)
    scale = np.abs(expected).max()
    assert scale > 0.1
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-5)


@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if not form.dense])
def test_the_strided_form_gives_the_same_numbers(name: str) -> None:
    form = FORMS[name]
    fast = seeded(form, strided=True)
    clips = np.stack([clip_of(form, 1, seed) for seed in range(3)])
    expected = np.concatenate([slow(form, fast.state_dict(), clip) for clip in clips[:1]])
    with torch.no_grad():
        found = fast(torch.from_numpy(clips))
        assert found.shape == (3, 1, form.joints_out, 3)
        plain = seeded(form)(torch.from_numpy(clips))
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found[0].numpy() / scale, expected / scale, atol=1e-5)
    np.testing.assert_allclose(found.numpy() / scale, plain.numpy() / scale, atol=1e-5)


def test_a_clip_longer_than_the_receptive_field_gives_the_strided_form_every_nth_output() -> None:
    form = FORMS["27 causal"]
    clip = torch.from_numpy(clip_of(form, outputs=27 * 2 + 5))[None]
    with torch.no_grad():
        every = seeded(form)(clip)
        some = seeded(form, strided=True)(clip)
    torch.testing.assert_close(some, every[:, ::27], atol=1e-4, rtol=1e-4)


def test_a_causal_network_never_looks_ahead() -> None:
    form = FORMS["27 causal"]
    model = seeded(form)
    before, after = form.padding
    assert (before, after) == (26, 0)
    clip = torch.from_numpy(clip_of(form, outputs=10))[None]
    changed = clip.clone()
    changed[:, 26 + 6 :] += 1
    with torch.no_grad():
        difference = (model(clip) - model(changed)).abs().amax(dim=(0, 2, 3))
    assert (difference[:6] == 0).all()
    assert (difference[6:] > 0).all()


def test_keys_and_shapes_are_those_of_the_published_checkpoints() -> None:
    with torch.device("meta"):
        state = TemporalModel(TemporalForm()).state_dict()
    expected: dict[str, tuple[int, ...]] = {"expand_conv.weight": (1024, 34, 3)}
    norms = ["expand_bn", *(f"layers_bn.{i}" for i in range(8))]
    for norm in norms:
        for part in ("weight", "bias", "running_mean", "running_var"):
            expected[f"{norm}.{part}"] = (1024,)
        expected[f"{norm}.num_batches_tracked"] = ()
    for i in range(8):
        expected[f"layers_conv.{i}.weight"] = (1024, 1024, 1 if i % 2 else 3)
    expected["shrink.weight"] = (51, 1024, 1)
    expected["shrink.bias"] = (51,)
    assert {name: tuple(value.shape) for name, value in state.items()} == expected
    assert all(v.dtype == (torch.int64 if n.endswith("tracked") else torch.float32) for n, v in state.items())


@pytest.mark.parametrize(
    ("form", "expand", "shrink", "parameters"),
    [
        (TemporalForm(), (1024, 34, 3), (51, 1024, 1), 16_952_371),
        (TemporalForm(features_in=3), (1024, 51, 3), (51, 1024, 1), 17_004_595),
        (TemporalForm(joints_out=1), (1024, 34, 3), (3, 1024, 1), None),
    ],
)
def test_sizes_are_the_published_ones(form, expand, shrink, parameters) -> None:
    with torch.device("meta"):
        model = TemporalModel(form)
    assert tuple(model.expand_conv.weight.shape) == expand
    assert tuple(model.shrink.weight.shape) == shrink
    if parameters:
        assert sum(p.numel() for p in model.parameters()) == parameters


@pytest.mark.parametrize(
    ("widths", "frames"),
    [((3, 3, 3), 27), ((3, 3, 7), 63), ((3, 3, 3, 3), 81), ((3, 3, 3, 3, 3), 243), ((1, 1, 1), 1)],
)
def test_receptive_fields(widths: tuple[int, ...], frames: int) -> None:
    form = TemporalForm(filter_widths=widths)
    assert form.receptive_field == frames
    assert form.padding == ((frames - 1) // 2,) * 2
    assert TemporalForm(filter_widths=widths, causal=True).padding == (frames - 1, 0)


def test_dense_filters_span_the_gaps() -> None:
    form = TemporalForm(filter_widths=(3, 3, 3), dense=True)
    assert form.kernel_sizes == (3, 7, 19)
    assert form.receptive_field == 27


def test_a_flipped_batch_keeps_channel_order() -> None:
    """Joint j, feature f is channel j * F + f: moving one joint moves only its two input filters."""
    model = seeded(FORMS["single frame"])
    with torch.no_grad():
        model.expand_conv.weight[:, 2:4] = 0
        clip = torch.randn(1, 5, 4, 2)
        moved = clip.clone()
        moved[:, :, 1] += 3
        torch.testing.assert_close(model(clip), model(moved))


@pytest.mark.parametrize("widths", [(3, 4), (), (0,), (3, -3)])
def test_impossible_widths_are_one_sentence(widths: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="odd filter widths such as 3,3,3,3,3") as error:
        TemporalForm(filter_widths=widths)
    assert error.value.reason == "ARCHITECTURE_INVALID"


def test_dense_has_no_strided_form() -> None:
    with pytest.raises(InputError, match="no strided form"):
        TemporalModel(FORMS["dense"], strided=True)
