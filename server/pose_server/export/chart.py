"""Curves and bars over time, below each other on one axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pose_server.export.canvas import Canvas
from pose_server.export.figure import Colour
from pose_server.pipeline.boundary import FloatArray, IntArray

__all__ = ["PAGE_PX", "Axis", "Bars", "Curve", "Curves", "FrameRule"]

#: Width of a page, and what its curves leave free on the left and on the right.
PAGE_PX = 1200
_LEFT, _RIGHT = 150, 100
_LANE, _CURVE, _RULE_PX = 15, 88, 40
_INK: Colour = (40, 44, 52)
_FAINT: Colour = (120, 126, 136)
_LINES: Colour = (222, 226, 232)
_FRAME: Colour = (246, 247, 249)
_SHADE: Colour = (252, 238, 200)
_WORDS = 11
#: A curve has no more than two values for each of so many steps across the page: the least and the most.
_STEPS = 1000
_TICKS, _LEVELS = 10, 3


@dataclass(frozen=True)
class Axis:
    """Where moments are on the page."""

    first_s: float
    last_s: float

    def x(self, times_s: FloatArray | float) -> FloatArray:
        """Return the places of some moments."""
        share = (np.asarray(times_s) - self.first_s) / max(self.last_s - self.first_s, 1e-9)
        return np.asarray(_LEFT + share * (PAGE_PX - _LEFT - _RIGHT))


@dataclass(frozen=True)
class Bars:
    """Lanes with bars where something holds."""

    label: str
    lanes: tuple[tuple[str, Colour, tuple[tuple[float, float], ...]], ...]
    """Name, colour, and begin and end of each bar in seconds."""

    @property
    def height(self) -> int:
        """In pixels."""
        return _LANE * max(len(self.lanes), 1)

    def draw(self, canvas: Canvas, axis: Axis, top: float) -> None:
        """Draw it."""
        canvas.words(20, top + 11, self.label, _INK, 12)
        if not self.lanes:
            canvas.words(_LEFT, top + 11, "none", _FAINT, _WORDS)
        for lane, (name, colour, bars) in enumerate(self.lanes):
            upper = top + lane * _LANE
            canvas.box(_LEFT, upper, PAGE_PX - _LEFT - _RIGHT, _LANE - 2, _FRAME)
            for begin_s, end_s in bars:
                left, right = axis.x(np.clip([begin_s, end_s], axis.first_s, axis.last_s))
                canvas.box(left, upper + 1, max(right - left, 1), _LANE - 4, colour)
            canvas.words(PAGE_PX - _RIGHT + 8, upper + 10, name, colour, _WORDS)


@dataclass(frozen=True)
class Curve:
    """One line of a chart."""

    name: str
    colour: Colour
    values: FloatArray
    """(T,) NaN where there is none."""


@dataclass(frozen=True)
class Curves:
    """Values over time, with names at the right."""

    label: str
    unit: str
    times_s: FloatArray
    """(T,)."""
    curves: tuple[Curve, ...]
    shaded_s: tuple[tuple[float, float], ...] = ()
    """Begin and end of spans to be marked."""
    least: float | None = None
    """A value that the scale must reach down to."""
    most: float | None = None
    """The end of the scale; what is above it is cut off."""

    @property
    def height(self) -> int:
        """In pixels."""
        return _CURVE

    def draw(self, canvas: Canvas, axis: Axis, top: float) -> None:
        """Draw it."""
        width = PAGE_PX - _LEFT - _RIGHT
        canvas.words(20, top + 12, self.label, _INK, 12)
        canvas.words(20, top + 28, self.unit, _FAINT, _WORDS)
        canvas.box(_LEFT, top, width, _CURVE, _FRAME)
        for begin_s, end_s in self.shaded_s:
            left, right = axis.x(np.clip([begin_s, end_s], axis.first_s, axis.last_s))
            canvas.box(left, top, max(right - left, 1), _CURVE, _SHADE)
        low, high = self._scale()

        def y(values: FloatArray | float) -> FloatArray:
            return np.asarray(top + _CURVE - (np.clip(values, low, high) - low) / (high - low) * _CURVE)

        for level in _levels(low, high):
            canvas.curve(np.array([[_LEFT, y(level)], [_LEFT + width, y(level)]]), _LINES, 1)
            height = min(max(float(y(level)) + 4, top + 8), top + _CURVE)
            canvas.words(_LEFT - 8, height, f"{level:g}", _FAINT, _WORDS, "end")
        for place, curve in enumerate(self.curves):
            times_s, values = _thinned(self.times_s, curve.values)
            canvas.curve(np.stack([axis.x(times_s), y(values)], axis=1), curve.colour, 1.3)
            canvas.words(PAGE_PX - _RIGHT + 8, top + 11 + 14 * place, curve.name, curve.colour, _WORDS)

    def _scale(self) -> tuple[float, float]:
        values = np.concatenate([curve.values for curve in self.curves] or [np.zeros(0)])
        values = values[np.isfinite(values)]
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
        low = low if self.least is None else min(low, self.least)
        high = high if self.most is None else self.most
        return (low, high) if high - low > 1e-6 else (low - 0.5, low + 0.5)


@dataclass(frozen=True)
class FrameRule:
    """The axis: source frames, and seconds below them."""

    times_s: FloatArray
    """(T,) growing."""
    frames: IntArray
    """(T,) source frame numbers."""

    @property
    def height(self) -> int:
        """In pixels."""
        return _RULE_PX

    def draw(self, canvas: Canvas, axis: Axis, top: float) -> None:
        """Draw it."""
        canvas.words(20, top + 16, "frame", _INK, 12)
        canvas.words(20, top + 31, "seconds", _FAINT, _WORDS)
        first, last = int(self.frames[0]), int(self.frames[-1])
        step = max(1, round(_nice((last - first) / _TICKS)))
        for frame in range(-(-first // step) * step, last + 1, step):
            time_s = float(np.interp(frame, self.frames, self.times_s))
            x = float(axis.x(time_s))
            canvas.curve(np.array([[x, top - 4], [x, top + 2]]), _FAINT, 1)
            canvas.words(x, top + 16, str(frame), _INK, _WORDS, "middle")
            canvas.words(x, top + 31, f"{time_s:.2f}", _FAINT, _WORDS, "middle")


def _nice(step: float) -> float:
    """Return 1, 2 or 5 times a power of ten, not less than a step."""
    power = 10.0 ** math.floor(math.log10(max(step, 1e-9)))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= step * (1 - 1e-9))


def _levels(low: float, high: float) -> FloatArray:
    """Return the marks of a scale: about three, and two at least, or they would say nothing of its size."""
    step = _nice((high - low) / _LEVELS)
    while True:
        marks = np.arange(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
        if len(marks) > 1:
            return np.asarray(marks * step)
        step = _nice(step / 2.5)


def _thinned(times_s: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return a curve of so many points as the page can show, which keeps every peak."""
    size = -(-len(values) // _STEPS)
    if size < 3:
        return times_s, values
    rows = []
    for begin in range(0, len(values), size):
        part = values[begin : begin + size]
        known = np.flatnonzero(np.isfinite(part))
        if len(known):
            ends: Sequence[int] = sorted({int(known[part[known].argmin()]), int(known[part[known].argmax()])})
        else:
            ends = [0]
        rows += [begin + end for end in ends]
    return times_s[rows], values[rows]
