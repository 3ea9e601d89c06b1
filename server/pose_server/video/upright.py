"""The upright picture with square pixels that every later stage sees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter
from numpy.typing import NDArray
from pose_shared.errors import MediaError

from pose_server.video.high_range import HLG, PQ, standard_range

__all__ = ["MAX_PIXELS", "MAX_SIDE_PX", "Upright", "check_size"]

#: Larger pictures are refused before memory is taken for them; 12K cameras stay below.
MAX_SIDE_PX = 16384
MAX_PIXELS = 80_000_000
#: Those of ITU-T H.273 table 4, MatrixCoefficients, that swscale knows; 2 means that the film does not say.
_MATRICES = (0, 1, 4, 5, 6, 7, 9)
#: Players take films that do not say for BT.709 from here on; swscale alone would take BT.601.
_HD_HEIGHT_PX = 720


@dataclass(frozen=True)
class Upright:
    """How decoded pictures of one clip become upright RGB with square pixels.

    The sides never shrink: wide pixels widen the picture, tall pixels heighten it.  High dynamic range
    becomes what an ordinary screen shows.
    """

    coded_width: int
    """Of the decoded picture."""
    coded_height: int
    pixel_aspect: Fraction
    """Width over height of a decoded pixel."""
    rotation_ccw_deg: int
    """0, 90, 180 or 270."""
    is_mirrored: bool = False
    """Whether left and right are exchanged before that."""

    @classmethod
    def of(cls, frame: VideoFrame, pixel_aspect: Fraction | None, name: str) -> Upright:
        """Read the geometry off a decoded picture of the clip `name`.

        Raises
        ------
        MediaError
            ``MEDIA_TOO_LARGE``: the picture is absurdly large.
        """
        rotation, mirrored = _orientation(frame)
        upright = cls(
            coded_width=frame.width,
            coded_height=frame.height,
            pixel_aspect=Fraction(pixel_aspect) if pixel_aspect and pixel_aspect > 0 else Fraction(1),
            rotation_ccw_deg=rotation,
            is_mirrored=mirrored,
        )
        check_size(upright.width, upright.height, name)
        return upright

    @property
    def width(self) -> int:
        """Of the upright picture."""
        return self._square[self._lies]

    @property
    def height(self) -> int:
        """Of the upright picture."""
        return self._square[not self._lies]

    def fits(self, frame: VideoFrame) -> bool:
        """Whether a picture has the size of the first one."""
        return (frame.width, frame.height) == (self.coded_width, self.coded_height)

    def write(self, frame: VideoFrame, out_rgb: NDArray[np.uint8], reformatter: VideoReformatter) -> None:
        """Convert one decoded picture into (height, width, 3) of RGB.

        A reformatter keeps its tables from picture to picture; it serves one thread at a time.
        """
        width, height = self._square
        is_high = frame.color_trc in (PQ, HLG)
        rgb = reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="rgb48le" if is_high else "rgb24",
            src_colorspace=None if frame.colorspace in _MATRICES else _usual_matrix(frame, is_high),
            interpolation="BICUBIC" if self._is_scaled else "BILINEAR",
        )
        picture = _rows(rgb, np.uint16 if is_high else np.uint8)
        shown = standard_range(picture, frame.color_trc) if is_high else picture
        out_rgb[...] = np.rot90(shown[:, ::-1] if self.is_mirrored else shown, self.rotation_ccw_deg // 90)

    @property
    def _is_scaled(self) -> bool:
        return self._square != (self.coded_width, self.coded_height)

    @property
    def _lies(self) -> bool:
        return self.rotation_ccw_deg in (90, 270)

    @property
    def _square(self) -> tuple[int, int]:
        """Width and height after the pixels are made square, before the rotation."""
        return (
            round(self.coded_width * max(self.pixel_aspect, Fraction(1))),
            round(self.coded_height / min(self.pixel_aspect, Fraction(1))),
        )


def _orientation(frame: VideoFrame) -> tuple[int, bool]:
    """Return the turn that makes a picture upright, and whether it has to be mirrored first."""
    try:
        matrix: Any = frame.side_data[Type.DISPLAYMATRIX]  # type: ignore[typeddict-item]
    except (KeyError, ValueError):  # PyAV 18.1 lists none where it does not know one of them, as of Exif
        return round(frame.rotation / 90) * 90 % 360, False
    # Rows a, b, u; c, d, v; x, y, w of ISO 14496-12, 6.2.2: (p, q) goes to (ap + cq, bp + dq), q down.
    a, b, _, c, d, *_ = np.frombuffer(matrix, np.int32).astype(float).tolist()
    mirrored = a * d - b * c < 0
    along = (-a, -b) if mirrored else (a, b)
    degrees = -math.degrees(math.atan2(along[1], along[0]))
    return round(degrees / 90) * 90 % 360, mirrored


def _usual_matrix(frame: VideoFrame, is_high: bool) -> Colorspace:
    """Return what players take a film for that does not say, or says what nobody uses."""
    if is_high:
        return Colorspace.BT2020
    return Colorspace.ITU709 if frame.height >= _HD_HEIGHT_PX else Colorspace.ITU601


def _rows(rgb: VideoFrame, kind: type[np.integer[Any]]) -> NDArray[Any]:
    """Return (H, W, 3) the picture of a packed RGB frame, where it lies in memory."""
    plane = rgb.planes[0]
    values = np.frombuffer(memoryview(plane), kind).reshape(rgb.height, -1)
    return values[:, : 3 * rgb.width].reshape(rgb.height, rgb.width, 3)


def check_size(width: int, height: int, name: str) -> None:
    """Refuse pictures that no camera makes.

    Raises
    ------
    MediaError
        ``MEDIA_TOO_LARGE``.
    """
    if max(width, height) > MAX_SIDE_PX or width * height > MAX_PIXELS:
        raise MediaError(
            f"The pictures of '{name}' would be {width} x {height} pixels; "
            f"scale them to at most {MAX_SIDE_PX} a side and {MAX_PIXELS // 1_000_000} megapixels.",
            reason="MEDIA_TOO_LARGE",
            path=name,
            width=width,
            height=height,
        )
