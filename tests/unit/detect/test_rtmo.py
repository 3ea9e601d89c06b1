from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pose_server.detect.onnx_network import OnnxNetwork
from pose_server.detect.rtmo import OneStage
from pose_shared.errors import InputError

pytestmark = pytest.mark.onnx


def opened(path: Path) -> OneStage:
    return OneStage(OnnxNetwork(path, device="cpu", threads=1, usual_size=(640, 640)))


@pytest.mark.parametrize("batch", ["batch", 1])
@pytest.mark.parametrize("size", [(640, 360), (333, 517), (160, 100)])
def test_people_and_their_points_are_found_where_they_are(
    tmp_path: Path, size: tuple[int, int], batch: object
) -> None:
    from made_networks import made_one_stage, paint

    points = opened(made_one_stage(tmp_path / "rtmo.onnx", batch=batch))
    random = np.random.default_rng(1)
    scale = 320 / max(size)
    places = {
        k: (
            (k % 5 + random.uniform(0.9, 1.1)) * size[0] / 7,
            (k // 5 + random.uniform(0.9, 1.1)) * size[1] / 6,
        )
        for k in range(17)
    }
    frame = np.zeros((size[1], size[0], 3), np.uint8)
    paint(frame, boxes={}, points=places, radius=4 / scale)
    empty, (boxes, scores, found, confidence) = points.find([np.zeros_like(frame), frame], 0.1)
    assert [len(part) for part in empty] == [0, 0, 0, 0]
    np.testing.assert_allclose(scores, [0.8])
    truth = np.array([places[k] for k in range(17)])
    off = (found[0] - truth) * scale
    assert np.abs(off.mean(axis=0)).max() < 0.15  # pixels of the input
    assert np.abs(off).max() < 0.6
    np.testing.assert_allclose(confidence, 0.9)
    np.testing.assert_allclose(boxes[0], [*truth.min(axis=0), *truth.max(axis=0)], atol=1.1 / scale)


def test_whoever_is_unsure_is_reported_when_asked_for(tmp_path: Path) -> None:
    from made_networks import made_one_stage, paint

    points = opened(made_one_stage(tmp_path / "rtmo.onnx"))
    frame = np.zeros((100, 100, 3), np.uint8)
    paint(
        frame, boxes={}, points={k: (20.0 + 15 * (k % 5), 20.0 + 15 * (k // 5)) for k in range(17)}, radius=3
    )
    ((_, scores, _, _),) = points.find([frame], 0.04)
    np.testing.assert_allclose(scores, [0.8, 0.05])


def test_a_point_that_is_not_seen_is_missing(tmp_path: Path) -> None:
    from made_networks import made_one_stage, paint

    points = opened(made_one_stage(tmp_path / "rtmo.onnx"))
    frame = np.zeros((320, 320, 3), np.uint8)
    paint(frame, boxes={}, points={4: (50.0, 60.0)}, radius=4)
    ((_, _, found, confidence),) = points.find([frame], 0.1)
    seen = confidence[0] > 0
    assert seen.tolist() == [k == 4 for k in range(17)]
    assert np.isnan(found[0, ~seen]).all()
    np.testing.assert_allclose(found[0, 4], (50, 60), atol=0.3)


def test_another_network_is_refused_with_what_it_gives(tmp_path: Path) -> None:
    from made_networks import made_persons

    made_persons(tmp_path / "persons.onnx")
    with pytest.raises(InputError, match=r"persons\.onnx is no RTMO of 17 points.*labels"):
        opened(tmp_path / "persons.onnx")
