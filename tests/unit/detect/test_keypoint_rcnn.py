"""Files of others are read without running anything, and a point's confidence is what it says."""

from __future__ import annotations

import math
import pickle
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_keypoint_rcnn import SMALL, write_small_config, write_weights
from pose_server.detect.keypoint_rcnn import KeypointRcnn, expected_similarity
from pose_server.detect.keypoint_rcnn_files import (
    ZOO_MODELS,
    KeypointRcnnFiles,
    chosen_files,
    read_config,
    read_weights,
)
from pose_server.weights.registry import WEIGHTS
from pose_shared.errors import InputError

#: COCO's own numbers, times 1000, as published for its evaluation.
SIGMAS = [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]


def test_confidence_is_the_expected_similarity_cell_by_cell() -> None:
    rng = np.random.default_rng(1)
    heatmaps = rng.normal(scale=3, size=(2, 17, 6, 6))
    boxes = np.array([[10.0, 20.0, 70.0, 200.0], [300.0, 5.0, 340.0, 50.0]])
    points = boxes[:, None, :2] + rng.random((2, 17, 2)) * (boxes[:, 2:] - boxes[:, :2])[:, None]
    found = expected_similarity(*(torch.tensor(a, dtype=torch.float32) for a in (heatmaps, boxes, points)))
    for p in range(2):
        left, top, right, bottom = boxes[p]
        area = 0.53 * (right - left) * (bottom - top)
        for k in range(17):
            total = sum(math.exp(value) for value in heatmaps[p, k].ravel())
            expected = 0.0
            for row in range(6):
                for column in range(6):
                    x, y = left + (column + 0.5) / 6 * (right - left), top + (row + 0.5) / 6 * (bottom - top)
                    d2 = (x - points[p, k, 0]) ** 2 + (y - points[p, k, 1]) ** 2
                    similarity = math.exp(-d2 / (2 * area * (2 * SIGMAS[k] / 1000) ** 2))
                    expected += math.exp(heatmaps[p, k, row, column]) / total * similarity
            assert found[p, k] == pytest.approx(expected, abs=1e-5)


def test_confidence_is_high_where_the_network_is_sure_and_low_where_it_is_not() -> None:
    heatmaps = torch.zeros(1, 17, 56, 56)
    boxes = torch.tensor([[0.0, 0.0, 200.0, 500.0]])
    middle = (torch.tensor([[[28.5, 28.5]]]) / 56 * boxes[:, None, 2:]).expand(1, 17, 2)
    unsure = expected_similarity(heatmaps, boxes, middle)
    assert unsure.max() < 0.15
    # Spread over four cells, as a clear hip's is: the largest chance of one cell is a quarter.
    heatmaps[..., 28:30, 28:30] = 20.0
    sure = expected_similarity(heatmaps, boxes, middle)
    assert sure[0, 11:].min() > 0.95
    # People agree on eyes much better than on hips, so the same spread says less.
    assert sure[0, 1] < sure[0, 11]


def test_the_zoos_names_are_those_of_the_registered_weights(tmp_path: Path) -> None:
    assert set(ZOO_MODELS) == {w.name for w in WEIGHTS.values() if w.used_by == "detectron2"}


def test_two_files_are_a_model_and_folders_are_not_in_its_name(tmp_path: Path) -> None:
    config, weights = tmp_path / "mine.yaml", tmp_path / "mine.pth"
    config.write_text("VERSION: 2")
    weights.write_bytes(b"x")
    files = chosen_files(f"{config}, {weights}")
    assert files == KeypointRcnnFiles("mine.yaml,mine.pth", config, weights, registered=False)
    assert files.checked() == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"


@pytest.mark.parametrize("model", ["R_50", "a.yaml", "a.yaml,b.pkl,c.pkl"])
def test_what_is_no_model_is_refused_with_those_there_are(model: str) -> None:
    with pytest.raises(InputError, match=r"no model '.*' of Detectron2.*keypoint_rcnn_R_50_FPN_3x") as error:
        chosen_files(model)
    assert error.value.reason == "DETECTOR_MODEL_UNKNOWN"


