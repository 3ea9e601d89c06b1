"""Points that are elsewhere for a frame are taken out, and fast limbs are not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from pose_server.cleanup.cleaning import cleaned_up
from pose_server.cleanup.jumps import points_gated
from pose_server.cleanup.scale import metric_scale
from pose_server.pipeline.boundary import Track2D
from pose_server.pipeline.cleanup_options import CleanupOptions
from pose_shared.skeleton import BLAZEPOSE_33

WRIST = BLAZEPOSE_33.index("left_wrist")


def gated(track: Track2D) -> Track2D:
    return points_gated(track, metric_scale(track))


@pytest.mark.parametrize("fps", [24, 30, 60, 120])
def test_a_point_that_jumps_for_one_frame_is_taken_out_alone(filmed, fps: float) -> None:
    track, _, _ = filmed(fps)
    keypoints = track.keypoints_px.copy()
    keypoints[fps, WRIST] += [0.0, -0.5 * metric_scale(track)[fps]]
    result = gated(dataclasses.replace(track, keypoints_px=keypoints))
    gone = np.argwhere(np.isnan(result.keypoints_px).any(axis=2))
    assert gone.tolist() == [[fps, WRIST]]
    assert result.keypoint_confidence[fps, WRIST] == 0 and np.isnan(result.landmarks_m[fps, WRIST]).all()
    assert result.found.all()


@pytest.mark.parametrize("fps", [12, 24, 30, 60, 120])
@pytest.mark.parametrize("metres", [0.3, 0.9])
def test_a_limb_that_is_swung_stays(filmed, fps: float, metres: float) -> None:
    track, _, _ = filmed(fps)
    keypoints = track.keypoints_px.copy()
    # Three times a second to and fro: a fast clap or drum roll with arms stretched.
    swing = metres / 2 * np.sin(2 * np.pi * 3 * track.times_s) * metric_scale(track)
    keypoints[:, WRIST, 0] += swing
    result = gated(dataclasses.replace(track, keypoints_px=keypoints))
    assert np.isfinite(result.keypoints_px).all()


def test_a_step_aside_is_no_jump(filmed) -> None:
    track, _, _ = filmed(30)
    keypoints = track.keypoints_px.copy()
    keypoints[40:] += [200.0, 0.0]
    result = gated(dataclasses.replace(track, keypoints_px=keypoints))
    assert np.isfinite(result.keypoints_px).all()


def test_at_five_frames_a_second_nobody_can_tell(filmed) -> None:
    track, _, _ = filmed(5, seconds=6)
    keypoints = track.keypoints_px.copy()
    keypoints[10, WRIST] += 100
    result = gated(dataclasses.replace(track, keypoints_px=keypoints))
    assert np.isfinite(result.keypoints_px).all()


@pytest.mark.parametrize("fps", [10, 30, 60, 120])
def test_frames_of_nonsense_are_emptied(filmed, fps: int) -> None:
    track, _, _ = filmed(fps)
    bad = [fps // 2, fps, 2 * fps]
    keypoints, boxes = track.keypoints_px.copy(), track.boxes_px.copy()
    keypoints[bad] = 0.5 * keypoints[bad] + [300, 100]
    boxes[bad] = 0.5 * boxes[bad] + [300, 100, 300, 100]
    broken = dataclasses.replace(track, keypoints_px=keypoints, boxes_px=boxes)
    result = cleaned_up(broken, CleanupOptions(gaps="none"))
    assert np.flatnonzero(~result.found).tolist() == bad
    assert np.isnan(result.keypoints_px[bad]).all()
    assert np.isnan(result.landmarks_m[bad]).all()
    assert (result.keypoint_confidence[bad] == 0).all()
