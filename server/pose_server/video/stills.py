"""Image sequences: numbered pictures, a frame for each number.

Source frame 0 is the first number there is.  Numbers without a picture are an error only inside the
asked range.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame
from pose_shared.errors import MediaError

from pose_server.pipeline.boundary import ClipInfo
from pose_server.pipeline.options import Moment
from pose_server.pipeline.progress import Progress
from pose_server.video.budget import frames_at_once
from pose_server.video.decoded import DecodedClip
from pose_server.video.files import ImageSequence
from pose_server.video.lens import lens_of_picture_mm
from pose_server.video.pictures import read_picture
from pose_server.video.timeline import Timeline
from pose_server.video.upright import Upright

__all__ = ["open_still_clip"]

#: A stray number far from the others must not make a clip of a hundred years.
_MAX_FRAMES = 10_000_000
_READERS = min(4, os.cpu_count() or 1)


def open_still_clip(
    sequence: ImageSequence,
    *,
    rate: Fraction,
    start: Moment | None,
    end: Moment | None,
    allow_truncated: bool,
    progress: Progress,
) -> DecodedClip:
    """Probe a sequence: its geometry and lens from the first picture of the range.

    Raises
    ------
    MediaError
        A number is missing inside the range (``SEQUENCE_GAP``), or the first picture cannot be read.
    InputError
        ``RANGE_EMPTY``.
    MissingExtraError
        OpenImageIO is needed and not installed.
    """
    pattern, files = sequence.pattern, sequence.files
    base = min(files)
    count = max(files) - base + 1
    if count > _MAX_FRAMES:
        raise _gap(pattern, next(number for number in range(base, base + count) if number not in files), base)
    timeline = Timeline.even(count, rate)
    first, stop = timeline.select(start, end, pattern.name)
    gap = next((index for index in range(first, stop) if base + index not in files), None)
    if gap is not None:
        if not allow_truncated or gap == first:
            raise _gap(pattern, base + gap, base)
        stop = gap
    picture, pixel_aspect = read_picture(files[base + first])
    upright = Upright.of(picture, pixel_aspect, pattern.name)
    info = ClipInfo(
        path=pattern,
        width=upright.width,
        height=upright.height,
        rate=rate,
        frame_count=stop - first,
        first_frame=first,
        start_time_s=0.0,
        rotation_ccw_deg=upright.rotation_ccw_deg,
        pixel_aspect=upright.pixel_aspect,
        codec=pattern.suffix.lower().lstrip("."),
        focal_mm=lens_of_picture_mm(picture.metadata, upright.width, upright.height),
    )

    at_once = frames_at_once(info, 2 * _READERS)

    def pictures(first: int, stop: int) -> Generator[tuple[int, VideoFrame], None, None]:
        with ThreadPoolExecutor(_READERS, thread_name_prefix="stills") as pool:
            for begin in range(first, stop, at_once):
                progress.check()
                indices = range(begin, min(begin + at_once, stop))
                read = pool.map(read_picture, [files[base + index] for index in indices])
                for index, (frame, _) in zip(indices, read, strict=True):
                    yield index, frame

    return DecodedClip(
        info, timeline=timeline, upright=upright, pictures=pictures, allow_truncated=allow_truncated
    )


def _gap(pattern: Path, missing: int, base: int) -> MediaError:
    """Return the error of a sequence without the picture `missing`."""
    return MediaError(
        f"Picture {missing} of '{pattern.name}' is missing or empty; render it, end the range before it "
        f"(--end {missing - base}, for frames count from 0 at picture {base}), "
        "or take what comes before it with --allow-truncated.",
        reason="SEQUENCE_GAP",
        path=pattern,
        missing=missing,
        frame=missing - base,
    )
