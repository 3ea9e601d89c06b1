from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from pose_server.detect.blazepose import BlazePose
from pose_server.pipeline.boundary import ClipInfo, Detections, FrameBatch
from pose_shared.skeleton import BLAZEPOSE_33

DetectAll = Callable[..., list[Detections]]


def walk_past(
    picture: np.ndarray, frames: int, *, step_px: int = 6, size: tuple[int, int] = (640, 480)
) -> np.ndarray:
    """A camera that pans over a still picture of a person."""
    width, height = size
    wide = cv2.copyMakeBorder(picture, 0, 0, 0, 400, cv2.BORDER_REPLICATE)
    small = cv2.resize(wide, None, fx=0.72, fy=0.72, interpolation=cv2.INTER_AREA)
    return np.array([small[:height, step_px * t : step_px * t + width] for t in range(frames)])


@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (50, 2000), (480, 640)])
def test_where_nobody_is_nobody_is_found(shape: tuple[int, int], detect_all: DetectAll) -> None:
    frames = np.zeros((6, *shape, 3), np.uint8)
    frames[3:] = np.random.default_rng(0).integers(0, 255, (3, *shape, 3))
    found = detect_all(BlazePose(), frames, first=100)
    assert [(f.index, f.time_s) for f in found] == [
        (100 + i, pytest.approx((100 + i) / 30)) for i in range(6)
    ]
    for frame in found:
        assert len(frame) == 0
        assert frame.keypoints_px.shape == (0, 33, 2)
        assert frame.landmarks_m.shape == (0, 33, 3)


def test_a_huge_picture_is_looked_at_without_a_huge_store(detect_all: DetectAll) -> None:
    found = detect_all(BlazePose(), np.zeros((2, 4000, 8000, 3), np.uint8))
    assert [len(frame) for frame in found] == [0, 0]


def test_a_clip_without_frames_has_no_results() -> None:
    clip = ClipInfo(Path("made"), 64, 48, Fraction(30), 0, 0, 0.0, 0, Fraction(1), "")
    with BlazePose().session(clip) as session:
        assert session.finish() == []


def test_settings_are_in_the_fingerprint_and_threads_are_not() -> None:
    prints = {
        BlazePose().fingerprint,
        BlazePose(mirrored=False).fingerprint,
        BlazePose(people_limit=2).fingerprint,
        BlazePose(small_tiles=False).fingerprint,
        BlazePose(look_back=False).fingerprint,
    }
    assert len(prints) == 5
    assert BlazePose(threads=1).fingerprint == BlazePose(threads=7).fingerprint == BlazePose().fingerprint


def test_a_session_leaves_no_thread_behind() -> None:
    clip = ClipInfo(Path("made"), 64, 48, Fraction(30), 3, 0, 0.0, 0, Fraction(1), "")

    def threads() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    def once() -> None:
        with BlazePose().session(clip) as session:
            session.detect(FrameBatch(np.zeros((3, 48, 64, 3), np.uint8), np.arange(3), np.arange(3) / 30))

    once()
    before = threads()
    for _ in range(3):
        once()
    assert threads() <= before


@pytest.mark.reference
def test_batches_do_not_change_the_numbers(person_picture: np.ndarray, detect_all: DetectAll) -> None:
    frames = walk_past(person_picture, 22)
    frames[:9] = 0
    by_eight = detect_all(BlazePose(), frames, batch=8)
    for other in (
        detect_all(BlazePose(), frames, batch=1),
        detect_all(BlazePose(threads=1), frames, batch=22),
    ):
        for one, two in zip(by_eight, other, strict=True):
            assert (one.index, one.time_s) == (two.index, two.time_s)
            for field in ("boxes_px", "scores", "keypoints_px", "keypoint_confidence", "landmarks_m"):
                assert (getattr(one, field) == getattr(two, field)).all()
    assert [len(frame) for frame in by_eight] == [0] * 9 + [1] * 13


