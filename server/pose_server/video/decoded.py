"""A clip as the stages see it: whatever decodes its pictures, they come upright, timed and in batches."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from itertools import pairwise

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray
from pose_shared.errors import MediaError

from pose_server.pipeline.boundary import ClipInfo, FrameBatch
from pose_server.video.budget import frames_at_once
from pose_server.video.timeline import Timeline
from pose_server.video.upright import Upright

__all__ = ["DecodedClip", "Pictures"]

#: Decodes from one source frame of the asked range to before another: source indices and pictures, in order.
Pictures = Callable[[int, int], Generator[tuple[int, VideoFrame], None, None]]
#: Errors that mean an early end, which the user may choose to accept.
_EARLY_ENDS = ("MEDIA_TRUNCATED", "PICTURE_DAMAGED")
#: Single frames this near to each other are decoded in one go.
_NEAR_FRAMES = 50


class DecodedClip:
    """The `FrameSource` of films and image sequences.

    Parameters
    ----------
    info
        What is known of the clip.
    timeline
        When each of its frames is shown.
    upright
        The geometry of all its pictures.
    pictures
        Decodes a part of the asked range; raises `MediaError` where the clip is damaged.
    allow_truncated
        Whether such an error just ends the clip, once a frame was decoded.
    """

    def __init__(
        self,
        info: ClipInfo,
        *,
        timeline: Timeline,
        upright: Upright,
        pictures: Pictures,
        allow_truncated: bool,
    ) -> None:
        self.info = info
        self._timeline = timeline
        self._upright = upright
        self._pictures = pictures
        self._allow_truncated = allow_truncated

    def batches(self, size: int = 8) -> Iterator[FrameBatch]:
        """Decode the asked range in order, `size` frames at a time; fewer of large ones, and at the end.

        Good frames before a fault are given before its error is raised.

        Raises
        ------
        MediaError
            ``MEDIA_TRUNCATED``, ``PICTURE_DAMAGED``, ``MEDIA_SIZE_CHANGED`` or ``MEDIA_UNREADABLE``.
        JobCancelledError
            From the progress that the clip was opened with.
        """
        reformatter = VideoReformatter()
        size = frames_at_once(self.info, size)
        frames = self._room(size)
        indices: list[int] = []
        given = 0
        fault: MediaError | None = None
        first = self.info.first_frame
        with closing(self._pictures(first, first + self.info.frame_count)) as pictures:
            try:
                for index, picture in pictures:
                    self._check_size(index, picture)
                    self._write(index, picture, frames[len(indices)], reformatter)
                    indices.append(index)
                    given += 1
                    if len(indices) == size:
                        yield self._batch(frames, indices)
                        frames, indices = self._room(size), []
            except MediaError as error:
                fault = error
        if indices:
            yield self._batch(frames[: len(indices)], indices)
        if fault and not (self._allow_truncated and given and fault.reason in _EARLY_ENDS):
            raise fault

    def frames_at(self, indices: Sequence[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Decode some frames of the asked range again, each with its source index, in their order.

        Raises
        ------
        MediaError
            As `batches`.
        """
        reformatter = VideoReformatter()
        wanted = sorted(set(indices))
        breaks = [k for k in range(1, len(wanted)) if wanted[k] - wanted[k - 1] > _NEAR_FRAMES]
        for begin, end in pairwise([0, *breaks, len(wanted)] if wanted else []):
            part = wanted[begin:end]
            with closing(self._pictures(part[0], part[-1] + 1)) as pictures:
                for index, picture in pictures:
                    if index in part:
                        self._check_size(index, picture)
                        (frame,) = self._room(1)
                        self._upright.write(picture, frame, reformatter)
                        yield index, frame

    def _room(self, size: int) -> NDArray[np.uint8]:
        return np.empty((size, self.info.height, self.info.width, 3), dtype=np.uint8)

    def _batch(self, frames: NDArray[np.uint8], indices: list[int]) -> FrameBatch:
        sources = np.array(indices, dtype=np.int64)
        return FrameBatch(frames, sources, self._timeline.times_s[sources])

    def _write(
        self, index: int, picture: VideoFrame, out_rgb: NDArray[np.uint8], reformatter: VideoReformatter
    ) -> None:
        try:
            self._upright.write(picture, out_rgb, reformatter)
        except (av.FFmpegError, OSError):
            raise MediaError(
                f"Frame {index} of '{self.info.path.name}' is of a kind that cannot be converted "
                f"({picture.format.name}, {picture.width} x {picture.height}); export the film again, for "
                "example as H.264.",
                reason="MEDIA_UNREADABLE",
                path=self.info.path,
                frame=index,
            ) from None

    def _check_size(self, index: int, picture: VideoFrame) -> None:
        if self._upright.fits(picture):
            return
        name = self.info.path.name
        raise MediaError(
            f"The pictures of '{name}' change their size at frame {index} "
            f"({self._timeline.times_s[index]:.3f} s): {picture.width} x {picture.height} instead of "
            f"{self._upright.coded_width} x {self._upright.coded_height}; "
            f"end the range there (--end {index}), or bring all pictures to one size.",
            reason="MEDIA_SIZE_CHANGED",
            path=self.info.path,
            frame=index,
            width=picture.width,
            height=picture.height,
        )
