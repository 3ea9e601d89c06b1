"""A scene's frames per second, which Blender keeps as a whole number over a float32."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["blender_rate", "rate_of"]

# NTSC rates have 1001 in them; a larger denominator would only read noise out of a float32.
_LARGEST_DENOMINATOR = 1001


def rate_of(fps: int, fps_base: float) -> Fraction:
    """Return a scene's exact rate: 30 over 1.001, kept as float32, is 30000/1001."""
    return fps / Fraction(fps_base).limit_denominator(_LARGEST_DENOMINATOR)


def blender_rate(rate: Fraction) -> tuple[int, float]:
    """Return the scene's ``fps`` and ``fps_base`` for a rate."""
    fps = max(1, round(rate))
    return fps, float(fps / rate)
