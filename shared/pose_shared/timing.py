"""Where a moment of the clip lies in the scene: the only place that turns seconds into frames."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["SceneTiming", "exact_rate"]

_NEARLY_WHOLE = 0.01
_TYPED = 0.006


def exact_rate(typed: float) -> Fraction:
    """Return the rate that somebody means who types 23.976: 24000/1001."""
    ntsc = Fraction(round(typed) * 1000, 1001)
    return ntsc if abs(typed - ntsc) < _TYPED else Fraction(typed).limit_denominator(1000)


@dataclass(frozen=True)
class SceneTiming:
    """The clip's place on the scene's time line.

    Attributes
    ----------
    scene_rate
        Frames per second of the scene.
    source_rate
        Frames per second of the film.
    first_source_frame
        First film frame of the asked range.
    scene_frame
        Where in the scene that frame lies.
    """

    scene_rate: Fraction
    source_rate: Fraction
    first_source_frame: int
    scene_frame: int

    @property
    def _zero(self) -> int:
        """The scene frame at the film's very first moment."""
        return self.scene_frame - round(self.first_source_frame / self.source_rate * self.scene_rate)

    @property
    def film_in_step(self) -> bool:
        """Whether every scene frame shows the next film frame."""
        return abs(self.scene_rate / self.source_rate - 1) < Fraction(1, 100_000)

    def row_frames(self, start_time_s: float, rate: Fraction, count: int) -> array[float]:
        """Return the scene frame of each row of a motion.

        Parameters
        ----------
        start_time_s
            Of the first row, after the film's first frame.
        rate
            Rows per second.
        count
            Rows.

        Notes
        -----
        Rows at the scene's own rate lie on whole frames, others where their time falls.
        """
        first = self._zero + start_time_s * float(self.scene_rate)
        step = float(self.scene_rate / rate)
        if abs(step - 1) < 1e-5:
            step = 1.0
            first = float(round(first))
        elif abs(first - round(first)) < _NEARLY_WHOLE:
            first = float(round(first))
        return array("d", [first + row * step for row in range(count)])

    def scene_frame_of(self, source_frame: int) -> float:
        """Return the scene frame at which a film frame is due."""
        return self._zero + float(source_frame / self.source_rate * self.scene_rate)

    def source_frame_at(self, scene_frame: int) -> int:
        """Return the film frame that a scene frame should show."""
        return round((scene_frame - self._zero) / self.scene_rate * self.source_rate)
