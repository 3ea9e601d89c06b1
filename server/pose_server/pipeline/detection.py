"""The detect stage over a whole clip: decode and detect at once, and keep what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_server.detect.detector import Detector
from pose_server.pipeline.boundary import ClipInfo, Detections, FrameBatch
from pose_server.pipeline.progress import Progress
from pose_server.pipeline.witness import Witness
from pose_server.video.budget import batches_ahead
from pose_server.video.prefetch import prefetch
from pose_server.video.source import FrameSource

__all__ = ["DETECT_VERSION", "detect_clip", "pack_detections", "unpack_detections"]

#: Raised when the stage gives other numbers for the same frames and detector.
DETECT_VERSION = 5
_BATCH_FRAMES = 8
_PREFETCH_BATCHES = 4

Look = Callable[[int, NDArray[np.uint8]], None]


def detect_clip(
    source: FrameSource,
    detector: Detector,
    progress: Progress,
    *,
    look: Look | None = None,
    witness: Witness | None = None,
) -> list[Detections]:
    """Return what the detector sees in every frame of the asked range, in order.

    `look` is shown a frame and its number about every half second, the first among them; `witness` is
    shown every frame, and told who is in it.  Decoding and both looks run in a thread of their own, a few
    batches ahead; memory does not depend on the length.
    """
    found: list[Detections] = []
    total = source.info.frame_count

    def settle(settled: Sequence[Detections]) -> None:
        found.extend(settled)
        if witness:
            for frame in settled:
                witness.settle(frame)

    progress.report("detect", 0, total)
    with (
        detector.session(source.info) as session,
        prefetch(
            _shown(source.batches(_BATCH_FRAMES), source.info, look, witness),
            batches_ahead(source.info, _BATCH_FRAMES, _PREFETCH_BATCHES),
        ) as batches,
    ):
        for batch in batches:
            settle(session.detect(batch))
            progress.report("detect", len(found), max(total, len(found)))
        settle(session.finish())
    progress.report("detect", len(found), len(found))
    return found


def _shown(
    batches: Iterator[FrameBatch], info: ClipInfo, look: Look | None, witness: Witness | None
) -> Iterator[FrameBatch]:
    """Pass batches on, and show their frames in passing: some of them to `look`, all to the witness."""
    every = max(1, round(info.rate / 2))
    for batch in batches:
        for frame, index in zip(batch.frames, batch.indices, strict=True):
            if look and (index - info.first_frame) % every == 0:
                look(int(index), frame)
            if witness:
                witness.take(int(index), frame)
        yield batch


def pack_detections(found: Sequence[Detections], keypoint_count: int) -> dict[str, NDArray[Any]]:
    """Return all frames' detections as a few arrays, people of all frames one after the other."""
    empty = np.zeros((0, keypoint_count))
    joined = {
        "boxes_px": [d.boxes_px for d in found] or [np.zeros((0, 4))],
        "scores": [d.scores for d in found] or [np.zeros(0)],
        "keypoints_px": [d.keypoints_px for d in found] or [np.zeros((*empty.shape, 2))],
        "keypoint_confidence": [d.keypoint_confidence for d in found] or [empty],
        "landmarks_m": [d.landmarks_m for d in found] or [np.zeros((*empty.shape, 3))],
    }
    return {
        "indices": np.array([d.index for d in found], dtype=np.int64),
        "times_s": np.array([d.time_s for d in found], dtype=np.float64),
        "people": np.array([len(d) for d in found], dtype=np.int64),
        **{name: np.concatenate(parts) for name, parts in joined.items()},
    }


def unpack_detections(arrays: Mapping[str, NDArray[Any]]) -> list[Detections]:
    """Read back what `pack_detections` made."""
    ends = np.cumsum(arrays["people"])
    starts = ends - arrays["people"]
    people = ("boxes_px", "scores", "keypoints_px", "keypoint_confidence", "landmarks_m")
    return [
        Detections(index=int(index), time_s=float(time_s), **{name: arrays[name][a:b] for name in people})
        for index, time_s, a, b in zip(arrays["indices"], arrays["times_s"], starts, ends, strict=True)
    ]
