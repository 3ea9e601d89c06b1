from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from pose_server.detect import onnx_network
from pose_server.detect.letterbox import Letterbox
from pose_server.detect.onnx_network import OnnxNetwork
from pose_server.detect.person_boxes import PersonBoxes
from pose_server.detect.registry import available_detectors, best_detector, create_detector
from pose_server.detect.rtmpose import RTMPOSE_MODELS, RtmPose, RtmPoseSession
from pose_server.pipeline.boundary import ClipInfo, Detections, FrameBatch
from pose_server.weights.registry import WEIGHTS
from pose_shared.errors import DataLossError, InputError, NotFoundError
from pose_shared.skeleton import COCO_17, HALPE_26

pytestmark = pytest.mark.onnx
Detect = Callable[..., list[Detections]]

WIDTH, HEIGHT = 420, 260


@pytest.fixture(scope="module")
def nets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from made_networks import made_one_stage, made_persons, made_pose

    folder = tmp_path_factory.mktemp("nets")
    made_persons(folder / "rtmdet.onnx", rtmdet=True, batch=1)
    made_persons(folder / "yolox.onnx")
    made_pose(folder / "pose17.onnx")
    made_pose(folder / "pose26.onnx", points=26)
    made_one_stage(folder / "rtmo.onnx")
    return folder


def files(nets: Path, *names: str) -> str:
    return ",".join(str(nets / name) for name in names)


