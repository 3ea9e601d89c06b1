"""Every measure against cases worked out by hand, slow loops, invariances, and the clip's own scorer."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from pose_server.evaluate import metrics
from pose_shared.errors import InternalError
from scipy.spatial.transform import Rotation

BONES = ((0, 1), (1, 2), (3, 4))


@pytest.fixture
def motions() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    reference = rng.normal(size=(40, 6, 3)).cumsum(axis=0) * 0.02 + rng.normal(size=(6, 3)) + [0, 0, 4]
    return reference + rng.normal(size=reference.shape) * 0.03, reference


def test_a_perfect_result_has_no_error(motions: tuple[np.ndarray, np.ndarray]) -> None:
    _, reference = motions
    found = metrics.measures(reference, reference, fps=25, roots=(0,), bones=BONES)
    for name, value in found.items():
        if name.endswith(("mpjpe_mm", "pa_seq_mm", "mpjve_mm_frame", "mpjve_mm_s", "error_mm_frame2")):
            assert value == pytest.approx(0, abs=1e-9), name
    assert found["coverage"] == 1
    assert found["acceleration_result_mm_frame2"] == found["acceleration_reference_mm_frame2"] > 0
    assert found["jitter_10m_s3"] == found["reference_jitter_10m_s3"] > 0


def test_mpjpe_by_hand() -> None:
    reference = np.zeros((1, 2, 3))
    result = np.array([[[0.003, 0.004, 0.0], [0.0, 0.0, 0.001]]])
    assert metrics.mpjpe_mm(result, reference) == pytest.approx((5 + 1) / 2)
    assert metrics.mpjpe_mm(result + 7, reference, roots=(0, 1)) == pytest.approx(
        1e3 * np.linalg.norm([0.0015, 0.002, -0.0005])
    )


def test_missing_joints_do_not_count() -> None:
    reference = np.zeros((2, 2, 3))
    result = np.full((2, 2, 3), 0.001)
    reference[0, 0] = np.nan
    result[1, 1] = [np.nan, 0.5, 0.5]
    assert metrics.mpjpe_mm(result, reference) == pytest.approx(math.sqrt(3))
    assert metrics.coverage(result, reference) == pytest.approx(2 / 3)
    assert math.isnan(metrics.mpjpe_mm(result * np.nan, reference))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("frames", [0, 1, 2, 5])
def test_nothing_to_count_is_nan_without_a_word(frames: int) -> None:
    empty = np.full((frames, 6, 3), np.nan)
    found = metrics.measures(empty, empty, fps=30, roots=(0,), bones=BONES)
    assert all(math.isnan(value) for value in found.values())
    assert all(math.isnan(x) for x in metrics.root_error(empty[:, 0], empty[:, 0]))
    assert math.isnan(metrics.foot_slide(empty, np.ones((frames, 6)), fps=30).m_s)
    assert math.isnan(metrics.contact_score(empty[..., 0], empty[..., 0]).f1)


@pytest.mark.parametrize("seed", range(5))
def test_similarities_of_each_frame_are_forgiven(seed: int, motions: tuple[np.ndarray, np.ndarray]) -> None:
    result, reference = motions
    rng = np.random.default_rng(seed)
    turns = Rotation.random(len(result), random_state=seed).as_matrix()
    scales = rng.uniform(0.2, 5, size=(len(result), 1, 1))
    moved = scales * (result @ turns) + rng.normal(size=(len(result), 1, 3))
    assert metrics.p_mpjpe_mm(moved, reference) == pytest.approx(metrics.p_mpjpe_mm(result, reference))
    assert metrics.p_mpjpe_mm(moved, reference) > 1
    one = 3 * (result @ turns[0]) + [1, 2, 3]
    assert metrics.pa_seq_mm(one, reference) == pytest.approx(metrics.pa_seq_mm(result, reference))
    assert metrics.pa_seq_mm(moved, reference) > 2 * metrics.pa_seq_mm(result, reference)


def test_reflections_are_not_forgiven(motions: tuple[np.ndarray, np.ndarray]) -> None:
    _, reference = motions
    assert metrics.p_mpjpe_mm(reference * [-1, 1, 1], reference) > 100


def test_the_similarity_is_the_best_one(motions: tuple[np.ndarray, np.ndarray]) -> None:
    """Its sum of squares is below that of any neighbour: a slow check that knows no formula."""
    result, reference = (x[0] for x in motions)
    result = result * [-1, 1, 1]  # the case in which the reflection has to be undone
    fitted = metrics._aligned(result, reference)
    best = ((fitted - reference) ** 2).sum()
    rng = np.random.default_rng(0)
    for _ in range(300):
        turn = Rotation.from_rotvec(rng.normal(size=3) * 0.05).as_matrix()
        middle = fitted.mean(axis=0)
        near = (1 + rng.normal() * 0.02) * (fitted - middle) @ turn + middle + rng.normal(size=3) * 0.01
        assert ((near - reference) ** 2).sum() > best


def test_similarity_leaves_missing_joints_out(motions: tuple[np.ndarray, np.ndarray]) -> None:
    result, reference = motions
    kept = metrics.p_mpjpe_mm(result[:, :5], reference[:, :5])
    result = result.copy()
    result[:, 5] = np.nan
    assert metrics.p_mpjpe_mm(result, reference) == pytest.approx(kept)
    result[:, 2:] = np.nan
    assert math.isnan(metrics.p_mpjpe_mm(result, reference)), "two points fit anything"


def test_one_scale_per_frame(motions: tuple[np.ndarray, np.ndarray]) -> None:
    result, reference = motions
    scales = np.linspace(0.3, 3, len(result))[:, None, None]
    plain = metrics.n_mpjpe_mm(result, reference, roots=(0, 1))
    assert metrics.n_mpjpe_mm(result * scales, reference, roots=(0, 1)) == pytest.approx(plain)
    own, true = (metrics.centred(x, (0, 1)) for x in motions)
    errors = []
    for a, b in zip(own, true, strict=True):
        scale = sum(float(p @ q) for p, q in zip(a, b, strict=True)) / sum(float(p @ p) for p in a)
        errors += [np.linalg.norm(scale * p - q) for p, q in zip(a, b, strict=True)]
    assert plain == pytest.approx(np.mean(errors) * 1e3)


def test_velocity_and_acceleration_by_hand() -> None:
    t = np.arange(5.0)[:, None, None]
    still = np.zeros((5, 1, 3))
    falling = 0.5 * 0.004 * t**2 * [0, 1, 0]
    assert metrics.mpjve_mm_frame(falling, still) == pytest.approx(np.mean([2, 6, 10, 14]))
    moved = metrics.acceleration(still, falling)
    assert moved == pytest.approx((4, 0, 4))
    assert moved.kept == 0
    found = metrics.measures(falling, still, fps=50, roots=(), bones=())
    assert found["mpjve_mm_s"] == pytest.approx(8 * 50)


def test_acceleration_never_reaches_over_a_gap() -> None:
    rng = np.random.default_rng(1)
    reference = rng.normal(size=(9, 1, 3))
    result = reference + rng.normal(size=reference.shape)
    whole = [metrics.acceleration(result[a:b], reference[a:b]) for a, b in ((0, 4), (5, 9))]
    result[4] = np.nan
    assert metrics.acceleration(result, reference) == pytest.approx(np.mean(whole, axis=0))


def test_jitter_by_hand() -> None:
    t = np.arange(6.0)[:, None, None] / 20
    joints = t**3 / 6 * [0, 0, 30]  # third derivative 30 m/s^3
    assert metrics.jitter_10m_s3(joints, fps=20) == pytest.approx(3)


def test_bone_spread_by_hand() -> None:
    joints = np.zeros((4, 3, 3))
    joints[:, 1, 0] = [1, 3, 1, 3]
    joints[:, 2, 0] = joints[:, 1, 0] + 1
    assert metrics.bone_spread(joints, [(0, 1)]) == pytest.approx(0.5)
    assert metrics.bone_spread(joints, [(0, 1), (1, 2)]) == pytest.approx(0.25)


def test_root_error_by_hand() -> None:
    true = np.array([[0.0, 0, 4], [1, 0, 5]])
    found = metrics.root_error(true * 0.8, true)
    assert found.absolute_m == pytest.approx((0.8 + 0.2 * math.sqrt(26)) / 2)
    assert found.scaled_m == pytest.approx(0)
    assert found.scale == pytest.approx(1.25)
    assert found.relative_depth == pytest.approx(0.2)


def rigid_error_mm(result: np.ndarray, reference: np.ndarray, fitted: slice) -> float:
    """Mean distance after the rigid motion that fits some frames best, by SciPy."""
    own, true = (points[fitted].reshape(-1, 3) for points in (result, reference))
    turn, _ = Rotation.align_vectors(true - true.mean(axis=0), own - own.mean(axis=0))
    moved = turn.apply((result - own.mean(axis=0)).reshape(-1, 3)) + true.mean(axis=0)
    return float(np.linalg.norm(moved.reshape(reference.shape) - reference, axis=-1).mean() * 1e3)


def test_a_motion_is_laid_onto_every_window_rigidly(motions: tuple[np.ndarray, np.ndarray]) -> None:
    result, reference = motions
    turned = Rotation.random(random_state=4).apply(result.reshape(-1, 3)).reshape(result.shape) * 1.1 + 5
    windows = (slice(0, 15), slice(15, 40))  # what is left over belongs to the last
    whole, first = (
        sum((w.stop - w.start) * rigid_error_mm(turned[w], reference[w], fitted) for w in windows) / 40
        for fitted in (slice(None), slice(2))
    )
    assert metrics.wa_mpjpe_mm(turned, reference, window=15) == pytest.approx(whole)
    assert metrics.w_mpjpe_mm(turned, reference, window=15) == pytest.approx(first)
    assert first > whole > metrics.pa_seq_mm(turned[:15], reference[:15])  # a scale is not forgiven
    assert metrics.wa_mpjpe_mm(turned, reference) == pytest.approx(
        rigid_error_mm(turned, reference, slice(None))
    )


def test_a_window_whose_first_frames_are_missing_does_not_count(
    motions: tuple[np.ndarray, np.ndarray],
) -> None:
    result, reference = motions
    gap = result.copy()
    gap[20:22] = np.nan
    only = metrics.w_mpjpe_mm(result[:20], reference[:20], window=20)
    assert metrics.w_mpjpe_mm(gap, reference, window=20) == pytest.approx(only)
    assert metrics.wa_mpjpe_mm(gap, reference, window=20) != metrics.wa_mpjpe_mm(result, reference, window=20)


def test_the_error_of_a_path_is_per_metre_travelled() -> None:
    angle = np.linspace(0, np.pi, 400)
    path = 2 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)  # 2 pi metres
    turned = Rotation.from_euler("xyz", [20, 50, 9], degrees=True).apply(path) + np.array([3, 0, 1])
    assert metrics.root_per_metre(turned, path) == pytest.approx(0, abs=1e-9)
    grown = path * 1.1  # its centroid stays at 4 / pi * 1.1 on the middle line
    expected = rigid_error_mm(grown[:, None], path[:, None], slice(None)) / 1e3 / (2 * np.pi)
    assert metrics.root_per_metre(grown, path) == pytest.approx(expected, rel=1e-4)
    assert math.isnan(metrics.root_per_metre(path[:50], path[:50]))  # 80 cm


def test_foot_slide_counts_standing_feet_alone() -> None:
    feet = np.zeros((4, 2, 3))
    feet[:, 0, 0] = [0, 0.003, 0.006, 1.0]
    feet[:, 1, 1] = [0, 5, 10, 15]
    contacts = np.array([[1, 0], [1, 0], [0.7, np.nan], [0.2, 0]])
    found = metrics.foot_slide(feet, contacts, fps=30)
    assert found == pytest.approx((3.0, 0.09))
    with pytest.raises(InternalError, match=r"contacts: expected \(4, 2\), got \(4,\)"):
        metrics.foot_slide(feet, contacts[:, 0], fps=30)


def test_contact_score_by_hand() -> None:
    truth = np.array([[True, True, True, False, False, True]])
    said = np.array([[0.9, 0.8, 0.1, 0.7, 0.2, np.nan]])
    found = metrics.contact_score(said, truth)
    assert found == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert metrics.contact_score(said, truth, threshold=0.85) == pytest.approx((1, 1 / 3, 0.5))
    nothing = metrics.contact_score(said * 0, truth)
    assert math.isnan(nothing.precision)
    assert (nothing.recall, nothing.f1) == (0, 0)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(InternalError, match=r"expected \(4, 3, 3\), got \(5, 3, 3\)"):
        metrics.mpjpe_mm(np.zeros((5, 3, 3)), np.zeros((4, 3, 3)))


def test_inputs_are_left_alone(motions: tuple[np.ndarray, np.ndarray]) -> None:
    copies = [x.copy() for x in motions]
    metrics.measures(*motions, fps=25, roots=(0,), bones=BONES)
    for kept, given in zip(copies, motions, strict=True):
        np.testing.assert_array_equal(kept, given)


def scorer(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("real3d_score", folder / "real3d" / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.reference
def test_the_same_numbers_as_the_real_clips_own_scorer(
    reference_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `score.py` prints of a made-up result, and what it computes on the way."""
    score = scorer(reference_data)
    reference = score.reference_camera_m()
    rng = np.random.default_rng(2)
    result = reference * 1.07 + rng.normal(size=reference.shape) * 0.04
    root = result[:, score.HIPS].mean(axis=1)
    for own, true in zip(result, reference, strict=True):
        expected = np.linalg.norm(score.align(own, true) - true, axis=1).mean() * 1e3
        assert metrics.p_mpjpe_mm(own[None], true[None]) == pytest.approx(expected)

    path = tmp_path / "result.npz"
    np.savez(path, joints=result, names=list(score.JOINTS), root_camera_m=root)
    monkeypatch.setattr("sys.argv", ["score.py", str(path)])
    score.main()
    printed = capsys.readouterr().out
    found = metrics.measures(result, reference, fps=60, roots=score.HIPS, bones=score.BONES)
    path_error = metrics.root_error(root, reference[:, score.HIPS].mean(axis=1))
    for text in (
        f"P-MPJPE {found['p_mpjpe_mm']:.1f} mm",
        f"PA-seq {found['pa_seq_mm']:.1f} mm",
        f"MPJPE {found['mpjpe_mm']:.1f} mm",
        f"acceleration {found['acceleration_error_mm_frame2']:.2f} mm/frame^2",
        f"bone spread {found['bone_spread'] * 100:.1f} %",
        f"own acceleration {found['acceleration_result_mm_frame2']:.2f} "
        f"(reference {found['acceleration_reference_mm_frame2']:.2f})",
        f"root error {path_error.absolute_m:.3f} m",
        f"after a scale fit {path_error.scaled_m:.3f} m (scale {path_error.scale:.3f})",
    ):
        assert text in printed, (text, printed)
