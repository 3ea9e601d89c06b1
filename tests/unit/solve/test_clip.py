"""The whole solve on performances whose truth is known."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from pose_server.pipeline.camera import project
from pose_server.pipeline.kinematics import joint_positions
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.solve_options import SolveOptions
from pose_server.solve.clip import solve_clip
from pose_server.solve.contacts import SOLES
from pose_shared.errors import JobCancelledError
from pose_shared.skeleton import SKELETON, mirrored_name
from scipy.spatial.transform import Rotation

MIRROR = [SKELETON.index(mirrored_name(name)) for name in SKELETON.joints]


def steps_deg(motion):
    """Largest turn of each joint from frame to frame."""
    dots = np.abs(np.sum(motion.local_rotations_wxyz[1:] * motion.local_rotations_wxyz[:-1], axis=2))
    return np.degrees(2 * np.arccos(np.clip(dots, 0, 1)))


def assert_sound(motion):
    """Whatever went in: numbers everywhere, unit quaternions in one hemisphere, exact kinematics."""
    for field in (
        "local_rotations_wxyz",
        "root_world_m",
        "joints_world_m",
        "joints_camera_m",
        "root_camera_m",
    ):
        assert np.isfinite(getattr(motion, field)).all(), field
    for field in ("confidence", "contacts"):
        values = getattr(motion, field)
        assert ((values >= 0) & (values <= 1)).all(), field
    rotations = motion.local_rotations_wxyz
    assert np.allclose(np.linalg.norm(rotations, axis=2), 1, atol=1e-9)
    assert (np.sum(rotations[1:] * rotations[:-1], axis=2) >= 0).all()
    world = joint_positions(rotations, motion.root_world_m, motion.rest_offsets_m, motion.parents.tolist())
    assert np.allclose(world, motion.joints_world_m, atol=1e-9)
    camera = world @ motion.world_to_camera[:3, :3].T + motion.world_to_camera[:3, 3]
    assert np.allclose(camera, motion.joints_camera_m, atol=1e-9)
    assert np.allclose(motion.root_camera_m, motion.joints_camera_m[:, 0], atol=1e-9)


def test_bones_are_constant_and_symmetric(walked):
    for joints in (walked.joints_world_m, walked.joints_camera_m):
        for joint, parent in enumerate(walked.parents):
            if parent >= 0:
                length = np.linalg.norm(joints[:, joint] - joints[:, parent], axis=1)
                assert np.ptp(length) < 1e-9
                assert length[0] == pytest.approx(np.linalg.norm(walked.rest_offsets_m[MIRROR[joint]]))


def test_result_is_sound(walked):
    assert walked.joint_names == SKELETON.joints
    assert_sound(walked)


def test_walk_is_found_again(walking, walked):
    assert np.linalg.norm(walked.joints_camera_m - walking.joints_camera_m, axis=2).mean() < 0.01
    assert np.nanmedian(walked.reprojection_px) < 4
    turned = walked.world_to_camera[:3, :3].T @ walking.rotations_camera[:, 0]
    pelvis = Rotation.from_quat(walked.local_rotations_wxyz[:, 0], scalar_first=True)
    assert np.degrees((pelvis.inv() * Rotation.from_matrix(turned)).magnitude()).max() < 6


def test_the_head_is_where_the_film_shows_it(walking):
    """The lifter has the ears 12 cm off; the picture does not."""
    ears = [i for i, name in enumerate(walking.track.keypoint_names) if name.endswith("ear")]
    lifted = walking.pose.joints_root_m.copy()
    lifted[:, ears, 0] += 0.12
    motion = walking.seen(joints_root_m=lifted).solved()
    head = motion.joints_camera_m[:, SKELETON.index("head")]
    off_px = np.linalg.norm(
        project(head, walking.camera.matrix) - walking.track.keypoints_px[:, ears].mean(axis=1), axis=1
    )
    assert (off_px * head[:, 2] / walking.camera.matrix[0, 0]).max() < 0.06


def test_one_ear_is_enough_to_place_the_head(walking):
    far = walking.track.keypoint_names.index("right_ear")
    keypoints = walking.track.keypoints_px.copy()
    confidence = walking.track.keypoint_confidence.copy()
    keypoints[:, far], confidence[:, far] = np.nan, 0.0
    lifted = walking.pose.joints_root_m.copy()
    ears = [i for i, name in enumerate(walking.track.keypoint_names) if name.endswith("ear")]
    lifted[:, ears, 0] += 0.12
    motion = walking.seen(
        keypoints_px=keypoints, keypoint_confidence=confidence, joints_root_m=lifted
    ).solved()
    off = (
        motion.joints_camera_m[:, SKELETON.index("head")] - walking.joints_camera_m[:, SKELETON.index("head")]
    )
    assert np.abs(off[:, 0]).max() < 0.07


def test_noisy_walk_is_near_and_calm(studio):
    take = studio.walk(noise=1.0)
    motion = take.solved()
    assert_sound(motion)
    assert np.linalg.norm(motion.joints_camera_m - take.joints_camera_m, axis=2).mean() < 0.06
    assert steps_deg(motion).max() < 25


def test_world_starts_under_the_first_root_and_looks_along_y(walked):
    assert walked.joints_world_m[0, 0, :2] == pytest.approx([0, 0], abs=1e-9)
    ahead = walked.world_to_camera[:3, :3].T @ [0, 0, 1]
    assert ahead[0] == pytest.approx(0, abs=1e-9)
    assert ahead[1] > 0
    assert np.linalg.det(walked.world_to_camera[:3, :3]) == pytest.approx(1)


@pytest.mark.parametrize("roll_deg", [-15, 0, 15])
def test_standing_person_stands_still_upright_on_the_floor(studio, roll_deg):
    take = studio.film(studio.posed(60), studio.standing_root(60), pitch_deg=15, roll_deg=roll_deg)
    motion = take.solved()
    assert np.abs(np.diff(motion.joints_world_m, axis=0)).max() < 1e-4
    up = motion.world_to_camera[:3, :3] @ [0, 0, 1]
    assert np.degrees(np.arccos(up @ take.up_camera)) < 4
    assert (motion.contacts[5:-5, :SOLES] > 0.9).all() and not motion.contacts[:, SOLES:].any()
    ankles = motion.joints_world_m[:, [SKELETON.index("left_ankle"), SKELETON.index("right_ankle")], 2]
    assert ankles.mean() == pytest.approx(-studio.body.heel_m[2], abs=0.02)
    knee = motion.local_rotations_wxyz[0, SKELETON.index("left_knee")]
    assert 2 * np.arccos(knee[0]) < np.radians(12)


def test_noise_does_not_make_a_standing_person_drift(studio):
    take = studio.film(studio.posed(90), studio.standing_root(90), noise=1.0)
    root = take.solved().root_world_m
    assert np.ptp(root[:, :2], axis=0).max() < 0.1
    assert np.ptp(root[:, 2]) < 0.03


def test_mirrored_film_gives_the_mirrored_motion(walking, walked):
    names = walking.track.keypoint_names
    swap = [names.index(mirrored_name(name)) for name in names]
    width = walking.camera.image_size[0]
    flip = np.array([-1.0, 1, 1])
    keypoints = walking.track.keypoints_px[:, swap] * [-1, 1] + [width, 0]
    mirrored = walking.seen(
        keypoints_px=keypoints,
        landmarks_m=walking.track.landmarks_m[:, swap] * flip,
        joints_root_m=walking.pose.joints_root_m[:, swap] * flip,
        root_camera_m=walking.pose.root_camera_m * flip,
    ).solved()
    expected = walked.local_rotations_wxyz[:, MIRROR] * [1, 1, -1, -1]
    dots = np.abs(np.sum(mirrored.local_rotations_wxyz * expected, axis=2))
    assert np.degrees(2 * np.arccos(np.clip(dots, 0, 1))).max() < 0.5
    assert np.allclose(mirrored.joints_world_m, walked.joints_world_m[:, MIRROR] * flip, atol=2e-3)


def test_size_of_the_picture_does_not_matter(walking, walked):
    camera = walking.camera
    scale = np.diag([2.0, 2.0, 1.0])
    larger = dataclasses.replace(camera, matrix=scale @ camera.matrix, image_size=(3840, 2160))
    take = dataclasses.replace(
        walking.seen(keypoints_px=2 * walking.track.keypoints_px, boxes_px=2 * walking.track.boxes_px),
        camera=larger,
    )
    assert np.allclose(take.solved().joints_world_m, walked.joints_world_m, atol=1e-6)


def test_smoothing_calms_without_delay(studio):
    take = studio.walk(noise=1.0)
    raw, usual, calm = (take.solved(smoothing=value) for value in (0.0, 0.5, 1.0))

    def shake(motion):
        return np.linalg.norm(np.diff(motion.joints_world_m, 2, axis=0), axis=2).mean()

    assert shake(raw) > 1.5 * shake(usual) > 1.5 * shake(calm)
    wrist = SKELETON.index("left_wrist")
    truth = take.joints_camera_m[10:-10, wrist, 0] - take.joints_camera_m[10:-10, 0, 0]
    seen = usual.joints_camera_m[:, wrist, 0] - usual.joints_camera_m[:, 0, 0]
    delays = {lag: np.corrcoef(truth, seen[10 + lag : len(seen) - 10 + lag])[0, 1] for lag in range(-4, 5)}
    assert max(delays, key=delays.get) == 0


def test_two_people_share_a_world(studio):
    near = studio.film(studio.posed(40), studio.standing_root(40))
    root = studio.standing_root(40) + np.array([1.0, 1.5, 0.0])
    far = studio.film(studio.posed(40), root)
    first, second = studio.solve([near, far])
    assert (first.world_to_camera == second.world_to_camera).all()
    assert second.root_world_m[0] - first.root_world_m[0] == pytest.approx([1.0, 1.5, 0.0], abs=0.2)
    assert np.linalg.norm(second.root_world_m[0, :2]) > 1


def test_uneven_timestamps_are_put_on_the_clock(studio):
    take = studio.walk(seconds=2.0, rate=60)
    rows = np.sort(np.random.default_rng(1).choice(np.arange(1, 119), 58, replace=False))
    rows = np.concatenate([[0], rows, [119]])
    uneven = dataclasses.replace(take.rows(rows), rate=Fraction(30))
    motion = uneven.solved()
    assert np.allclose(np.diff(motion.times_s), 1 / 30)
    assert len(motion) == 60
    assert np.abs(take.track.times_s[motion.frames] - motion.times_s).max() < 0.04
    truth = np.stack(
        [np.interp(motion.times_s, take.track.times_s, axis) for axis in take.joints_camera_m[:, 0].T], axis=1
    )
    assert np.linalg.norm(motion.root_camera_m - truth, axis=1).max() < 0.05


def test_asked_rate_is_delivered(walking):
    motion = walking.solved(fps=Fraction(24))
    assert motion.rate == 24
    assert np.allclose(np.diff(motion.times_s), 1 / 24)
    assert_sound(motion)


def test_gap_is_bridged_with_low_confidence(walking, walked):
    motion = walking.without(slice(20, 30)).solved()
    assert_sound(motion)
    assert (motion.confidence[21:29] < 0.3).all()
    assert (motion.confidence[:20] > 0.5).all()
    assert np.linalg.norm(motion.joints_camera_m - walked.joints_camera_m, axis=2)[20:30].max() < 0.35
    assert np.isnan(motion.reprojection_px[25]).all()


def test_long_gap_ends_in_no_confidence(studio):
    motion = studio.walk(seconds=6).without(slice(30, 150)).solved()
    assert_sound(motion)
    assert (motion.confidence[70:110] == 0).all()
    assert np.ptp(motion.root_world_m, axis=0).max() < 12


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("smoothing", [0.0, 1.0])
def test_few_frames(walking, count, smoothing):
    motion = walking.rows(slice(0, count)).solved(smoothing=smoothing)
    assert len(motion) == count
    assert_sound(motion)


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        (slice(None), ("hip", "knee", "ankle", "heel", "toe")),
        (slice(None), ("knee", "ankle", "heel", "toe")),
        (slice(None), ("eye", "ear", "nose", "mouth", "index", "pinky", "thumb", "heel", "toe")),
        (slice(None), ("wrist",)),
        (slice(None), ("left_",)),
        (slice(0, 59), ()),
        (slice(1, 60), ()),
        (slice(None), ()),
    ],
    ids=[
        "no-lower-body",
        "no-legs",
        "no-details",
        "no-wrists",
        "no-left",
        "last-only",
        "first-only",
        "nothing",
    ],
)
def test_missing_points_never_break_it(walking, rows, parts):
    motion = walking.without(rows, *parts).solved()
    assert_sound(motion)
    assert len(motion) == 60


def test_unseen_legs_hang_down(studio):
    take = studio.film(studio.posed(30), studio.standing_root(30))
    motion = take.without(slice(None), "knee", "ankle", "heel", "toe").solved()
    hip, ankle = (motion.joints_world_m[:, SKELETON.index(f"left_{part}")] for part in ("hip", "ankle"))
    assert (hip[:, 2] - ankle[:, 2] > 0.7).all()
    assert motion.confidence[:, SKELETON.index("left_knee")].max() == 0


def test_nonsense_keeps_finite(walking):
    rng = np.random.default_rng(5)
    frames, points = walking.track.keypoints_px.shape[:2]
    motion = walking.seen(
        keypoints_px=rng.uniform(0, 2000, (frames, points, 2)),
        joints_root_m=rng.normal(0, 1, (frames, points, 3)),
    ).solved()
    assert_sound(motion)


def test_nobody_gives_nothing():
    camera = None
    progress = SilentProgress()
    assert (
        solve_clip([], [], camera, rate=Fraction(30), fps=None, options=SolveOptions(), progress=progress)
        == []
    )


def test_cancel_comes_through(walking):
    class Cancelled(SilentProgress):
        def report(self, stage, done, total):
            raise JobCancelledError("cancelled")

    with pytest.raises(JobCancelledError):
        solve_clip(
            [walking.track],
            [walking.pose],
            walking.camera,
            rate=walking.rate,
            fps=None,
            options=SolveOptions(),
            progress=Cancelled(),
        )


def test_progress_counts_rows_once(walking):
    told = []

    class Listener(SilentProgress):
        def report(self, stage, done, total):
            told.append((stage, done, total))

    solve_clip(
        [walking.track] * 2,
        [walking.pose] * 2,
        walking.camera,
        rate=walking.rate,
        fps=None,
        options=SolveOptions(),
        progress=Listener(),
    )
    done = [d for _, d, _ in told]
    assert done == sorted(done)
    assert told[-1] == ("solve", 120, 120)
    assert {(s, t) for s, _, t in told} == {("solve", 120)}
