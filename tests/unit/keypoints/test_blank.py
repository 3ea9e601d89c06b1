"""Keypoints without a film: frames, times and ranges as of one."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from made_keypoints import coco_results, made_points
from pose_server.keypoints.blank import open_blank
from pose_server.keypoints.clip import KeypointClip
from pose_server.keypoints.detector import KeypointDetector
from pose_server.keypoints.registry import read_keypoints
from pose_server.pipeline.options import Moment
from pose_shared.errors import InputError


@pytest.fixture
def clip(tmp_path: Path) -> KeypointClip:
    (tmp_path / "r.json").write_text(json.dumps(coco_results(made_points(frames=20))))
    return read_keypoints(tmp_path / "r.json")[0].sized((640, 480))


def test_a_plain_picture_for_each_frame_at_its_time(clip: KeypointClip) -> None:
    rate = Fraction(30000, 1001)
    source = open_blank(clip, start=Moment(frame=3), end=Moment(seconds=0.6), input_fps=rate)
    batches = list(source.batches(8))
    assert [len(batch) for batch in batches] == [8, 7]
    indices = np.concatenate([batch.indices for batch in batches])
    assert indices.tolist() == list(range(3, 18))
    times = np.concatenate([batch.times_s for batch in batches])
    np.testing.assert_allclose(times, indices / float(rate))
    assert batches[0].frames.shape == (8, 480, 640, 3) and np.ptp(batches[0].frames) == 0
    assert (source.info.first_frame, source.info.frame_count, source.info.rate) == (3, 15, rate)


def test_rates_are_needed_once(clip: KeypointClip) -> None:
    known = replace(clip, rate=Fraction(24))
    assert open_blank(known).info.rate == 24
    for keypoints, rate, reason in ((clip, None, "RATE_MISSING"), (known, Fraction(24), "RATE_NOT_NEEDED")):
        with pytest.raises(InputError) as error:
            open_blank(keypoints, input_fps=rate)
        assert error.value.reason == reason


def test_the_detector_answers_each_frame_whatever_its_picture(clip: KeypointClip) -> None:
    detector, source = KeypointDetector(clip, 5), open_blank(clip, input_fps=Fraction(10))
    with detector.session(source.info) as session:
        found = [one for batch in source.batches(3) for one in session.detect(batch)] + session.finish()
    assert [one.index for one in found] == list(range(20))
    assert [len(one) for one in found] == [0] * 5 + [1] * 15
    np.testing.assert_array_equal(found[9].keypoints_px[0], clip.keypoints_px[4])
    assert detector.identities(found) is None
    known = KeypointDetector(replace(clip, identities=np.full(20, 7)), 5)
    assert [each.tolist() for each in known.identities(found) or []] == [[]] * 5 + [[7]] * 15


def test_other_points_or_places_are_another_detector(clip: KeypointClip) -> None:
    others = [
        KeypointDetector(clip, 1),
        KeypointDetector(replace(clip, sha256="0" * 64), 0),
        KeypointDetector(replace(clip, keypoint_names=clip.keypoint_names[::-1]), 0),
    ]
    assert len({detector.fingerprint for detector in (KeypointDetector(clip, 0), *others)}) == 4
