"""Detectron2 as a detector: what it says is what Detectron2's own predictor says."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_keypoint_rcnn import made_picture, write_small_config, write_weights
from pose_server.detect import registry
from pose_server.detect.detectron2 import Detectron2, Detectron2Session
from pose_server.detect.keypoint_rcnn import People, import_detectron2
from pose_server.detect.registry import available_detectors, create_detector
from pose_server.pipeline.boundary import ClipInfo, Detections, FrameBatch
from pose_shared.errors import InputError, LimitError, MissingExtraError, NotFoundError, PoseError

DetectAll = Callable[..., list[Detections]]
CLIP = ClipInfo(Path("made"), 64, 48, Fraction(25), 9, 0, 0.0, 0, Fraction(1), "")


class Counter:
    """A network that sees as many people as a frame's first value says, and takes so many frames at once."""

    def __init__(self, room: int = 99) -> None:
        self.room = room
        self.groups: list[int] = []
        self.threads: set[str] = set()

    def prepare(self, frame: np.ndarray) -> Mapping[str, Any]:
        self.threads.add(threading.current_thread().name)
        return {"count": int(frame[0, 0, 0])}

    def look(self, prepared: Sequence[Mapping[str, Any]]) -> list[People]:
        if len(prepared) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.groups.append(len(prepared))
        return [
            People(np.ones((n, 4), "f4"), np.ones(n, "f4"), np.ones((n, 17, 2), "f4"), np.ones((n, 17), "f4"))
            for n in (frame["count"] for frame in prepared)
        ]


def numbered(count: int) -> np.ndarray:
    frames = np.zeros((count, 4, 4, 3), np.uint8)
    frames[:, 0, 0, 0] = np.arange(count)
    return frames


def fed(session: Detectron2Session, count: int, batch: int) -> list[list[Detections]]:
    """What came back after each frame, with what was left at the end last; batches as one step."""
    frames, settled = numbered(count), []
    with session:
        for start in range(0, count, batch):
            part = slice(start, start + batch)
            indices = np.arange(count)[part]
            settled.append(session.detect(FrameBatch(frames[part], indices, indices / 25)))
        settled.append(session.finish())
    return settled


@pytest.mark.parametrize("at_once", [1, 2, 3, 8])
@pytest.mark.parametrize("batch", [1, 4, 9])
def test_every_frame_comes_once_in_order_and_late_by_what_is_prepared(at_once: int, batch: int) -> None:
    network = Counter()
    steps = fed(Detectron2Session(network, at_once), 13, batch)
    assert [(d.index, d.time_s, len(d)) for step in steps for d in step] == [
        (i, pytest.approx(i / 25), i) for i in range(13)
    ]
    given = settled = 0
    for step in steps[:-1]:
        given, settled = min(13, given + batch), settled + len(step)
        # Depends on the frames alone: one group is computed while the next is being prepared.
        assert settled == max(0, given // at_once - 1) * at_once
    assert max(network.groups) == at_once
    assert all(name.startswith("prepare") for name in network.threads)
    assert np.isnan(steps[-1][-1].landmarks_m).all()


def test_full_memory_halves_the_groups_and_loses_no_frame() -> None:
    network = Counter(room=3)
    steps = fed(Detectron2Session(network, 8), 20, 5)
    assert [len(d) for step in steps for d in step] == list(range(20))
    assert network.groups == [2] * 10


def test_memory_for_not_one_frame_says_what_to_do() -> None:
    with pytest.raises(LimitError, match=r"GPU's memory .*--device cpu") as error:
        fed(Detectron2Session(Counter(room=0), 4), 8, 8)
    assert error.value.reason == "GPU_MEMORY_FULL"


def test_a_session_that_is_left_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    with pytest.raises(KeyError), Detectron2Session(Counter(), 2) as session:
        session.detect(FrameBatch(numbered(7), np.arange(7), np.arange(7) / 25))
        raise KeyError
    assert threading.active_count() == before


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pose_server.detect.keypoint_rcnn_files.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"torchvision==0\.28\.0.*--no-build-isolation") as error:
        create_detector("detectron2", "cpu")
    assert error.value.reason == "DETECTRON2_MISSING"
    assert "pip install" in {s.name: s for s in available_detectors()}["detectron2"].advice


