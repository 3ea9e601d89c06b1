"""Keypoints of a file in the place of a detector, so that all behind it is as with one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from pose_shared.errors import InputError

from pose_server.keypoints.clip import KeypointClip
from pose_server.pipeline.boundary import ClipInfo, Detections, FrameBatch, IntArray
from pose_server.video.files import find_sequence

__all__ = ["KeypointDetector", "keypoint_detector"]

#: Raised when the same file gives other numbers.
_VERSION = 1


def keypoint_detector(keypoints: KeypointClip, clip: Path | None, info: ClipInfo) -> KeypointDetector:
    """Return the detector that answers the frames of a clip.

    Parameters
    ----------
    keypoints
        What was found in it.
    clip
        The film or image sequence, whose frames or pictures the keypoints are numbered by; None without one.
    info
        The same, or the blank pictures of keypoints without a film, as opened.

    Raises
    ------
    InputError
        The keypoints are of another film: their size (``KEYPOINTS_SIZE_DIFFERS``), their rate
        (``KEYPOINTS_RATE_DIFFERS``) or their numbers (``KEYPOINTS_BESIDE_CLIP``) say so.
    """
    if clip is None:
        return KeypointDetector(keypoints, 0)
    keypoints = keypoints.sized((info.width, info.height))
    if keypoints.rate not in (None, info.rate):
        raise InputError(
            f"'{keypoints.name}' has {float(keypoints.rate or 0):g} frames per second and "
            f"'{info.path.name}' {float(info.rate):g}; give the points by themselves, or at the film's rate.",
            reason="KEYPOINTS_RATE_DIFFERS",
            path=keypoints.name,
        )
    sequence = find_sequence(clip)
    first = keypoints.first_number - (min(sequence.files) if sequence is not None else 0)
    last, end = first + keypoints.frame_count - 1, info.first_frame + info.frame_count
    if last < info.first_frame or first >= end:
        raise InputError(
            f"The points of '{keypoints.name}' are of frames {first} to {last}, and the clip was to be read "
            f"from {info.first_frame} to {end - 1}; give the clip and the range that they belong to.",
            reason="KEYPOINTS_BESIDE_CLIP",
            path=keypoints.name,
        )
    return KeypointDetector(keypoints, first)


class KeypointDetector:
    """Answers every frame with the people that a file has there, whatever its picture shows.

    Parameters
    ----------
    keypoints
        In pixels, their size known.
    first_frame
        Source frame that is the first of the file's.
    """

    #: What the other program wrote, it was sure of.
    sure_score = 0.0

    def __init__(self, keypoints: KeypointClip, first_frame: int) -> None:
        self.name = keypoints.format
        self.keypoint_names = keypoints.keypoint_names
        names = ",".join(keypoints.keypoint_names)
        self.fingerprint = f"keypoints-{_VERSION}-{keypoints.sha256}-{first_frame}-{keypoints.size}-{names}"
        self.last_frame = first_frame + keypoints.frame_count - 1
        self._keypoints = keypoints
        self._first_frame = first_frame

    def session(self, clip: ClipInfo) -> _Session:
        """Begin a clip."""
        return _Session(self._keypoints, self._first_frame)

    def identities(self, found: Sequence[Detections]) -> list[IntArray] | None:
        """Return the number of each person in each frame, None if the file does not say who is who."""
        if not self._keypoints.identified:
            return None
        return self._keypoints.identities_in(found, self._first_frame)


class _Session:
    def __init__(self, keypoints: KeypointClip, first_frame: int) -> None:
        self._keypoints = keypoints
        self._first_frame = first_frame

    def detect(self, batch: FrameBatch) -> list[Detections]:
        """Return what the file has in each frame."""
        return [
            self._keypoints.detections(int(index) - self._first_frame, index=int(index), time_s=float(time_s))
            for index, time_s in zip(batch.indices, batch.times_s, strict=True)
        ]

    def finish(self) -> list[Detections]:
        """Return nothing, for nothing is late."""
        return []

    def __enter__(self) -> _Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End without ado."""
