"""Kinds of motion of the takes that are measured.

Of captured ones by the titles that the CMU database gives its trials, of those in `evaluate.keyed` by name.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["KINDS", "kind_of"]


def _trials(subject: str, *numbers: int) -> tuple[str, ...]:
    return tuple(f"{subject}_{number:02d}" for number in numbers)


#: Which trials show what; mocap.cs.cmu.edu has the titles.
KINDS: Mapping[str, tuple[str, ...]] = {
    "walk": (
        *_trials("10", 4),
        *_trials("12", 1, 2, 3),
        *_trials("16", *range(11, 35), 47, 58),
        *_trials("26", 1),
        *_trials("27", 1),
        *_trials("29", 1),
        *_trials("32", 1, 2),
    ),
    "run": _trials("16", 8, *range(35, 47), *range(48, 58)),
    "jump": (
        *_trials("13", 10, 11, 13, 19, 32, 39, 40, 41, 42),
        *_trials("16", *range(1, 8), 9, 10),
    ),
    "climb": _trials("13", *range(33, 39)),  # a ladder, and three steps
    "sit": (*_trials("13", 1), *_trials("86", 9)),
    "sport": (*_trials("10", 1, 2, 3, 5, 6), *_trials("13", 18), *_trials("86", 1)),  # kicks, boxing
    "exercise": _trials("13", 29, 30, 31),  # jumping jacks, squats, twists
    "gesture": (*_trials("13", 7, 8, 9, 14, 15, 16, 26), *_trials("29", 2, 7)),  # drink, laugh, signal
    "acting": _trials("29", 3, 4, 5, 8, 9, 11, *range(14, 26)),  # animals, a rhyme, a holiday
    "dance": (*_trials("05", *range(2, 21)), *_trials("49", *range(9, 18), 22)),
    # Cartwheels and dives; who hangs on ropes (49_21) has no floor to be measured from.
    "acrobatics": (*_trials("49", 6, 7, 8), *_trials("127", 23, 24)),
    "crawl": ("keyed_crawl",),
    "lie": ("keyed_lie",),
    "stairs": ("keyed_stairs",),
}
_KIND = {trial: kind for kind, trials in KINDS.items() for trial in trials}


def kind_of(take: str) -> str:
    """Return the kind of motion of a take, named after its trial and part; ``other`` if it is not listed."""
    return _KIND.get(take.partition(".")[0], "other")
