"""The fit to the keypoints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pose_server.pipeline.camera import project
from pose_server.pipeline.kinematics import joint_positions
from pose_server.solve import fit as fitting
from pose_server.solve.fit import FITTED_BONES, FITTED_POINTS, Evidence, fitted
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation

POINTS = [SKELETON.index(name) for name in FITTED_POINTS]


def evidence(take, *, weight=1.0):
    names = take.track.keypoint_names
    columns = [names.index(name) for name in FITTED_POINTS if name != "head"]
    ears = [names.index(side + "ear") for side in ("left_", "right_")]
    head = take.track.keypoints_px[:, ears].mean(axis=1, keepdims=True)
    ends = np.array([[SKELETON.index(a), SKELETON.index(b)] for a, b in FITTED_BONES])
    bones = take.joints_camera_m[:, ends[:, 1]] - take.joints_camera_m[:, ends[:, 0]]
    frames = len(bones)
    return Evidence(
        keypoints_px=np.concatenate([take.track.keypoints_px[:, columns], head], axis=1),
        keypoint_weights=np.full((frames, len(FITTED_POINTS)), weight),
        directions=bones / np.linalg.norm(bones, axis=2, keepdims=True),
        direction_weights=np.full((frames, len(ends)), weight),
        root_m=take.joints_camera_m[:, 0],
    )


def fit(studio, take, local, root, seen, report=lambda share: None, offsets=None):
    return fitted(
        local,
        root,
        seen,
        studio.body.rest_offsets_m if offsets is None else offsets,
        take.camera.matrix,
        stature_m=studio.body.stature_m,
        rate_hz=float(take.rate),
        report=report,
    )


def in_camera(take):
    """The truth's local rotations with the root turned into the camera."""
    local = take.local_wxyz.copy()
    local[:, 0] = Rotation.from_matrix(take.rotations_camera[:, 0]).as_quat(scalar_first=True)
    return local


def error_m(take, local, root, offsets):
    joints = joint_positions(local, root, offsets, SKELETON.parents)
    return np.linalg.norm(joints[:, POINTS] - take.joints_camera_m[:, POINTS], axis=2)


def test_disturbed_start_comes_back(studio, walking):
    rng = np.random.default_rng(3)
    local, root = in_camera(walking), walking.joints_camera_m[:, 0] + [0.1, -0.1, 0.4]
    for joint in ("pelvis", "left_shoulder", "right_hip"):
        index = SKELETON.index(joint)
        turn = Rotation.from_rotvec(rng.normal(0, 0.25, (len(local), 3)))
        now = Rotation.from_quat(local[:, index], scalar_first=True)
        local[:, index] = (turn * now).as_quat(scalar_first=True)
    before = error_m(walking, local, root, studio.body.rest_offsets_m)
    after = error_m(walking, *fit(studio, walking, local, root, evidence(walking)))
    assert before.mean() > 0.2
    assert after.mean() < 0.02


def test_outlying_keypoints_are_left_out(studio, walking):
    seen = evidence(walking)
    keypoints = seen.keypoints_px.copy()
    keypoints[::7, FITTED_POINTS.index("left_wrist")] += 400
    seen = replace(seen, keypoints_px=keypoints)
    found = fit(studio, walking, in_camera(walking), walking.joints_camera_m[:, 0], seen)
    assert error_m(walking, *found).max() < 0.06


def test_without_evidence_motion_carries_on(studio, walking):
    seen = evidence(walking)
    weights = seen.keypoint_weights.copy()
    weights[25:30] = 0
    directions = seen.direction_weights.copy()
    directions[25:30] = 0
    root = np.where(weights[:, :1] > 0, seen.root_m, np.nan)
    seen = replace(seen, keypoint_weights=weights, direction_weights=directions, root_m=root)
    found = fit(studio, walking, in_camera(walking), walking.joints_camera_m[:, 0], seen)
    assert error_m(walking, *found).max() < 0.1


def test_pieces_of_a_long_clip_meet(studio):
    take = studio.walk(seconds=16, noise=1.0)
    local, root, offsets = fit(studio, take, in_camera(take), take.joints_camera_m[:, 0], evidence(take))
    joints = joint_positions(local, root, offsets, SKELETON.parents)
    jerks = np.linalg.norm(np.diff(joints[:, POINTS], 2, axis=0), axis=2).mean(axis=1)
    assert jerks[197:203].max() < 1.5 * jerks.max(initial=0, where=np.abs(np.arange(len(jerks)) - 200) > 4)


@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_few_frames_and_reports(studio, walking, frames):
    take = walking.rows(slice(0, frames))
    told = []
    found = fit(studio, take, in_camera(take), take.joints_camera_m[:, 0], evidence(take), report=told.append)
    assert told == pytest.approx([0.0, 6 / 9])
    assert error_m(take, *found).max() < 0.05


def test_hinges_do_not_bend_backwards(studio):
    take = studio.film(studio.posed(30, left_knee=(-20, 0, 0)), studio.standing_root(30))
    local, _, _ = fit(studio, take, in_camera(take), take.joints_camera_m[:, 0], evidence(take))
    bend = 2 * np.degrees(
        np.arctan2(local[:, SKELETON.index("left_knee"), 1], local[:, SKELETON.index("left_knee"), 0])
    )
    assert bend.min() > -8


def test_lengths_go_where_the_picture_wants_them(studio):
    """Arms measured a tenth too long, shanks too short: both come back at least half way, sides alike."""
    take = studio.walk(seconds=8)
    true = studio.body.rest_offsets_m
    wrong = true.copy()
    for joint, factor in (("elbow", 1.1), ("wrist", 1.1), ("ankle", 0.9)):
        for side in ("left_", "right_"):
            wrong[SKELETON.index(side + joint)] *= factor
    found = fit(studio, take, in_camera(take), take.joints_camera_m[:, 0], evidence(take), offsets=wrong)[2]
    # All of them may grow together: that, the picture does not tell.
    names = [side + joint for side in ("left_", "right_") for joint in ("elbow", "wrist", "knee", "ankle")]
    rows = [SKELETON.index(name) for name in names]
    before, after = (
        np.log(np.linalg.norm(offsets[rows], axis=1) / np.linalg.norm(true[rows], axis=1))
        for offsets in (wrong, found)
    )
    assert np.ptp(after) < 0.5 * np.ptp(before)
    assert after[:4] == pytest.approx(after[4:])


@pytest.mark.parametrize(("noise", "nearer"), [(0.2, True), (4.0, False)])
def test_keypoints_are_believed_as_far_as_they_agree(studio, monkeypatch, noise, nearer):
    """Sure ones draw the fit nearer to them than usual ones would, poor ones less near."""
    take = studio.walk(noise=noise)
    missed = []
    for shares in (fitting._KEYPOINT_SHARES, (0.02, 0.02)):
        monkeypatch.setattr(fitting, "_KEYPOINT_SHARES", shares)
        local, root, offsets = fit(studio, take, in_camera(take), take.joints_camera_m[:, 0], evidence(take))
        joints = joint_positions(local, root, offsets, SKELETON.parents)[:, POINTS]
        off = project(joints, take.camera.matrix) - evidence(take).keypoints_px
        missed.append(np.linalg.norm(off, axis=2).mean())
    assert (missed[0] < 0.95 * missed[1]) if nearer else (missed[0] > 1.01 * missed[1])


def test_input_is_not_changed(studio, walking):
    local, root = in_camera(walking), walking.joints_camera_m[:, 0].copy()
    kept = local.copy(), root.copy()
    fit(studio, walking, local, root, evidence(walking))
    assert (local == kept[0]).all()
    assert (root == kept[1]).all()
