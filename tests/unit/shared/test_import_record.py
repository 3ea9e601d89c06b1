from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from pose_shared.import_record import JOB, ImportRecord, parse_spans, spans_text
from pose_shared.solve_settings import SolveSettings
from pose_shared.weak_spans import SceneSpan

RECORD = ImportRecord(
    job="jobs/1",
    clip_name="shot ü 'a\"",
    server="box:50551",
    scene_rate=Fraction(30000, 1001),
    scene_frame=1001,
    first_source_frame=12,
    asked_rate=Fraction(24),
    confidence=True,
    solve=SolveSettings(smoothing=0.3, height_m=1.8, floor="steps", contacts="never"),
)


@pytest.mark.parametrize("asked", [None, Fraction(24), Fraction(24000, 1001)])
def test_texts_say_all_of_it(asked: Fraction | None) -> None:
    record = replace(RECORD, asked_rate=asked)
    assert ImportRecord.parse(record.texts()) == record
    assert record.texts()[JOB] == "jobs/1"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"clip_name": "a"}', "nonsense"])
def test_texts_that_somebody_has_changed_are_no_record(text: str) -> None:
    assert ImportRecord.parse({JOB: "jobs/1", "poseImport": text}) is None
    assert ImportRecord.parse({}) is None


def test_a_refinement_is_remembered_with_what_it_leaves() -> None:
    refined = RECORD.refined("jobs/2", {"smoothing": 0.0, "floor": None})
    assert refined.job == "jobs/2"
    assert refined.solve == SolveSettings(smoothing=0.0, height_m=1.8, floor="steps", contacts="never")
    assert refined.timing(Fraction(25)).scene_frame == 1001


def test_weak_spans_come_back() -> None:
    spans = (SceneSpan(10, 20, "gap", "left hand, left wrist"), SceneSpan(30, 31, "other", ""))
    assert parse_spans(spans_text(spans)) == spans
    assert parse_spans("nonsense") == ()
    assert parse_spans('[{"start": "x"}]') == ()
