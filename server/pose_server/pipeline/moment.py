"""A place in a clip, as users name it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pose_shared.errors import InputError

__all__ = ["Moment"]


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

    def __str__(self) -> str:
        return str(self.frame) if self.frame is not None else f"{self.seconds!r}s"