@pytest.mark.reference
def test_a_person_moves_as_the_camera_pans(person_picture: np.ndarray, detect_all: DetectAll) -> None:
    found = detect_all(BlazePose(), walk_past(person_picture, 20))
    assert [len(frame) for frame in found] == [1] * 20
    points_px = np.array([frame.keypoints_px[0] for frame in found])
    assert np.diff(np.median(points_px, axis=1), axis=0)[:, 0] == pytest.approx(-6, abs=2.5)
    last = found[-1]
    assert last.scores[0] > 0.8
    left, top, right, bottom = last.boxes_px[0]
    sure = last.keypoint_confidence[0] > 0.5
    assert (last.keypoints_px[0][sure] >= (left, top)).all()
    assert (last.keypoints_px[0][sure] <= (right, bottom)).all()


@pytest.mark.reference
@pytest.mark.parametrize("height", [340, 170])
def test_two_small_people_far_apart_are_two(
    height: int, person_picture: np.ndarray, detect_all: DetectAll
) -> None:
    """The person's picture pasted twice into a wide grey one; the body is 0.7 of its height."""
    scale = height / person_picture.shape[0]
    small = cv2.resize(person_picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = np.full((720, 1280, 3), 128, np.uint8)
    places = ((80, 60), (1280 - small.shape[1] - 40, 720 - height - 30))
    for x, y in places:
        frame[y : y + height, x : x + small.shape[1]] = small
    (found,) = detect_all(BlazePose(), frame[None])
    assert len(found) == 2
    nose = BLAZEPOSE_33.index("nose")
    offsets = sorted(found.keypoints_px[:, nose].tolist())
    assert np.subtract(offsets[1], offsets[0]) == pytest.approx(np.subtract(*places[::-1]), abs=0.03 * height)


@pytest.mark.reference
def test_a_person_upside_down_is_found(person_picture: np.ndarray, detect_all: DetectAll) -> None:
    (upright,) = detect_all(BlazePose(), person_picture[None])
    (over,) = detect_all(BlazePose(), np.ascontiguousarray(person_picture[::-1, ::-1])[None])
    height, width = person_picture.shape[:2]
    assert (width, height) - over.keypoints_px[0] == pytest.approx(upright.keypoints_px[0], abs=12)


@pytest.mark.reference
def test_who_comes_in_late_and_leaves_is_seen_in_between(
    person_picture: np.ndarray, detect_all: DetectAll
) -> None:
    frames = walk_past(person_picture, 60, step_px=0)
    frames[:20] = frames[48:] = 90
    found = detect_all(BlazePose(), frames)
    assert [len(frame) for frame in found] == [0] * 20 + [1] * 28 + [0] * 12


@pytest.mark.reference
def test_results_lag_by_a_bounded_number_of_frames(person_picture: np.ndarray) -> None:
    frames = walk_past(person_picture, 70, step_px=0)
    clip = ClipInfo(Path("made"), 640, 480, Fraction(25), 70, 0, 0.0, 0, Fraction(1), "")
    owed = []
    with BlazePose().session(clip) as session:
        done = 0
        for t in range(70):
            done += len(
                session.detect(FrameBatch(frames[t : t + 1], np.arange(t, t + 1), np.full(1, t / 25)))
            )
            owed.append(t + 1 - done)
        assert done + len(session.finish()) == 70
    assert max(owed) <= 48 + 16
    assert owed[-1] <= 48


@pytest.mark.reference
def test_three_people_cut_by_the_picture_are_three(reference_data: Path, detect_all: DetectAll) -> None:
    picture = cv2.imread(str(reference_data / "video" / "three_people.jpg"))[..., ::-1]
    (found,) = detect_all(BlazePose(), np.ascontiguousarray(picture)[None])
    assert len(found) == 3


@pytest.mark.reference
def test_the_leaping_man_and_the_walking_woman_are_both_seen(
    reference_data: Path, detect_all: DetectAll
) -> None:
    """Frames 30 to 69 of the demo clip: he is there from the start, she comes out from behind a tree."""
    capture = cv2.VideoCapture(str(reference_data / "video" / "sports2d_demo.mp4"))
    frames = np.array([capture.read()[1][..., ::-1] for _ in range(70)])[30:]
    capture.release()
    counts = [len(frame) for frame in detect_all(BlazePose(), frames)]
    assert counts == [1] * 6 + [2] * 34
