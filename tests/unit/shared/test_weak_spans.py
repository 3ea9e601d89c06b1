"""Weak spans on a scene's time line."""

from fractions import Fraction

from pose_shared.motion import WeakSpan
from pose_shared.timing import SceneTiming
from pose_shared.weak_spans import scene_spans


def test_they_lie_where_the_scene_shows_them() -> None:
    timing = SceneTiming(Fraction(25), Fraction(50), first_source_frame=10, scene_frame=101)
    spans = [WeakSpan(20, 30, "gap", ("left_hand", "head")), WeakSpan(10, 10, "of a later server", ())]
    first, second = scene_spans(spans, timing)
    assert (first.start, first.end, first.reason, first.joints) == (106, 111, "Not seen", "left hand, head")
    assert (second.start, second.why, second.reason) == (101, "other", "Weak")
