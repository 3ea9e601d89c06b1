from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pose_server.detect.onnx_network import OnnxNetwork
from pose_server.detect.simcc import Crop, PosePoints
from pose_shared.errors import InputError
from pose_shared.skeleton import COCO_17, HALPE_26


def opened(path: Path) -> PosePoints:
    return PosePoints(OnnxNetwork(path, device="cpu", threads=1, usual_size=(192, 256)))


def slow_crop(frame: np.ndarray, box: np.ndarray, width: int, height: int) -> np.ndarray:
    """What MMPose cuts, pixel by pixel: the box grown by a quarter and to the input's shape, bilinear."""
    wide, high = 1.25 * (box[2] - box[0]), 1.25 * (box[3] - box[1])
    wide, high = max(wide, high * width / height), max(high, wide * height / width)
    middle = (box[0] + box[2]) / 2 - 0.5, (box[1] + box[3]) / 2 - 0.5
    cut = np.zeros((height, width, 3))
    for v in range(height):
        for u in range(width):
            x = (u - width / 2) * wide / width + middle[0]
            y = (v - height / 2) * high / height + middle[1]
            left, top = int(np.floor(x)), int(np.floor(y))
            for row, share_y in ((top, 1 - (y - top)), (top + 1, y - top)):
                for column, share_x in ((left, 1 - (x - left)), (left + 1, x - left)):
                    if 0 <= row < frame.shape[0] and 0 <= column < frame.shape[1]:
                        cut[v, u] += share_x * share_y * frame[row, column]
    return cut


@pytest.mark.parametrize("box", [(10.2, 20.7, 40.9, 80.1), (-15.5, 30.0, 30.5, 60.0), (0.0, 0.0, 99.0, 40.0)])
def test_a_crop_is_what_mmpose_cuts(box: tuple[float, ...]) -> None:
    random = np.random.default_rng(5)
    frame = np.kron(random.integers(0, 255, (12, 13, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    crop = Crop.around(np.array(box), 24, 32).cut(frame).astype(float)
    expected = slow_crop(frame, np.array(box), 24, 32)
    # OpenCV rounds places to a 32nd of a pixel.
    assert np.abs(crop - expected).max() <= 255 / 32 + 1
    assert np.abs(crop - expected).mean() < 1


@pytest.mark.onnx
@pytest.mark.parametrize(("joints", "batch"), [(COCO_17, "batch"), (HALPE_26, "batch"), (COCO_17, 1)])
def test_points_come_back_to_where_they_were_painted(tmp_path: Path, joints: object, batch: object) -> None:
    from made_networks import CONFIDENCE, made_pose, paint

    points = opened(made_pose(tmp_path / "pose.onnx", points=len(joints), batch=batch))
    assert points.joints is joints
    random = np.random.default_rng(3)
    frames, boxes, truth = [], [], []
    for size, radius in ((70, 2.0), (160, 3.5), (230, 5.0), (40, 1.5)):
        frame = np.zeros((260, 300, 3), np.uint8)
        left, top = random.uniform(5, 25, 2)
        places = {}
        for k in range(len(joints)):
            x, y = (k % 4 + 0.5) / 4, (k // 4 + 0.5) / 7
            places[k] = (
                left + x * size * 0.75 + random.uniform(-0.5, 0.5),
                top + y * size + random.uniform(-0.5, 0.5),
            )
        paint(frame, boxes={}, points=places, radius=radius)
        frames.append(frame)
        boxes.append(np.array([left, top, left + 0.75 * size, top + size]))
        truth.append([places[k] for k in range(len(joints))])
    found, confidence = points.read(frames, boxes)
    off = (found - np.array(truth)) / np.array([1.25 * (b[3] - b[1]) / 256 for b in boxes])[:, None, None]
    # In pixels of the input, of which a bin is half: no side is favoured, and no point is far off.
    assert np.abs(off.mean(axis=(1, 2))).max() < 0.15
    assert np.abs(off).max() < 1.5
    assert (confidence > CONFIDENCE - 0.01).all()
    alone = [points.read([frame], [box]) for frame, box in zip(frames, boxes, strict=True)]
    np.testing.assert_allclose(found, np.concatenate([some for some, _ in alone]), atol=0.5)


@pytest.mark.onnx
def test_a_point_that_is_not_seen_is_missing(tmp_path: Path) -> None:
    from made_networks import made_pose, paint

    points = opened(made_pose(tmp_path / "pose.onnx"))
    frame = np.zeros((100, 100, 3), np.uint8)
    paint(frame, boxes={}, points={3: (50.0, 50.0)}, radius=3)
    found, confidence = points.read([frame], [np.array([20.0, 10.0, 80.0, 90.0])])
    seen = confidence[0] > 0
    assert seen.tolist() == [k == 3 for k in range(17)]
    assert np.isnan(found[0, ~seen]).all()
    np.testing.assert_allclose(found[0, 3], (50, 50), atol=0.2)
    none, nobody = points.read([], [])
    assert none.shape == (0, 17, 2)
    assert nobody.shape == (0, 17)


@pytest.mark.onnx
def test_another_network_is_refused_with_what_it_gives(tmp_path: Path) -> None:
    from made_networks import made_persons, made_pose

    made_persons(tmp_path / "persons.onnx")
    made_pose(tmp_path / "hand.onnx", points=21)
    for name, gives in (("persons", "dets"), ("hand", r"simcc_x \(21, 384\)")):
        with pytest.raises(InputError, match=rf"{name}\.onnx is no RTMPose of 17 or 26 points.*{gives}"):
            opened(tmp_path / f"{name}.onnx")
