"""Networks that are made once, and films of a real person that are made of one picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from pose_server.detect.detector import Detector
from pose_server.detect.networks import LandmarkNetwork, PersonNetwork
from pose_server.pipeline.boundary import ClipInfo, Detections, FrameBatch


@pytest.fixture(scope="session")
def landmark_network() -> Iterator[LandmarkNetwork]:
    network = LandmarkNetwork(copies=2, threads=1)
    yield network
    network.close()


@pytest.fixture(scope="session")
def person_network() -> Iterator[PersonNetwork]:
    network = PersonNetwork(threads=1, min_score=0.3)
    yield network
    network.close()


@pytest.fixture(scope="session")
def person_picture(reference_data: Path) -> np.ndarray:
    """(667, 1000, 3) one person, whole, near the middle."""
    return np.ascontiguousarray(cv2.imread(str(reference_data / "video" / "pose.jpg"))[..., ::-1])


@pytest.fixture
def detect_all() -> Callable[..., list[Detections]]:
    """Run a detector over frames in batches of some size."""

    def run(
        detector: Detector, frames: np.ndarray, *, batch: int = 8, rate: int = 30, first: int = 0
    ) -> list[Detections]:
        height, width = frames.shape[1:3]
        clip = ClipInfo(
            Path("made"), width, height, Fraction(rate), len(frames), first, 0.0, 0, Fraction(1), ""
        )
        indices = np.arange(first, first + len(frames))
        found = []
        with detector.session(clip) as session:
            for start in range(0, len(frames), batch):
                part = slice(start, start + batch)
                found += session.detect(FrameBatch(frames[part], indices[part], indices[part] / rate))
            found += session.finish()
        return found

    return run
