"""Interlaced films: frames that hold two moments, half of the lines each, become pictures of the first.

FFmpeg's ``bwdif``, by Weston's three-field filter of the BBC, fills the other lines from the frames around.
Pictures that are not marked as interlaced stay as they are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from fractions import Fraction

import av
from av.filter import Graph
from av.video.frame import VideoFrame
from pose_shared.errors import MediaError

__all__ = ["parted"]

_Numbered = tuple[int, VideoFrame]
#: The filter knows no smaller pictures, some of whose planes are a quarter as long.
_LEAST_PX = 16
#: Times do not matter to it, and are not used behind it.
_ANY_TIME_BASE = Fraction(1, 1000)
#: Of what is only there to help another.
_NO_INDEX = -1


def parted(pictures: Generator[_Numbered, None, None], first: int, stop: int) -> Iterator[_Numbered]:
    """Yield the pictures of a range, those that are interlaced without their second field.

    What `pictures` raises comes after all that was good, and it is closed at the end.

    Parameters
    ----------
    pictures
        Source index and picture, from one before the range to one after it where there are such, so that
        a frame is the same in whatever range.
    first, stop
        First index of the range, and first after it.
    """
    bench: _Bench | None = None
    before: VideoFrame | None = None
    fault: MediaError | None = None
    with closing(pictures):
        try:
            for index, picture in pictures:
                if bench is not None and not bench.fits(picture):
                    yield from _within(bench.rest(), first, stop)
                    bench = None
                if bench is None and picture.interlaced_frame:
                    bench = _bench_for(picture, before)
                ready = [(index, picture)] if bench is None else bench.add(index, picture)
                yield from _within(ready, first, stop)
                before = picture
        except MediaError as error:
            fault = error
    if bench is not None:
        yield from _within(bench.rest(), first, stop)
    if fault is not None:
        raise fault


class _Bench:
    """The filter, for pictures of one size and format; gives each one when the next has come."""

    def __init__(self, picture: VideoFrame) -> None:
        self._kind = _kind(picture)
        self._waiting: deque[int] = deque()
        self._graph = Graph()
        begin = self._graph.add_buffer(
            width=picture.width,
            height=picture.height,
            format=picture.format,
            time_base=picture.time_base or _ANY_TIME_BASE,
        )
        fields = self._graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
        end = self._graph.add("buffersink")
        begin.link_to(fields)
        fields.link_to(end)
        self._graph.configure()

    def fits(self, picture: VideoFrame) -> bool:
        return _kind(picture) == self._kind

    def add(self, index: int, picture: VideoFrame) -> list[_Numbered]:
        self._waiting.append(index)
        self._graph.push(picture)
        return self._ready()

    def rest(self) -> list[_Numbered]:
        self._graph.push(None)
        return self._ready()

    def _ready(self) -> list[_Numbered]:
        ready: list[_Numbered] = []
        while self._waiting:
            try:
                picture = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                break
            assert isinstance(picture, VideoFrame)
            ready.append((self._waiting.popleft(), picture))
        return ready


def _bench_for(picture: VideoFrame, before: VideoFrame | None) -> _Bench | None:
    """Return the filter that knows the picture before; None for one that is too small for it."""
    if min(picture.width, picture.height) < _LEAST_PX:
        return None
    bench = _Bench(picture)
    if before is not None and bench.fits(before):
        bench.add(_NO_INDEX, before)
    return bench


def _within(pictures: list[_Numbered], first: int, stop: int) -> Iterator[_Numbered]:
    return (numbered for numbered in pictures if first <= numbered[0] < stop)


def _kind(picture: VideoFrame) -> tuple[int, int, str]:
    return picture.width, picture.height, picture.format.name
