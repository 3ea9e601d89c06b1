"""Which frames a training sample sees, against a plain reading of the recordings."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pose_server.lift.temporal import TemporalForm
from pose_server.train.chunks import Chunks
from pose_server.train.pose_sets import View
from pose_server.train.screen import ScreenCamera
from pose_shared.skeleton import H36M_17

MIRRORS = (tuple(H36M_17.mirror), tuple(H36M_17.mirror))
LENGTHS = (5, 12)


def views(lengths: tuple[int, ...] = LENGTHS, *, labelled: bool = True) -> list[View]:
    """Recordings whose points tell their own number and frame."""
    made = []
    for number, frames in enumerate(lengths):
        rng = np.random.default_rng(number)
        points = rng.normal(size=(frames, 17, 2)).astype(np.float32)
        points[:, 0] = np.stack([np.full(frames, number), np.arange(frames)], axis=1)
        joints = rng.normal(size=(frames, 17, 3)).astype(np.float32) if labelled else None
        lens = np.arange(9, dtype=np.float32) + 10 * number
        made.append(View("S1", f"a{number}", ScreenCamera("c", (10, 10), lens), points, joints))
    return made


@pytest.mark.parametrize("stride", [1, 3, 4])
@pytest.mark.parametrize("causal", [False, True])
def test_every_frame_is_an_output_once_with_the_frames_around_it(stride: int, causal: bool) -> None:
    form = TemporalForm(filter_widths=(3, 3), channels=4, causal=causal)
    chunks = Chunks(views(), form, stride=stride, mirrors=None)
    before, after = form.padding
    given = views()
    outputs: dict[tuple[int, int], int] = {}
    for number in range(len(chunks)):
        batch = chunks.batch(torch.tensor([number]))
        assert batch.points.shape[1] == before + stride + after
        marks = batch.points[0, :, 0].numpy()
        recording = int(marks[0, 0])
        assert (marks[:, 0] == recording).all()
        view = given[recording]
        frames = marks[:, 1].astype(int)
        for i in range(stride):
            centre = frames[before + i]
            np.testing.assert_array_equal(batch.joints_m[0, i].numpy(), view.joints_m[centre])
            outputs[recording, centre] = outputs.get((recording, centre), 0) + 1
        # One after the other, the first and last repeated beyond the ends.
        steps = np.diff(frames)
        assert set(steps) <= {0, 1}
        inside = (frames[1:] > 0) & (frames[1:] < len(view) - 1)
        assert (steps[inside] == 1).all()
        assert batch.lens[0, 0] == 10 * recording
    assert set(outputs) == {(r, t) for r, frames in enumerate(LENGTHS) for t in range(frames)}
    if stride == 1:
        assert set(outputs.values()) == {1}


def test_the_samples_again_are_mirror_images() -> None:
    form = TemporalForm(filter_widths=(3,), channels=4)
    chunks = Chunks(views(), form, stride=1, mirrors=MIRRORS)
    half = len(chunks) // 2
    assert half == sum(LENGTHS)
    plain, mirrored = chunks.batch(torch.tensor([7])), chunks.batch(torch.tensor([7 + half]))
    left = [H36M_17.index(f"left_{part}") for part in ("hip", "knee", "wrist")]
    right = [H36M_17.index(f"right_{part}") for part in ("hip", "knee", "wrist")]
    for ours, theirs in ((mirrored.points, plain.points), (mirrored.joints_m, plain.joints_m)):
        sign = torch.ones(ours.shape[-1])
        sign[0] = -1
        torch.testing.assert_close(ours[:, :, left], theirs[:, :, right] * sign)
        torch.testing.assert_close(ours[:, :, [0, 7]], theirs[:, :, [0, 7]] * sign)
    expected = plain.lens.clone()
    expected[:, [2, 7]] *= -1
    torch.testing.assert_close(mirrored.lens, expected)
    torch.testing.assert_close(chunks.batch(torch.tensor([7])).points, plain.points)


def test_an_epoch_is_every_sample_once_in_an_order_of_its_own() -> None:
    form = TemporalForm(filter_widths=(3,), channels=4)
    chunks = Chunks(views(), form, stride=1, mirrors=MIRRORS)

    def epoch(seed: int) -> list[tuple[float, float]]:
        batches = list(chunks.epoch(8, np.random.default_rng(seed)))
        assert [len(batch.points) for batch in batches] == [8, 8, 8, 8, 2]
        return [tuple(row) for batch in batches for row in batch.points[:, 1, 0].tolist()]

    assert sorted(epoch(1)) == sorted(epoch(2))
    assert epoch(1) != epoch(2)
    assert epoch(1) == epoch(1)
    alone = Chunks(views((9,)), form, stride=1, mirrors=None)
    assert [len(b.points) for b in alone.epoch(4, np.random.default_rng(0))] == [4, 4]


def test_unlabelled_samples_never_end() -> None:
    form = TemporalForm(filter_widths=(3,), channels=4)
    chunks = Chunks(views((5,), labelled=False), form, stride=1, mirrors=None)
    stream = chunks.endless(4, np.random.default_rng(0))
    seen = [next(stream) for _ in range(5)]
    assert all(len(batch.points) == 4 and batch.joints_m is None for batch in seen)
    marks = torch.cat([batch.points[:, 1, 0, 1] for batch in seen]).tolist()
    assert all(marks.count(frame) == 4 for frame in range(5))
