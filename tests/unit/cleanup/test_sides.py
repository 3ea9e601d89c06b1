"""Exchanged sides put back, at any frame rate."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from pose_server.cleanup.cleaning import cleaned_up
from pose_server.pipeline.cleanup_options import CleanupOptions
from pose_shared.skeleton import BLAZEPOSE_33, mirrored_name

NAMES = BLAZEPOSE_33.joints
UPPER = [i for i, n in enumerate(NAMES) if any(p in n for p in ("eye", "ear", "mouth", "shoulder", "elbow"))]
UPPER += [i for i, n in enumerate(NAMES) if any(p in n for p in ("wrist", "pinky", "index", "thumb"))]
LOWER = [i for i, n in enumerate(NAMES) if any(p in n for p in ("hip", "knee", "ankle", "heel", "toe"))]
RATES = [10, 30, 60, 120]


def repaired(track):
    return cleaned_up(track, CleanupOptions(gaps="none"))


def exchanged(track, rows, members):
    order = np.tile(np.arange(len(NAMES)), (len(track), 1))
    mirror = [NAMES.index(mirrored_name(name)) for name in NAMES]
    for row in rows:
        order[row, members] = [mirror[i] for i in members]
    return dataclasses.replace(
        track,
        keypoints_px=np.take_along_axis(track.keypoints_px, order[..., None], axis=1),
        landmarks_m=np.take_along_axis(track.landmarks_m, order[..., None], axis=1),
        keypoint_confidence=np.take_along_axis(track.keypoint_confidence, order, axis=1),
    )


def wrong_rows(track, truth):
    found = track.found
    off = ~np.isclose(track.keypoints_px, truth.keypoints_px).all(axis=(1, 2))
    off |= ~np.isclose(track.landmarks_m, truth.landmarks_m).all(axis=(1, 2))
    return np.flatnonzero(off & found)


@pytest.mark.parametrize("fps", [5, *RATES])
@pytest.mark.parametrize("turn_deg_s", [0, 60, 160])
def test_clean_track_is_left_alone(filmed, fps, turn_deg_s):
    track, _, _ = filmed(fps, turn_deg_s=turn_deg_s)
    result = repaired(track)
    assert result.found.all()
    assert len(wrong_rows(result, track)) == 0


# At ten frames a second striding legs alone look the same either way.
@pytest.mark.parametrize(
    ("fps", "members"),
    [(fps, members) for fps in RATES for members in (UPPER + LOWER, UPPER, LOWER)[: 3 if fps > 10 else 2]],
)
def test_half_a_second_of_exchanged_sides_is_put_back(filmed, fps, members):
    track, _, _ = filmed(fps, turn_deg_s=10)
    rows = np.arange(fps, fps + max(1, fps // 2))
    result = repaired(exchanged(track, rows, members))
    assert result.found.all()
    assert len(wrong_rows(result, track)) == 0


@pytest.mark.parametrize("fps", RATES)
def test_flickering_sides_are_put_back(filmed, fps):
    track, _, _ = filmed(fps, turn_deg_s=10)
    rows = np.random.default_rng(fps).choice(len(track), len(track) // 5, replace=False)
    assert len(wrong_rows(repaired(exchanged(track, rows, UPPER + LOWER)), track)) == 0


def test_exchange_across_missing_frames_is_put_back(filmed):
    track, _, _ = filmed(30, turn_deg_s=10)
    broken = exchanged(track, range(40, 50), UPPER + LOWER)
    for field, fill in (("boxes_px", np.nan), ("keypoints_px", np.nan), ("landmarks_m", np.nan)):
        getattr(broken, field)[38:41] = fill
    broken.keypoint_confidence[38:41] = 0
    rows = wrong_rows(repaired(broken), track)
    assert len(rows) == 0


def test_sides_that_stay_exchanged_are_believed(filmed):
    track, _, _ = filmed(30, seconds=8, turn_deg_s=0)
    turned = exchanged(track, range(100, 240), UPPER + LOWER)
    changed = wrong_rows(repaired(turned), turned)
    # The moment of the change may be moved to where it is cheapest, and no more.
    assert len(changed) < 10
    assert not ((changed < 90) | (changed > 110)).any()


def test_without_landmarks_the_keypoints_tell(filmed):
    track, _, _ = filmed(30, turn_deg_s=10)
    flat = dataclasses.replace(track, landmarks_m=np.full_like(track.landmarks_m, np.nan))
    result = repaired(exchanged(flat, range(40, 52), UPPER + LOWER))
    assert np.allclose(result.keypoints_px, track.keypoints_px)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_short_tracks_pass(filmed, count):
    track, _, _ = filmed(30)
    short = dataclasses.replace(
        track,
        **{
            f.name: getattr(track, f.name)[:count]
            for f in dataclasses.fields(track)
            if f.name != "keypoint_names"
        },
    )
    assert len(repaired(short)) == count


def test_input_is_not_changed(filmed):
    track, _, _ = filmed(30, turn_deg_s=10)
    broken = exchanged(track, range(40, 50), UPPER + LOWER)
    before = broken.keypoints_px.copy()
    repaired(broken)
    assert np.array_equal(broken.keypoints_px, before)
