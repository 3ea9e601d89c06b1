"""What every reader of clips offers to the stages behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pose_server.pipeline.boundary import ClipInfo, FrameBatch

__all__ = ["FrameSource"]


class FrameSource(Protocol):
    """A clip, opened and probed, that can be decoded from its start as often as wanted."""

    @property
    def info(self) -> ClipInfo:
        """What the header says of the asked range."""

    def batches(self, size: int = 8) -> Iterator[FrameBatch]:
        """Decode the asked range in order, `size` frames at a time; fewer of large ones, and at the end.

        Raises
        ------
        MediaError
            The film is damaged inside the range (``MEDIA_TRUNCATED``, naming the last good second),
            unless the source was opened with `allow_truncated`; or it changes its size midway.
        """

    def frames_at(self, indices: Sequence[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Decode some frames of the asked range again, (H, W, 3) each with its source index, in order.

        Raises
        ------
        MediaError
            As `batches`.
        """
