from __future__ import annotations

import numpy as np
import pytest
from pose_server.pipeline.filter_options import FILTERS
from pose_server.pipeline.solve_options import BODY_PARTS, PartFilter
from pose_server.solve.filters import filtered
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation

RATE = 60.0
FRAMES = 240
TIMES = np.arange(FRAMES) / RATE
MIDDLE = slice(60, 180)


def rest(frames: int = FRAMES) -> np.ndarray:
    return np.tile([1.0, 0.0, 0.0, 0.0], (frames, len(SKELETON), 1))


def root_after(values: np.ndarray, text: str) -> np.ndarray:
    """What a filter makes of one number over time."""
    root = np.stack([values, 0 * values, 5 + 0 * values], axis=1)
    after = filtered(rest(len(values)), root, [PartFilter.parse(f"root={text}")], SKELETON.joints, RATE)[1]
    np.testing.assert_allclose(after[:, 1:], root[:, 1:], atol=1e-9)
    return after[:, 0]


def turns_after(turns: Rotation, text: str, joint: str = "left_elbow") -> Rotation:
    local = rest(len(turns))
    column = SKELETON.index(joint)
    local[:, column] = turns.as_quat(scalar_first=True)
    # Files of others jump between hemispheres.
    local[::3] *= -1
    after = filtered(local, np.zeros((len(turns), 3)), [PartFilter.parse(text)], SKELETON.joints, RATE)[0]
    np.testing.assert_allclose(np.linalg.norm(after, axis=-1), 1, atol=1e-12)
    assert (np.sum(after[1:] * after[:-1], axis=-1) > 0).all()
    return Rotation.from_quat(after[:, column], scalar_first=True)


def gain(text: str, frequency_hz: float) -> tuple[float, float]:
    """Amplitude and phase (radians) that are left of a steady oscillation."""
    wave = np.exp(2j * np.pi * frequency_hz * TIMES)
    after = root_after(wave.real, text)[MIDDLE] + 1j * root_after(wave.imag, text)[MIDDLE]
    ratio = np.mean(after / wave[MIDDLE])
    return abs(ratio), float(np.angle(ratio))


@pytest.mark.parametrize(
    ("text", "frequency_hz", "left"),
    [
        ("butterworth:6", 0.5, 1.0),
        ("butterworth:6", 6.0, np.sqrt(0.5)),
        ("butterworth:6", 20.0, 0.0),
        ("gaussian:0.05", 3.0, np.exp(-2 * (np.pi * 0.05 * 3.0) ** 2)),
        ("gaussian:0.05", 15.0, 0.0),
        ("rts:4", 0.5, 1.0),
        ("rts:4", 4.0, 0.5),
        ("rts:4", 20.0, 0.0),
        ("savitzky_golay:0.25,3", 0.5, 1.0),
        ("savitzky_golay:0.25,3", 12.0, 0.0),
    ],
)
def test_what_is_left_of_an_oscillation(text: str, frequency_hz: float, left: float) -> None:
    amplitude, phase = gain(text, frequency_hz)
    assert amplitude == pytest.approx(left, abs=0.03 if 0 < left < 1 else 0.1)
    if left > 0.1:
        assert phase == pytest.approx(0, abs=1e-3)


def test_the_smoother_is_the_best_path_of_a_body_that_keeps_its_velocity() -> None:
    """Against the dense least squares over all positions and velocities."""
    rng = np.random.default_rng(2)
    frames, dt, cutoff = 30, 1 / RATE, 4.0
    values = np.cumsum(rng.normal(size=frames))
    density = dt * (2 * np.pi * cutoff) ** 4
    drift = density * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
    root = np.linalg.cholesky(np.linalg.inv(drift)).T
    rows, right = [], []
    for i in range(frames):
        row = np.zeros(2 * frames)
        row[2 * i] = 1
        rows.append(row)
        right.append(values[i])
    for i in range(frames - 1):
        step = np.zeros((2, 2 * frames))
        step[:, 2 * i : 2 * i + 2] = -np.array([[1, dt], [0, 1]])
        step[:, 2 * i + 2 : 2 * i + 4] = np.eye(2)
        rows.extend(root @ step)
        right.extend([0, 0])
    best = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0][::2]
    np.testing.assert_allclose(root_after(values, "rts:4"), best, atol=1e-3)


def test_a_cubic_passes_savitzky_golay_untouched() -> None:
    t = TIMES - 2
    np.testing.assert_allclose(root_after(t**3 - t, "savitzky_golay:0.4,3"), t**3 - t, atol=1e-9)


def test_the_median_takes_single_frames_away_and_nothing_else() -> None:
    ramp = 0.5 * TIMES
    spiked = ramp.copy()
    spiked[[50, 90, 91]] += (1.0, -0.7, 0.4)
    after = root_after(spiked, "median:0.1")
    np.testing.assert_allclose(after[MIDDLE], ramp[MIDDLE], atol=0.02)
    turns = Rotation.from_rotvec(2 * TIMES[:, None] * [1, 0, 0])
    broken = turns.as_quat(scalar_first=True)
    broken[100] = Rotation.from_euler("z", 170, degrees=True).as_quat(scalar_first=True)
    cleaned = turns_after(Rotation.from_quat(broken, scalar_first=True), "left_arm=median:0.1")
    assert np.degrees((cleaned * turns.inv()).magnitude())[MIDDLE].max() < 4


