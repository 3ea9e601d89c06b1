"""Detectron2's Keypoint R-CNN as a detector: frames are prepared while others are being computed."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import LimitError
from pose_shared.skeleton import COCO_17

from pose_server.detect.keypoint_rcnn_files import chosen_files, read_config, require_detectron2
from pose_server.pipeline.boundary import ClipInfo, Detections, FrameBatch

if TYPE_CHECKING:
    from pose_server.detect.keypoint_rcnn import KeypointRcnn, People

__all__ = ["Detectron2", "Detectron2Session"]

#: Raise it whenever the same frames could give other numbers.
VERSION = 1

_SCORE = 0.7
#: Whom the tracker may still take for somebody it knows.
_LOW_SCORE = 0.3
_WORKERS = 4


class _Network(Protocol):
    """What a session needs of `KeypointRcnn`."""

    def prepare(self, frame: NDArray[np.uint8]) -> Mapping[str, Any]:
        """Return a frame as the network takes it; in any thread."""

    def look(self, prepared: Sequence[Mapping[str, Any]]) -> list[People]:
        """Return the people in each frame."""


class Detectron2:
    """Keypoint R-CNN from Detectron2's model zoo, or of the user's own.

    Parameters
    ----------
    model
        A name of `ZOO_MODELS`, ``CONFIG,WEIGHTS`` for two files, or None for the usual one.
    device
        ``cpu`` or ``cuda:N``; on a GPU it computes in half precision.
    score
        Least score of a person; those down to 0.3 are reported too, to continue a track with.

    Raises
    ------
    MissingExtraError
        Detectron2 is not installed.
    NotFoundError
        The weights have not been fetched.
    InputError
        There is no such model or file.
    """

    keypoint_names = COCO_17.joints

    def __init__(self, model: str | None = None, *, device: str = "cpu", score: float | None = None) -> None:
        require_detectron2()
        self._files = chosen_files(model)
        self._device = device
        self.name = "detectron2" if model is None else f"detectron2:{self._files.name}"
        self.sure_score = _SCORE if score is None else score
        self._least_score = min(_LOW_SCORE, self.sure_score)

    @property
    def fingerprint(self) -> str:
        """Versions, settings, weights, and the precision of the device."""
        settings = json.dumps(read_config(self._files.config), sort_keys=True, default=str)
        kind = self._device.partition(":")[0]
        parts = settings, self._weights_sha256, kind, self.sure_score, self._least_score
        digest = hashlib.sha256(repr(parts).encode()).hexdigest()
        return f"detectron2-{VERSION}-{version('detectron2')}-{digest}"

    def session(self, clip: ClipInfo) -> Detectron2Session:
        """Begin a clip; the first one loads the network."""
        at_once = self._network.frames_at_once(clip.height, clip.width)
        return Detectron2Session(self._network, at_once)

    @cached_property
    def _weights_sha256(self) -> str:
        return self._files.checked()

    @cached_property
    def _network(self) -> KeypointRcnn:
        from pose_server.detect.keypoint_rcnn import KeypointRcnn

        _ = self._weights_sha256  # Nothing is loaded that is not what it should be.
        return KeypointRcnn(self._files, self._device, self._least_score)


@dataclass(frozen=True)
class _Waiting:
    index: int
    time_s: float
    prepared: Future[Mapping[str, Any]]


class Detectron2Session:
    """Detectron2 at work on one clip.

    Parameters
    ----------
    network
        The loaded network; several sessions may use it.
    at_once
        Frames to compute together.  As many again are being prepared meanwhile, and results lag by that.
    """

    def __init__(self, network: _Network, at_once: int) -> None:
        import torch

        self._network = network
        self._at_once = self._most = at_once
        self._waiting: deque[_Waiting] = deque()
        self._workers = ThreadPoolExecutor(min(_WORKERS, torch.get_num_threads()), "prepare")

    def __enter__(self) -> Detectron2Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workers.shutdown(cancel_futures=True)
        self._waiting.clear()

    def detect(self, batch: FrameBatch) -> list[Detections]:
        """Take the next frames; return those that were computed meanwhile."""
        for frame, index, time_s in zip(batch.frames, batch.indices, batch.times_s, strict=True):
            prepared = self._workers.submit(self._network.prepare, frame)
            self._waiting.append(_Waiting(int(index), float(time_s), prepared))
        settled = []
        while len(self._waiting) >= 2 * self._at_once:
            settled += self._next()
        return settled

    def finish(self) -> list[Detections]:
        """Return the frames that are still waiting."""
        settled = []
        while self._waiting:
            settled += self._next()
        return settled

    def _next(self) -> list[Detections]:
        taken = [self._waiting.popleft() for _ in range(min(self._at_once, len(self._waiting)))]
        seen = self._look([waiting.prepared.result() for waiting in taken])
        return [_detections(waiting, people) for waiting, people in zip(taken, seen, strict=True)]

    def _look(self, prepared: Sequence[Mapping[str, Any]]) -> list[People]:
        """Compute frames together, in smaller groups once the device's memory has run out."""
        import torch

        seen: list[People] = []
        while len(seen) < len(prepared):
            group = prepared[len(seen) : len(seen) + self._most]
            try:
                seen += self._network.look(group)
            except torch.OutOfMemoryError:
                self._most = len(group) // 2
            if self._most == 0:
                raise LimitError(
                    "The GPU's memory does not hold a single frame for Detectron2; close what else uses it, "
                    "or choose --device cpu.",
                    reason="GPU_MEMORY_FULL",
                )
        return seen


def _detections(waiting: _Waiting, people: People) -> Detections:
    return Detections(
        waiting.index,
        waiting.time_s,
        boxes_px=people.boxes_px,
        scores=people.scores,
        keypoints_px=people.keypoints_px,
        keypoint_confidence=people.confidence,
        landmarks_m=np.full((len(people.scores), len(COCO_17), 3), np.nan, np.float32),
    )
