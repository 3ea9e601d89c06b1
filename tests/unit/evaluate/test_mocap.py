from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_takes import walk, walks
from pose_server.evaluate.mocap import HIPS, LIMB_BONES, LIMB_JOINTS, PERFECT, Scene, evaluate_mocap, scenes
from pose_server.pipeline.boundary import Camera, Pose3D, Track2D
from pose_server.pipeline.camera import project
from pose_server.train.motions import MotionSet
from pose_server.train.sightings import SightModel
from pose_shared.errors import InputError
from pose_shared.skeleton import SEEN_27

SEEN = [SEEN_27.index(name) for name in LIMB_JOINTS]


class Knowing:
    """Answers with the truth of the scenes, changed as it is told."""

    name = fingerprint = "knowing"

    def __init__(self, motions: MotionSet, sights: SightModel, **how: int) -> None:
        self._scenes = scenes(motions, sights, **how)
        self.turn, self.farther = np.eye(3), 0.0

    def lift(self, track: Track2D, camera: Camera) -> Pose3D:
        scene = next(self._scenes)
        np.testing.assert_array_equal(track.times_s, scene.track.times_s)  # repaired, else the same
        return Pose3D(
            joint_names=LIMB_JOINTS,
            indices=track.indices,
            times_s=track.times_s,
            joints_root_m=(scene.joints_m - scene.root_m[:, None]) @ self.turn.T,
            uncertainty_m=np.ones((len(track), 12)),
            root_camera_m=scene.root_m * (1 + self.farther),
            contacts=scene.contacts.astype(float),
        )


def test_the_truth_of_a_scene_lies_on_its_pixels() -> None:
    for scene in scenes(walks(3, 3.0), PERFECT, count=3):
        pixels = project(scene.joints_m, scene.camera.matrix)
        np.testing.assert_allclose(scene.track.keypoints_px[:, SEEN], pixels, atol=0.05)
        np.testing.assert_allclose(scene.joints_m[:, list(HIPS)].mean(axis=1), scene.root_m, atol=1e-5)
        assert scene.track.found.all() and (scene.track.keypoint_confidence > 0).all()
        assert np.isnan(scene.track.landmarks_m).all()
        thighs = np.array(
            [np.linalg.norm(scene.joints_m[:, a] - scene.joints_m[:, b], axis=1) for a, b in LIMB_BONES]
        )
        assert thighs.std(axis=1).max() < 2e-3


def test_a_track_says_what_is_missing() -> None:
    sights = replace(SightModel(), losses=4.0, landmarks_share=1.0)
    gone = 0
    for scene in scenes(walks(3, 3.0), sights, count=6):
        track = scene.track
        gone += int((~track.found).sum())
        missing = np.isnan(track.keypoints_px).any(axis=2)
        assert (track.keypoint_confidence[missing] == 0).all()
        assert (np.isnan(track.landmarks_m).any(axis=2) >= missing).all()
        assert np.isnan(track.boxes_px[~track.found]).all() and missing[~track.found].all()
        left, top, right, bottom = track.boxes_px[track.found].T
        inside = track.keypoints_px[track.found]
        assert (np.nanmin(inside[..., 0], axis=1) >= left).all() and (
            np.nanmax(inside[..., 1], axis=1) <= bottom
        ).all()
        assert (right > left).all() and (bottom > top).all()
    assert gone


def test_scenes_are_the_same_again_and_another_with_another_seed() -> None:
    def tracks(seed: int) -> list[Scene]:
        return list(scenes(walks(2, 3.0), SightModel(), count=2, seed=seed))

    for one, two in zip(tracks(1), tracks(1), strict=True):
        np.testing.assert_array_equal(one.track.keypoints_px, two.track.keypoints_px)
    assert not np.array_equal(tracks(1)[0].root_m[:9], tracks(2)[0].root_m[:9])


@pytest.mark.parametrize("rate_hz", [24.0, 25.0, 30.0, 50.0, 59.94, 60.0, 120.0])
def test_scenes_are_filmed_at_any_rate(rate_hz: float) -> None:
    long = walk(12.0)
    (scene,) = scenes(MotionSet((long,), ""), PERFECT, count=1, rate_hz=rate_hz)
    assert len(scene.track) == pytest.approx(10 * rate_hz, abs=2)  # of ten seconds at most
    np.testing.assert_allclose(np.diff(scene.track.times_s), 1 / rate_hz)
    assert np.isfinite(scene.joints_m).all()


def test_the_truth_itself_scores_perfectly() -> None:
    motions = walks(2, 3.0)
    row = evaluate_mocap(Knowing(motions, PERFECT, count=2), motions, PERFECT, count=2)
    for name in ("mpjpe_mm", "p_mpjpe_mm", "pa_seq_mm"):
        assert row[name] == pytest.approx(0, abs=5), name  # the smoothing's own doing
    assert row["root_absolute_m"] == pytest.approx(0, abs=1e-6)
    assert row["coverage"] == 1 and row["root_relative_depth"] == pytest.approx(0, abs=1e-6)
    kept = row["acceleration_result_mm_frame2"] / row["acceleration_reference_mm_frame2"]
    assert 0.5 < kept < 1


def test_errors_are_measured_where_they_are() -> None:
    motions = walks(2, 3.0)
    lifter = Knowing(motions, PERFECT, count=2)
    lifter.farther = 0.1
    row = evaluate_mocap(lifter, motions, PERFECT, count=2)
    assert row["root_relative_depth"] == pytest.approx(0.1)
    assert row["mpjpe_mm"] == pytest.approx(0, abs=5)
    assert row["pa_seq_mm"] > 1  # the walk is longer than it was
    lifter = Knowing(motions, PERFECT, count=2)
    lifter.turn = np.diag([-1.0, 1.0, -1.0])  # about face
    row = evaluate_mocap(lifter, motions, PERFECT, count=2)
    assert row["mpjpe_mm"] > 150 and row["p_mpjpe_mm"] == pytest.approx(0, abs=5)


def test_takes_that_are_too_short_are_one_sentence() -> None:
    with pytest.raises(InputError, match="No take of these subjects lasts 2 s") as caught:
        evaluate_mocap(Knowing(walks(1, 3.0), PERFECT, count=1), walks(2, 1.5), PERFECT)
    assert caught.value.reason == "MOTIONS_TOO_SHORT"