def test_one_euro_calms_what_is_slow_and_lets_what_is_fast_pass() -> None:
    rng = np.random.default_rng(1)
    noise = 0.01 * rng.normal(size=FRAMES)
    still = root_after(noise, "one_euro:1,0.5")
    assert np.std(still[MIDDLE]) < 0.35 * np.std(noise)
    fast = np.sin(2 * np.pi * 2 * TIMES)
    free, tied = root_after(fast, "one_euro:1,20"), root_after(fast, "one_euro:1,0")
    assert np.abs(free - fast)[MIDDLE].max() < 0.2 < np.abs(tied - fast)[MIDDLE].max()
    # Forth and back: no lag.
    lags = [np.dot(np.roll(tied, lag)[MIDDLE], fast[MIDDLE]) for lag in range(-5, 6)]
    assert abs(int(np.argmax(lags)) - 5) <= 1


@pytest.mark.parametrize("name", list(FILTERS))
def test_a_spin_keeps_its_axis_and_its_pace_through_every_turn(name: str) -> None:
    axis = np.array([1.0, 2.0, -2.0]) / 3
    turns = Rotation.from_rotvec(4.0 * TIMES[:, None] * axis)  # two and a half times round
    after = turns_after(turns, f"left_arm={name}")
    errors = (after * turns.inv()).magnitude()
    assert np.degrees(errors[MIDDLE]).max() < (3 if name == "one_euro" else 0.5)


@pytest.mark.parametrize("name", list(FILTERS))
def test_noise_on_a_turn_shrinks_and_the_result_turns_with_the_world(name: str) -> None:
    rng = np.random.default_rng(7)
    calm = Rotation.from_euler("xyz", np.stack([np.sin(3 * TIMES), 0.4 * TIMES, np.cos(2 * TIMES)], axis=1))
    shaken = calm * Rotation.from_rotvec(0.05 * rng.normal(size=(FRAMES, 3)))
    after = turns_after(shaken, f"all={name}")
    before = (shaken * calm.inv()).magnitude()[MIDDLE].mean()
    assert (after * calm.inv()).magnitude()[MIDDLE].mean() < 0.9 * before
    world = Rotation.from_euler("xyz", [1.0, -0.5, 2.0])
    turned = turns_after(world * shaken, f"all={name}")
    np.testing.assert_allclose((turned * (world * after).inv()).magnitude(), 0, atol=1e-6)


@pytest.mark.parametrize("part", BODY_PARTS)
def test_a_filter_touches_its_part_alone(part: str) -> None:
    rng = np.random.default_rng(3)
    local = Rotation.from_rotvec(0.2 * rng.normal(size=(FRAMES * len(SKELETON), 3))).as_quat(
        scalar_first=True
    )
    local = local.reshape(FRAMES, len(SKELETON), 4)
    root = rng.normal(size=(FRAMES, 3))
    kept = local.copy(), root.copy()
    after, place = filtered(local, root, [PartFilter(part, "gaussian")], SKELETON.joints, RATE)
    np.testing.assert_array_equal(local, kept[0])
    np.testing.assert_array_equal(root, kept[1])
    same = np.abs(np.sum(after * local, axis=-1)).min(axis=0) > 1 - 1e-9
    changed = {name for name, unchanged in zip(SKELETON.joints, same, strict=True) if not unchanged}
    expected = {
        "all": set(SKELETON.joints),
        "root": {"pelvis"},
        "spine": {"spine", "chest"},
        "head": {"neck", "head"},
        "arms": {
            n for n in SKELETON.joints if n.endswith(("clavicle", "shoulder", "elbow", "wrist", "hand"))
        },
        "legs": {n for n in SKELETON.joints if n.endswith(("hip", "knee", "ankle", "toe"))},
    }
    side, _, limb = part.partition("_")
    wanted = expected.get(part) or {n for n in expected[limb + "s"] if n.startswith(side)}
    assert changed == wanted
    assert (np.abs(place - root).max() > 0.1) == (part in ("all", "root"))


@pytest.mark.parametrize("name", list(FILTERS))
@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_the_shortest_motions_pass(name: str, frames: int) -> None:
    local = rest(frames)
    after, root = filtered(local, np.ones((frames, 3)), [PartFilter("all", name)], SKELETON.joints, 24.0)
    np.testing.assert_allclose(after, local, atol=1e-9)
    np.testing.assert_allclose(root, 1, atol=1e-6)


@pytest.mark.parametrize("name", list(FILTERS))
def test_extreme_settings_stay_finite(name: str) -> None:
    rng = np.random.default_rng(4)
    turns = Rotation.random(50, rng=rng)
    for pick in ("lowest", "highest"):
        values = ",".join(str(getattr(setting, pick)) for setting in FILTERS[name])
        assert np.isfinite(turns_after_wild(turns, f"all={name}:{values}")).all()


def turns_after_wild(turns: Rotation, text: str) -> np.ndarray:
    local = rest(len(turns))
    local[:, 3] = turns.as_quat(scalar_first=True)
    return filtered(local, np.zeros((len(turns), 3)), [PartFilter.parse(text)], SKELETON.joints, RATE)[0]


def test_filters_run_one_after_the_other_and_none_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    root = rng.normal(size=(FRAMES, 3))
    one, two = PartFilter.parse("root=median:0.1"), PartFilter.parse("root=gaussian:0.05")
    both = filtered(rest(), root, [one, two], SKELETON.joints, RATE)[1]
    first = filtered(rest(), root, [one], SKELETON.joints, RATE)[1]
    np.testing.assert_array_equal(both, filtered(rest(), first, [two], SKELETON.joints, RATE)[1])
    local = rest()
    assert filtered(local, root, [], SKELETON.joints, RATE)[0] is local
