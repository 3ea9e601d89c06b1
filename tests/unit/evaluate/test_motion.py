from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from made_takes import REST_M, walk, walks
from pose_server.evaluate import motion as measured
from pose_server.evaluate.mocap import PERFECT, Scene
from pose_server.evaluate.motion import METHODS, MotionScore, evaluate_motion, mean_row
from pose_server.evaluate.shooting import Shooting, shot
from pose_server.lift.network import CONTACT_POINTS
from pose_server.pipeline.boundary import Camera, Motion, Pose3D, Track2D
from pose_server.pipeline.camera import camera_of_clip
from pose_server.pipeline.kinematics import joint_positions
from pose_server.solve.proportions import proportions
from pose_server.train.motions import MotionSet, Take
from pose_shared.skeleton import BODY_31, SKELETON
from scipy.spatial.transform import Rotation

FLAWLESS = Shooting(count=2, outliers=0.0, sights=PERFECT)
STANDING = proportions((), np.empty((1, 0, 3)), np.empty((1, 0)))


class Knowing:
    """Answers with the truth of the scenes."""

    name = fingerprint = "knowing"

    def __init__(self, scenes: Iterator[Scene]) -> None:
        self._scenes = scenes
        self.focal_px = 0.0

    def lift(self, track: Track2D, camera: Camera) -> Pose3D:
        scene = next(self._scenes)
        self.focal_px = camera.matrix[0, 0]
        # The room as the camera has it: the rows of the rotation from what both know.
        own = scene.room_m - scene.room_m.mean(axis=1, keepdims=True)
        columns = [BODY_31.index(name) for name in measured.LIMB_JOINTS]
        there = scene.joints_m - scene.joints_m.mean(axis=1, keepdims=True)
        here = scene.room_m[:, columns] - scene.room_m[:, columns].mean(axis=1, keepdims=True)
        turn, _ = Rotation.align_vectors(there.reshape(-1, 3), here.reshape(-1, 3))
        joints = turn.apply(own.reshape(-1, 3)).reshape(own.shape)
        hips = [BODY_31.index(side + "_hip") for side in ("left", "right")]
        return Pose3D(
            joint_names=BODY_31.joints,
            indices=track.indices,
            times_s=track.times_s,
            joints_root_m=joints - joints[:, hips].mean(axis=1, keepdims=True),
            uncertainty_m=np.full(joints.shape[:2], 0.02),
            root_camera_m=scene.root_m,
            contacts=scene.contacts.astype(float),
        )


def standing(scene: Scene, *, lift_m: float = 0.0, lean_deg: float = 0.0, turn: Any = None) -> Motion:
    """Somebody in a T-pose on the scene's spot, who knows the way up but for `lean_deg`."""
    count = len(scene.track)
    local = np.tile([1.0, 0, 0, 0], (count, len(SKELETON), 1))
    if turn is not None:
        local[turn[0] :, SKELETON.index(turn[1])] = Rotation.from_euler("x", turn[2], degrees=True).as_quat(
            scalar_first=True
        )
    root = np.zeros((count, 3))
    sole = STANDING.rest_offsets_m[[SKELETON.index(f"left_{j}") for j in ("hip", "knee", "ankle")]].sum(
        axis=0
    )
    root[:, 2] = -sole[2] - STANDING.heel_m[2] + lift_m
    world = joint_positions(local, root, STANDING.rest_offsets_m, SKELETON.parents)
    to_camera = np.eye(4)
    upright, _ = Rotation.align_vectors([scene.up[0]], [[0, 0, 1.0]])
    lean = Rotation.from_rotvec(np.radians(lean_deg) * across(scene.up[0]))
    to_camera[:3, :3] = (lean * upright).as_matrix()
    to_camera[:3, 3] = scene.root_m[0]
    camera = world @ to_camera[:3, :3].T + to_camera[:3, 3]
    track = scene.track
    return Motion(
        rate=Fraction(30),
        times_s=track.times_s,
        frames=track.indices,
        joint_names=SKELETON.joints,
        parents=np.array(SKELETON.parents),
        rest_offsets_m=STANDING.rest_offsets_m,
        local_rotations_wxyz=local,
        root_world_m=root,
        joints_world_m=world,
        joints_camera_m=camera,
        root_camera_m=camera[:, 0],
        confidence=np.ones((count, len(SKELETON))),
        contact_names=("left_heel", "left_toe", "right_heel", "right_toe"),
        contacts=np.ones((count, 4)),
        keypoint_names=track.keypoint_names,
        keypoints_px=track.keypoints_px,
        keypoint_confidence=track.keypoint_confidence,
        camera=scene.camera,
        world_to_camera=to_camera,
        reprojection_px=np.full((count, len(SKELETON)), 3.0),
    )


def stops() -> Take:
    """Somebody who creeps by 6 cm/s for two seconds, then is carried off."""
    speed = np.repeat([0.06, 1.0], [120, 60]) / 60
    way = np.cumsum(speed)[:, None, None] * [1.0, 0, 0]
    return Take("stops", "1", (REST_M + way).astype(np.float32))


