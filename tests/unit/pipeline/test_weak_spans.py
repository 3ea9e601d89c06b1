from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from made_motion import make_motion
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.weak_spans import WeakSpan, weak_spans
from pose_shared.skeleton import SKELETON

LEFT, RIGHT, KNEE = (SKELETON.index(name) for name in ("left_wrist", "right_wrist", "left_knee"))


@pytest.fixture
def motion() -> Motion:
    """Two seconds seen well, at 30 per second, rows 0 to 59 are source frames 7 to 66."""
    full = make_motion()
    first = {
        field.name: getattr(full, field.name)[:60]
        for field in dataclasses.fields(full)
        if isinstance(getattr(full, field.name), np.ndarray) and len(getattr(full, field.name)) == len(full)
    }
    rng = np.random.default_rng(0)
    return dataclasses.replace(
        full,
        **first
        | {
            "confidence": np.full((60, len(SKELETON)), 0.9),
            "reprojection_px": rng.uniform(2, 4, (60, len(SKELETON))),
            "joints_camera_m": first["joints_camera_m"] + [0, 0, 5.0],
        },
    )


def test_a_motion_that_was_seen_well_has_none(motion: Motion) -> None:
    assert weak_spans(motion) == []
    nothing_seen = np.full((60, len(SKELETON)), np.nan)
    assert weak_spans(dataclasses.replace(motion, reprojection_px=nothing_seen)) == []


def test_a_gap_is_named_with_its_joints_and_source_frames(motion: Motion) -> None:
    motion.confidence[10:30, LEFT] = 0.1
    motion.confidence[12:31, RIGHT] = 0.0
    motion.confidence[40:44, KNEE] = 0.1  # too short to matter
    assert weak_spans(motion) == [WeakSpan(17, 37, "gap", ("left_wrist", "right_wrist"))]


def test_what_is_hardly_seen_is_no_gap(motion: Motion) -> None:
    motion.confidence[10:30, LEFT] = 0.3
    motion.confidence[33:40, LEFT] = 0.35  # a moment later again
    motion.confidence[50:53, KNEE] = 0.3
    assert weak_spans(motion) == [WeakSpan(17, 46, "low_confidence", ("left_wrist",))]


def test_joints_away_from_where_they_were_seen(motion: Motion) -> None:
    motion.reprojection_px[20:30, LEFT] = 400.0
    motion.reprojection_px[50, RIGHT] = 400.0  # one frame of noise
    assert weak_spans(motion) == [WeakSpan(27, 36, "reprojection", ("left_wrist",))]


def test_a_single_frame_of_somebody_else_is_an_outlier(motion: Motion) -> None:
    motion.reprojection_px[33] = 500.0
    motion.reprojection_px[:, 1:4] = np.nan  # joints that nobody sees
    (span,) = weak_spans(motion)
    assert (span.first_frame, span.last_frame, span.why) == (40, 40, "outlier")
    assert set(span.joints) == set(SKELETON.joints) - set(SKELETON.joints[1:4])


def test_spans_come_in_order(motion: Motion) -> None:
    motion.confidence[40:58, LEFT] = 0.0
    motion.reprojection_px[5] = 900.0
    motion.confidence[20:40, KNEE] = 0.3
    assert [span.why for span in weak_spans(motion)] == ["outlier", "low_confidence", "gap"]
