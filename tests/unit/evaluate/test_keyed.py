from __future__ import annotations

import numpy as np
import pytest
from pose_server.evaluate.keyed import keyed_takes
from pose_server.evaluate.takes import kind_of
from pose_server.train.bodies import BONES
from pose_server.train.motions import RATE_HZ
from pose_shared.skeleton import BODY_31

TAKES = {kind_of(take.name): take.points_m for take in keyed_takes()}


def of(kind: str, point: str) -> np.ndarray:
    return TAKES[kind][:, BODY_31.index(point)]


def middle(kind: str, part: str) -> np.ndarray:
    return (of(kind, f"left_{part}") + of(kind, f"right_{part}")) / 2


@pytest.mark.parametrize("kind", ["crawl", "lie", "stairs"])
def test_a_body_moves_smoothly_on_the_floor(kind: str) -> None:
    points = TAKES[kind]
    assert np.isfinite(points).all() and len(points) > 5 * RATE_HZ
    lengths = np.stack([np.linalg.norm(points[:, a] - points[:, b], axis=1) for a, b in BONES])
    np.testing.assert_allclose(lengths, lengths[:, :1] * np.ones(len(points)), atol=1e-4)
    assert points[..., 1].min() == pytest.approx(0, abs=0.01)
    assert np.linalg.norm(np.diff(points, axis=0), axis=2).max() * RATE_HZ < 5
    # Who faces +z has the left at +x, and toes before heels.
    first = points[0]
    assert first[BODY_31.index("left_hip"), 0] > first[BODY_31.index("right_hip"), 0]


def test_who_crawls_goes_on_hands_and_knees() -> None:
    trunk = middle("crawl", "shoulder") - middle("crawl", "hip")
    assert (np.abs(trunk[:, 1]) < 0.4 * np.linalg.norm(trunk, axis=1)).all()
    assert of("crawl", "nose")[-1, 2] - of("crawl", "nose")[0, 2] > 2
    for side in ("left", "right"):
        knee, wrist = of("crawl", f"{side}_knee"), of("crawl", f"{side}_wrist")
        assert knee[:, 1].min() < 0.06 and np.percentile(knee[:, 1], 90) < 0.2
        for point in (knee, wrist):  # planted nearly half of the time
            speed = np.linalg.norm(np.diff(point, axis=0), axis=1) * RATE_HZ
            assert (speed < 0.15).mean() > 0.35


def test_who_lies_down_is_as_low_as_the_floor_and_gets_up_again() -> None:
    head, hip = of("lie", "nose")[:, 1], middle("lie", "hip")[:, 1]
    assert head[[0, -1]].min() > 1.5
    lying = (head < 0.35) & (hip < 0.25)
    assert lying.sum() > 1.5 * RATE_HZ
    face = of("lie", "nose") - middle("lie", "ear")
    assert (face[lying, 1] > 0.05).any() and (np.abs(face[lying, 1]) < 0.05).any()  # back, then side


def test_stairs_go_up_and_down_on_planted_feet() -> None:
    hip = middle("stairs", "hip")[:, 1]
    assert hip.max() - hip[0] > 0.7 and abs(hip[-1] - hip[0]) < 0.15
    for side in ("left", "right"):
        for point in ("heel", "big_toe"):
            foot = of("stairs", f"{side}_{point}")
            still = np.linalg.norm(np.diff(foot, axis=0), axis=1) * RATE_HZ < 0.01
            assert still.mean() > 0.45
            level = foot[1:][still][:, 1] - foot[..., 1].min()
            steps = level / 0.17
            np.testing.assert_allclose(steps, np.round(steps), atol=0.06)
            assert len(np.unique(np.round(steps))) >= 3
