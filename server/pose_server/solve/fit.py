"""Fit the skeleton to what the picture shows, over the whole clip at once.

Points lifted to 3D are right about the way a limb points and a little wrong about where it ends in
the picture.  Here the rotations of the torso, the arms and the legs and the place of the root are
moved by a few Gauss-Newton steps to a balance of five wishes: joints project onto their keypoints,
bones point as lifted, joints stay within custom, hinges do not bend backwards, and nothing
accelerates without need.  Frames are tied together only through each degree of freedom's own
acceleration, so the cost is linear in the length of the clip.  Midway the lengths of the bones, one
set for all frames, go where all of the picture wants them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.kinematics import joint_positions
from pose_server.solve.banded import Normal
from pose_server.solve.frames import unit
from pose_server.solve.freedom import Freedom

__all__ = ["FITTED_BONES", "FITTED_POINTS", "Evidence", "fitted"]

_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_LIMB_BONES = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
#: Joints that have keypoints: their own, but for the head, which is between the ears.
FITTED_POINTS = (*(side + part for part in _LIMBS for side in ("left_", "right_")), "head")
#: Bones, and lines across the body, whose lifted direction counts.
FITTED_BONES = (
    *((side + a, side + b) for a, b in _LIMB_BONES for side in ("left_", "right_")),
    ("right_hip", "left_hip"),
    ("right_shoulder", "left_shoulder"),
    ("pelvis", "neck"),
    ("neck", "head"),
)
#: How far above the head's joint the ears are, as a share of the stature; see `proportions`.
_EARS = 0.012
_BALLS = ("pelvis", "spine", "neck", "left_shoulder", "right_shoulder", "left_hip", "right_hip")
_HINGES = {
    "left_elbow": (0.0, 0.0, -1.0),
    "right_elbow": (0.0, 0.0, 1.0),
    "left_knee": (1.0, 0.0, 0.0),
    "right_knee": (1.0, 0.0, 0.0),
}
#: How far each ball joint strays from a relaxed stance, about x, y and z of its parent, in radians.
_CUSTOM_RAD = {
    "spine": (0.8, 0.8, 0.8),
    "neck": (0.5, 0.5, 0.5),
    "left_shoulder": (2.0, 3.0, 3.0),
    "right_shoulder": (2.0, 3.0, 3.0),
    "left_hip": (2.5, 1.2, 0.8),
    "right_hip": (2.5, 1.2, 0.8),
}
#: Relaxed arms hang; everything else is relaxed at rest.
_RELAXED = {"left_shoulder": (0.0, 1.2, 0.0), "right_shoulder": (0.0, -1.2, 0.0)}
#: Expected errors: of a keypoint as a share of the stature, of a lifted direction in radians, of the lifted
#: root as a share of its distance, and how far a hinge may seem to bend backwards.
_KEYPOINT_SHARE = 0.02
_DIRECTION = 0.25
_ROOT_SHARE = 0.1
_BACKWARDS_RAD = 0.05
#: Midway, keypoints are taken as good as they agree: so many times their median error, within limits.
_AGREEING = 2.35
_KEYPOINT_SHARES = (0.012, 0.025)
#: Keypoints below this weight say nothing of how good the others are.
_TELLING = 0.25
#: For each step, how much the lifted directions count, which hold the pose until the picture has
#: placed it, and how many expected errors make an outlier; from generous to strict, or a limb that
#: was lifted far off its keypoints would never come back to them.
_STEPS = ((3.0, 12.0), (3.0, 12.0), (2.0, 8.0), (2.0, 5.0), *[(2.0, 4.0)] * 5)
#: Expected accelerations of every turn, and of the root across and along the view.
_TURN_RAD_S2 = 250.0
_ACROSS_M_S2 = 15.0
_DEPTH_M_S2 = 5.0
_DAMPING = 1e-2
#: Radians and metres that one step may go; the equations are true near where they were made.
_LONGEST_STEP = 0.3
#: Lengths that the picture corrects: the joints, and the axis of their rest offsets, that grow together.
_LENGTHS = (
    (("spine", "chest", "neck", "left_clavicle", "right_clavicle", "left_shoulder", "right_shoulder"), 2),
    (("left_clavicle", "right_clavicle", "left_shoulder", "right_shoulder"), 0),
    (("left_elbow", "right_elbow"), 0),
    (("left_wrist", "right_wrist"), 0),
    (("left_hip", "right_hip"), 0),
    (("left_knee", "right_knee"), 2),
    (("left_ankle", "right_ankle"), 2),
    (("head",), 2),
)
#: Steps before that; how far off the lengths are, in logarithms; for how long errors are the same ones; and
#: how far off the size of all of them together is, which no picture tells.
_BEFORE = 6
_LENGTH_SHARE = 0.05
_LOOK_S = 0.5
_SIZE_SHARE = 1e-3
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
    """(T, B, 3) of `FITTED_BONES`, of length 1; NaN where missing."""
    direction_weights: FloatArray
    """(T, B), 0 where missing."""
    root_m: FloatArray
    """(T, 3) where the lifter has the middle of the hips, from the camera; NaN where missing."""
    turns: FloatArray | None = None
    """(T, 3, 3) from these axes into those of the camera that saw the keypoints; None if they are those."""
    eye_m: FloatArray | None = None
    """(T, 3) where that camera stood; None if it stood still."""

    def rows(self, which: slice) -> Evidence:
        """Return some rows of it."""
        parts = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        known = {name: part[which] for name, part in parts.items() if part is not None}
        return dataclasses.replace(self, **known)


@dataclass(frozen=True)
class _Scale:
    """What errors are measured in."""

    matrix: FloatArray
    stature_m: float
    rate_hz: float
    keypoint_share: float


_FREEDOM = Freedom(_BALLS, _HINGES)
_POINTS = [SKELETON.index(name) for name in (*FITTED_POINTS, "pelvis", "neck")]
#: A joint is carried by the one above it.
_CARRIERS = [SKELETON.parents[point] for point in _POINTS]
_STARTS, _ENDS = ([_POINTS.index(SKELETON.index(bone[end])) for bone in FITTED_BONES] for end in (0, 1))


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
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return better (T, J, 4) rotations, (T, 3) root positions and (J, 3) rest offsets.

    Root positions are from the camera, in axes that stand still.

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
    local, root, offsets = local_wxyz.copy(), root_m.copy(), rest_offsets_m
    scale = _Scale(matrix, stature_m, rate_hz, _KEYPOINT_SHARE)
    done = 0.0
    for steps in (_STEPS[:_BEFORE], _STEPS[_BEFORE:]):
        share = len(steps) / len(_STEPS)
        for start in range(0, len(root), _CHUNK):
            report(done + share * start / len(root))
            held = min(start, 2)
            rows = slice(start - held, min(len(root), start + _CHUNK + _AHEAD))
            piece = local[rows], root[rows], evidence.rows(rows)
            local[rows], root[rows] = _piece(*piece, offsets, scale, held, steps)
        if not done:
            scale = dataclasses.replace(scale, keypoint_share=_agreed(local, root, evidence, offsets, scale))
            offsets = _lengthened(local, root, evidence, offsets, scale)
        done += share
    return local, root, offsets


def _piece(
    local: FloatArray,
    root: FloatArray,
    evidence: Evidence,
    offsets: FloatArray,
    scale: _Scale,
    held: int,
    steps: Sequence[tuple[float, float]],
) -> tuple[FloatArray, FloatArray]:
    for step in steps:
        normal = _equations(local, root, evidence, offsets, scale, step)
        normal.own[:held] += np.eye(_FREEDOM.count) * 1e12
        change = np.clip(normal.solved(), -_LONGEST_STEP, _LONGEST_STEP)
        local, root = _FREEDOM.moved(local, root, change)
    return local, root


def _agreed(
    local: FloatArray, root: FloatArray, evidence: Evidence, offsets: FloatArray, scale: _Scale
) -> float:
    """Return the error to expect of this clip's keypoints, as a share of the stature."""
    joints = joint_positions(local, root, offsets, SKELETON.parents)
    _, depth, missed = _picture(_points(joints, scale), evidence, scale.matrix)
    error = np.linalg.norm(missed * depth, axis=2) / scale.stature_m
    telling = error[np.isfinite(error) & (evidence.keypoint_weights > _TELLING)]
    if not len(telling):
        return scale.keypoint_share
    return float(np.clip(_AGREEING * np.median(telling), *_KEYPOINT_SHARES))


