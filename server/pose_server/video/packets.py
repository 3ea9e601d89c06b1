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

from pose_server.pipeline.progress import Progress
from pose_server.video.container import open_film

__all__ = ["PacketTable", "scan_packets"]

#: A header's duration may exceed its packets by so much before we take the film for cut.
_CUT_SLACK_S = 0.5
#: Timestamps that jump further, forwards or backwards, are a fault of the film, no long exposure.
_LONGEST_GAP_S = 600.0
_LONGEST_REORDERING_S = 10.0


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

    def entry(self, index: int) -> int:
        """Return the packet to begin decoding with, so that a frame comes out whole.

        One key frame earlier than needed: the pictures around a key frame may lean on the one before.
        """
        if not len(self.ticks):
            return 0
        usable = self.key_positions[self.key_ticks <= self.ticks[index]]
        return int(usable[-2]) if len(usable) > 1 else 0

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
    ticks: list[int | None] = []
    decode_ticks: list[int | None] = []
    keys: list[int] = []
    hidden: set[int] = set()
    end_s = 0.0
    is_cut = last_is_partial = False
    with open_film(path) as (container, stream):
        try:
            for packet in container.demux():
                progress.check()
                if packet.dts is None and packet.pts is None and not packet.size:
                    continue  # not from the film: tells the decoder to give what it still holds
                end_s = max(end_s, _end_s(packet))
                if packet.stream_index != stream.index:
                    continue
                if packet.is_keyframe:
                    keys.append(len(ticks))
                if packet.is_discard:  # before the first frame of an edit list
                    hidden.add(len(ticks))
                ticks.append(packet.pts)
                decode_ticks.append(packet.dts)
                last_is_partial = packet.is_corrupt
        except (av.FFmpegError, OSError):
            is_cut = True
        is_cut = is_cut or last_is_partial or _promises_more(container, stream, len(ticks), end_s)
        time_base = stream.time_base or Fraction(1, 1000)
        rate = stream.average_rate or stream.guessed_rate
    whole = len(ticks) - last_is_partial
    shown = [i for i in range(whole) if ticks[i] is not None and i not in hidden]
    shown_ticks = np.array([ticks[i] for i in shown], dtype=np.int64)
    last_decode_tick = next((t for t in reversed(decode_ticks[:whole]) if t is not None), None)
    if is_cut and last_decode_tick is not None:
        # Packets come in the order of decoding: what is shown later than the last one is decoded may
        # have been followed by more that belongs before it.
        shown_ticks = shown_ticks[shown_ticks <= last_decode_tick]
    if _is_erratic(shown_ticks, time_base):
        shown_ticks = shown_ticks[:0]
    entries = [i for i in keys if i < whole and ticks[i] is not None]
    return PacketTable(
        ticks=np.sort(shown_ticks),
        frame_count=len(shown_ticks) or whole - len(hidden),
        packet_count=whole,
        time_base=time_base,
        rate=rate,
        key_ticks=np.array([ticks[i] for i in entries], dtype=np.int64),
        key_positions=np.array(entries, dtype=np.int64),
        is_cut=is_cut,
    )


def _end_s(packet: Packet[Stream]) -> float:
    """When a packet, of pictures or sound, ceases to be shown."""
    return float((packet.pts or 0) + (packet.duration or 0)) * float(packet.time_base or 0)


def _promises_more(container: InputContainer, stream: VideoStream, packets: int, end_s: float) -> bool:
    """Whether the header or index speaks of more than the file holds."""
    kind = container.format.name
    if kind.startswith("mov"):
        return any(entry.pos + entry.size > container.size for entry in stream.index_entries)
    if kind == "avi":
        return (stream.frames - packets) > _CUT_SLACK_S * float(stream.average_rate or 25)
    if kind == "mpegts":  # cells of 188 bytes, or of 192 with a time before each
        return bool(container.size % 188 and container.size % 192)
    if kind.startswith(("matroska", "flv", "asf")):
        return (container.duration or 0) / av.time_base - end_s > _CUT_SLACK_S
    return False


def _is_erratic(ticks: NDArray[np.int64], time_base: Fraction) -> bool:
    """Whether timestamps, in the order of decoding, jump in a way that no camera films."""
    if len(ticks) < 2:
        return False
    seconds = ticks * float(time_base)
    fallen_back_s = (np.maximum.accumulate(seconds) - seconds).max()
    return bool(fallen_back_s > _LONGEST_REORDERING_S or np.diff(np.sort(seconds)).max() > _LONGEST_GAP_S)
