from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from pose_server.detect.onnx_network import OnnxNetwork
from pose_server.detect.person_boxes import PersonBoxes, kept
from pose_shared.errors import InputError

pytestmark = pytest.mark.onnx

BOXES = {0: (20.0, 30.0, 80.0, 200.0), 1: (120.0, 10.0, 180.0, 150.0), 2: (200.0, 60.0, 250.0, 220.0)}


def opened(path: Path) -> PersonBoxes:
    return PersonBoxes(OnnxNetwork(path, device="cpu", threads=1, usual_size=(320, 320)))


def painted(boxes: dict[int, tuple[float, ...]], width: int = 400, height: int = 240) -> np.ndarray:
    from made_networks import paint

    frame = np.zeros((height, width, 3), np.uint8)
    paint(frame, boxes=boxes, points={}, radius=0)
    return frame


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("yolox.onnx", {}),
        ("yolox.onnx", {"batch": 1}),
        ("yolox.onnx", {"size": "any"}),
        ("MyRTMDet-m.onnx", {"rtmdet": True, "batch": 1}),
    ],
)
def test_people_are_found_where_they_are(tmp_path: Path, name: str, options: dict[str, object]) -> None:
    from made_networks import PERSON_SCORES, made_persons

    persons = opened(made_persons(tmp_path / name, **options))
    frames = [painted(BOXES), painted({}), painted({1: BOXES[1]}), painted({0: BOXES[0]}, 333, 517)]
    found = persons.find(frames, 0.1)
    assert [len(boxes) for boxes, _ in found] == [3, 0, 1, 1]
    np.testing.assert_allclose(found[0][0], list(BOXES.values()), atol=1.3)  # one pixel of the input
    np.testing.assert_allclose(found[0][1], PERSON_SCORES)
    np.testing.assert_allclose(found[2][0], [BOXES[1]], atol=1.3)
    np.testing.assert_allclose(found[3][0], [BOXES[0]], atol=1.7)
    assert [len(boxes) for boxes, _ in persons.find(frames, 0.4)] == [2, 0, 1, 1]


def test_only_people_are_taken(tmp_path: Path) -> None:
    """Of the 80 classes of COCO a person is the first; -1 is what MMDeploy fills up with."""
    from made_networks import PERSON_SCORES, made_persons

    persons = opened(made_persons(tmp_path / "yolox.onnx", labels=(16, 0, -1)))
    ((boxes, scores),) = persons.find([painted(BOXES)], 0.1)
    np.testing.assert_allclose(boxes, [BOXES[1]], atol=1.3)
    np.testing.assert_allclose(scores, PERSON_SCORES[1:2])


def test_the_name_says_which_colours_a_network_was_shown(tmp_path: Path) -> None:
    from made_networks import made_persons

    persons = opened(made_persons(tmp_path / "yolox.onnx", rtmdet=True))
    assert [len(boxes) for boxes, _ in persons.find([painted(BOXES)], 0.1)] == [0]


def slow_raw(rows: np.ndarray, side: int, least: float) -> list[tuple[float, ...]]:
    """YOLOX's own decoding and suppression, one box at a time."""
    boxes, index = [], 0
    for stride in (8, 16, 32):
        for row, column in itertools.product(range(side // stride), range(side // stride)):
            x, y = (rows[index, 0] + column) * stride, (rows[index, 1] + row) * stride
            wide, high = math.exp(rows[index, 2]) * stride, math.exp(rows[index, 3]) * stride
            score = float(rows[index, 4] * rows[index, 5])
            if score >= least:
                boxes.append((score, x - wide / 2, y - high / 2, x + wide / 2, y + high / 2))
            index += 1
    boxes.sort(key=lambda box: -box[0])
    stay: list[tuple[float, ...]] = []
    for box in boxes:
        if all(union_share(box[1:], other[1:]) <= 0.45 for other in stay):
            stay.append(box)
    return stay


def union_share(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    wide = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    high = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    area = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return wide * high / (sum(area) - wide * high)


@pytest.mark.parametrize("classes", [1, 80])
def test_the_raw_export_is_decoded_as_its_authors_do(tmp_path: Path, classes: int) -> None:
    from made_networks import made_raw

    random = np.random.default_rng(classes)
    rows = random.normal(0, 0.7, (64 + 16 + 4, 5 + classes)).astype(np.float32)
    rows[:, 4:] = random.uniform(0, 1, rows[:, 4:].shape)
    persons = opened(made_raw(tmp_path / "yolox_l.onnx", rows))
    ((boxes, scores),) = persons.find([np.zeros((32, 64, 3), np.uint8)], 0.2)
    expected = np.array(slow_raw(rows, 64, 0.2))
    assert 5 < len(expected) < 60
    np.testing.assert_allclose(scores, expected[:, 0], rtol=1e-5)
    np.testing.assert_allclose(boxes, expected[:, 1:], rtol=1e-4, atol=1e-4)  # the scale is 1 here


def test_of_boxes_on_one_place_the_surest_stays() -> None:
    random = np.random.default_rng(2)
    corners = random.uniform(0, 60, (200, 2))
    boxes = np.concatenate((corners, corners + random.uniform(5, 60, (200, 2))), axis=1)
    scores = random.uniform(0, 1, 200)
    stay: list[int] = []
    for index in sorted(range(200), key=lambda i: -scores[i]):
        if all(union_share(tuple(boxes[index]), tuple(boxes[other])) <= 0.45 for other in stay):
            stay.append(index)
    assert kept(boxes, scores, 0.45) == stay
    assert kept(np.zeros((0, 4)), np.zeros(0), 0.45) == []


def test_boxes_that_cannot_hold_anybody_are_dropped(tmp_path: Path) -> None:
    from made_networks import made_raw

    rows = np.zeros((84, 6), np.float32)
    rows[:4, 4:] = 1
    rows[0, 2], rows[1, 3], rows[2, 0] = -20, 200, np.nan  # flat, endless, nowhere
    persons = opened(made_raw(tmp_path / "yolox_s.onnx", rows))
    ((boxes, _),) = persons.find([np.zeros((64, 64, 3), np.uint8)], 0.5)
    np.testing.assert_allclose(boxes, [[20, -4, 28, 4]])


def test_another_network_is_refused_with_what_it_gives(tmp_path: Path) -> None:
    from made_networks import made_one_stage, made_pose, made_raw

    made_pose(tmp_path / "pose.onnx")
    made_one_stage(tmp_path / "rtmo.onnx")
    made_raw(tmp_path / "half.onnx", np.zeros((50, 85), np.float32))
    for name, gives in (("pose", "simcc_x"), ("rtmo", "keypoints"), ("half", "output")):
        with pytest.raises(InputError, match=rf"{name}\.onnx is no person detector.*{gives}") as caught:
            opened(tmp_path / f"{name}.onnx")
        assert caught.value.reason == "NETWORK_UNSUITABLE"
