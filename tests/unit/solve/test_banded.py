from __future__ import annotations

import numpy as np
import pytest
from pose_server.solve.banded import Normal


def dense(frames, count, own, differences, bends):
    """Solve the same least squares with one matrix of all residuals."""
    rows, errors = [], []
    for jacobian, error, weight in own:
        for t, k, c in np.ndindex(error.shape):
            row = np.zeros((frames, count))
            row[t] = jacobian[t, k, :, c]
            rows.append(row.ravel() * np.sqrt(weight[t, k]))
            errors.append(error[t, k, c] * np.sqrt(weight[t, k]))
    for jacobian, step, weight in differences:
        for t, k, c in np.ndindex(step.shape):
            row = np.zeros((frames, count))
            row[t], row[t + 1] = -jacobian[t, k, :, c], jacobian[t + 1, k, :, c]
            rows.append(row.ravel() * np.sqrt(weight[t, k]))
            errors.append(-step[t, k, c] * np.sqrt(weight[t, k]))
    for bend, weight in bends:
        for t, d in np.ndindex(bend.shape):
            row = np.zeros((frames, count))
            row[t : t + 3, d] = 1, -2, 1
            rows.append(row.ravel() * np.sqrt(weight[t, d]))
            errors.append(-bend[t, d] * np.sqrt(weight[t, d]))
    return np.linalg.lstsq(np.array(rows), np.array(errors), rcond=None)[0].reshape(frames, count)


@pytest.mark.parametrize("frames", [1, 2, 3, 9])
def test_equals_the_dense_solution(frames):
    rng = np.random.default_rng(frames)
    count, points = 4, 3
    jacobian = rng.normal(size=(frames, points, count, 2))
    own = (jacobian, rng.normal(size=(frames, points, 2)), rng.random((frames, points)) + 0.1)
    between = max(frames - 1, 0)
    difference = (jacobian, rng.normal(size=(between, points, 2)), rng.random((between, points)))
    bend = (rng.normal(size=(max(frames - 2, 0), count)), rng.random((max(frames - 2, 0), count)))
    normal = Normal(frames, count)
    normal.add(*own)
    if frames > 1:
        normal.add_difference(*difference)
    normal.add_bending(*bend)
    expected = dense(frames, count, [own], [difference] if between else [], [bend])
    np.testing.assert_allclose(normal.solved(), expected, atol=1e-9)


@pytest.mark.parametrize("frames", [1, 2, 8])
def test_what_all_frames_share_is_solved_with_them(frames):
    rng = np.random.default_rng(frames)
    free, shared, points = 3, 2, 5
    jacobian = rng.normal(size=(frames, points, free + shared, 2))
    error, weight = rng.normal(size=(frames, points, 2)), rng.random((frames, points)) + 0.1
    bend = rng.normal(size=(max(frames - 2, 0), free))
    normal = Normal(frames, free + shared)
    normal.add(jacobian, error, weight)
    normal.add_bending(bend, np.ones(free))
    equations, right = normal.shared(shared)

    rows, errors = [], []
    for t, k, c in np.ndindex(error.shape):
        row = np.zeros(frames * free + shared)
        row[t * free : (t + 1) * free] = jacobian[t, k, :free, c]
        row[frames * free :] = jacobian[t, k, free:, c]
        rows.append(row * np.sqrt(weight[t, k]))
        errors.append(error[t, k, c] * np.sqrt(weight[t, k]))
    for t, d in np.ndindex(bend.shape):
        row = np.zeros(frames * free + shared)
        row[[(t + i) * free + d for i in range(3)]] = 1, -2, 1
        rows.append(row)
        errors.append(-bend[t, d])
    expected = np.linalg.lstsq(np.array(rows), np.array(errors), rcond=None)[0][-shared:]
    np.testing.assert_allclose(np.linalg.solve(equations, right), expected, atol=1e-9)
