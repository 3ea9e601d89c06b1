"""The steps of the clean-up together, as the options have them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from pose_server.cleanup.cleaning import cleaned_up
from pose_server.pipeline.boundary import Track2D
from pose_server.pipeline.cleanup_options import CleanupOptions
from pose_server.pipeline.filter_options import NamedFilter
from pose_shared.skeleton import BLAZEPOSE_33

WRIST = BLAZEPOSE_33.index("left_wrist")


def missed(track: Track2D, first: int, last: int) -> Track2D:
    """Return the track with rows in which the person was not found, both included."""
    parts = {}
    for name, fill in (
        ("boxes_px", np.nan),
        ("keypoints_px", np.nan),
        ("keypoint_confidence", 0.0),
        ("landmarks_m", np.nan),
    ):
        parts[name] = getattr(track, name).copy()
        parts[name][first : last + 1] = fill
    return dataclasses.replace(track, **parts)


@pytest.mark.parametrize("gaps", ["rts", "linear", "hold"])
def test_a_person_who_was_missed_is_bridged_with_little_confidence(filmed, gaps: str) -> None:
    track, _, _ = filmed(30)
    result = cleaned_up(missed(track, 40, 43), CleanupOptions(gaps=gaps))
    assert result.found.all()
    size = np.ptp(track.keypoints_px[..., 1], axis=1).mean()
    worst = {"rts": 0.05, "linear": 0.08, "hold": 0.4}[gaps]
    assert np.linalg.norm(result.keypoints_px - track.keypoints_px, axis=2)[40:44].max() < worst * size
    np.testing.assert_allclose(result.keypoint_confidence[40:44], 0.2 * 0.95)
    assert np.isfinite(result.landmarks_m).all()
    np.testing.assert_allclose(result.boxes_px[40:44], track.boxes_px[40:44], atol=0.2 * size)


def test_a_gap_that_is_too_long_stays_a_gap(filmed) -> None:
    track, _, _ = filmed(30, seconds=5)
    torn = missed(track, 40, 75)
    assert (~cleaned_up(torn).found).sum() == 36
    assert cleaned_up(torn, CleanupOptions(gap_limit_s=1.3)).found.all()
    assert (~cleaned_up(missed(track, 40, 44), CleanupOptions(gaps="none")).found).sum() == 5


def test_a_point_that_is_missing_while_others_are_seen_stays_missing(filmed) -> None:
    track, _, _ = filmed(30)
    keypoints, confidence = track.keypoints_px.copy(), track.keypoint_confidence.copy()
    keypoints[30:50, WRIST], confidence[30:50, WRIST] = np.nan, 0.0
    torn = dataclasses.replace(track, keypoints_px=keypoints, keypoint_confidence=confidence)
    result = cleaned_up(missed(torn, 60, 62))
    assert np.isnan(result.keypoints_px[30:50, WRIST]).all()
    assert np.isfinite(result.keypoints_px[60:63]).all()


def test_without_landmarks_none_are_made_up(filmed) -> None:
    track, _, _ = filmed(30)
    flat = dataclasses.replace(track, landmarks_m=np.full_like(track.landmarks_m, np.nan))
    result = cleaned_up(missed(flat, 40, 43))
    assert np.isfinite(result.keypoints_px).all() and np.isnan(result.landmarks_m).all()


@pytest.mark.parametrize("repair", ["all", "jumps", "sides", "none"])
def test_jumps_are_repaired_where_that_is_asked(filmed, repair: str) -> None:
    track, _, _ = filmed(30)
    keypoints = track.keypoints_px.copy()
    keypoints[40, WRIST] += 150
    keypoints[60] += [400.0, 100.0]
    result = cleaned_up(
        dataclasses.replace(track, keypoints_px=keypoints), CleanupOptions(repair=repair, gaps="none")
    )
    taken = repair in ("all", "jumps")
    assert np.isnan(result.keypoints_px[40, WRIST]).all() == taken
    assert result.found[60] == (not taken)


def test_smoothing_calms_what_was_seen_and_keeps_gaps(filmed) -> None:
    track, _, _ = filmed(60, noise=2.0)
    still, _, _ = filmed(60, noise=0.0)
    torn = missed(track, 60, 160)
    result = cleaned_up(torn, CleanupOptions(gaps="none", smoothing=NamedFilter("butterworth", (6.0,))))
    assert np.isnan(result.keypoints_px[60:161]).all()
    inside = np.r_[5:55, 166:175]

    def off(some: Track2D) -> float:
        return float(np.sqrt(np.mean((some.keypoints_px - still.keypoints_px)[inside] ** 2)))

    assert off(result) < 0.6 * off(torn)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_few_frames_pass_through_everything(filmed, frames: int) -> None:
    track, _, _ = filmed(30, seconds=frames / 30)
    result = cleaned_up(track, CleanupOptions(smoothing=NamedFilter("rts")))
    assert len(result) == frames and result.found.all()