def test_a_package_that_does_not_start_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name.startswith("detectron2"):
                raise RuntimeError("operator torchvision::nms does not exist\nand more")

    for name in [name for name in sys.modules if name.startswith("detectron2")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(MissingExtraError, match=r"torchvision::nms does not exist and more\); install them"):
        import_detectron2()


def test_it_is_never_chosen_by_itself_because_it_takes_seconds_on_a_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    everything = {name: (lambda *_: None, "") for name in registry._DETECTORS}
    monkeypatch.setattr(registry, "_DETECTORS", {**everything, "rtmpose": registry._DETECTORS["rtmpose"]})
    monkeypatch.setattr("pose_server.detect.onnx_network.find_spec", lambda name: None)
    assert registry.best_detector()[0] == "blazepose"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    pytest.importorskip("detectron2")
    folder = tmp_path_factory.mktemp("small")
    config = write_small_config(folder)
    return config, write_weights(config, folder / "random.pth")


def chosen(config: Path, weights: Path) -> str:
    return f"detectron2:{config},{weights}"


@pytest.fixture(scope="module")
def predictor(files: tuple[Path, Path]) -> Iterator[Any]:
    from detectron2.config import get_cfg
    from detectron2.engine import DefaultPredictor

    settings = get_cfg()
    settings.merge_from_file(str(files[0]))
    settings.MODEL.WEIGHTS = str(files[1])
    settings.MODEL.DEVICE = "cpu"
    settings.MODEL.ROI_HEADS.SCORE_THRESH_TEST = 0.3
    return DefaultPredictor(settings)


@pytest.mark.detectron2
@pytest.mark.parametrize(
    ("size", "at_once"),
    [((240, 320), 1), ((400, 225), 3), ((120, 900), 2), ((160, 213), 3)],
    ids=["wide", "tall", "long", "as trained"],
)
def test_it_says_what_the_predictor_says(
    size: tuple[int, int], at_once: int, files: tuple[Path, Path], predictor: Any, detect_all: DetectAll,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    detector = create_detector(chosen(*files), "cpu")
    monkeypatch.setattr("pose_server.detect.keypoint_rcnn.KeypointRcnn.frames_at_once", lambda *_: at_once)
    frames = np.array([made_picture(*size, seed=seed) for seed in range(3)])
    found = detect_all(detector, frames, batch=2)
    assert [frame.index for frame in found] == [0, 1, 2]
    counts = set()
    for frame, mine in zip(frames, found, strict=True):
        own = predictor(np.ascontiguousarray(frame[..., ::-1]))["instances"]
        assert len(own) == len(mine)
        counts.add(len(own))
        np.testing.assert_allclose(mine.boxes_px, own.pred_boxes.tensor.numpy(), atol=1e-3)
        np.testing.assert_allclose(mine.scores, own.scores.numpy(), atol=1e-5)
        np.testing.assert_allclose(mine.keypoints_px, own.pred_keypoints[..., :2].numpy(), atol=1e-3)
        assert ((mine.keypoint_confidence >= 0) & (mine.keypoint_confidence <= 1)).all()
    assert max(counts) > 3, "nothing would be compared"


@pytest.mark.detectron2
def test_the_zoos_pickles_give_what_a_training_s_file_gives(
    files: tuple[Path, Path], tmp_path: Path, detect_all: DetectAll
) -> None:
    pickled = write_weights(files[0], tmp_path / "model_final.pkl")
    frames = made_picture(200, 300)[None]
    (one,) = detect_all(create_detector(chosen(*files), "cpu"), frames)
    (other,) = detect_all(create_detector(chosen(files[0], pickled), "cpu"), frames)
    assert len(one) > 3
    np.testing.assert_array_equal(one.keypoints_px, other.keypoints_px)


@pytest.mark.detectron2
def test_a_score_decides_who_is_sure_and_the_less_sure_are_told_too(
    files: tuple[Path, Path], tmp_path: Path, detect_all: DetectAll
) -> None:
    mixed = chosen(files[0], write_weights(files[0], tmp_path / "mixed.pth", sureness=16, doubt=5.5))
    usual, strict, lax = (create_detector(mixed, "cpu", score=score) for score in (None, 0.9, 0.1))
    assert (usual.sure_score, strict.sure_score, lax.sure_score) == (0.7, 0.9, 0.1)
    assert len({usual.fingerprint, strict.fingerprint, lax.fingerprint}) == 3
    frames = made_picture(160, 224)[None]
    (seen,), (more,) = detect_all(usual, frames), detect_all(lax, frames)
    assert 0.3 < seen.scores.min() < 0.7 < seen.scores.max()
    assert 0.1 < more.scores.min() < 0.3
    # Whoever is less sure takes nothing from the others.
    np.testing.assert_array_equal(more.boxes_px[: len(seen)], seen.boxes_px)


@pytest.mark.detectron2
def test_points_keep_their_places_in_half_precision(files: tuple[Path, Path]) -> None:
    from pose_server.detect.keypoint_rcnn import KeypointRcnn
    from pose_server.detect.keypoint_rcnn_files import chosen_files

    where = chosen_files(f"{files[0]},{files[1]}")
    frame = made_picture(160, 240).repeat(12, axis=0).repeat(12, axis=1)
    whole, half = (KeypointRcnn(where, "cpu", 0.3, half=half) for half in (False, True))
    (full,), (rough,) = (network.look([network.prepare(frame)]) for network in (whole, half))
    assert len(rough.scores) > 3
    # Numbers of eight or eleven bits would be multiples of more than a pixel at this size.
    assert len(np.unique(rough.keypoints_px[rough.keypoints_px > 1000] % 1)) > 20
    assert not np.array_equal(full.scores, rough.scores)
    np.testing.assert_allclose(rough.scores[:10], full.scores[:10], atol=0.15)


@pytest.mark.detectron2
@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (2, 900)])
def test_pictures_of_any_shape(
    shape: tuple[int, int], files: tuple[Path, Path], detect_all: DetectAll
) -> None:
    found = detect_all(create_detector(chosen(*files), "cpu"), np.zeros((2, *shape, 3), np.uint8))
    assert len(found) == 2
    assert found[0].keypoints_px.shape[1:] == (17, 2)


@pytest.mark.detectron2
def test_registered_weights_are_held_against_what_is_known_of_them(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSE_DATA_DIR", str(tmp_path / "data"))
    with pytest.raises(NotFoundError, match="pose-server models fetch keypoint_rcnn_R_101_FPN_3x"):
        create_detector("detectron2:keypoint_rcnn_R_101_FPN_3x", "cpu")
    monkeypatch.setenv("POSE_WEIGHTS_DIR", str(tmp_path))
    (tmp_path / "keypoint_rcnn_R_50_FPN_3x.pkl").write_bytes(b"not the zoo's")
    detector = Detectron2()
    assert (detector.name, detector.sure_score) == ("detectron2", 0.7)
    with pytest.raises(PoseError, match="is not the file that its authors published"):
        detector.session(CLIP)


@pytest.mark.detectron2
def test_what_is_missing_is_said_before_anything_is_loaded(files: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match=r"There is no file .*nothing.pth"):
        create_detector(chosen(files[0], Path("nothing.pth")), "cpu")
    with pytest.raises(InputError, match=r"There is no model 'mask_rcnn'.*R_50_FPN_3x, .*config.yaml"):
        create_detector("detectron2:mask_rcnn", "cpu")
