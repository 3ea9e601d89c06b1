"""An animated GIF that is being written, with one palette for all of it.

The palette can be chosen only when every picture is known, and pictures are many: FFmpeg's ``palettegen``
counts their colours as they come, they wait, without loss, in a file without a name beside the result, and
then go through ``paletteuse``: https://ffmpeg.org/ffmpeg-filters.html#palettegen.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.filter import Graph
from av.video.format import VideoFormat

from pose_server.export.figure import Picture

__all__ = ["MOST_PER_SECOND", "Gif"]

#: GIF counts hundredths of a second, and browsers take less than two of them for ten.
_TIME_BASE = Fraction(1, 100)
_SHORTEST = 2
MOST_PER_SECOND = 50
_PIXELS = "rgb24"
#: QuickTime's Animation keeps what changes from one picture to the next, and is read at next to no cost.
_FORMAT, _CODEC = "mov", "qtrle"
_DITHER = "dither=bayer:bayer_scale=4:diff_mode=rectangle"


class Gif:
    """A GIF that plays for ever, closed and completed by the end of the block.

    Parameters
    ----------
    path
        File to write.
    width, height
        Of its pictures.
    rate
        Pictures per second, about; every picture has its own time, in hundredths of a second.  One that
        comes less than two of them after the last is left out.
    """

    def __init__(self, path: Path, width: int, height: int, rate: Fraction) -> None:
        self._path, self._size = path, (width, height)
        self._rate = rate.limit_denominator(100_000)
        self._waiting = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115 -- closed by __exit__
        self._file = av.open(self._waiting, "w", format=_FORMAT)
        stream = self._file.add_stream(_CODEC, rate=self._rate)
        assert isinstance(stream, av.VideoStream)
        self._stream, coder = stream, stream.codec_context
        coder.width, coder.height, coder.pix_fmt = width, height, _PIXELS
        coder.time_base = _TIME_BASE
        self._colours = Graph()
        maker, self._palette = self._colours.add("palettegen"), self._colours.add("buffersink")
        self._counted = self._buffer(self._colours)
        self._counted.link_to(maker)
        maker.link_to(self._palette)
        self._colours.configure()
        self._first_s: float | None = None
        self._last_tick = -_SHORTEST

    def __enter__(self) -> Self:
        return self

    def add(self, picture: Picture, time_s: float) -> None:
        """Append a picture that is shown from that time on."""
        if self._first_s is None:
            self._first_s = time_s
        tick = round((time_s - self._first_s) / _TIME_BASE)
        if tick < self._last_tick + _SHORTEST:
            return
        frame = av.VideoFrame.from_ndarray(picture, format=_PIXELS)
        frame.pts, frame.time_base = tick, _TIME_BASE
        self._file.mux(self._stream.encode(frame))
        # Asked after each picture, or they would all wait for the question.
        for _ in _answers(self._counted, frame, self._palette):
            pass
        self._last_tick = tick

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._waiting, ExitStack() as left:
            # Where writing failed closing fails too, in words that say nothing of the disk.
            left.callback(self._close_anyhow)
            if error is None:
                self._file.mux(self._stream.encode(None))
                self._file.close()
                if self._last_tick >= 0:
                    self._finish()

    def _close_anyhow(self) -> None:
        with suppress(av.error.FFmpegError, OSError):
            self._file.close()

    def _finish(self) -> None:
        palette = next(_answers(self._counted, None, self._palette))
        palette.pts, palette.time_base = 0, _TIME_BASE
        graph = Graph()
        pictures, colours = self._buffer(graph), self._buffer(graph, palette)
        user, sink = graph.add("paletteuse", _DITHER), graph.add("buffersink")
        pictures.link_to(user, 0, 0)
        colours.link_to(user, 0, 1)
        user.link_to(sink)
        graph.configure()
        colours.push(palette)
        colours.push(None)
        with av.open(str(self._path), "w", format="gif", options={"loop": "0"}) as file:
            stream = file.add_stream("gif", rate=self._rate)
            stream.width, stream.height, stream.pix_fmt = *self._size, "pal8"
            stream.codec_context.time_base = _TIME_BASE
            for frame in self._fed():
                for done in _answers(pictures, frame, sink):
                    file.mux(stream.encode(done))
            file.mux(stream.encode(None))

    def _fed(self) -> Iterator[av.VideoFrame | None]:
        """Yield what waits, on the GIF's clock, and None at the end."""
        self._waiting.seek(0)
        with av.open(self._waiting, "r") as file:
            for frame in file.decode(video=0):
                frame.pts, frame.time_base = round(frame.time / _TIME_BASE), _TIME_BASE
                yield frame
        yield None

    def _buffer(self, graph: Graph, like: av.VideoFrame | None = None) -> av.filter.FilterContext:
        width, height = self._size if like is None else (like.width, like.height)
        pixels = VideoFormat(_PIXELS) if like is None else like.format
        return graph.add_buffer(width=width, height=height, format=pixels, time_base=_TIME_BASE)


def _answers(
    source: av.filter.FilterContext, frame: av.VideoFrame | None, sink: av.filter.FilterContext
) -> Iterator[av.VideoFrame]:
    """Put a picture, or the end, into a graph, and yield what comes out of it by then."""
    source.push(frame)
    while True:
        try:
            done = sink.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        if isinstance(done, av.VideoFrame):  # a graph may carry sound too
            yield done
