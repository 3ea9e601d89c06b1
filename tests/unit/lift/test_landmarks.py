"""The detector's landmarks in the camera."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from pose_server.lift.landmarks import LandmarkLifter
from pose_server.lift.lifter import Lifter
from pose_shared.errors import InputError


def test_it_is_a_lifter():
    lifter: Lifter = LandmarkLifter()
    assert lifter.name
    assert lifter.fingerprint


def test_points_land_where_they_were(filmed):
    track, points, camera = filmed(30, noise=0.0)
    pose = LandmarkLifter().lift(track, camera)
    assert pose.joint_names == track.keypoint_names
    assert (pose.indices == track.indices).all()
    seen = pose.joints_root_m + pose.root_camera_m[:, None]
    assert np.linalg.norm(seen - points, axis=2).max() < 0.08
    hips = [pose.joint_names.index(name) for name in ("left_hip", "right_hip")]
    assert np.abs(pose.joints_root_m[:, hips].mean(axis=1)).max() < 1e-9


def test_turning_by_the_view_ray_is_what_makes_it_right(filmed):
    """At the edge of the picture the landmarks are off by the angle of the ray."""
    track, points, camera = filmed(30, noise=0.0)
    pose = LandmarkLifter().lift(track, camera)
    hips = [pose.joint_names.index(name) for name in ("left_hip", "right_hip")]
    truth = points - points[:, hips].mean(axis=1, keepdims=True)
    turned = np.linalg.norm(pose.joints_root_m - truth, axis=2).mean()
    as_given = np.linalg.norm(track.landmarks_m - truth, axis=2).mean()
    assert turned < 0.3 * as_given


def test_one_wild_keypoint_does_not_move_the_root(filmed):
    track, _, camera = filmed(30, noise=0.0)
    keypoints = track.keypoints_px.copy()
    keypoints[:, track.keypoint_names.index("left_wrist")] += [250, -200]
    moved = LandmarkLifter().lift(dataclasses.replace(track, keypoints_px=keypoints), camera)
    still = LandmarkLifter().lift(track, camera)
    assert np.linalg.norm(moved.root_camera_m - still.root_camera_m, axis=1).max() < 0.05


def test_missing_stays_missing(filmed):
    track, _, camera = filmed(30)
    for values in (track.boxes_px, track.keypoints_px, track.landmarks_m):
        values[10:20] = np.nan
    track.keypoint_confidence[10:20] = 0
    pose = LandmarkLifter().lift(track, camera)
    for values in (pose.joints_root_m, pose.root_camera_m, pose.uncertainty_m):
        assert np.isnan(values[10:20]).all()
        assert np.isfinite(values[:10]).all()
        assert np.isfinite(values[20:]).all()


def test_hidden_points_are_less_certain(filmed):
    track, _, camera = filmed(30)
    track.keypoint_confidence[:, 15] = 0.1
    uncertainty = LandmarkLifter().lift(track, camera).uncertainty_m
    assert (uncertainty[:, 15] > 2 * uncertainty[:, 16]).all()


def test_a_detector_without_landmarks_is_named(filmed):
    track, _, camera = filmed(30)
    flat = dataclasses.replace(track, landmarks_m=np.full_like(track.landmarks_m, np.nan))
    with pytest.raises(InputError, match="--detector") as caught:
        LandmarkLifter().lift(flat, camera)
    assert caught.value.reason == "LANDMARKS_MISSING"


def test_a_track_of_nothing_is_lifted_to_nothing(filmed):
    track, _, camera = filmed(30)
    empty = dataclasses.replace(
        track,
        boxes_px=np.full_like(track.boxes_px, np.nan),
        keypoints_px=np.full_like(track.keypoints_px, np.nan),
        keypoint_confidence=np.zeros_like(track.keypoint_confidence),
        landmarks_m=np.full_like(track.landmarks_m, np.nan),
    )
    pose = LandmarkLifter().lift(empty, camera)
    assert np.isnan(pose.root_camera_m).all()
