"""Fit the skeleton to what the picture shows, over the whole clip at once.

Points lifted to 3D are right about the way a limb points and a little wrong about where it ends in
the picture.  Here the rotations of the torso, the arms and the legs and the place of the root are
moved by a few Gauss-Newton steps to a balance of five wishes: joints project onto their keypoints,
bones point as lifted, joints stay within custom, hinges do not bend backwards, and nothing
accelerates without need.  Frames are tied together only through each degree of freedom's own
acceleration, so the normal equations are a band and the cost is linear in the length of the clip.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.kinematics import global_rotations, joint_positions

__all__ = ["FITTED_BONES", "FITTED_POINTS", "Evidence", "fitted"]

_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_LIMB_BONES = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
#: Joints that have keypoints of their own.
FITTED_POINTS = tuple(side + part for part in _LIMBS for side in ("left_", "right_"))
#: Bones, and lines across the body, whose lifted direction counts.
FITTED_BONES = (
    *((side + a, side + b) for a, b in _LIMB_BONES for side in ("left_", "right_")),
    ("right_hip", "left_hip"),
    ("right_shoulder", "left_shoulder"),
    ("pelvis", "neck"),
)
_BALLS = ("pelvis", "spine", "left_shoulder", "right_shoulder", "left_hip", "right_hip")
_HINGES = {
    "left_elbow": (0.0, 0.0, -1.0),
    "right_elbow": (0.0, 0.0, 1.0),
    "left_knee": (1.0, 0.0, 0.0),
    "right_knee": (1.0, 0.0, 0.0),
}
#: How far each ball joint strays from a relaxed stance, about x, y and z of its parent, in radians.
_CUSTOM_RAD = {
    "spine": (0.35, 0.35, 0.35),
    "left_shoulder": (0.9, 1.5, 1.5),
    "right_shoulder": (0.9, 1.5, 1.5),
    "left_hip": (1.2, 0.5, 0.35),
    "right_hip": (1.2, 0.5, 0.35),
}
#: Relaxed arms hang; everything else is relaxed at rest.
_RELAXED = {"left_shoulder": (0.0, 1.2, 0.0), "right_shoulder": (0.0, -1.2, 0.0)}
#: Expected errors: of a keypoint as a share of the stature, of a lifted direction in radians, and
#: how far a hinge may seem to bend backwards.
_KEYPOINT_SHARE = 0.02
_DIRECTION = 0.25
_BACKWARDS_RAD = 0.05
#: For each step, how much the lifted directions count, which hold the pose until the picture has
#: placed it, and how many expected errors make an outlier; from generous to strict, or a limb that
#: was lifted far off its keypoints would never come back to them.
_STEPS = ((3.0, 12.0), (3.0, 12.0), (1.0, 8.0), (1.0, 5.0), (1.0, 4.0), (1.0, 4.0))
#: Expected accelerations of every turn, and of the root across and along the view.
_TURN_RAD_S2 = 150.0
_ACROSS_M_S2 = 15.0
_DEPTH_M_S2 = 5.0
_DAMPING = 1e-2
#: Radians and metres that one step may go; the equations are true near where they were made.
_LONGEST_STEP = 0.3
#: Rows fitted at a time, and rows looked at beyond them.
_CHUNK = 200
_AHEAD = 40


@dataclass(frozen=True)
class Evidence:
    """What was seen of one person."""

    keypoints_px: FloatArray
    """(T, P, 2) of `FITTED_POINTS`; NaN where missing."""
    keypoint_weights: FloatArray
    """(T, P), 0 where missing."""
    directions: FloatArray
    """(T, B, 3) of `FITTED_BONES`, camera axes, of length 1; NaN where missing."""
    direction_weights: FloatArray
    """(T, B), 0 where missing."""


class _Freedom:
    """Which degrees of freedom there are: first the root's place, then turns about axes of a parent."""

    def __init__(self) -> None:
        turns = [(joint, axis) for joint in _BALLS for axis in np.eye(3)]
        turns += [(joint, np.array(axis)) for joint, axis in _HINGES.items()]
        self.joints = np.array([SKELETON.index(joint) for joint, _ in turns])
        self.axes = np.array([axis for _, axis in turns])
        self.count = 3 + len(turns)
        points = (*FITTED_POINTS, "pelvis", "neck")
        self.points = np.array([SKELETON.index(name) for name in points])
        self.starts = np.array([points.index(start) for start, _ in FITTED_BONES])
        self.ends = np.array([points.index(end) for _, end in FITTED_BONES])
        self.moves = np.array([[j in _above(p) for j in self.joints] for p in self.points], dtype=float)

    def columns(self, joint: str) -> NDArray[np.intp]:
        return 3 + np.flatnonzero(self.joints == SKELETON.index(joint))


