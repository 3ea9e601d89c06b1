"""The clip as a scene shows it behind the skeletons: its plate, in the trade's word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Self

from pose_shared.clips import Clip
from pose_shared.transfer import is_sequence, sequence_files

__all__ = ["Plate"]


@dataclass(frozen=True)
class Plate:
    """A clip by the names of its files, which need not be on this machine."""

    clip: Clip
    rate: Fraction
    """Its frames per second."""

    @classmethod
    def of(cls, path: Path, rate: Fraction, display_name: str | None = None) -> Self:
        """Return what a clip is called where it came from.

        Parameters
        ----------
        path
            The film, or the pattern of an image sequence, as it lies here.
        rate
            Frames per second.
        display_name
            What the user calls it, where `path` is a stored upload; its folder is not known then.
        """
        if path.is_file() or not is_sequence(path.name):
            film = Path(display_name) if display_name else path.absolute()
            return cls(Clip(film, film), rate)
        first = sequence_files(path)[0]
        number = int(re.findall(r"\d+", first.stem)[-1])
        if display_name:
            return cls(Clip(Path(display_name), Path(first.name), number), rate)
        return cls(Clip(path.absolute(), first.absolute(), number), rate)
