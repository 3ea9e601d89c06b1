"""The fast form against the network itself, in one go, in pieces and frame by frame."""

from __future__ import annotations

import pytest
import torch
from pose_server.lift.folded import FoldedModel, Stream
from pose_server.lift.temporal import TemporalForm, TemporalModel

FORMS = {
    "27": TemporalForm(5, 2, 4, (3, 3, 3), 16),
    "27 causal": TemporalForm(5, 2, 4, (3, 3, 3), 16, causal=True),
    "mixed widths": TemporalForm(5, 3, 4, (3, 1, 7), 16),
    "dense": TemporalForm(5, 2, 4, (3, 3), 16, dense=True),
    "one layer": TemporalForm(5, 2, 4, (5,), 16),
    "single frame": TemporalForm(5, 2, 4, (1, 1), 16),
}


def trained_like(form: TemporalForm) -> TemporalModel:
    """A network with running statistics that are not the initial ones."""
    torch.manual_seed(0)
    model = TemporalModel(form)
    for _ in range(5):
        model(torch.randn(4, form.receptive_field + 7, form.joints_in, form.features_in))
    return model.eval()


def plain(model: TemporalModel, clip: torch.Tensor) -> torch.Tensor:
    before, after = model.form.padding
    padded = torch.cat(
        [clip[:, :1].expand(-1, before, -1, -1), clip, clip[:, -1:].expand(-1, after, -1, -1)], 1
    )
    with torch.no_grad():
        return model(padded)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("frames", [1, 2, 40, 4500])
def test_a_whole_clip_equals_the_network(form: TemporalForm, frames: int) -> None:
    model = trained_like(form)
    clip = torch.randn(2, frames, form.joints_in, form.features_in)
    found = FoldedModel(model)(clip)
    assert found.shape == (2, frames, form.joints_out, 3)
    torch.testing.assert_close(found, plain(model, clip), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("sizes", [[1] * 60, [60], [3, 1, 50, 2, 4], [26, 1, 33], [27, 33], [30, 0, 30]])
@pytest.mark.parametrize("name", ["27", "27 causal", "mixed widths"])
def test_pieces_of_any_size_give_the_same_frames(name: str, sizes: list[int]) -> None:
    form = FORMS[name]
    model = trained_like(form)
    run = torch.randn(2, 60, form.joints_in, form.features_in)
    with torch.no_grad():
        expected = model(run)
    stream = Stream(FoldedModel(model))
    pieces = [stream.push(piece) for piece in run.split(sizes, dim=1)]
    torch.testing.assert_close(torch.cat(pieces, dim=1), expected, atol=1e-5, rtol=1e-5)


def test_a_causal_stream_answers_each_frame_at_once() -> None:
    form = FORMS["27 causal"]
    model = trained_like(form)
    clip = torch.randn(1, 20, form.joints_in, form.features_in)
    stream = Stream(FoldedModel(model))
    before, _ = form.padding
    assert stream.push(clip[:, :1].expand(-1, before, -1, -1)).shape[1] == 0
    live = [stream.push(clip[:, t : t + 1]) for t in range(20)]
    assert all(answer.shape[1] == 1 for answer in live)
    torch.testing.assert_close(torch.cat(live, dim=1), plain(model, clip), atol=1e-5, rtol=1e-5)


def test_half_the_bits_change_little() -> None:
    form = TemporalForm(17, 2, 17, (3, 3, 3), 128)
    model = trained_like(form)
    clip = torch.randn(1, 100, 17, 2)
    exact = plain(model, clip)
    rough = FoldedModel(model, precision=torch.bfloat16)(clip)
    assert rough.dtype == torch.float32
    difference = (rough - exact).abs().mean() / exact.abs().mean()
    assert 1e-5 < difference < 1e-2


def test_the_network_itself_is_left_alone() -> None:
    model = trained_like(FORMS["27"])
    before = {name: value.clone() for name, value in model.state_dict().items()}
    FoldedModel(model)(torch.randn(1, 5, 5, 2))
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_stream_holds_a_receptive_field_however_long_it_runs() -> None:
    form = FORMS["27"]
    stream = Stream(FoldedModel(trained_like(form)))
    sizes = []
    for _ in range(4):
        stream.push(torch.randn(1, 300, 5, 2))
        sizes.append(sum(held.untyped_storage().nbytes() for held in stream._waiting.values()))
    assert len(set(sizes)) == 1
    # Two frames of 10 features, then 6 and 18 of 16 channels.
    assert sizes[0] == 4 * (2 * 10 + 6 * 16 + 18 * 16)