def _above(joint: int) -> set[int]:
    """Return the joints whose rotation moves a joint."""
    found = set()
    while (joint := SKELETON.parents[joint]) >= 0:
        found.add(joint)
    return found


_FREEDOM = _Freedom()


def fitted(
    local_wxyz: FloatArray,
    root_m: FloatArray,
    evidence: Evidence,
    rest_offsets_m: FloatArray,
    matrix: FloatArray,
    *,
    stature_m: float,
    rate_hz: float,
    report: Callable[[float], None],
) -> tuple[FloatArray, FloatArray]:
    """Return better (T, J, 4) rotations and (T, 3) root positions, both in camera axes.

    Parameters
    ----------
    local_wxyz, root_m
        Where to start; complete, without gaps.
    evidence
        What was seen.
    rest_offsets_m
        (J, 3) of `SKELETON`.
    matrix
        (3, 3) of the camera.
    stature_m
        Errors in the picture are judged against the size of the body.
    rate_hz
        Frames per second.
    report
        Told the share that is done.

    Notes
    -----
    Geman and McClure's loss on keypoints and directions.  Long clips are fitted piece by
    piece with a look ahead, each piece tied to the last rows of the one before.
    """
    local, root = local_wxyz.copy(), root_m.copy()
    for start in range(0, len(root), _CHUNK):
        report(start / len(root))
        stop = min(len(root), start + _CHUNK + _AHEAD)
        held = min(start, 2)
        rows = slice(start - held, stop)
        piece = Evidence(
            evidence.keypoints_px[rows],
            evidence.keypoint_weights[rows],
            evidence.directions[rows],
            evidence.direction_weights[rows],
        )
        local[rows], root[rows] = _piece(
            local[rows], root[rows], piece, rest_offsets_m, matrix, held, stature_m, rate_hz
        )
    return local, root


def _piece(
    local: FloatArray,
    root: FloatArray,
    evidence: Evidence,
    offsets: FloatArray,
    matrix: FloatArray,
    held: int,
    stature_m: float,
    rate_hz: float,
) -> tuple[FloatArray, FloatArray]:
    stiffness = np.full(_FREEDOM.count, (rate_hz**2 / _TURN_RAD_S2) ** 2)
    stiffness[:3] = (rate_hz**2 / np.array([_ACROSS_M_S2, _ACROSS_M_S2, _DEPTH_M_S2])) ** 2
    for direction_weight, outlying in _STEPS:
        hessian, gradient = _seen(
            local, root, evidence, offsets, matrix, stature_m, direction_weight, outlying
        )
        _add_custom(hessian, gradient, local)
        _add_hinges(hessian, gradient, local)
        hessian += np.eye(_FREEDOM.count) * _DAMPING
        hessian[:held] += np.eye(_FREEDOM.count) * 1e12
        step = _solve(hessian, gradient, _accelerations(local, root), stiffness)
        step = np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        local, root = _moved(local, root, step)
    return local, root


