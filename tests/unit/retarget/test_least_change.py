from __future__ import annotations

import numpy as np
from pose_server.retarget.least_change import LeastChange


def dense(frames: int, curves: int, asked: list[tuple]) -> np.ndarray:
    """Return the same answer by a plain least-squares solution."""
    rows, right = [], []
    for terms, weights, wanted in asked:
        count = frames - max(after for after, _, _ in terms)
        for t in range(count):
            row = np.zeros((frames, curves))
            for after, curve, factor in terms:
                row[t + after, curve] += factor
            weight = np.sqrt(np.broadcast_to(weights, count)[t])
            rows.append(weight * row.ravel())
            right.append(weight * np.broadcast_to(wanted, count)[t])
    return np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0].reshape(frames, curves)


def test_the_answer_is_that_of_plain_least_squares() -> None:
    rng = np.random.default_rng(0)
    frames = 12
    asked = [
        ([(0, 0, 1.0)], 0.3, rng.normal(size=frames)),
        ([(0, 1, 1.0), (0, 0, -1.0)], rng.uniform(0.5, 2, frames), 0.0),
        ([(0, 2, 1.0), (0, 0, -1.0)], 1.0, rng.normal(size=frames)),
        ([(1, 1, 1.0), (0, 1, -1.0)], rng.uniform(0, 50, frames - 1), rng.normal(size=frames - 1)),
        ([(0, 2, 1.0), (1, 2, -2.0), (2, 2, 1.0), (0, 0, -1.0), (1, 0, 2.0), (2, 0, -1.0)], 7.0, 0.0),
    ]
    found = LeastChange(frames, 3)
    for terms, weights, wanted in asked:
        found.ask(terms, weights, wanted)
    np.testing.assert_allclose(found.answer(), dense(frames, 3, asked), atol=1e-9)


def test_more_may_be_asked_of_a_copy() -> None:
    first = LeastChange(4, 1)
    first.ask([(0, 0, 1.0)], 1.0, 2.0)
    other = first.copy()
    other.ask([(0, 0, 1.0)], 1.0, 4.0)
    np.testing.assert_allclose(first.answer(), 2.0)
    np.testing.assert_allclose(other.answer(), 3.0)


def test_what_spans_more_frames_than_there_are_is_not_asked() -> None:
    one = LeastChange(1, 1)
    one.ask([(0, 0, 1.0)], 1.0, 5.0)
    one.ask([(0, 0, 1.0), (1, 0, -1.0)], 1.0, 9.0)
    np.testing.assert_allclose(one.answer(), 5.0)
