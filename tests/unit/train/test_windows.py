from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from made_takes import walk, walks
from pose_server.lift.crop import crop_of
from pose_server.train.cameras import CameraModel
from pose_server.train.motions import MotionSet, Take
from pose_server.train.sightings import SightModel
from pose_server.train.windows import BodyModel, Window, WindowSource, contact_labels
from pose_shared.skeleton import BODY_31, SEEN_27

PERFECT = SightModel(strength=0.0, definition=0.0, spike_share=0.0, landmarks_share=0.0, losses=0.0)
TRUE_LENS = replace(CameraModel(), focal_error=0.0, guessed_share=0.0)
AS_CAPTURED = BodyModel(0, 0, 0, 0, 0, 0, 0, (30.0, 30.0))


def generator(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    return [part for field in fields(value) for part in tensors(getattr(value, field.name))]


def test_the_truth_lies_on_its_rays() -> None:
    window = WindowSource(walks(), 30, TRUE_LENS, PERFECT).draw(32, generator())
    place = (window.root[:, :, None] + window.joints)[:, :, :27]
    torch.testing.assert_close(window.crop.rays * place[..., 2:], place[..., :2], atol=2e-4, rtol=1e-4)
    both = [BODY_31.index(side + "hip") for side in ("left_", "right_")]
    assert window.joints[:, :, both].mean(dim=2).abs().max() < 1e-5
    # The person stands before the virtual camera, close to its axis.
    assert (window.root[..., 2] > 0.5).all()
    assert (window.root[..., :2] / window.root[..., 2:]).abs().median() < 0.1


def test_with_a_wrong_lens_the_root_lies_on_the_ray_that_is_seen() -> None:
    lenses = replace(TRUE_LENS, guessed_share=1.0, guessed_error=0.25)
    window = WindowSource(walks(), 30, lenses, PERFECT).draw(64, generator())
    both = [SEEN_27.index(side + "hip") for side in ("left_", "right_")]
    seen = window.crop.rays[:, :, both].mean(dim=2)
    at = window.root[..., :2] / window.root[..., 2:]
    assert ((at - seen).norm(dim=-1) < 0.01).float().mean() > 0.99
    # The body keeps its size and shape: only the distance seems another.
    hips = window.joints[:, :, both]
    width = (hips[:, :, 0] - hips[:, :, 1]).norm(dim=-1)
    assert width.std(dim=1).max() < 1e-4
    # A person of true size on a true ray would project otherwise.
    place = window.root[:, :, None] + window.joints
    assert ((place[:, :, :27, :2] / place[:, :, :27, 2:] - window.crop.rays).norm(dim=-1) > 0.01).any()


def test_a_wrong_lens_shows_the_same_body_from_the_same_side() -> None:
    lenses = replace(TRUE_LENS, guessed_share=1.0, guessed_error=0.25)
    right, wrong = (
        WindowSource(walks(), 30, cameras, PERFECT).draw(32, generator()) for cameras in (TRUE_LENS, lenses)
    )
    factor = right.crop.size / wrong.crop.size
    assert (factor.log().abs() > 0.1).any()  # the assumed lenses are wrong indeed
    torch.testing.assert_close(wrong.joints, right.joints, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(wrong.contacts, right.contacts)


def test_the_same_seed_draws_the_same_batch() -> None:
    source = WindowSource(walks(), 20)
    first, again, other = (tensors(source.draw(8, generator(seed))) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


@pytest.mark.parametrize("causal", [False, True])
def test_no_number_is_ever_missing(causal: bool) -> None:
    takes = (*walks(3, 3.0).takes, walk(0.5, seed=9))  # one is far shorter than a window
    source = WindowSource(MotionSet(takes, ""), 24, sights=replace(SightModel(), losses=3.0), causal=causal)
    draws = generator()
    unseen = 0
    for _ in range(8):
        window = source.draw(48, draws)
        unseen += int((~window.sight.seen[:, 0].any(dim=1)).sum())
        for part in tensors(window):
            assert torch.isfinite(part.float()).all()
        assert (window.crop.size > 0).all()
    assert unseen > 5  # windows that begin before anybody is seen are among them


def test_a_window_never_leaves_its_take() -> None:
    near, far = walks(2, 2.0).takes
    away = Take("far", "2", far.points_m + np.float32(50.0))
    source = WindowSource(MotionSet((near, away), ""), 48, TRUE_LENS, PERFECT)
    window = source.draw(200, generator())
    assert window.root.diff(dim=1).norm(dim=-1).max() < 2.0


def test_every_moment_is_as_likely() -> None:
    # A take in which height tells the time, and one that is three times as long.
    rising = [
        Take(name, name, np.full((frames, 31, 3), height, np.float32) + walk(1.0).points_m[:1])
        for name, frames, height in (("a", 300, 0.0), ("b", 900, 0.0))
    ]
    rising[1].points_m[..., BODY_31.index("nose"), 1] += 1.0
    source = WindowSource(MotionSet(tuple(rising), ""), 8, TRUE_LENS, PERFECT, AS_CAPTURED)
    window = source.draw(1500, generator())
    nose, head = BODY_31.index("nose"), BODY_31.index("head")
    tall = (window.joints[:, 0, nose] - window.joints[:, 0, head]).norm(dim=-1) > 0.5
    assert float(tall.float().mean()) == pytest.approx(0.75, abs=0.04)


def test_rates_are_those_asked_for() -> None:
    source = WindowSource(walks(), 16)
    rates = 30 * source.draw(600, generator()).sight.log_rate.exp()
    assert rates.min() > 18.9 and rates.max() < 43.1
    assert float(((rates - 30).abs() < 1e-3).float().mean()) == pytest.approx(0.5, abs=0.06)
    # Twice the rate shows half the step.
    slow, fast = (
        WindowSource(
            walks(), 16, replace(TRUE_LENS, moving_share=0.0), PERFECT, replace(AS_CAPTURED, rates_hz=(r, r))
        )
        for r in (20.0, 40.0)
    )
    step = [s.draw(300, generator()) for s in (slow, fast)]
    lengths = [float((w.joints.diff(dim=1)).norm(dim=-1).mean()) for w in step]
    # Half of the windows have 30 Hz whatever is asked: (1.5 + 1) / (0.75 + 1) is left of 2.
    assert lengths[0] / lengths[1] == pytest.approx(2.5 / 1.75, rel=0.1)


def test_as_captured_bodies_keep_their_bones() -> None:
    motions = walks(1, 3.0)
    window = WindowSource(motions, 20, TRUE_LENS, PERFECT, AS_CAPTURED).draw(16, generator())
    knee, ankle = BODY_31.index("left_knee"), BODY_31.index("left_ankle")
    truth = np.linalg.norm(np.diff(motions.takes[0].points_m[0, [knee, ankle]], axis=0))
    shin = (window.joints[:, :, knee] - window.joints[:, :, ankle]).norm(dim=-1)
    assert (shin - float(truth)).abs().max() < 2e-3  # blending between frames shortens a bone a little


def test_a_causal_view_is_made_of_earlier_frames() -> None:
    window = WindowSource(walks(), 40, causal=True).draw(8, generator())
    early = crop_of(window.sight.rays[:, :20], window.sight.seen[:, :20], causal=True)
    torch.testing.assert_close(window.crop.size[:, :20], early.size)
    torch.testing.assert_close(window.crop.centre[:, :20], early.centre)


def test_feet_touch_where_they_are_still_and_low() -> None:
    points = torch.zeros(1, 30, 31, 3)
    heel, toe = BODY_31.index("left_heel"), BODY_31.index("left_big_toe")
    other_heel, other_toe = BODY_31.index("right_heel"), BODY_31.index("right_big_toe")
    points[..., 1] = 1.0
    points[:, :, heel, 1] = 0.02  # stands
    points[:, :, toe, 1] = 0.02
    points[:, 15:, toe, 0] = torch.arange(15) / 30.0 * 1.0  # slides at 1 m/s from frame 15
    points[:, :, other_heel, 1] = 0.3  # is still, in the air
    points[:, :, other_toe, 1] = 0.02
    points[:, :, other_toe, 0] = torch.arange(30) / 30.0 * 0.1  # creeps at 0.1 m/s
    labels = contact_labels(points, torch.tensor([30.0]))
    assert labels.shape == (1, 30, 4)
    assert labels[0, :, 0].all() and not labels[0, :, 2].any() and labels[0, :, 3].all()
    assert labels[0, :15, 1].all() and not labels[0, 17:, 1].any()
    # At a tenth of the rate the same rows are ten times slower.
    assert contact_labels(points, torch.tensor([3.0]))[0, :, 1].all()


def test_a_window_is_a_batch() -> None:
    window = WindowSource(walks(), 12).draw(5, generator())
    assert isinstance(window, Window)
    assert window.joints.shape == (5, 12, 31, 3) and window.root.shape == (5, 12, 3)
    assert window.contacts.shape == (5, 12, 4) and window.sight.rays.shape == (5, 12, 27, 2)
    assert set(window.contacts.unique().tolist()) <= {0.0, 1.0}
