"""A small picture of each person, from the frame that shows them best, and when they are seen at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import MediaError

from pose_server.pipeline.boundary import Detections, FloatArray, Track2D
from pose_server.track.footage import Footage
from pose_server.video.source import FrameSource

__all__ = ["best_rows", "found_spans", "thumbnails"]

#: Of a thumbnail, in pixels.
_HEIGHT, _WIDEST = 128, 256
#: What is around the person's box, as a share of its longer side.
_PADDING = 0.1
_BYTES_LIMIT, _QUALITIES = 20_000, (88, 70, 45, 20)
#: More people than this in a clip have no pictures: nobody looks for somebody among them.
_MOST_PEOPLE = 64
#: Gaps in which a person is not found do not count below this, and there are so many spans at most.
_GAP_S, _MOST_SPANS = 0.5, 64


def best_rows(
    people: Mapping[int, Track2D], found: Sequence[Detections], footage: Footage | None
) -> dict[int, int]:
    """Return for each person the row of their track that shows them best.

    That is where the confidence of the keypoints, the area of the box and, where that is known, the
    sharpness of the picture make the greatest product.
    """
    first = found[0].index if found else 0
    starts = np.cumsum([0, *(len(frame) for frame in found)])
    best = {}
    for number, track in people.items():
        boxes = track.boxes_px
        worth = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) * track.keypoint_confidence.mean(axis=1)
        if footage is not None:
            sharpness = np.zeros(len(track))
            for row in np.flatnonzero(track.found):
                frame = int(track.indices[row]) - first
                same = np.flatnonzero((found[frame].boxes_px == boxes[row]).all(axis=1))
                sharpness[row] = footage.sharpness[starts[frame] + same[0]] if len(same) else 0.0
            worth = worth * np.maximum(sharpness, 1e-3)
        best[number] = int(np.argmax(np.where(track.found, worth, -1.0)))
    return best


def thumbnails(
    source: FrameSource, people: Mapping[int, Track2D], rows: Mapping[int, int]
) -> dict[int, bytes]:
    """Return a JPEG picture of each person; of nobody whose frame cannot be decoded a second time.

    Parameters
    ----------
    source
        The clip; a few of its frames are decoded again.
    people
        By number.
    rows
        Which row of each track to show.
    """
    wanted: dict[int, list[int]] = {}
    for number in list(people)[:_MOST_PEOPLE]:
        wanted.setdefault(int(people[number].indices[rows[number]]), []).append(number)
    pictures = {}
    with suppress(MediaError):
        for index, frame in source.frames_at(sorted(wanted)):
            for number in wanted[index]:
                pictures[number] = _jpeg(frame, people[number].boxes_px[rows[number]])
    return pictures


def found_spans(track: Track2D) -> tuple[tuple[int, int], ...]:
    """Return first and last frames of the spans in which a person was found, without short gaps."""
    rows = np.flatnonzero(track.found)
    gaps_s = np.diff(track.times_s[rows])
    frame_s = float(np.median(np.diff(track.times_s))) if len(track) > 1 else 0.0
    widest = np.argsort(-gaps_s, kind="stable")[: _MOST_SPANS - 1]
    ends = np.sort(widest[gaps_s[widest] >= _GAP_S + frame_s])
    frames = track.indices[rows]
    begins = np.concatenate([[0], ends + 1])
    stops = np.concatenate([ends, [len(rows) - 1]])
    return tuple((int(frames[a]), int(frames[b])) for a, b in zip(begins, stops, strict=True))


def _jpeg(frame: NDArray[np.uint8], box_px: FloatArray) -> bytes:
    import cv2

    crop = _crop(frame, box_px)
    scale = min(_HEIGHT / crop.shape[0], _WIDEST / crop.shape[1])
    size = max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale))
    small: Any = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    for quality in _QUALITIES:
        content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(content) <= _BYTES_LIMIT:
            break
    return bytes(content)


def _crop(frame: NDArray[np.uint8], box_px: FloatArray) -> NDArray[np.uint8]:
    """Return what is around a box: as wide as high where the picture allows it."""
    height, width = frame.shape[:2]
    left, top, right, bottom = box_px.tolist()
    side = (1 + 2 * _PADDING) * max(right - left, bottom - top, 2.0)

    def span(low: float, high: float, limit: int) -> slice:
        length = min(side, limit)
        start = min(max((low + high - length) / 2, 0), limit - length)
        return slice(int(start), max(int(start) + 1, int(start + length)))

    return frame[span(top, bottom, height), span(left, right, width)]
