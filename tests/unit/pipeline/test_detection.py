"""The detect stage: what goes on beside the detector, and what is kept of its findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from threading import Event, current_thread
from typing import Any

import numpy as np
import pytest
from pose_server.pipeline.boundary import ClipInfo, Detections, FrameBatch
from pose_server.pipeline.detection import detect_clip, pack_detections, unpack_detections
from pose_server.pipeline.progress import SilentProgress

FRAMES, FIRST = 60, 7


class Source:
    """Frames whose first value is their number."""

    info = ClipInfo(Path("made"), 8, 6, Fraction(10), FRAMES, FIRST, 0.0, 0, Fraction(1), "")

    def batches(self, size: int = 8) -> Iterator[FrameBatch]:
        for start in range(FIRST, FIRST + FRAMES, size):
            indices = np.arange(start, min(start + size, FIRST + FRAMES))
            frames = np.zeros((len(indices), 6, 8, 3), np.uint8)
            frames[:, 0, 0, 0] = indices
            yield FrameBatch(frames, indices, indices / 10)


class Session:
    """Finds one person per frame, late by one batch; `meanwhile` is called at each batch."""

    def __init__(self, meanwhile: Callable[[], Any]) -> None:
        self.meanwhile = meanwhile
        self.late: list[Detections] = []

    def detect(self, batch: FrameBatch) -> list[Detections]:
        self.meanwhile()
        settled, self.late = (
            self.late,
            [self.one(int(i), float(t)) for i, t in zip(batch.indices, batch.times_s, strict=True)],
        )
        return settled

    def finish(self) -> list[Detections]:
        return self.late

    def one(self, index: int, time_s: float) -> Detections:
        at = np.full((1, 17, 2), float(index))
        nothing = np.full((1, 17, 3), np.nan)
        return Detections(index, time_s, np.ones((1, 4)), np.ones(1), at, np.ones((1, 17)), nothing)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None: ...


class Detector:
    name = fingerprint = "made"
    keypoint_names: tuple[str, ...] = ()
    sure_score = 0.0

    def __init__(self, meanwhile: Callable[[], Any] = lambda: None) -> None:
        self.meanwhile = meanwhile

    def session(self, clip: ClipInfo) -> Session:
        return Session(self.meanwhile)


def test_every_frame_is_found_in_order_and_some_are_shown() -> None:
    shown = []

    def look(index: int, frame: np.ndarray) -> None:
        assert frame[0, 0, 0] == index
        shown.append(index)

    found = detect_clip(Source(), Detector(), SilentProgress(), look=look)
    assert [frame.index for frame in found] == list(range(FIRST, FIRST + FRAMES))
    # Half a second at ten frames per second.
    assert shown == list(range(FIRST, FIRST + FRAMES, 5))
    again = unpack_detections(pack_detections(found, 17))
    assert [(d.index, d.time_s, d.keypoints_px[0, 0, 0]) for d in again] == [
        (d.index, d.time_s, float(d.index)) for d in found
    ]


def test_frames_are_shown_while_the_detector_is_at_work() -> None:
    later_was_shown = Event()
    threads = set()

    def look(index: int, frame: np.ndarray) -> None:
        threads.add(current_thread().name)
        if index >= FIRST + 10:  # not in the first batch
            later_was_shown.set()

    at_work = Detector(lambda: pytest.fail("nothing else goes on") if not later_was_shown.wait(5) else None)
    assert len(detect_clip(Source(), at_work, SilentProgress(), look=look)) == FRAMES
    assert current_thread().name not in threads


def test_what_goes_wrong_in_a_look_is_raised_and_nothing_is_left_running() -> None:
    def look(index: int, frame: np.ndarray) -> None:
        if index > FIRST + 20:
            raise KeyError(index)

    with pytest.raises(KeyError):
        detect_clip(Source(), Detector(), SilentProgress(), look=look)
