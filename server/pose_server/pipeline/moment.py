"""A place in a clip, as users name it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InputError

from pose_server.pipeline.boundary import FloatArray, IntArray

__all__ = ["Moment"]

#: Seconds that a user types are decimal, times come from ticks; they meet within this.
_SLACK_S = 1e-6


@dataclass(frozen=True)
class Moment:
    """A place in the clip: a source frame number, or seconds after the first frame."""

    frame: int | None = None
    seconds: float | None = None

    @classmethod
    def parse(cls, text: str) -> Moment:
        """Read ``120`` as a frame and ``4.5s`` as seconds.

        Raises
        ------
        InputError
            It is neither, or it is negative.
        """
        try:
            if text.endswith("s"):
                seconds = float(text[:-1])
                if not math.isfinite(seconds):
                    raise ValueError("no time")
                moment = cls(seconds=seconds)
            else:
                moment = cls(frame=int(text))
        except ValueError:
            raise InputError(
                f"'{text}' is no place in a clip; give a frame number such as 120, or seconds such as 4.5s.",
                reason="RANGE_INVALID",
                value=text,
            ) from None
        value = moment.frame if moment.frame is not None else moment.seconds
        if value is None or value < 0:
            raise InputError(
                f"'{text}' lies before the clip; count frames and seconds from 0.",
                reason="RANGE_INVALID",
                value=text,
            )
        return moment

    def later(self, frames: int, rate: Fraction) -> Moment:
        """Return the moment so many frames later."""
        if self.frame is not None:
            return Moment(frame=self.frame + frames)
        return Moment(seconds=(self.seconds or 0.0) + frames / float(rate))

    def reached(self, frames: IntArray, times_s: FloatArray) -> NDArray[np.bool_]:
        """Return (T,) which source frames, or their times, are not before it."""
        if self.frame is not None:
            return np.asarray(frames >= self.frame)
        return np.asarray(times_s >= (self.seconds or 0.0) - _SLACK_S)

    def __str__(self) -> str:
        return str(self.frame) if self.frame is not None else f"{self.seconds!r}s"