def body(
    person: int, x: float, y: float, frame: np.ndarray, *, points: int = 17, step: float = 14.0
) -> np.ndarray:
    """Paint a person with the left upper corner of their box at x, y; return their points."""
    from made_networks import paint

    box = (x, y, x + 6 * step, y + 9 * step)
    places = {k: (x + (k % 5 + 1) * step, y + (k // 5 + 1.5) * step) for k in range(points)}
    paint(frame, boxes={person: box}, points=places, radius=step / 4)
    return np.array([places[k] for k in range(points)])


@pytest.fixture(scope="module")
def film() -> tuple[np.ndarray, list[np.ndarray | None]]:
    """20 frames: a sure person who walks, an unsure one in frames 3 to 8 (the third colour), then nobody."""
    frames = np.zeros((20, HEIGHT, WIDTH, 3), np.uint8)
    truth: list[np.ndarray | None] = []
    for index, frame in enumerate(frames):
        truth.append(body(0, 20.3 + 4 * index, 30.6 + index, frame) if index < 16 else None)
        if 3 <= index <= 8:
            body(2, 280.0, 60.0, frame)
    return frames, truth


def test_everybody_is_found_in_each_frame(
    nets: Path, film: tuple[np.ndarray, list[np.ndarray | None]], detect_all: Detect
) -> None:
    frames, truth = film
    detector = RtmPose(files(nets, "yolox.onnx", "pose17.onnx"), threads=1)
    assert detector.keypoint_names == COCO_17.joints
    assert detector.name == "rtmpose:yolox.onnx,pose17.onnx"
    found = detect_all(detector, frames, first=7)
    assert [frame.index for frame in found] == list(range(7, 27))
    assert [len(frame) for frame in found] == [2 if 3 <= i <= 8 else int(i < 16) for i in range(20)]
    for frame, points in zip(found, truth, strict=True):
        if points is not None:
            np.testing.assert_allclose(frame.keypoints_px[0], points, atol=0.6)
            box = frame.boxes_px[0]
            assert (points > box[:2]).all() and (points < box[2:]).all()
            # MMPose's way to count: the box's score times the mean of the points that are seen.
            np.testing.assert_allclose(frame.scores[0], 0.95 * frame.keypoint_confidence[0].mean(), rtol=1e-5)
            assert np.isnan(frame.landmarks_m).all()


def test_the_unsure_are_reported_and_are_not_people(
    nets: Path, film: tuple[np.ndarray, list[np.ndarray | None]], detect_all: Detect
) -> None:
    """Whoever is below the score continues a track, and begins none."""
    detector = RtmPose(files(nets, "yolox.onnx", "pose17.onnx"), threads=1)
    found = detect_all(detector, film[0][3:5])
    assert found[0].scores.tolist() == sorted(found[0].scores.tolist(), reverse=True)
    assert found[0].scores[1] < detector.sure_score < found[0].scores[0]
    stricter = RtmPose(files(nets, "yolox.onnx", "pose17.onnx"), threads=1, score=0.7)
    assert (stricter.sure_score, stricter.low_score) == (0.7, 0.1)
    assert RtmPose(files(nets, "rtmo.onnx"), threads=1, score=0.05).low_score == 0.05


@pytest.mark.parametrize("every", [1, 5])
def test_the_cut_into_batches_does_not_matter(
    nets: Path, film: tuple[np.ndarray, list[np.ndarray | None]], detect_all: Detect, every: int
) -> None:
    detector = RtmPose(files(nets, "yolox.onnx", "pose17.onnx"), threads=1, redetect_every=every)
    one, eight = (detect_all(detector, film[0], batch=batch) for batch in (1, 8))
    for a, b in zip(one, eight, strict=True):
        np.testing.assert_array_equal(a.keypoints_px, b.keypoints_px)
        np.testing.assert_array_equal(a.scores, b.scores)


def session_of(detector: RtmPose) -> RtmPoseSession:
    return detector.session(
        ClipInfo(Path("made"), WIDTH, HEIGHT, Fraction(30), 40, 0, 0.0, 0, Fraction(1), "")
    )


def portion(frames: np.ndarray, start: int, count: int) -> FrameBatch:
    indices = np.arange(start, start + count)
    return FrameBatch(frames[indices % len(frames)], indices, indices / 30)


def test_results_lag_by_frames_however_those_come(
    nets: Path, film: tuple[np.ndarray, list[np.ndarray | None]]
) -> None:
    detector = RtmPose(files(nets, "yolox.onnx", "pose17.onnx"), threads=1)
    with session_of(detector) as session:
        given, got = 0, 0
        for count in (3, 8, 1, 8, 5, 8):
            settled = session.detect(portion(film[0], given, count))
            assert [frame.index for frame in settled] == list(range(got, got + len(settled)))
            given, got = given + count, got + len(settled)
            assert got == max(0, given - 16)
        assert [frame.index for frame in session.finish()] == list(range(got, given))
        assert session.finish() == []


def test_one_portion_is_prepared_while_another_is_computed(
    nets: Path, film: tuple[np.ndarray, list[np.ndarray | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = RtmPose(files(nets, "yolox.onnx", "pose17.onnx"), threads=1)
    prepared = threading.Semaphore(0)
    compute, prepare = OnnxNetwork.run, Letterbox.filled
    first = threading.Lock()
    overlapped: list[bool] = []

    def filled(self: Letterbox, frame: np.ndarray) -> np.ndarray:
        prepared.release()
        return prepare(self, frame)

    def run(self: OnnxNetwork, pictures: list[np.ndarray]) -> object:
        # The four frames of this portion are prepared; a fifth can only be one of the next.
        if first.acquire(blocking=False):
            overlapped.append(all(prepared.acquire(timeout=10) for _ in range(5)))
        return compute(self, pictures)

    with session_of(detector) as session:
        monkeypatch.setattr(Letterbox, "filled", filled)
        monkeypatch.setattr(OnnxNetwork, "run", run)
        session.detect(portion(film[0], 0, 4))
        session.detect(portion(film[0], 4, 4))
        assert len(session.finish()) == 8
    assert overlapped == [True]


def test_whoever_leaves_early_waits_for_nothing_and_an_error_comes_through(
    nets: Path, film: tuple[np.ndarray, list[np.ndarray | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = RtmPose(files(nets, "yolox.onnx", "pose17.onnx"), threads=1)
    threads = threading.active_count()
    with session_of(detector) as session:
        session.detect(portion(film[0], 0, 8))
    assert threading.active_count() == threads
    monkeypatch.setattr(OnnxNetwork, "run", lambda self, pictures: 1 / 0)
    with session_of(detector) as session:
        session.detect(portion(film[0], 0, 8))
        with pytest.raises(ZeroDivisionError):
            session.finish()


def test_at_most_so_many_people_are_read(
    nets: Path, film: tuple[np.ndarray, list[np.ndarray | None]], detect_all: Detect
) -> None:
    detector = RtmPose(files(nets, "yolox.onnx", "pose17.onnx"), threads=1, people_limit=1)
    (frame,) = detect_all(detector, film[0][5:6])
    assert len(frame) == 1
    assert frame.scores[0] > 0.5


def test_rtmdet_with_26_points_and_rtmo_do_as_well(nets: Path, detect_all: Detect) -> None:
    frames = np.zeros((3, HEIGHT, WIDTH, 3), np.uint8)
    truth = body(1, 100.4, 20.2, frames[1], points=26, step=20.0)
    halpe = RtmPose(files(nets, "rtmdet.onnx", "pose26.onnx"), threads=1)
    assert halpe.keypoint_names == HALPE_26.joints
    found = detect_all(halpe, frames)
    assert [len(frame) for frame in found] == [0, 1, 0]
    np.testing.assert_allclose(found[1].keypoints_px[0], truth, atol=0.7)
    both = RtmPose(files(nets, "rtmo.onnx"), threads=1)
    assert both.keypoint_names == COCO_17.joints
    found = detect_all(both, frames)
    assert [len(frame) for frame in found] == [0, 1, 0]
    np.testing.assert_allclose(found[1].keypoints_px[0], truth[:17], atol=0.9)


def test_followed_crops_ask_the_person_detector_less_often(
    nets: Path,
    film: tuple[np.ndarray, list[np.ndarray | None]],
    detect_all: Detect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frames, truth = film
    asked: list[int] = []
    real = PersonBoxes.find

    def count(self: PersonBoxes, some: list[np.ndarray], least: float) -> object:
        asked.extend(next(i for i, f in enumerate(frames) if f is s or np.array_equal(f, s)) for s in some)
        return real(self, some, least)

    monkeypatch.setattr(PersonBoxes, "find", count)
    detector = RtmPose(files(nets, "yolox.onnx", "pose17.onnx"), threads=1, redetect_every=5)
    found = detect_all(detector, frames)
    assert asked == [0, 5, 10, 15]
    for index, (frame, points) in enumerate(zip(found, truth, strict=True)):
        if points is None:
            assert len(frame) == 0  # whoever is gone is not made up
        else:
            np.testing.assert_allclose(frame.keypoints_px[0], points, atol=0.6, err_msg=str(index))
    # The second person is there from frame 3 on and looked for in 5; they are followed to where they end.
    assert [len(frame) for frame in found] == [1, 1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]


def test_two_crops_that_come_to_one_body_are_one_person(nets: Path, detect_all: Detect) -> None:
    """The second box of the first frame holds no body, only the legs of the first."""
    from made_networks import paint

    frames = np.zeros((3, HEIGHT, WIDTH, 3), np.uint8)
    for frame in frames:
        body(0, 40.0, 30.0, frame)
        paint(frame, boxes={1: (30.0, 160.0, 140.0, 180.0)}, points={}, radius=0)
    detector = RtmPose(files(nets, "yolox.onnx", "pose17.onnx"), threads=1, redetect_every=3)
    assert [len(frame) for frame in detect_all(detector, frames)] == [2, 1, 1]


def test_files_and_models_that_are_not_there_are_one_sentence(nets: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no model 'heavy'; choose from halpe26-m") as caught:
        create_detector("rtmpose:heavy", "cpu")
    assert caught.value.reason == "DETECTOR_MODEL_UNKNOWN"
    with pytest.raises(InputError, match="There is no file") as missing:
        create_detector(f"rtmpose:{files(tmp_path, 'a.onnx', 'b.onnx')}", "cpu")
    assert missing.value.reason == "FILE_MISSING"
    for wrong in ("pose17.onnx,yolox.onnx", "yolox.onnx", "pose17.onnx"):
        with pytest.raises(InputError) as unsuitable:
            create_detector(f"rtmpose:{files(nets, *wrong.split(','))}", "cpu")
        assert unsuitable.value.reason == "NETWORK_UNSUITABLE"


def test_without_weights_it_says_how_to_fetch_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSE_DATA_DIR", str(tmp_path))
    with pytest.raises(NotFoundError, match="pose-server models fetch rtmdet-m rtmpose-halpe26-m") as caught:
        create_detector("rtmpose", "cpu")
    assert caught.value.reason == "WEIGHTS_MISSING"
    with pytest.raises(NotFoundError, match="'pose-server models fetch rtmo-s'"):
        create_detector("rtmpose:rtmo-s", "cpu")
    for parts in RTMPOSE_MODELS.values():
        assert all(WEIGHTS[name].used_by == "rtmpose" for name in parts)


@pytest.fixture
def kept(nets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A weights folder with the small model of 17 points, made here and registered as published."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("POSE_DATA_DIR", str(tmp_path))
    for name, made in (("rtmdet-nano", "rtmdet.onnx"), ("rtmpose-body17-s", "pose17.onnx")):
        content = (nets / made).read_bytes()
        (folder / f"{name}.onnx").write_bytes(content)
        known = replace(WEIGHTS[name], sha256=hashlib.sha256(content).hexdigest())
        monkeypatch.setitem(WEIGHTS, name, known)
    return folder


def test_weights_that_are_here_are_found_by_name_and_make_it_auto(
    kept: Path, film: tuple[np.ndarray, list[np.ndarray | None]], detect_all: Detect
) -> None:
    name, why = best_detector()
    assert (name, why) == ("rtmpose", "The detector is rtmpose, the best whose weights are here.")
    detector = create_detector("auto", "cpu")
    assert detector.name == "rtmpose:body17-s"  # the usual model is not here
    assert detector.keypoint_names == COCO_17.joints
    found = detect_all(detector, film[0][:2])
    np.testing.assert_allclose(found[1].keypoints_px[0], film[1][1], atol=0.6)
    status = available_detectors()[0]
    assert {model.name for model in status.models if model.here} == {"body17-s"}
    advice = {model.name: model.advice for model in status.models}
    assert advice["body17-m"] == "pose-server models fetch rtmdet-m rtmpose-body17-m"


def test_weights_that_changed_are_not_loaded(kept: Path, nets: Path) -> None:
    detector = create_detector("rtmpose:body17-s", "cpu")
    (kept / "rtmpose-body17-s.onnx").write_bytes((nets / "pose26.onnx").read_bytes())
    with pytest.raises(DataLossError, match="not the file that its authors published") as caught:
        assert detector.fingerprint
    assert caught.value.reason == "WEIGHTS_CHANGED"


def test_the_fingerprint_tells_whatever_changes_the_numbers(nets: Path) -> None:
    def fingerprint(*names: str, **settings: object) -> str:
        return RtmPose(files(nets, *names), threads=1, **settings).fingerprint

    usual = fingerprint("yolox.onnx", "pose17.onnx")
    assert usual == fingerprint("yolox.onnx", "pose17.onnx", score=0.8)  # for the tracker alone
    others = [
        fingerprint("rtmdet.onnx", "pose17.onnx"),
        fingerprint("yolox.onnx", "pose26.onnx"),
        fingerprint("rtmo.onnx"),
        fingerprint("yolox.onnx", "pose17.onnx", score=0.05),
        fingerprint("yolox.onnx", "pose17.onnx", redetect_every=2),
        fingerprint("yolox.onnx", "pose17.onnx", people_limit=3),
    ]
    assert len({usual, *others}) == 7


def test_auto_says_which_and_why_and_asks_for_nothing_that_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSE_DATA_DIR", str(tmp_path))
    name, why = best_detector()
    assert name == "blazepose"
    assert why.startswith("The detector is blazepose; rtmpose would come first. The weights of rtmdet-m and")
    assert "'pose-server models fetch rtmdet-m rtmpose-halpe26-m'" in why
    monkeypatch.setattr(onnx_network, "find_spec", lambda name: None)
    assert best_detector() == ("blazepose", "The detector is blazepose, the best that is installed.")