def _points(joints: FloatArray, scale: _Scale) -> FloatArray:
    """Return (T, P + 2, 3) where the fitted points of a body are, then pelvis and neck."""
    points = joints[:, _POINTS]
    upwards = unit(joints[:, SKELETON.index("head")] - joints[:, SKELETON.index("neck")])
    points[:, FITTED_POINTS.index("head")] += _EARS * scale.stature_m * upwards
    return points


def _picture(
    points: FloatArray, evidence: Evidence, matrix: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return where points are in the picture (T, P, 2), how deep (T, P, 1), and how far from where seen.

    As in the picture of a lens of focal length 1.
    """
    shown = points[:, : len(FITTED_POINTS)]
    if evidence.turns is not None:
        shown = shown @ np.swapaxes(evidence.turns, 1, 2)
    depth = np.maximum(shown[..., 2:], 0.1)
    plane = shown[..., :2] / depth
    return (
        plane,
        depth,
        (evidence.keypoints_px - matrix[:2, 2]) / np.array([matrix[0, 0], matrix[1, 1]]) - plane,
    )


def _lengthened(
    local: FloatArray, root: FloatArray, evidence: Evidence, offsets: FloatArray, scale: _Scale
) -> FloatArray:
    """Return (J, 3) rest offsets with the lengths that the picture of all frames together wants."""
    parts = np.zeros((len(_LENGTHS), *offsets.shape))
    for part, (joints, axis) in zip(parts, _LENGTHS, strict=True):
        rows = [SKELETON.index(joint) for joint in joints]
        part[rows, axis] = offsets[rows, axis]
    equations = np.eye(len(parts)) / _LENGTH_SHARE**2 + 1 / _SIZE_SHARE**2
    right = np.zeros(len(parts))
    looks = 1 / max(scale.rate_hz * _LOOK_S, 1.0)
    for start in range(0, len(root), _CHUNK):
        piece = slice(start, start + _CHUNK)
        normal = _equations(
            local[piece], root[piece], evidence.rows(piece), offsets, scale, _STEPS[-1], growing=parts
        )
        for total, more in zip((equations, right), normal.shared(len(parts)), strict=True):
            total += looks * more
    growth = np.clip(np.linalg.solve(equations, right), -3 * _LENGTH_SHARE, 3 * _LENGTH_SHARE)
    return np.asarray(offsets + np.einsum("k,kja->ja", np.expm1(growth), parts))


def _equations(
    local: FloatArray,
    root: FloatArray,
    evidence: Evidence,
    offsets: FloatArray,
    scale: _Scale,
    step: tuple[float, float],
    growing: FloatArray | None = None,
) -> Normal:
    """Return the equations of one of `_STEPS`, last in each frame those of (K, J, 3) offsets that grow."""
    joints = joint_positions(local, root, offsets, SKELETON.parents)
    points = _points(joints, scale)
    moved = _FREEDOM.derivatives(local, joints, points, _CARRIERS)
    if growing is not None:
        nowhere = np.zeros_like(root)
        grown = [joint_positions(local, nowhere, part, SKELETON.parents)[:, _POINTS] for part in growing]
        moved = np.concatenate([moved, np.stack(grown, axis=2)], axis=2)
    normal = Normal(len(root), moved.shape[2])
    _add_seen(normal, root, points, moved, evidence, scale, step)
    _add_custom(normal, local)
    _add_hinges(normal, local)
    stiffness = np.full((max(len(root) - 2, 0), _FREEDOM.count), (scale.rate_hz**2 / _TURN_RAD_S2) ** 2)
    # Each axis by how much of it lies along the view.
    sight = np.array([0.0, 0.0, 1.0]) if evidence.turns is None else evidence.turns[1:-1, 2]
    expected = _ACROSS_M_S2**2 + (_DEPTH_M_S2**2 - _ACROSS_M_S2**2) * sight**2
    stiffness[:, :3] = scale.rate_hz**4 / expected
    eye_m = 0.0 if evidence.eye_m is None else evidence.eye_m
    normal.add_bending(_FREEDOM.accelerations(local, root + eye_m), stiffness)
    own = range(_FREEDOM.count)
    normal.own[:, own, own] += _DAMPING
    return normal


def _add_seen(
    normal: Normal,
    root: FloatArray,
    points: FloatArray,
    moved: FloatArray,
    evidence: Evidence,
    scale: _Scale,
    step: tuple[float, float],
) -> None:
    """Add keypoints and directions, given `_POINTS` and how each unknown moves them."""
    direction_weight, outlying = step

    # Keypoints: how far points are off across the view, in units of the expected error.
    moves = moved[:, : len(FITTED_POINTS)]
    depth_m = root[:, 2:]
    if evidence.turns is not None:
        moves = moves @ np.swapaxes(evidence.turns, 1, 2)[:, None]
        depth_m = np.sum(root * evidence.turns[:, 2], axis=1, keepdims=True)
    plane, depth, missed = _picture(points, evidence, scale.matrix)
    expected = scale.keypoint_share * scale.stature_m / depth
    error = np.nan_to_num(missed / expected)
    slope = (moves[..., :2] - plane[:, :, None] * moves[..., 2:]) / (depth * expected)[..., None]
    normal.add(slope, error, evidence.keypoint_weights * _robust(error, outlying))

    # Directions: how far bones point away from where they were lifted.
    bones = points[:, _ENDS] - points[:, _STARTS]
    length = np.linalg.norm(bones, axis=2, keepdims=True)
    now = bones / length
    error = np.nan_to_num((evidence.directions - now) / _DIRECTION)
    slope = (moved[:, _ENDS] - moved[:, _STARTS]) / (length * _DIRECTION)[..., None]
    slope -= np.sum(slope * now[:, :, None], axis=3, keepdims=True) * now[:, :, None]
    normal.add(slope, error, direction_weight * evidence.direction_weights * _robust(error, outlying))

    # The root: how far it is from where it was lifted, in shares of the distance.
    expected = _ROOT_SHARE * np.maximum(depth_m, 0.1)
    error = np.nan_to_num((evidence.root_m - root) / expected)
    slope = np.zeros((*root.shape, moved.shape[2]))
    slope[:, range(3), range(3)] = 1 / expected
    normal.add(slope.transpose(0, 2, 1)[:, None], error[:, None], _robust(error, outlying)[:, None])


def _robust(error: FloatArray, outlying: float) -> FloatArray:
    """Return the weights of Geman and McClure's loss for (..., C) errors in units of the expected one."""
    square = np.sum(error**2, axis=-1)
    return np.asarray((outlying**2 / (outlying**2 + square)) ** 2)


def _add_custom(normal: Normal, local: FloatArray) -> None:
    """Add what keeps each ball joint near its relaxed stance."""
    for joint, custom in _CUSTOM_RAD.items():
        now = Rotation.from_quat(local[:, SKELETON.index(joint)], scalar_first=True)
        relaxed = Rotation.from_rotvec(_RELAXED.get(joint, (0.0, 0.0, 0.0)))
        away = (now * relaxed.inv()).as_rotvec()
        slope = _inverse_left_jacobian(away) / np.array(custom)[:, None]
        columns = _FREEDOM.columns(joint)
        normal.own[:, columns[:, None], columns] += slope.transpose(0, 2, 1) @ slope
        normal.right[:, columns] -= (slope.transpose(0, 2, 1) @ (away / custom)[..., None])[..., 0]


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


def _add_hinges(normal: Normal, local: FloatArray) -> None:
    """Add what keeps elbows and knees from bending backwards."""
    for joint in _HINGES:
        column = _FREEDOM.columns(joint)[0]
        missing = np.maximum(-_bend(local, joint), 0.0)
        normal.own[:, column, column] += (missing > 0) / _BACKWARDS_RAD**2
        normal.right[:, column] += missing / _BACKWARDS_RAD**2


def _bend(local: FloatArray, joint: str) -> FloatArray:
    """Return the (T,) angle of a hinge, positive as it bends."""
    axis = np.array(_HINGES[joint])
    along = (
        np.array([0.0, 0.0, -1.0]) if "knee" in joint else np.array([1.0 if "left" in joint else -1.0, 0, 0])
    )
    now = Rotation.from_quat(local[:, SKELETON.index(joint)], scalar_first=True).apply(along)
    return np.asarray(np.arctan2(now @ np.cross(axis, along), now @ along))