def test_a_configuration_that_is_a_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text("raise SystemExit")
    (tmp_path / "w.pkl").write_bytes(b"")
    with pytest.raises(InputError, match="a program is never run here") as error:
        chosen_files(f"{tmp_path / 'config.py'},{tmp_path / 'w.pkl'}")
    assert error.value.reason == "DETECTOR_CONFIG_IS_CODE"


@pytest.mark.parametrize(
    "content",
    [
        {"model": {"w": np.array(["text"])}},
        {"model": {"w": np.array([1.0, np.nan], np.float32)}},
        {"model": {"w": np.array([1.0, -np.inf], np.float32)}},
    ],
)
def test_weights_that_are_no_numbers_are_refused(content: Any, tmp_path: Path) -> None:
    (tmp_path / "w.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(InputError, match=r"w.pkl holds weights that are not numbers") as error:
        read_weights(tmp_path / "w.pkl")
    assert error.value.reason == "CHECKPOINT_NOT_FINITE"


@pytest.mark.parametrize(
    "content", [7, [1], {"model": 3}, {"model": {1: np.zeros(2)}}, {"blobs": {"w": "x"}}]
)
def test_files_without_weights_by_name_are_refused(content: Any, tmp_path: Path) -> None:
    (tmp_path / "w.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(InputError, match=r"w.pkl holds no weights of Detectron2") as error:
        read_weights(tmp_path / "w.pkl")
    assert error.value.reason == "CHECKPOINT_SHAPE"


yaml = pytest.mark.detectron2


@yaml
def test_a_configuration_goes_over_those_that_it_is_based_on(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "base.yaml").write_text("MODEL: {A: 1, B: {C: 2, D: 3}}\nLIST: [1, 2]")
    (tmp_path / "middle.yaml").write_text("_BASE_: below/base.yaml\nMODEL: {B: {C: 5}}")
    (tmp_path / "top.yaml").write_text("_BASE_: middle.yaml\nLIST: [3]\nMORE: yes")
    assert read_config(tmp_path / "top.yaml") == {
        "MODEL": {"A": 1, "B": {"C": 5, "D": 3}},
        "LIST": [3],
        "MORE": True,
    }


@yaml
@pytest.mark.parametrize(
    "text",
    [
        "A: !!python/object/apply:os.system [touch was_run]",
        "A: !!python/tuple [1, 2]",
        "_BASE_: https://example.org/base.yaml",
        "_BASE_: [a.yaml]",
        "_BASE_: hostile.yaml",
        "_BASE_: /dev/zero",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]",
        "[1, 2]",
        "A: [",
        "",
        "A: " + "[" * 100_000,
        "A: '" + "x" * (1 << 20) + "'",
        "A: \x00",
    ],
)
def test_hostile_configurations_are_one_sentence(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hostile.yaml").write_text(text)
    with pytest.raises(
        InputError, match=r"^(hostile.yaml|zero) is no plain configuration of Detectron2"
    ) as error:
        read_config(tmp_path / "hostile.yaml")
    assert error.value.reason == "DETECTOR_CONFIG_DAMAGED"
    assert not (tmp_path / "was_run").exists()


@yaml
def test_a_base_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "top.yaml").write_text("_BASE_: ../gone.yaml")
    with pytest.raises(InputError, match=r"There is no file .*gone.yaml"):
        read_config(tmp_path / "top.yaml")


def loaded(folder: Path, text: str, weights: Path) -> KeypointRcnn:
    (folder / "mine.yaml").write_text(text)
    files = KeypointRcnnFiles("mine", folder / "mine.yaml", weights, registered=False)
    return KeypointRcnn(files, "cpu", 0.3)


@pytest.mark.detectron2
@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("KEYPOINT_ON: true", "MASK_ON: true", "KEYPOINT_ON is false"),
        ("NUM_CLASSES: 1,", "NUM_CLASSES: 80,", "it knows 80 classes"),
        ("{CONV_DIMS: [64, 64]}", "{NUM_KEYPOINTS: 5}", "it has 5 points"),
        ("VERSION: 2", "VERSION: 1", "it is of version 1, not 2"),
        ("GeneralizedRCNN", "RetinaNet", "it is a RetinaNet"),
        ("VERSION: 2", "NO_SUCH_NAME: 2", "NO_SUCH_NAME"),
        ("FC_DIM: 64", "FC_DIM: many", "1024 vs. many"),
        ("build_resnet_fpn_backbone", "build_something", "build_something"),
        ("DEPTH: 50", "DEPTH: 51", "51"),
    ],
)
def test_configurations_of_other_networks_are_refused(old: str, new: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "w.pkl").write_bytes(pickle.dumps({"model": {"w": np.zeros(2)}}))
    assert old in SMALL
    with pytest.raises(InputError, match=why) as error:
        loaded(tmp_path, SMALL.replace(old, new), tmp_path / "w.pkl")
    assert error.value.reason == "DETECTOR_CONFIG_UNSUITABLE"


