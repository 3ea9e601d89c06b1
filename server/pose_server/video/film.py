"""Films: every frame of a container in its order and at its own time.

Source frame 0 is the first picture that a decoder gives from the beginning of the film; the other
indices count the container's timestamps from there, so that they are the same for every range.  A
packet that yields no picture, of a film that is whole, repeats the picture before it, as a player
shows it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from pose_shared.errors import MediaError

from pose_server.pipeline.boundary import ClipInfo
from pose_server.pipeline.options import Moment
from pose_server.pipeline.progress import Progress
from pose_server.video.container import open_film
from pose_server.video.decoded import DecodedClip
from pose_server.video.fields import parted
from pose_server.video.high_range import HLG, PQ
from pose_server.video.lens import lens_of_film_mm
from pose_server.video.packets import PacketTable, scan_packets
from pose_server.video.timeline import Timeline
from pose_server.video.upright import Upright

__all__ = ["open_film_clip"]

#: Pictures that may lack at the end without a fault: the second field of the last frame.
_MISSING_END = 1


def open_film_clip(
    path: Path, *, start: Moment | None, end: Moment | None, allow_truncated: bool, progress: Progress
) -> DecodedClip:
    """Probe a film: its geometry from the first picture, its times from all packets.

    Raises
    ------
    MediaError
        The film cannot be opened or decoded, or was cut inside the range (``MEDIA_TRUNCATED``).
    InputError
        ``RANGE_EMPTY``.
    """
    table = scan_packets(path, progress)
    codec, upright, focal_mm, remarks, table = _probe(path, table, progress)
    timeline = table.timeline(path.name)
    if table.is_cut and not allow_truncated and timeline.reaches_beyond(end):
        raise _truncated(path, timeline, len(timeline))
    first, stop = timeline.select(start, end, path.name)
    info = ClipInfo(
        path=path,
        width=upright.width,
        height=upright.height,
        rate=timeline.rate,
        frame_count=stop - first,
        first_frame=first,
        start_time_s=float(table.ticks[0] * table.time_base) if len(table.ticks) else 0.0,
        rotation_ccw_deg=upright.rotation_ccw_deg,
        pixel_aspect=upright.pixel_aspect,
        codec=codec,
        focal_mm=focal_mm,
        remarks=remarks,
    )

    def pictures(first: int, stop: int) -> Generator[tuple[int, VideoFrame], None, None]:
        yield from parted(_pictures(path, table, timeline, first, stop, progress), first, stop)

    return DecodedClip(
        info, timeline=timeline, upright=upright, pictures=pictures, allow_truncated=allow_truncated
    )


def _probe(
    path: Path, table: PacketTable, progress: Progress
) -> tuple[str, Upright, float | None, tuple[str, ...], PacketTable]:
    """Decode the first whole picture: codec, geometry, lens, remarks, and the table that begins with it."""
    stumbled = False
    with open_film(path) as (container, stream):
        for frame in _decode(container, stream, table, table.entry(0), progress):
            if frame is None:
                stumbled = True
            elif not frame.is_corrupt:
                upright = Upright.of(frame, stream.sample_aspect_ratio, path.name)
                # After a fault, earlier frames are lost; without one, the film begins here.
                return (
                    stream.codec_context.codec.canonical_name,
                    upright,
                    lens_of_film_mm({**container.metadata, **stream.metadata}),
                    _remarks(frame),
                    table if stumbled else table.from_first(frame.pts),
                )
    if table.is_cut or stumbled:
        raise _lost_from_start(path)
    raise MediaError(
        f"No picture of '{path.name}' can be decoded; export the film again, for example as H.264.",
        reason="MEDIA_UNREADABLE",
        path=path,
    )


def _remarks(frame: VideoFrame) -> tuple[str, ...]:
    """Return what is done to pictures such as the first, for the user."""
    remarks = []
    if frame.interlaced_frame:
        remarks.append("The film is interlaced; each frame was made a whole picture of its first field.")
    if frame.color_trc in (PQ, HLG):
        kind = "PQ" if frame.color_trc == PQ else "HLG"
        remarks.append(
            f"The film has a high dynamic range ({kind}); people were looked for in it as an ordinary screen "
            "shows it, and so does the preview."
        )
    return tuple(remarks)


def _pictures(
    path: Path, table: PacketTable, timeline: Timeline, first: int, stop: int, progress: Progress
) -> Generator[tuple[int, VideoFrame], None, None]:
    """Yield source index and decoded picture of each frame of the range, and of good ones right beside it.

    After a fault nothing counts up to the next key frame: decoders patch what leans on lost pictures,
    also of frames that are shown before the lost one.
    """
    previous = -1
    last: VideoFrame | None = None
    stumbled = False
    with open_film(path) as (container, stream):
        for frame in _decode(container, stream, table, table.entry(first), progress):
            expected = max(first, previous + 1)
            if expected >= stop and (frame is None or frame.is_corrupt):
                return
            if frame is None:
                if previous + 1 >= first:
                    raise _truncated(path, timeline, expected)
                stumbled = True
                continue
            index = table.index(frame.pts, previous)
            if index is None or index <= previous:
                continue
            stumbled = (stumbled and not frame.key_frame) or frame.is_corrupt
            if index >= first and stumbled:
                raise _truncated(path, timeline, expected)
            if index > expected:
                if last is None:
                    raise _truncated(path, timeline, expected)
                for repeated in range(expected, min(index, stop)):
                    yield repeated, last
            if index >= first - 1 and not stumbled:
                yield index, frame
            if index >= stop or (index == stop - 1 and not frame.interlaced_frame):
                return
            previous, last = index, frame
    if previous < first or (len(table.ticks) and previous < stop - 1 - _MISSING_END):
        raise _truncated(path, timeline, max(first, previous + 1))


def _decode(
    container: InputContainer, stream: VideoStream, table: PacketTable, entry: int, progress: Progress
) -> Iterator[VideoFrame | None]:
    """Yield the pictures from a packet on, and None wherever the decoder cannot use what it gets.

    A fault may come out some frames before the picture that it costs, for several are in work.
    """
    context = stream.codec_context
    try:
        for position, packet in enumerate(islice(container.demux(stream), table.packet_count)):
            progress.check()
            if position >= entry:
                yield from _frames(context, packet)
    except (av.FFmpegError, OSError):
        yield None
    yield from _frames(context, None)


def _frames(context: VideoCodecContext, packet: Packet[VideoStream] | None) -> Sequence[VideoFrame | None]:
    try:
        return context.decode(packet)
    except av.FFmpegError:
        return [None]


def _truncated(path: Path, timeline: Timeline, lost: int) -> MediaError:
    """Return the error of a film whose frame `lost` is the first that cannot be had."""
    if lost == 0:
        return _lost_from_start(path)
    last_good_s = f"{timeline.times_s[lost - 1]:.3f}"
    return MediaError(
        f"'{path.name}' is cut or damaged inside the asked range: its last good frame is {lost - 1}, "
        f"at {last_good_s} s; copy the film again, end the range there (--end {lost}), "
        "or take what is there with --allow-truncated.",
        reason="MEDIA_TRUNCATED",
        path=path,
        last_good_frame=lost - 1,
        last_good_s=last_good_s,
    )


def _lost_from_start(path: Path) -> MediaError:
    return MediaError(
        f"'{path.name}' is damaged from its first frame on; copy or export the film again.",
        reason="MEDIA_TRUNCATED",
        path=path,
    )
