"""From points to the rotations of the house skeleton, in closed form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import FloatArray
from pose_server.solve.frames import across, between, framed, unit
from pose_server.solve.limb import hinged_limb, steady_axis
from pose_server.solve.smoothing import bridged, bridged_rotations

__all__ = ["solved_rotations"]

_X, _Y, _Z = np.eye(3)
#: How strongly the pelvis and the foot tell where the knee's hinge lies, and the chest where the
#: elbow's does, against the sine of the bend.
_KNEE_BY_PELVIS = 0.15
_KNEE_BY_FOOT = 0.10
_ELBOW_BY_CHEST = 0.10
#: The shoulder girdle follows half of what the shoulders seem to do, and not far.
_CLAVICLE_SHARE = 0.5
_CLAVICLE_LIMIT = np.radians(25)
_NECK_SHARE = 0.5
_HEAD_LIMIT = np.radians(85)
_HAND_WIDTH_M = 0.06
#: How strongly the hand's width and the neutral forearm tell the roll, as `steady_axis` counts.
_ROLL_BY_HAND = 0.30
_ROLL_BY_ELBOW = 0.06
#: Rolls beyond a right angle are believed less and less, down to this cosine.
_ROLL_RANGE = 0.6
_ROLL_HZ = 2.0
#: A foot is short and seen badly: a little of where the shank has it, and no further than it goes.
_FOOT_LENGTH_M = 0.14
_FOOT_BY_SHANK = 0.20
_ROLL_BY_ANKLE = 0.6
#: Where a foot's direction may lie in the axes of the shank, and the left hand's in the forearm's.
_FOOT_RANGE = ((-0.7, -1.0, -1.0), (0.7, -0.25, 0.6))
_HAND_RANGE = ((0.35, -0.5, -1.0), (1.0, 0.5, 1.0))
_TORSO = ("left_hip", "right_hip", "left_shoulder", "right_shoulder")
_FACE = ("left_ear", "right_ear", "nose")
#: Points that show each joint; those of the limbs are on the joint's own side.
_MIDDLE_SHOWN_BY = {"pelvis": _TORSO, "spine": _TORSO, "chest": _TORSO, "neck": _FACE, "head": _FACE}
_LIMB_SHOWN_BY = {
    "clavicle": ("shoulder", "hip"),
    "shoulder": ("shoulder", "elbow"),
    "elbow": ("shoulder", "elbow", "wrist"),
    "wrist": ("wrist", "index", "pinky"),
    "hand": ("wrist", "index", "pinky"),
    "hip": ("hip", "knee"),
    "knee": ("hip", "knee", "ankle"),
    "ankle": ("ankle", "heel", "big_toe"),
    "toe": ("ankle", "heel", "big_toe"),
}


def solved_rotations(
    names: Sequence[str],
    points_m: FloatArray,
    confidence: FloatArray,
    rest_offsets_m: FloatArray,
    *,
    rate_hz: float,
) -> tuple[FloatArray, FloatArray]:
    """Turn points into rotations.

    Parameters
    ----------
    names
        (K,) of the points, as in `pose_shared.skeleton`.
    points_m
        (T, K, 3) about the middle of the hips, in any axes; NaN where missing.
    confidence
        (T, K) 0..1.
    rest_offsets_m
        (J, 3) of `SKELETON`.
    rate_hz
        Frames per second.

    Returns
    -------
    local_wxyz
        (T, J, 4) about the parent, the root's in the axes of the points.  Rows without points are
        bridged; a joint that no row shows stays at rest.
    trust
        (T, J) 0..1, 0 where a row was bridged.
    """
    body = _Body(names, points_m, confidence)
    trust = _trust(body)
    world = _Frames(len(points_m))
    _torso(body, world, rest_offsets_m)
    for side in ("left_", "right_"):
        _arm(body, world, side, rest_offsets_m, rate_hz)
        _leg(body, world, side, rest_offsets_m, rate_hz)
    _head(body, world)
    local = np.empty((len(points_m), len(SKELETON), 4))
    for index, (joint, parent) in enumerate(zip(SKELETON.joints, SKELETON.parents, strict=True)):
        rotation = world[joint]
        if parent >= 0:
            rotation = np.swapaxes(world[SKELETON.joints[parent]], 1, 2) @ rotation
        known = (trust[:, index] > 0) & np.isfinite(rotation).all(axis=(1, 2))
        quaternions = np.tile([1.0, 0.0, 0.0, 0.0], (len(points_m), 1))
        if known.any():
            quaternions[known] = Rotation.from_matrix(rotation[known]).as_quat(scalar_first=True)
        local[:, index] = bridged_rotations(quaternions, known)
        trust[:, index] = np.where(known, trust[:, index], 0.0)
    return local, trust


class _Body:
    """The points by name; a name the detector lacks is missing in every frame."""

    def __init__(self, names: Sequence[str], points_m: FloatArray, confidence: FloatArray) -> None:
        known = np.isfinite(points_m).all(axis=2) & (confidence > 0)
        # Gaps are walked through, so that what is carried along a limb does not jump in them.
        self._points = {
            name: bridged(points_m[:, i], known[:, i]) for i, name in enumerate(names) if known[:, i].any()
        }
        self._trust = {name: np.where(known[:, i], confidence[:, i], 0.0) for i, name in enumerate(names)}
        self._nowhere = np.full((len(points_m), 3), np.nan)

    def __getitem__(self, name: str) -> FloatArray:
        points: FloatArray = self._points.get(name, self._nowhere)
        return points

    def middle(self, *names: str) -> FloatArray:
        return np.asarray(np.mean([self[name] for name in names], axis=0))

    def sided(self, part: str) -> FloatArray:
        return self.middle("left_" + part, "right_" + part)

    def trust(self, *names: str) -> FloatArray:
        nothing = np.zeros(len(self._nowhere))
        return np.asarray(np.min([self._trust.get(name, nothing) for name in names], axis=0))


class _Frames(dict[str, FloatArray]):
    """The (T, 3, 3) rotation of each joint in the axes of the points, as it becomes known."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self._still = np.broadcast_to(np.eye(3), (frames, 3, 3))

    def carried(self, joint: str, rest: ArrayLike) -> FloatArray:
        """Return (T, 3) where a joint turns a rest direction, the rest direction where it is unknown."""
        frame = np.where(np.isfinite(self[joint]), self[joint], self._still)
        return np.asarray(frame @ np.asarray(rest, dtype=float))