@pytest.fixture(scope="module")
def arrays(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("arrays")
    written = write_weights(write_small_config(folder), folder / "w.pkl")
    content: dict[str, np.ndarray] = pickle.loads(written.read_bytes())["model"]
    return content


def renamed(arrays: dict[str, np.ndarray]) -> None:
    arrays["bottom_up.conv1"] = arrays.pop("backbone.bottom_up.stem.conv1.weight")


def turned(arrays: dict[str, np.ndarray]) -> None:
    name = "roi_heads.box_head.fc1.weight"
    arrays[name] = arrays[name].T


@pytest.mark.detectron2
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (renamed, r"lacks backbone.bottom_up.stem.conv1.weight\)"),
        (turned, r"has in another size roi_heads.box_head.fc1.weight\)"),
        (lambda a: a.update(x=np.zeros(1), y=np.zeros(1)), r"also has x and 1 more\)"),
        (dict.clear, r"lacks backbone\S+ and \d+ more\)"),
    ],
    ids=["renamed", "turned", "more", "none"],
)
def test_weights_of_other_networks_are_refused(
    change: Callable[[dict[str, np.ndarray]], object],
    told: str,
    arrays: dict[str, np.ndarray],
    tmp_path: Path,
) -> None:
    changed = dict(arrays)
    change(changed)
    (tmp_path / "w.pkl").write_bytes(pickle.dumps({"model": changed}))
    with pytest.raises(InputError, match=told) as error:
        loaded(tmp_path, SMALL, tmp_path / "w.pkl")
    assert error.value.reason == "CHECKPOINT_SHAPE"


@pytest.mark.detectron2
def test_a_gigantic_network_takes_no_memory(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    (tmp_path / "w.pkl").write_bytes(pickle.dumps({"model": arrays}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="has in another size"):
        loaded(tmp_path, SMALL.replace("FC_DIM: 64", "FC_DIM: 1000000"), tmp_path / "w.pkl")
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kb < 1e6, "it would have 50 GB"


@pytest.mark.detectron2
@pytest.mark.parametrize("name", ZOO_MODELS)
def test_the_zoos_own_configurations_are_read_and_built(name: str, tmp_path: Path) -> None:
    import detectron2

    folder = Path(detectron2.__file__).parent / "model_zoo" / "configs" / "COCO-Keypoints"
    config = folder / f"{name}.yaml"
    if name == ZOO_MODELS[0]:
        weights = write_weights(config, tmp_path / "w.pkl")
        network = KeypointRcnn(KeypointRcnnFiles(name, config, weights, registered=False), "cpu", 0.3)
        assert network.prepare(np.zeros((1080, 1920, 3), np.uint8))["image"].shape == (3, 750, 1333)
        assert network.prepare(np.zeros((480, 640, 3), np.uint8))["image"].shape == (3, 800, 1067)
    else:
        (tmp_path / "w.pkl").write_bytes(pickle.dumps({"model": {}}))
        with pytest.raises(InputError, match=r"lacks backbone\S+ and \d+ more"):
            KeypointRcnn(KeypointRcnnFiles(name, config, tmp_path / "w.pkl", registered=False), "cpu", 0.3)
