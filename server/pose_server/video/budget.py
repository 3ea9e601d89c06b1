"""How many decoded pictures may be in memory at once, which nobody notices before 4K."""

from __future__ import annotations

from pose_server.pipeline.boundary import ClipInfo

__all__ = ["batches_ahead", "frames_at_once"]

_BATCH_BYTES = 64 << 20
_AHEAD_BYTES = 256 << 20
_RGB_BYTES = 3


def frames_at_once(info: ClipInfo, most: int) -> int:
    """Return how many frames of a clip one batch holds: `most`, fewer of large ones, 1 at least."""
    return max(1, min(most, _BATCH_BYTES // _frame_bytes(info)))


def batches_ahead(info: ClipInfo, size: int, most: int) -> int:
    """Return how many batches of `size` frames may wait for work: `most`, fewer of large ones, 1 at least."""
    batch = frames_at_once(info, size) * _frame_bytes(info)
    return max(1, min(most, _AHEAD_BYTES // batch))


def _frame_bytes(info: ClipInfo) -> int:
    return _RGB_BYTES * info.width * info.height
