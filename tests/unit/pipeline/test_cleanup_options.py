"""What may be asked of the clean-up."""

from __future__ import annotations

import pytest
from pose_server.pipeline.cleanup_options import GAPS, CleanupOptions
from pose_server.pipeline.filter_options import NamedFilter
from pose_shared.errors import InputError


def test_a_way_brings_its_own_limit() -> None:
    assert CleanupOptions().longest_gap_s == GAPS["rts"]
    assert CleanupOptions(gaps="linear").longest_gap_s == GAPS["linear"]
    assert CleanupOptions(gaps="linear", gap_limit_s=0.1).longest_gap_s == 0.1


def test_gaps_are_read_with_and_without_seconds() -> None:
    assert CleanupOptions.parse_gaps("hold") == ("hold", None)
    assert CleanupOptions.parse_gaps("rts:0.25") == ("rts", 0.25)


@pytest.mark.parametrize("text", ["rts:", "rts:x", "rts:nan", "linear:1:2"])
def test_seconds_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--gaps .* is not possible; .* such as rts:0\.5") as caught:
        CleanupOptions.parse_gaps(text)
    assert caught.value.reason == "GAPS_INVALID"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"gaps": "spline"}, "GAPS_INVALID"),
        ({"gap_limit_s": 0.0}, "GAPS_INVALID"),
        ({"gap_limit_s": 61.0}, "GAPS_INVALID"),
        ({"repair": "feet"}, "REPAIR_INVALID"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError, match="is not possible") as caught:
        CleanupOptions(**fields)
    assert caught.value.reason == reason


@pytest.mark.parametrize("text", ["butter", "butterworth:x", "butterworth:0", "rts:6,7"])
def test_a_filter_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--smooth-2d .* is not possible: ") as caught:
        CleanupOptions.parse_smoothing(text)
    assert caught.value.reason == "FILTER_INVALID"


def test_options_come_back_from_plain_data_to_the_last_digit() -> None:
    options = CleanupOptions(
        gaps="linear", gap_limit_s=0.1, repair="jumps", smoothing=NamedFilter("one_euro", (1.2345678901, 0.5))
    )
    assert CleanupOptions.from_dict(options.to_dict()) == options
    assert CleanupOptions.from_dict({}) == CleanupOptions()
    assert CleanupOptions.parse_smoothing("none") is None