def _trust(body: _Body) -> FloatArray:
    """Return (T, J): how well the least seen of the points that show each joint is seen."""
    columns = []
    for joint in SKELETON.joints:
        side, _, part = joint.rpartition("_")
        limb = [f"{side}_{point}" for point in _LIMB_SHOWN_BY.get(part, ())]
        columns.append(body.trust(*(limb or _MIDDLE_SHOWN_BY[joint])))
    return np.stack(columns, axis=1)


def _torso(body: _Body, world: _Frames, offsets: FloatArray) -> None:
    up = body.sided("shoulder") - body.sided("hip")
    pelvis = framed(body["left_hip"] - body["right_hip"], up, _X, _Z)
    chest = framed(body["left_shoulder"] - body["right_shoulder"], up, _X, _Z)
    lengths = [offsets[SKELETON.index(joint)][2] for joint in ("spine", "chest", "neck")]
    # The spine takes up what keeps the neck above the middle of the hips along the torso.
    top = unit(up) * sum(lengths)
    half = _halfway(pelvis, chest)
    spine = between(half[..., 2], top - lengths[0] * pelvis[..., 2] - lengths[2] * chest[..., 2]) @ half
    world["pelvis"], world["spine"], world["chest"] = pelvis, spine, chest

    root = pelvis[..., 2] * lengths[0] + spine[..., 2] * lengths[1]
    measured = np.linalg.norm(up, axis=1)
    measured = measured[np.isfinite(measured)]
    scale = (sum(lengths) / 1.05) / np.median(measured) if len(measured) else 1.0
    for side in ("left_", "right_"):
        start = root + chest @ offsets[SKELETON.index(side + "clavicle")]
        target = scale * (body[side + "shoulder"] - body.sided("hip")) - start
        at_rest = chest @ offsets[SKELETON.index(side + "shoulder")]
        swing = between(at_rest, target, share=_CLAVICLE_SHARE, limit_rad=_CLAVICLE_LIMIT)
        world[side + "clavicle"] = swing @ chest


def _arm(body: _Body, world: _Frames, side: str, offsets: FloatArray, rate_hz: float) -> None:
    out = _X if side == "left_" else -_X
    # The forearm bends forwards in the T-pose, with the palms down.
    hinge = -_Z if side == "left_" else _Z
    girdle = side + "clavicle"
    hanging = world.carried(girdle, out)
    upper = _known_or(unit(body[side + "elbow"] - body[side + "shoulder"]), hanging)
    lower = _known_or(unit(body[side + "wrist"] - body[side + "elbow"]), upper)
    expected = (between(hanging, upper) @ world.carried(girdle, hinge)[..., None])[..., 0]
    lengths = _lengths(offsets, side + "elbow", side + "wrist")
    arm, forearm = hinged_limb(upper, lower, _ELBOW_BY_CHEST * expected, lengths, out, hinge, rate_hz=rate_hz)
    knuckles = body.middle(side + "index", side + "pinky") - body[side + "wrist"]
    edge = body[side + "index"] - body[side + "pinky"]
    # The hand's width shows the roll.  Seen on edge, or turned further than arms turn, it is not
    # believed, and the roll falls back to the neutral one without a jump.
    neutral = forearm @ -_Y
    width = across(edge / _HAND_WIDTH_M, forearm @ out)
    plausible = np.clip(1 + np.sum(unit(width) * neutral, axis=1, keepdims=True) / _ROLL_RANGE, 0, 1)
    roll = np.nan_to_num(_ROLL_BY_HAND * plausible * width) + _ROLL_BY_ELBOW * neutral
    roll = steady_axis(forearm @ out, roll, rate_hz=rate_hz, cutoff_hz=_ROLL_HZ)
    forearm = between(neutral, roll) @ forearm
    reach = _known_or(knuckles, forearm @ out)
    reach = _within(_HAND_RANGE, reach, forearm, mirrored=side == "right_")
    hand = between(forearm @ out, reach) @ forearm
    world[side + "shoulder"], world[side + "elbow"] = arm, forearm
    world[side + "wrist"] = world[side + "hand"] = hand


