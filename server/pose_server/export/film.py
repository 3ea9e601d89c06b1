"""A film that is being written: H.264 in MP4."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import av
import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from pose_server.export.figure import Picture

__all__ = ["Film", "PictureWriter"]

_TIME_BASE = Fraction(1, 90_000)
#: Of H.264, where less is better and larger.
_QUALITY = 20


class PictureWriter(Protocol):
    """What takes pictures with their times, and is complete at the end of its block."""

    def __enter__(self) -> Self:
        """Begin."""

    def add(self, picture: Picture, time_s: float) -> None:
        """Append a picture that is shown from that time on."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the file, or just close it after an error."""


class Film:
    """An H.264 film that is being written, closed and completed by the end of the block.

    Parameters
    ----------
    path
        File to write.
    width, height
        Of its pictures, even.
    rate
        Frames per second, about; every picture has its own time.
    quality
        The constant rate factor of H.264, 0 to 51: less is better and larger.
    bitrate_kbps
        Kilobits per second on average, in place of a constant quality.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        rate: Fraction,
        *,
        quality: int = _QUALITY,
        bitrate_kbps: int | None = None,
    ) -> None:
        self._file = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        aim = {"crf": str(quality)} if bitrate_kbps is None else {}
        self._stream = self._file.add_stream(
            "libx264", rate=rate.limit_denominator(100_000), options={"preset": "veryfast", **aim}
        )
        coder = self._stream.codec_context
        coder.width, coder.height, coder.pix_fmt = width, height, "yuv420p"
        coder.time_base = _TIME_BASE
        if bitrate_kbps is not None:
            coder.bit_rate = 1000 * bitrate_kbps
        # A film that people step through: a key every second, and no frame that waits for a later one.
        coder.gop_size = max(1, round(rate))
        coder.max_b_frames = 0
        # What OpenCV's RGB2YUV makes.
        coder.colorspace, coder.color_range = Colorspace.ITU601, ColorRange.MPEG
        coder.color_primaries, coder.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        self._first_s: float | None = None
        self._last_tick = -1

    def __enter__(self) -> Self:
        return self

    def add(self, picture: Picture, time_s: float) -> None:
        """Append a picture that is shown from that time on."""
        if self._first_s is None:
            self._first_s = time_s
        # Two frames of one time would be refused.
        tick = max(round((time_s - self._first_s) / _TIME_BASE), self._last_tick + 1)
        planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = tick, _TIME_BASE
        self._file.mux(self._stream.encode(frame))
        self._last_tick = tick

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            if error is None:
                self._file.mux(self._stream.encode(None))
