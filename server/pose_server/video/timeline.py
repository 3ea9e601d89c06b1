"""When each frame of a clip is shown, and which frames a range means."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InputError

from pose_server.pipeline.options import Moment

__all__ = ["Timeline", "increasing_times"]

#: Seconds that a user types are decimal, times come from ticks; they meet within this.
_SLACK_S = 1e-6


@dataclass(frozen=True)
class Timeline:
    """The times of all frames of a clip; a frame's place in it is its source index."""

    times_s: NDArray[np.float64]
    """(N,) seconds after source frame 0, strictly increasing."""
    rate: Fraction
    """Frames per second, on average."""

    @classmethod
    def even(cls, count: int, rate: Fraction) -> Timeline:
        """Return `count` frames, evenly spaced."""
        return cls(np.arange(count) * rate.denominator / rate.numerator, rate)

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def end_s(self) -> float:
        """When the last frame ceases to be shown."""
        return float(self.times_s[-1] + 1 / self.rate) if len(self) else 0.0

    def index(self, moment: Moment) -> int:
        """Return the first frame that is not before a moment; the clip's length if there is none."""
        if moment.frame is not None:
            return min(moment.frame, len(self))
        return int(np.searchsorted(self.times_s, (moment.seconds or 0.0) - _SLACK_S))

    def reaches_beyond(self, end: Moment | None) -> bool:
        """Whether a range that ends there asks for more than there is."""
        if end is None:
            return True
        return (
            end.frame > len(self) if end.frame is not None else (end.seconds or 0.0) > self.end_s + _SLACK_S
        )

    def select(self, start: Moment | None, end: Moment | None, name: str) -> tuple[int, int]:
        """Return the first frame of a range and the first one after it.

        An end beyond the clip is the clip's end.

        Raises
        ------
        InputError
            ``RANGE_EMPTY``: no frame of the clip `name` lies in the range.
        """
        first = self.index(start) if start else 0
        stop = self.index(end) if end else len(self)
        if first >= stop:
            raise InputError(
                f"No frame lies in the asked range: '{name}' has {len(self)} frames, {self.end_s:.3f} s; "
                f"choose --start and --end inside it, --end is the first frame left out.",
                reason="RANGE_EMPTY",
                path=name,
                start=start or 0,
                end=end or len(self),
                frame_count=len(self),
                duration_s=f"{self.end_s:.3f}",
            )
        return first, stop


def increasing_times(ticks: NDArray[np.int64], *, time_base: Fraction, rate: Fraction) -> NDArray[np.float64]:
    """Return seconds after the first of some sorted container timestamps, strictly increasing.

    Frames that share a timestamp are spread evenly up to the next one; after the last timestamp
    they follow each other at the rate.

    Parameters
    ----------
    ticks
        (N,) sorted, repeats allowed.
    time_base
        Seconds in a tick.
    rate
        Frames per second.
    """
    distinct, starts, counts = np.unique(ticks, return_index=True, return_counts=True)
    seconds = (distinct - distinct[:1]) * float(time_base)
    following = np.append(seconds[1:], seconds[-1:] + counts[-1:] / float(rate))
    place = np.arange(len(ticks)) - np.repeat(starts, counts)
    steps = (following - seconds) / counts
    return np.asarray(np.repeat(seconds, counts) + place * np.repeat(steps, counts))