def _leg(body: _Body, world: _Frames, side: str, offsets: FloatArray, rate_hz: float) -> None:
    upper = _known_or(unit(body[side + "knee"] - body[side + "hip"]), world.carried("pelvis", -_Z))
    lower = _known_or(unit(body[side + "ankle"] - body[side + "knee"]), upper)
    forwards = (body[side + "big_toe"] - body[side + "heel"]) / _FOOT_LENGTH_M
    expected = _KNEE_BY_PELVIS * world.carried("pelvis", _X)
    expected += _KNEE_BY_FOOT * np.nan_to_num(np.cross(unit(forwards), lower))
    lengths = _lengths(offsets, side + "knee", side + "ankle")
    thigh, shank = hinged_limb(upper, lower, expected, lengths, -_Z, _X, rate_hz=rate_hz)
    world[side + "hip"], world[side + "knee"] = thigh, shank
    ahead = shank @ -_Y
    forwards = _within(_FOOT_RANGE, np.nan_to_num(forwards) + _FOOT_BY_SHANK * ahead, shank)
    # The ankle above the sole shows the foot's roll, but too badly to outvote the shank.
    foot = between(ahead, forwards) @ shank
    above = unit(across(body[side + "ankle"] - body.middle(side + "heel", side + "big_toe"), forwards))
    foot = framed(forwards, foot @ _Z + _ROLL_BY_ANKLE * np.nan_to_num(above), -_Y, _Z)
    world[side + "ankle"] = world[side + "toe"] = foot


def _head(body: _Body, world: _Frames) -> None:
    ears = body["left_ear"] - body["right_ear"]
    # Between eyes and nose lies what is straight ahead of the ears.
    face = (body.sided("eye") + body["nose"]) / 2
    face = _known_or(face, body["nose"]) - body.sided("ear")
    head = _known_or(framed(ears, face, _X, -_Y), world["chest"])
    head = _limited(world["chest"], head, _HEAD_LIMIT)
    neck = _halfway(world["chest"], head)
    rise = _known_or(body.sided("ear") - body.sided("shoulder"), neck[..., 2])
    world["neck"] = between(neck[..., 2], rise, share=_NECK_SHARE) @ neck
    world["head"] = head


def _known_or(seen: FloatArray, otherwise: FloatArray) -> FloatArray:
    """Return what was seen, and something else where it was not."""
    return np.where(np.isfinite(seen), seen, otherwise)


def _halfway(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the (T, 3, 3) rotations in the middle of two, NaN where one is."""
    result = np.full_like(first, np.nan)
    known = np.isfinite(first).all(axis=(1, 2)) & np.isfinite(second).all(axis=(1, 2))
    start, end = Rotation.from_matrix(first[known]), Rotation.from_matrix(second[known])
    if known.any():
        result[known] = (start * Rotation.from_rotvec((start.inv() * end).as_rotvec() / 2)).as_matrix()
    return result


def _within(
    bounds: ArrayLike, directions: FloatArray, frames: FloatArray, *, mirrored: bool = False
) -> FloatArray:
    """Return (T, 3) directions pulled into a box in the axes of (T, 3, 3) frames.

    Unlike a limit on the angle this has no far side from which a direction would snap across.
    """
    low, high = np.asarray(bounds)
    if mirrored:
        low, high = np.where([True, False, False], [-high, -low], [low, high])
    local = np.clip((unit(directions)[:, None] @ frames)[:, 0], low, high)
    return unit((frames @ local[..., None])[..., 0])


def _limited(start: FloatArray, end: FloatArray, limit_rad: float) -> FloatArray:
    """Return the (T, 3, 3) rotations `end`, no further than a limit from `start`."""
    relative = np.swapaxes(start, 1, 2) @ end
    known = np.isfinite(relative).all(axis=(1, 2))
    turn = Rotation.from_matrix(relative[known]).as_rotvec()
    angle = np.linalg.norm(turn, axis=1, keepdims=True)
    turn *= np.minimum(1.0, limit_rad / np.maximum(angle, 1e-9))
    result = end.copy()
    result[known] = start[known] @ Rotation.from_rotvec(turn).as_matrix()
    return result


def _lengths(offsets: FloatArray, first: str, second: str) -> tuple[float, float]:
    a, b = (float(np.linalg.norm(offsets[SKELETON.index(joint)])) for joint in (first, second))
    return a, b
