"""A page to draw on with lines, boxes and words, kept as SVG or as PNG.

The plots here need no more, so that nobody has to install a plotting package for them.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from pose_server.export.destination import replacing
from pose_server.export.figure import FRACTION_BITS, Colour
from pose_server.pipeline.boundary import FloatArray

__all__ = ["CANVASES", "Anchor", "Canvas", "PngCanvas", "SvgCanvas"]

Anchor = Literal["start", "middle", "end"]
_PAPER: Colour = (255, 255, 255)
#: Pixels of a PNG for one of the page.
_SCALE = 2
#: Height of Hershey's capitals at scale 1, and what a font's size says of its own.
_HERSHEY_PX, _CAPITALS = 22.0, 0.72


class Canvas(Protocol):
    """A page; x goes right and y down, in pixels from the upper left corner."""

    def box(self, left: float, top: float, width: float, height: float, colour: Colour) -> None:
        """Fill a box."""

    def curve(self, points: FloatArray, colour: Colour, width: float) -> None:
        """Draw (N, 2) points as one line, with a break where one is NaN."""

    def words(
        self, x: float, y: float, text: str, colour: Colour, size: float, anchor: Anchor = "start"
    ) -> None:
        """Write a line; (x, y) is its lower left, middle or right."""

    def save(self, path: Path) -> None:
        """Write the file; raises `InputError` or `LimitError` where that is not possible."""


class SvgCanvas:
    """A page as SVG 1.1."""

    def __init__(self, width: int, height: int) -> None:
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="Helvetica, Arial, sans-serif">'
        ]
        self.box(0, 0, width, height, _PAPER)

    def box(self, left: float, top: float, width: float, height: float, colour: Colour) -> None:
        """Fill a box."""
        self._parts.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'fill="{_hex(colour)}"/>'
        )

    def curve(self, points: FloatArray, colour: Colour, width: float) -> None:
        """Draw (N, 2) points as one line, with a break where one is NaN."""
        for run in _unbroken(points):
            places = " ".join(f"{x:.1f},{y:.1f}" for x, y in run)
            self._parts.append(
                f'<polyline points="{places}" fill="none" stroke="{_hex(colour)}" '
                f'stroke-width="{width:g}" stroke-linejoin="round" stroke-linecap="round"/>'
            )

    def words(
        self, x: float, y: float, text: str, colour: Colour, size: float, anchor: Anchor = "start"
    ) -> None:
        """Write a line; (x, y) is its lower left, middle or right."""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{_hex(colour)}" '
            f'text-anchor="{anchor}">{html.escape(text)}</text>'
        )

    def save(self, path: Path) -> None:
        """Write the file."""
        with replacing(path) as part:
            part.write_text("\n".join([*self._parts, "</svg>\n"]), encoding="utf-8")


class PngCanvas:
    """A page as a picture of twice as many pixels each way."""

    def __init__(self, width: int, height: int) -> None:
        self._picture = np.full((height * _SCALE, width * _SCALE, 3), _PAPER, np.uint8)

    def box(self, left: float, top: float, width: float, height: float, colour: Colour) -> None:
        """Fill a box."""
        x, y = round(left * _SCALE), round(top * _SCALE)
        right, bottom = round((left + width) * _SCALE), round((top + height) * _SCALE)
        self._picture[y : max(bottom, y + 1), x : max(right, x + 1)] = colour

    def curve(self, points: FloatArray, colour: Colour, width: float) -> None:
        """Draw (N, 2) points as one line, with a break where one is NaN."""
        lines = [np.round(run * _SCALE * 2**FRACTION_BITS).astype(np.int32) for run in _unbroken(points)]
        thick = max(1, round(width * _SCALE))
        cv2.polylines(self._picture, lines, False, colour, thick, cv2.LINE_AA, FRACTION_BITS)

    def words(
        self, x: float, y: float, text: str, colour: Colour, size: float, anchor: Anchor = "start"
    ) -> None:
        """Write a line; (x, y) is its lower left, middle or right."""
        scale = size * _SCALE * _CAPITALS / _HERSHEY_PX
        font, stroke = cv2.FONT_HERSHEY_SIMPLEX, 1 if size < 14 else 2
        wide = cv2.getTextSize(text, font, scale, stroke)[0][0]
        left = round(x * _SCALE) - {"start": 0, "middle": wide // 2, "end": wide}[anchor]
        cv2.putText(self._picture, text, (left, round(y * _SCALE)), font, scale, colour, stroke, cv2.LINE_AA)

    def save(self, path: Path) -> None:
        """Write the file."""
        _, content = cv2.imencode(".png", self._picture[..., ::-1])
        with replacing(path) as part:
            part.write_bytes(content.tobytes())


#: By the suffix of their files.
CANVASES: dict[str, type[SvgCanvas] | type[PngCanvas]] = {".svg": SvgCanvas, ".png": PngCanvas}


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _unbroken(points: FloatArray) -> Iterator[NDArray[np.float64]]:
    """Yield the runs of (N, 2) points without NaN; one alone is a dot."""
    known = np.isfinite(points).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        run = np.asarray(points[begin:end], np.float64)
        yield run if len(run) > 1 else np.repeat(run, 2, axis=0)