def _seen(
    local: FloatArray,
    root: FloatArray,
    evidence: Evidence,
    offsets: FloatArray,
    matrix: FloatArray,
    stature_m: float,
    direction_weight: float,
    outlying: float,
) -> tuple[FloatArray, FloatArray]:
    """Return the (T, D, D) normal matrices and (T, D) right sides of keypoints and directions."""
    frames, free = len(root), _FREEDOM
    rotations = global_rotations(local, SKELETON.parents)
    joints = joint_positions(local, root, offsets, SKELETON.parents)
    parents = np.array(SKELETON.parents)[free.joints]
    carrier = np.where((parents >= 0)[:, None, None], rotations[:, parents], np.eye(3))
    axes = np.einsum("tdij,dj->tdi", carrier, free.axes)

    points = joints[:, free.points]
    moved = np.empty((frames, len(free.points), free.count, 3))
    moved[:, :, :3] = np.eye(3)
    moved[:, :, 3:] = np.cross(axes[:, None], points[:, :, None] - joints[:, None, free.joints])
    moved[:, :, 3:] *= free.moves[..., None]

    # Keypoints: how far points are off across the view, in units of the expected error.
    seen = slice(0, len(FITTED_POINTS))
    depth = np.maximum(points[:, seen, 2:], 0.1)
    plane = points[:, seen, :2] / depth
    target = (evidence.keypoints_px - matrix[:2, 2]) / np.array([matrix[0, 0], matrix[1, 1]])
    expected = _KEYPOINT_SHARE * stature_m / depth
    error = np.nan_to_num((target - plane) / expected)
    slope = (moved[:, seen, :, :2] - plane[:, :, None] * moved[:, seen, :, 2:]) / (depth * expected)[
        ..., None
    ]
    hessian, gradient = _normal(slope, error, evidence.keypoint_weights * _robust(error, outlying))

    # Directions: how far bones point away from where they were lifted.
    bones = points[:, free.ends] - points[:, free.starts]
    length = np.linalg.norm(bones, axis=2, keepdims=True)
    now = bones / length
    error = np.nan_to_num((evidence.directions - now) / _DIRECTION)
    slope = (moved[:, free.ends] - moved[:, free.starts]) / (length * _DIRECTION)[..., None]
    slope -= np.sum(slope * now[:, :, None], axis=3, keepdims=True) * now[:, :, None]
    weight = direction_weight * evidence.direction_weights * _robust(error, outlying)
    more, right = _normal(slope, error, weight)
    return hessian + more, gradient + right


def _robust(error: FloatArray, outlying: float) -> FloatArray:
    """Return the weights of Geman and McClure's loss for (..., C) errors in units of the expected one."""
    square = np.sum(error**2, axis=-1)
    return np.asarray((outlying**2 / (outlying**2 + square)) ** 2)


