"""A first pass over a film's packets: how many frames there are, when, and whether the film was cut.

Nothing is decoded, so the pass runs at the speed of the disk, about four times as fast as hashing
the film.  It knows the exact times of all frames before the first one is decoded, and where decoding
may begin for a range that starts late: packets before that are read again but not decoded, which
needs no seeking and so is exact in every container.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream
from numpy.typing import NDArray
from pose_shared.errors import MediaError

from pose_server.pipeline.progress import Progress
from pose_server.video.container import open_film
from pose_server.video.timeline import Timeline, increasing_times

__all__ = ["PacketTable", "scan_packets"]

#: A header's duration may exceed its packets by so much before we take the film for cut.
_CUT_SLACK_S = 0.5
#: Timestamps further apart are a fault of the film, no long exposure.
_LONGEST_GAP_S = 600.0
#: Recordings of these may begin between two key frames; other films are made to begin with one.
_STREAMS = ("mpegts", "mpeg", "mpegvideo", "h264", "hevc")
#: Averages beyond this are no rate of a film but a header without one.
_HIGHEST_RATE = 1000
#: A header's rate may differ from the mean of the times by so much of itself.
_RATE_TOLERANCE = 0.1
#: Decoders hold back 16 pictures at most; what is further out of order belongs to another recording.
_LONGEST_REORDERING = 32


@dataclass(frozen=True)
class PacketTable:
    """The packets of a film's picture stream."""

    ticks: NDArray[np.int64]
    """(N,) sorted timestamps of the frames; empty if the film has none that make sense."""
    frame_count: int
    """N, or how many packets there are when they have no timestamps."""
    packet_count: int
    """Packets that are whole: decoding ends after so many."""
    time_base: Fraction
    """Seconds in a tick."""
    rate: Fraction | None
    """The header's average."""
    key_ticks: NDArray[np.int64]
    """(K,) timestamps of the packets that decoding may begin with."""
    key_positions: NDArray[np.int64]
    """(K,) their places among the packets."""
    is_cut: bool
    """The film goes on after the last whole packet, but not in this file."""

    def from_first(self, tick: int | None) -> PacketTable:
        """Return the table that begins with the first frame the decoder gives.

        What lies before it cannot be decoded: a recording that begins between two key frames.  If
        the decoder's timestamps are not the container's, they are of no use.
        """
        if tick is None or tick not in self.ticks:
            return replace(self, ticks=self.ticks[:0])
        ticks = self.ticks[self.ticks >= tick]
        return replace(self, ticks=ticks, frame_count=len(ticks))

    def timeline(self, name: str) -> Timeline:
        """Return when the frames of the film `name` are shown.

        Its rate is the header's, unless the times disprove that.

        Raises
        ------
        MediaError
            ``MEDIA_UNREADABLE``: there is neither a rate nor any time.
        """
        rate = self.rate if self.rate and 0 < self.rate <= _HIGHEST_RATE else None
        span_s = float(self.ticks[-1] - self.ticks[0]) * self.time_base if len(self.ticks) > 1 else 0.0
        if span_s > 0:
            mean = (len(self.ticks) - 1) / span_s
            if rate is None or abs(mean / rate - 1) > _RATE_TOLERANCE:
                rate = Fraction(mean).limit_denominator(1001)
        if rate is None:
            raise MediaError(
                f"'{name}' says neither its rate nor when its frames are shown; export the film again.",
                reason="MEDIA_UNREADABLE",
                path=name,
            )
        if not len(self.ticks):
            return Timeline.even(self.frame_count, rate)
        return Timeline(increasing_times(self.ticks, time_base=self.time_base, rate=rate), rate)

    def entry(self, index: int) -> int:
        """Return the packet to begin decoding with, so that a frame comes out whole.

        One key frame earlier than needed: the pictures around a key frame may lean on the one before.
        """
        if not len(self.key_positions):
            return 0
        reached = int((self.key_ticks <= self.ticks[index]).sum()) if len(self.ticks) else 0
        return int(self.key_positions[max(reached - 2, 0)])

    def index(self, tick: int | None, previous: int) -> int | None:
        """Return the source index of a decoded frame; None for one that the container does not know.

        Parameters
        ----------
        tick
            The frame's timestamp.
        previous
            Index of the frame before it, -1 for the first.
        """
        if not len(self.ticks):
            return previous + 1
        if tick is None:
            return None
        first, after = np.searchsorted(self.ticks, [tick, tick + 1])
        # Frames that share a timestamp come in their order.
        return int(min(max(first, previous + 1), after - 1)) if first < after else None


