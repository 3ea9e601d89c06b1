from __future__ import annotations

from collections import Counter

from pose_server.evaluate.takes import KINDS, kind_of


def test_a_take_is_of_its_trials_kind() -> None:
    assert (
        kind_of("16_35.1") == "run" and kind_of("13_33.12") == "climb" and kind_of("49_07.1") == "acrobatics"
    )
    assert kind_of("walk_1") == kind_of("16_99.1") == "other"


def test_no_trial_is_of_two_kinds() -> None:
    counts = Counter(trial for trials in KINDS.values() for trial in trials)
    assert counts.most_common(1)[0][1] == 1