def _normal(jacobian: FloatArray, error: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sum (T, N, D, C) derivatives and (T, N, C) errors into normal equations."""
    frames, _, count, _ = jacobian.shape
    root = np.sqrt(weight)
    rows = (jacobian * root[..., None, None]).transpose(0, 1, 3, 2).reshape(frames, -1, count)
    right = (error * root[..., None]).reshape(frames, -1, 1)
    turned = rows.transpose(0, 2, 1)
    return turned @ rows, (turned @ right)[..., 0]


def _add_custom(hessian: FloatArray, gradient: FloatArray, local: FloatArray) -> None:
    """Add what keeps each ball joint near its relaxed stance."""
    for joint, custom in _CUSTOM_RAD.items():
        now = Rotation.from_quat(local[:, SKELETON.index(joint)], scalar_first=True)
        relaxed = Rotation.from_rotvec(_RELAXED.get(joint, (0.0, 0.0, 0.0)))
        away = (now * relaxed.inv()).as_rotvec()
        slope = _inverse_left_jacobian(away) / np.array(custom)[:, None]
        columns = _FREEDOM.columns(joint)
        hessian[:, columns[:, None], columns] += slope.transpose(0, 2, 1) @ slope
        gradient[:, columns] -= (slope.transpose(0, 2, 1) @ (away / custom)[..., None])[..., 0]


def _inverse_left_jacobian(rotvecs: FloatArray) -> FloatArray:
    """Return (T, 3, 3): how rotation vectors change as a small turn is put before them.

    Barfoot, State Estimation for Robotics (2017), equation 7.76b.
    """
    angle = np.linalg.norm(rotvecs, axis=1)[:, None, None]
    cross = np.zeros((len(rotvecs), 3, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        cross[:, j, k], cross[:, k, j] = -rotvecs[:, i], rotvecs[:, i]
    half = np.clip(angle / 2, 1e-4, 3.0 / 2)
    return np.asarray(np.eye(3) - cross / 2 + (1 - half / np.tan(half)) / (2 * half) ** 2 * (cross @ cross))


def _add_hinges(hessian: FloatArray, gradient: FloatArray, local: FloatArray) -> None:
    """Add what keeps elbows and knees from bending backwards."""
    for joint in _HINGES:
        column = _FREEDOM.columns(joint)[0]
        missing = np.maximum(-_bend(local, joint), 0.0)
        hessian[:, column, column] += (missing > 0) / _BACKWARDS_RAD**2
        gradient[:, column] += missing / _BACKWARDS_RAD**2


def _bend(local: FloatArray, joint: str) -> FloatArray:
    """Return the (T,) angle of a hinge, positive as it bends."""
    axis = np.array(_HINGES[joint])
    along = (
        np.array([0.0, 0.0, -1.0]) if "knee" in joint else np.array([1.0 if "left" in joint else -1.0, 0, 0])
    )
    now = Rotation.from_quat(local[:, SKELETON.index(joint)], scalar_first=True).apply(along)
    return np.asarray(np.arctan2(now @ np.cross(axis, along), now @ along))


def _accelerations(local: FloatArray, root: FloatArray) -> FloatArray:
    """Return (T - 2, D) second differences of every degree of freedom, per frame squared."""
    frames = len(root)
    speeds = np.empty((max(frames - 1, 0), _FREEDOM.count))
    speeds[:, :3] = np.diff(root, axis=0)
    for joint in (*_BALLS, *_HINGES):
        turns = Rotation.from_quat(local[:, SKELETON.index(joint)], scalar_first=True)
        columns = _FREEDOM.columns(joint)
        axes = _FREEDOM.axes[columns - 3]
        if frames > 1:
            speeds[:, columns] = (turns[1:] * turns[:-1].inv()).as_rotvec() @ axes.T
    return np.diff(speeds, axis=0)


def _solve(
    hessian: FloatArray, gradient: FloatArray, accelerations: FloatArray, stiffness: FloatArray
) -> FloatArray:
    """Solve the normal equations of all frames for the (T, D) step.

    Two frames make a block, which leaves a block-tridiagonal system.  Its elimination by small dense
    solves is as fast as LAPACK's banded Cholesky and never waits for that one's threads.
    """
    frames, count = gradient.shape
    right = gradient.copy()
    kernel = np.array([1.0, -2.0, 1.0])
    # Sums of kernel products on the diagonal and the two beside it.
    bands = np.zeros((3, frames))
    for first in range(3):
        right[first : first + frames - 2] -= kernel[first] * stiffness * accelerations
        for second in range(first, 3):
            bands[second - first, first : first + max(frames - 2, 0)] += kernel[first] * kernel[second]
    blocks = (frames + 1) // 2
    place = np.arange(count)
    diagonal = np.zeros((blocks, 2, count, 2, count))
    diagonal[:, 1, place, 1, place] = 1.0
    beside = np.zeros((blocks, 2, count, 2, count))
    even, odd = slice(0, frames, 2), slice(1, frames, 2)
    for part, rows in ((0, even), (1, odd)):
        held = diagonal[: len(hessian[rows]), part, :, part]
        held[:] = hessian[rows]
        held[:, place, place] += bands[0, rows, None] * stiffness
        beside[: len(held), part, place, part, place] = bands[2, rows][:, None] * stiffness
    pairs = frames // 2
    within = bands[1, even][:pairs, None] * stiffness
    diagonal[:pairs, 0, place, 1, place] = diagonal[:pairs, 1, place, 0, place] = within
    beside[:pairs, 1, place, 0, place] = bands[1, odd][:, None] * stiffness
    size = 2 * count
    diagonal, beside = diagonal.reshape(blocks, size, size), beside.reshape(blocks, size, size)
    known = np.zeros((blocks * 2, count))
    known[:frames] = right
    known = known.reshape(blocks, size)

    carried = np.empty((blocks, size, size + 1))
    for k in range(blocks):
        block, side = diagonal[k], known[k]
        if k:
            block = block - beside[k - 1].T @ carried[k - 1, :, :size]
            side = side - beside[k - 1].T @ carried[k - 1, :, size]
        carried[k] = np.linalg.solve(block, np.column_stack([beside[k], side]))
    step = carried[:, :, size].copy()
    for k in range(blocks - 2, -1, -1):
        step[k] -= carried[k, :, :size] @ step[k + 1]
    return step.reshape(-1, count)[:frames]


def _moved(local: FloatArray, root: FloatArray, step: FloatArray) -> tuple[FloatArray, FloatArray]:
    local = local.copy()
    for joint in (*_BALLS, *_HINGES):
        index, columns = SKELETON.index(joint), _FREEDOM.columns(joint)
        turn = Rotation.from_rotvec(step[:, columns] @ _FREEDOM.axes[columns - 3])
        now = Rotation.from_quat(local[:, index], scalar_first=True)
        local[:, index] = (turn * now).as_quat(scalar_first=True)
    return local, root + step[:, :3]