def across(direction: np.ndarray) -> np.ndarray:
    side = np.cross(direction, [0, 0, 1.0])
    return side / np.linalg.norm(side)


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Scores of one scene whose solve is whatever is given."""

    def of(**how: Any) -> tuple[MotionScore, Scene]:
        takes = MotionSet((stops(),), "")
        one = replace(FLAWLESS, count=1)
        (scene,) = shot(takes, one)
        monkeypatch.setattr(measured, "solve_clip", lambda *a, **k: [standing(scene, **how)])
        (score,) = evaluate_motion(Knowing(shot(takes, one)), takes, one)
        return score, scene

    return of


def test_who_knows_the_truth_has_no_error() -> None:
    takes = walks(2, 3.0)
    for score in evaluate_motion(Knowing(shot(takes, FLAWLESS)), takes, FLAWLESS):
        assert tuple(score.rows) == METHODS and score.kind == "other" and score.seen == "2D only"
        lifted, filtered, solved = score.rows.values()
        for name in ("mpjpe_mm", "p_mpjpe_mm", "w_mpjpe_mm", "wa_mpjpe_mm"):
            assert lifted[name] == pytest.approx(0, abs=5), name  # the smoothing's own doing
        assert lifted["limb_deg"] < 1 and lifted["root_per_metre"] == pytest.approx(0, abs=1e-3)
        assert filtered["mpjpe_mm"] < 10
        assert solved["mpjpe_mm"] < 90 and solved["gravity_deg"] < 25 and solved["frames_per_s"] > 10


def test_a_guessed_lens_is_what_an_import_assumes() -> None:
    takes = walks(1, 1.5)
    for lens in ("given", "guessed"):
        one = replace(FLAWLESS, count=1, lens=lens)
        (scene,) = shot(takes, one)
        true_px, usual_px = scene.camera.matrix[0, 0], camera_of_clip((1920, 1080)).matrix[0, 0]
        lifter = Knowing(shot(takes, one))
        (score,) = evaluate_motion(lifter, takes, one)
        assert lifter.focal_px == (true_px if lens == "given" else usual_px)
        assert abs(true_px / usual_px - 1) > 0.02
        assert (score.rows["solved"]["focal_error"] == 0) is (lens == "given")


def test_the_way_up_and_the_floor_are_measured_where_they_are(scored: Any) -> None:
    row = scored()[0].rows["solved"]
    assert row["gravity_deg"] == pytest.approx(0, abs=0.05)
    assert row["penetration_mm"] == row["worst_penetration_mm"] == pytest.approx(0, abs=1e-6)
    row = scored(lean_deg=7.0, lift_m=-0.004)[0].rows["solved"]
    assert row["gravity_deg"] == pytest.approx(7, abs=0.05)
    assert row["penetration_mm"] == pytest.approx(4) and row["worst_penetration_mm"] == pytest.approx(4)
    assert scored(lift_m=0.1)[0].rows["solved"]["penetration_mm"] == 0


def test_a_flip_is_found_with_its_joint_and_row(scored: Any) -> None:
    score, _ = scored(turn=(31, "left_elbow", 130.0))
    assert score.rows["solved"]["worst_rotation_step_deg"] == pytest.approx(130)
    assert score.turned == "left_elbow, row 31"
    forearm = score.rows["solved"]["worst_limb_step_deg"]  # about itself: nobody sees it in the points
    assert forearm < 90


def test_who_stands_still_slides_nowhere_and_claims_all_contacts(scored: Any) -> None:
    score, scene = scored()
    row = score.rows["solved"]
    assert row["foot_slide_mm_frame"] == row["own_slide_mm_frame"] == pytest.approx(0, abs=1e-9)
    share = scene.contacts.mean()
    assert 0.6 < share < 0.7
    assert row["contact_recall"] == 1 and row["contact_precision"] == pytest.approx(share)
    feet = scene.room_m[:, [BODY_31.index(name) for name in CONTACT_POINTS]]
    steps = np.linalg.norm(np.diff(feet, axis=0), axis=2)
    both = (scene.contacts[1:] > 0.5) & (scene.contacts[:-1] > 0.5)
    assert row["reference_slide_mm_frame"] == pytest.approx(steps[both].mean() * 1e3)
    assert 1.9 < row["reference_slide_mm_frame"] < 2.1
    lifted = score.rows["lifted"]  # knows contacts, but is smoothed where the creep ends
    assert lifted["contact_f1"] == 1 and 1.9 < lifted["foot_slide_mm_frame"] < 4
    assert row["acceleration_kept"] == pytest.approx(0, abs=1e-9)


def test_contacts_of_who_climbs_are_not_judged() -> None:
    takes = MotionSet((walk(3.0, name="13_33.1"),), "")
    one = replace(FLAWLESS, count=1)
    (score,) = evaluate_motion(Knowing(shot(takes, one)), takes, one)
    assert score.kind == "climb"
    assert not any("contact" in key or "slide" in key for row in score.rows.values() for key in row)
    assert all(np.isfinite(row["p_mpjpe_mm"]) for row in score.rows.values())


def test_means_count_scenes_alike_and_contacts_by_frames() -> None:
    common = {"acceleration_result_mm_frame2": 1.0, "acceleration_reference_mm_frame2": 2.0}
    contacts = {"contacts_hit": 30.0, "contacts_claimed": 40.0, "contacts_true": 30.0}
    rows = [
        {**common, **contacts, "mpjpe_mm": 10.0, "foot_slide_mm_frame": 1.0, "worst_x": 5.0},
        {**common, "mpjpe_mm": 20.0, "worst_x": 9.0},
        {
            **common,
            "mpjpe_mm": np.nan,
            "foot_slide_mm_frame": 5.0,
            "worst_x": 1.0,
            "contacts_hit": 0.0,
            "contacts_claimed": 0.0,
            "contacts_true": 10.0,
        },
    ]
    mean = mean_row(rows)
    assert mean["mpjpe_mm"] == 15 and mean["worst_x"] == 9 and mean["acceleration_kept"] == 0.5
    assert mean["foot_slide_mm_frame"] == pytest.approx((30 * 1 + 10 * 5) / 40)
    assert (mean["contact_precision"], mean["contact_recall"]) == (0.75, 0.75)
    assert mean["contact_f1"] == pytest.approx(0.75)
