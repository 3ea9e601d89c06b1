"""The picture of each person: which frame, what of it, and how large."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from pose_server.pipeline.boundary import Detections, Track2D
from pose_server.pipeline.portraits import best_rows, found_spans, thumbnails
from pose_server.track.appearance import APPEARANCE_SIZE
from pose_server.track.footage import Footage
from pose_shared.errors import MediaError

WIDTH, HEIGHT = 640, 360


def track(
    boxes: Sequence[tuple[float, ...] | None], sure: Sequence[float] | None = None, first: int = 10
) -> Track2D:
    rows = len(boxes)
    edges = np.array([box if box is not None else (np.nan,) * 4 for box in boxes], dtype=np.float64)
    confidence = np.array(sure if sure is not None else [0.5] * rows)[:, None]
    return Track2D(
        keypoint_names=("nose",),
        indices=np.arange(first, first + rows),
        times_s=np.arange(first, first + rows) / 10,
        boxes_px=edges,
        keypoints_px=edges[:, None, :2],
        keypoint_confidence=np.where(np.isnan(edges[:, :1]), 0.0, confidence),
        landmarks_m=np.full((rows, 1, 3), np.nan),
    )


def frames_of(*people: Track2D) -> list[Detections]:
    """The detections that tracks from one frame on were made of."""
    found = []
    for row in range(len(people[0])):
        here = [person for person in people if person.found[row]]
        found.append(
            Detections(
                index=int(people[0].indices[row]),
                time_s=float(people[0].times_s[row]),
                boxes_px=np.array([person.boxes_px[row] for person in here]).reshape(-1, 4),
                scores=np.ones(len(here)),
                keypoints_px=np.zeros((len(here), 1, 2)),
                keypoint_confidence=np.ones((len(here), 1)),
                landmarks_m=np.full((len(here), 1, 3), np.nan),
            )
        )
    return found


def footage(sharpness: Sequence[float], frames: int) -> Footage:
    return Footage(
        appearance=np.full((len(sharpness), APPEARANCE_SIZE), np.nan, np.float16),
        sharpness=np.array(sharpness, dtype=np.float32),
        steady=np.repeat(np.eye(2, 3)[None], frames, axis=0),
    )


class Pictures:
    """Frames whose grey is their number, with a white person in a box."""

    def __init__(self, box: tuple[int, int, int, int], broken: bool = False) -> None:
        self.box, self.broken, self.asked = box, broken, []

    def frames_at(self, indices: Sequence[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        if self.broken:
            raise MediaError("It is cut.", reason="MEDIA_TRUNCATED")
        for index in indices:
            self.asked.append(index)
            frame = np.full((HEIGHT, WIDTH, 3), index, dtype=np.uint8)
            left, top, right, bottom = self.box
            frame[top:bottom, left:right] = (250, 20, 20)
            yield index, frame


def test_the_largest_surest_and_sharpest_frame_is_the_best() -> None:
    boxes = [(0, 0, 50, 100), (0, 0, 60, 120), None, (0, 0, 60, 119), (0, 0, 60, 118)]
    person = track(boxes, [0.9, 0.5, 0, 0.9, 0.9])
    assert best_rows({1: person}, frames_of(person), None) == {1: 3}
    blurred = footage([1.0, 1.0, 0.2, 1.0], 5)
    assert best_rows({1: person}, frames_of(person), blurred) == {1: 4}


def test_sharpness_is_that_of_the_person_not_of_another_in_the_frame() -> None:
    one = track([(0, 0, 50, 100)] * 3)
    other = track([(200, 0, 260, 100)] * 3)
    sharp = footage([1, 9, 5, 1, 1, 1], 3)
    assert best_rows({1: one, 2: other}, frames_of(one, other), sharp) == {1: 1, 2: 0}


def test_a_picture_shows_the_person_with_something_around_them() -> None:
    person = track([None, (300, 100, 350, 240)])
    source = Pictures((300, 100, 350, 240))
    (content,) = thumbnails(source, {7: person}, {7: 1}).values()
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert source.asked == [11]
    assert picture.shape == (128, 128, 3)
    red = (picture[..., 2] > 180) & (picture[..., 0] < 90)
    assert abs(red.mean() - 50 * 140 / 168**2) < 0.02
    assert abs(int(picture[2, 2, 0]) - 11) < 8


def test_at_the_edge_of_the_picture_nothing_is_made_up() -> None:
    person = track([(0, 0, 80, 340)])
    content = thumbnails(Pictures((0, 0, 80, 340)), {1: person}, {1: 0})[1]
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[0] == 128
    assert abs(picture.shape[1] / 128 - 360 / 360) < 0.15


def test_a_picture_is_never_large_whatever_it_shows() -> None:
    class Noise(Pictures):
        def frames_at(self, indices: Sequence[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
            random = np.random.default_rng(0)
            return ((i, random.integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)) for i in indices)

    person = track([(10, 10, 110, 110)])
    assert 500 < len(thumbnails(Noise((0, 0, 0, 0)), {1: person}, {1: 0})[1]) <= 20_000


def test_a_frame_that_cannot_be_decoded_again_costs_the_picture_only() -> None:
    person = track([(10, 10, 110, 110)])
    assert thumbnails(Pictures((0, 0, 1, 1), broken=True), {1: person}, {1: 0}) == {}


def test_in_a_crowd_only_the_first_have_pictures() -> None:
    person = track([(10, 10, 110, 110)])
    crowd = dict.fromkeys(range(1, 101), person)
    assert set(thumbnails(Pictures((0, 0, 1, 1)), crowd, dict.fromkeys(crowd, 0))) == set(range(1, 65))


def test_spans_leave_out_gaps_of_half_a_second() -> None:
    here = (0.0, 0.0, 9.0, 9.0)
    assert found_spans(track([here] * 4 + [None] * 4 + [here] * 3)) == ((10, 20),)
    assert found_spans(track([here] * 4 + [None] * 6 + [here] * 3)) == ((10, 13), (20, 22))
    assert found_spans(track([here])) == ((10, 10),)


def test_there_are_never_many_spans() -> None:
    here = (0.0, 0.0, 9.0, 9.0)
    boxes = [here, *[None] * 9] * 300 + [here]
    boxes[1000:1010] = [None] * 10
    spans = found_spans(track(boxes))
    assert 1 <= len(spans) <= 64
    assert (spans[0][0], spans[-1][1]) == (10, 10 + len(boxes) - 1)
