"""Where moments of a clip lie in a scene."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from pose_shared.timing import SceneTiming, exact_rate

NTSC = Fraction(30000, 1001)


class TestTiming:
    @pytest.mark.parametrize(
        ("typed", "meant"),
        [(23.976, "24000/1001"), (29.97, "30000/1001"), (59.94, "60000/1001"), (24, "24"), (12.5, "25/2")],
    )
    def test_a_typed_rate_is_what_was_meant(self, typed: float, meant: str) -> None:
        assert exact_rate(float(np.float32(typed))) == Fraction(meant)

    def test_no_drift_over_a_long_clip(self) -> None:
        timing = SceneTiming(Fraction(24), NTSC, 0, 1)
        frames = timing.row_frames(0.0, NTSC, 20_000)
        assert frames[-1] == pytest.approx(1 + float(19_999 / NTSC * 24), abs=2e-3)

    def test_a_timestamp_that_the_container_rounded_gives_whole_frames(self) -> None:
        timing = SceneTiming(NTSC, NTSC, 10, 1001)
        assert list(timing.row_frames(0.334, NTSC, 3)) == [1001, 1002, 1003]
        assert list(timing.row_frames(0.467, NTSC, 2)) == [1005, 1006]

    @pytest.mark.parametrize("first", [0, 7, 100])
    def test_film_and_keys_agree(self, first: int) -> None:
        """The film frame that a scene frame shows is the nearest to the moment of its keys."""
        timing = SceneTiming(Fraction(24), NTSC, first, 101)
        for row in range(50):
            source = first + row
            frame = timing.row_frames(source / float(NTSC), NTSC, 1)[0]
            assert timing.scene_frame_of(source) == pytest.approx(frame, abs=1e-2)
            assert abs(timing.source_frame_at(round(frame)) - source) <= 1
