from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_takes import walk, walks
from pose_server.evaluate.mocap import LIMB_JOINTS, PERFECT, Scene
from pose_server.evaluate.shooting import Shooting, shot, with_outliers
from pose_server.pipeline.camera import project
from pose_server.train.motions import MotionSet
from pose_server.train.sightings import SightModel
from pose_shared.errors import InputError
from pose_shared.skeleton import BODY_31, SEEN_27

FLAWLESS = Shooting(count=4, outliers=0.0, sights=PERFECT)
SEEN = [SEEN_27.index(name) for name in LIMB_JOINTS]


def test_the_truth_lies_on_the_pixels_of_a_person_in_the_picture() -> None:
    for scene in shot(walks(4, 3.0), FLAWLESS):
        pixels = project(scene.joints_m, scene.camera.matrix)
        np.testing.assert_allclose(scene.track.keypoints_px[:, SEEN], pixels, atol=0.1)
        inside = (pixels > 0) & (pixels < scene.camera.image_size)
        assert inside.all(axis=2).mean() > 0.95
        assert np.isnan(scene.track.landmarks_m).all()


def test_the_camera_stands_still_and_knows_what_is_up() -> None:
    columns = [BODY_31.index(name) for name in LIMB_JOINTS]
    for scene in shot(walks(4, 3.0), FLAWLESS):
        np.testing.assert_allclose(scene.up, np.broadcast_to(scene.up[0], scene.up.shape), atol=1e-4)
        assert scene.up[0, 1] < -0.5  # no camera hangs upside down
        heights = scene.joints_m @ scene.up[0]
        truth = scene.room_m[:, columns, 1]
        np.testing.assert_allclose(heights - heights[0, 0], truth - truth[0, 0], atol=1e-3)


def test_every_rate_has_rows_of_one_film() -> None:
    def filmed(rate_hz: float) -> list[Scene]:
        return list(shot(walks(3, 3.0), Shooting(count=3, rate_hz=rate_hz, outliers=0.2)))

    for slow, middle, fast in zip(filmed(24.0), filmed(30.0), filmed(60.0), strict=True):
        for one, two in ((middle, every(fast, 2)), (every(slow, 4), every(middle, 5))):
            np.testing.assert_allclose(one.joints_m, two.joints_m[: len(one.joints_m)], atol=1e-6)
            seen = two.track.keypoints_px[: len(one.joints_m)]
            np.testing.assert_allclose(one.track.keypoints_px, seen, atol=1e-6)
            np.testing.assert_array_equal(one.contacts, two.contacts[: len(one.joints_m)])
        np.testing.assert_allclose(np.diff(slow.track.times_s), 1 / 24)
        assert abs(len(slow.track) / 24 - len(fast.track) / 60) < 0.05


def every(scene: Scene, step: int) -> Scene:
    track = replace(
        scene.track,
        indices=scene.track.indices[::step],
        times_s=scene.track.times_s[::step],
        boxes_px=scene.track.boxes_px[::step],
        keypoints_px=scene.track.keypoints_px[::step],
        keypoint_confidence=scene.track.keypoint_confidence[::step],
        landmarks_m=scene.track.landmarks_m[::step],
    )
    return replace(scene, track=track, joints_m=scene.joints_m[::step], contacts=scene.contacts[::step])


def test_errors_last_as_long_at_any_rate() -> None:
    sights = replace(SightModel(), losses=0.0, jitter_m=0.0, spike_share=0.0, strength_spread=0.0)

    def change(rate_hz: float) -> float:
        """How much the errors of a tenth of a second are alike."""
        shooting = Shooting(count=4, rate_hz=rate_hz, outliers=0.0, sights=sights)
        alike = []
        for scene in shot(walks(4, 4.0), shooting):
            error = scene.track.keypoints_px[:, SEEN] - project(scene.joints_m, scene.camera.matrix)
            error = error - error.mean(axis=0)
            lag = round(0.1 * rate_hz)
            alike.append((error[lag:] * error[:-lag]).mean() / error.var())
        return float(np.mean(alike))

    assert change(30.0) == pytest.approx(change(120.0), abs=0.1)
    assert 0.2 < change(40.0) < 0.8


def test_scenes_are_the_same_again_and_others_with_another_seed() -> None:
    def pixels(seed: int) -> np.ndarray:
        (scene,) = shot(walks(2, 3.0), Shooting(count=1, seed=seed))
        return scene.track.keypoints_px

    np.testing.assert_array_equal(pixels(1), pixels(1))
    assert not np.array_equal(pixels(1)[:9], pixels(2)[:9])


def test_kinds_take_turns_and_each_is_spread_over_its_takes() -> None:
    names = ["16_01.1", "16_03.1", "16_05.1", "16_35.1", "13_33.1"]
    takes = MotionSet(tuple(walk(2.5, seed=i, name=name) for i, name in enumerate(names)), "")
    filmed = [scene.name for scene in shot(takes, replace(FLAWLESS, count=9))]
    assert filmed == [
        "13_33.1",
        "16_01.1",
        "16_35.1",
        "13_33.1",
        "16_03.1",
        "16_35.1",
        "13_33.1",
        "16_05.1",
        "16_35.1",
    ]


def test_so_many_scenes_have_landmarks_as_detectors_do() -> None:
    shooting = Shooting(count=10, outliers=0.0)
    given = [np.isfinite(scene.track.landmarks_m).any() for scene in shot(walks(2, 1.2), shooting)]
    assert sum(given) == 6 and any(given[:2])


def test_what_trembles_in_the_capture_is_not_filmed() -> None:
    take = walk(3.0)
    noise = 0.01 * (-1.0) ** np.arange(len(take.points_m))[:, None, None]  # at 30 Hz
    shaken = replace(take, points_m=(take.points_m + noise).astype(np.float32))
    still, trembling = (
        next(shot(MotionSet((one,), ""), replace(FLAWLESS, count=1, rate_hz=60.0))) for one in (take, shaken)
    )
    np.testing.assert_allclose(trembling.room_m[10:-10], still.room_m[10:-10], atol=1e-3)


def test_outliers_are_somebody_else_and_nothing_but_them_changes() -> None:
    (scene,) = shot(walks(1, 6.0), replace(FLAWLESS, count=1))
    track = with_outliers(scene.track, scene.camera.image_size, 0.1, np.random.default_rng(1))
    changed = np.flatnonzero((track.keypoints_px != scene.track.keypoints_px).any(axis=(1, 2)))
    assert len(changed) == round(0.1 * len(track))
    middle = track.keypoints_px[changed].mean(axis=1)
    moved = np.linalg.norm(middle - scene.track.keypoints_px[changed].mean(axis=1), axis=1)
    assert np.median(moved) > 150
    others = np.setdiff1d(np.arange(len(track)), changed)
    np.testing.assert_array_equal(track.boxes_px[others], scene.track.boxes_px[others])
    np.testing.assert_allclose(track.boxes_px[changed, :2], track.keypoints_px[changed].min(axis=1))
    assert with_outliers(scene.track, (9, 9), 0.0, np.random.default_rng(1)) is scene.track


def test_takes_that_are_too_short_are_one_sentence() -> None:
    with pytest.raises(InputError, match="No take of these subjects lasts 1 s") as caught:
        list(shot(walks(2, 0.8), FLAWLESS))
    assert caught.value.reason == "MOTIONS_TOO_SHORT"