def scan_packets(path: Path, progress: Progress) -> PacketTable:
    """Read all packets of a film once.

    Raises
    ------
    MediaError
        The film cannot be opened.
    JobCancelledError
        From `progress`.
    """
    end_s = 0.0
    with open_film(path) as (container, stream):
        packets = _Packets(begins_anywhere=container.format.name in _STREAMS)
        try:
            for packet in container.demux():
                progress.check()
                end_s = max(end_s, _end_s(packet))
                # One without any timestamp or content tells the decoder to give what it still holds.
                is_flush = packet.dts is None and packet.pts is None and not packet.size
                if packet.stream_index == stream.index and not is_flush:
                    packets.add(packet)
        except IndexError:
            pass  # PyAV 18.1, after the last packet, where the film shows streams its header had not named
        except (av.FFmpegError, OSError):
            packets.is_cut = True
        if _promises_more(container, stream, end_s):
            packets.is_cut = True
        return packets.table(
            stream.time_base or Fraction(1, 1000), stream.average_rate or stream.guessed_rate
        )


class _Packets:
    """What is kept of the packets while they pass, in the order of decoding."""

    def __init__(self, *, begins_anywhere: bool) -> None:
        self._begins_anywhere = begins_anywhere
        self.ticks: list[int | None] = []
        self.decode_ticks: list[int] = []
        self.key_positions: list[int] = []
        self.hidden: set[int] = set()
        self.is_cut = False
        self._last_is_partial = False

    def add(self, packet: Packet[Stream]) -> None:
        is_first = not self.ticks and not self._begins_anywhere
        if packet.is_keyframe or is_first:  # a first packet without the mark is a damaged one
            self.key_positions.append(len(self.ticks))
        if packet.is_discard:  # decoded, but before the first frame of an edit list
            self.hidden.add(len(self.ticks))
        if packet.dts is not None and not packet.is_corrupt:
            self.decode_ticks.append(packet.dts)
        self.ticks.append(packet.pts)
        self._last_is_partial = packet.is_corrupt

    def table(self, time_base: Fraction, rate: Fraction | None) -> PacketTable:
        whole = len(self.ticks) - self._last_is_partial
        is_cut = self.is_cut or self._last_is_partial
        timed = {i: tick for i, tick in enumerate(self.ticks[:whole]) if tick is not None}
        ticks = np.array([tick for i, tick in timed.items() if i not in self.hidden], dtype=np.int64)
        if _is_erratic(ticks, time_base):
            ticks = ticks[:0]
        if is_cut and self.decode_ticks:
            # What is shown later than the last packet is decoded may have been followed by packets
            # that are shown before it.
            ticks = ticks[ticks <= self.decode_ticks[-1]]
        keys = [i for i in self.key_positions if i in timed]
        return PacketTable(
            ticks=np.sort(ticks),
            frame_count=len(ticks) or whole - len(self.hidden),
            packet_count=whole,
            time_base=time_base,
            rate=rate,
            key_ticks=np.array([timed[i] for i in keys], dtype=np.int64),
            key_positions=np.array(keys, dtype=np.int64),
            is_cut=is_cut,
        )


def _end_s(packet: Packet[Stream]) -> float:
    """When a packet, of pictures or sound, ceases to be shown."""
    return float((packet.pts or 0) + (packet.duration or 0)) * float(packet.time_base or 0)


def _promises_more(container: InputContainer, stream: VideoStream, end_s: float) -> bool:
    """Whether the header or index speaks of more than the file holds."""
    kind = container.format.name
    if kind.startswith("mov"):
        return any(entry.pos + entry.size > container.size for entry in stream.index_entries)
    if kind == "avi":
        return stream.frames / float(stream.average_rate or 25) - end_s > _CUT_SLACK_S
    if kind == "mpegts":  # cells of 188 bytes, or of 192 with a time before each
        return bool(container.size % 188 and container.size % 192)
    if kind.startswith(("matroska", "flv", "asf")):
        return (container.duration or 0) / av.time_base - end_s > _CUT_SLACK_S
    return False


def _is_erratic(ticks: NDArray[np.int64], time_base: Fraction) -> bool:
    """Whether timestamps, in the order of decoding, jump in a way that no camera films."""
    if len(ticks) < 2:
        return False
    order = np.argsort(ticks, kind="stable")
    moved = np.abs(order - np.arange(len(ticks))).max()
    gap_s = np.diff(ticks[order].astype(np.float64)).max() * float(time_base)
    return bool(moved > _LONGEST_REORDERING or gap_s > _LONGEST_GAP_S)
