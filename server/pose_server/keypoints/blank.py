"""The clip of keypoints that come without their film: plain pictures, one for each of their frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InputError, InternalError

from pose_server.keypoints.clip import KeypointClip
from pose_server.pipeline.boundary import ClipInfo, FrameBatch
from pose_server.pipeline.options import Moment
from pose_server.video.timeline import Timeline

__all__ = ["BlankClip", "open_blank"]

_GREY = 40


class BlankClip:
    """The `FrameSource` of keypoints without a film.

    Parameters
    ----------
    info
        Of the asked range.
    timeline
        When each frame is shown.
    """

    def __init__(self, info: ClipInfo, timeline: Timeline) -> None:
        self.info = info
        self._timeline = timeline

    def batches(self, size: int = 8) -> Iterator[FrameBatch]:
        """Give the range in order; all pictures are one and the same, and must not be written to."""
        picture = np.full((self.info.height, self.info.width, 3), _GREY, dtype=np.uint8)
        first, stop = self.info.first_frame, self.info.first_frame + self.info.frame_count
        for start in range(first, stop, size):
            indices = np.arange(start, min(start + size, stop))
            frames = np.broadcast_to(picture, (len(indices), *picture.shape))
            yield FrameBatch(frames=frames, indices=indices, times_s=self._timeline.times_s[indices])

    def frames_at(self, indices: Sequence[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Give no picture: none shows anybody."""
        return iter(())


def open_blank(
    keypoints: KeypointClip,
    *,
    start: Moment | None = None,
    end: Moment | None = None,
    input_fps: Fraction | None = None,
) -> BlankClip:
    """Return plain pictures for keypoints whose size is known; source frame 0 is their first frame.

    Raises
    ------
    InputError
        The range holds no frame (``RANGE_EMPTY``), or `input_fps` is missing (``RATE_MISSING``) or has
        no place, because the file has a rate (``RATE_NOT_NEEDED``).
    """
    if input_fps is None and keypoints.rate is None:
        raise InputError(
            f"'{keypoints.name}' does not say how fast its frames follow each other; "
            "give their rate, for example --input-fps 30.",
            reason="RATE_MISSING",
            path=keypoints.name,
        )
    if input_fps is not None and keypoints.rate is not None:
        raise InputError(
            f"'{keypoints.name}' says itself how fast its frames follow each other; leave --input-fps out.",
            reason="RATE_NOT_NEEDED",
            path=keypoints.name,
        )
    if keypoints.size is None:
        raise InternalError("Keypoints of no size have no pictures.", reason="BAD_BOUNDARY")
    rate = input_fps or keypoints.rate or Fraction(0)
    timeline = Timeline.even(keypoints.frame_count, rate)
    first, stop = timeline.select(start, end, keypoints.name)
    width, height = keypoints.size
    info = ClipInfo(
        path=Path(keypoints.name),
        width=width,
        height=height,
        rate=rate,
        frame_count=stop - first,
        first_frame=first,
        start_time_s=0.0,
        rotation_ccw_deg=0,
        pixel_aspect=Fraction(1),
        codec=keypoints.format,
    )
    return BlankClip(info, timeline)
