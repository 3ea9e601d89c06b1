"""Motions that nobody in the motion capture shows, keyed by hand: crawling, lying down, stairs.

On the house skeleton with usual proportions; angles in degrees about the axes of the rest pose, which faces
-y with z up: about x, legs swing back, knees bend and the trunk bends forward.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pose_shared.skeleton import SKELETON
from scipy.interpolate import PchipInterpolator
from scipy.spatial.transform import Rotation

from pose_server.mocap.body import body_points
from pose_server.mocap.npz import upright_recording
from pose_server.pipeline.boundary import FloatArray
from pose_server.pipeline.kinematics import global_rotations, joint_positions
from pose_server.solve.proportions import proportions
from pose_server.train.motions import RATE_HZ, Take

__all__ = ["keyed_takes"]

_BODY = proportions((), np.empty((1, 0, 3)), np.empty((1, 0)))
_SIDES = (("left_", 1.0), ("right_", -1.0))

#: On all fours: how far the trunk bows, for hands and knees to reach the floor, and the pace.
_BOWED_DEG, _STRIDE_M, _STRIDE_S = 72.0, 0.24, 1.1
_STEP_M, _RISE_M, _STEP_S, _STEPS = 0.28, 0.17, 0.6, 12
#: Times in seconds; the root's turn about x (forward) and about the body's own length, its way in metres
#: (backward), and the bend of spine, hips, knees, shoulders and elbows.
_LIE = {
    "time_s": (0.0, 0.6, 1.6, 2.4, 3.2, 4.0, 5.0, 6.0, 6.8, 7.8, 8.4),
    "pitch": (0, 0, 25, -10, -90, -90, -90, -90, -10, 25, 0),
    "roll": (0, 0, 0, 0, 0, 0, 80, 0, 0, 0, 0),
    "back_m": (0, 0, 0.1, 0.35, 0.45, 0.45, 0.45, 0.45, 0.35, 0.1, 0),
    "spine": (0, 0, 25, 30, 0, 0, 15, 0, 30, 25, 0),
    "hip": (0, 0, -105, -85, -10, 0, -50, 0, -85, -105, 0),
    "knee": (2, 2, 120, 70, 15, 3, 70, 3, 70, 120, 2),
    "shoulder": (0, 0, -50, 10, 0, 0, -40, 0, 10, -50, 0),
    "elbow": (15, 15, 30, 20, 15, 10, 50, 10, 20, 30, 15),
}


def keyed_takes() -> tuple[Take, ...]:
    """Return a take of each kind, at 60 Hz with y up."""
    return _crawl(), _lie(), _stairs()


def _crawl(seconds: float = 8.0) -> Take:
    """On hands and knees, opposite limbs together, each planted while the body passes over it."""
    times_s = _times(seconds)
    turns = {
        "pelvis": _about_x(_BOWED_DEG + 0 * times_s),
        "neck": _about_x(-20.0 + 0 * times_s),
        "head": _about_x(-20.0 + 0 * times_s),
    }
    for side, sign in _SIDES:
        knee_way, knee_up = _pace(times_s / _STRIDE_S + (0.5 if sign > 0 else 0.0))
        hand_way, hand_up = _pace(times_s / _STRIDE_S + (0.0 if sign > 0 else 0.5))
        hip = _swung_deg(knee_way, _length("knee")) - _BOWED_DEG - 12.0 * knee_up
        reach = _swung_deg(hand_way, _length("elbow") + _length("wrist")) - _BOWED_DEG
        turns |= {
            f"{side}hip": _about_x(hip),
            # The shank lies flat whatever the thigh does, the instep on the floor.
            f"{side}knee": _about_x(90.0 - _BOWED_DEG - hip),
            f"{side}ankle": _about_x(75.0 + 0 * times_s),
            f"{side}shoulder": _arm(reach, 88.0, sign),
            f"{side}elbow": _elbow(5.0 + 35.0 * hand_up, sign),
            f"{side}wrist": _about_z(-70.0 * sign + 0 * times_s),
        }
    way = -2 * _STRIDE_M / _STRIDE_S * times_s
    return _take("keyed_crawl", turns, np.stack([0 * way, way, 0 * way], axis=1))


def _lie() -> Take:
    """Down to the floor, on the back, over to the side and up again."""
    keys_s = _LIE["time_s"]
    times_s = _times(keys_s[-1])
    at = {name: PchipInterpolator(keys_s, values)(times_s) for name, values in _LIE.items()}
    turns = {
        "pelvis": _about_x(at["pitch"]) * _about_z(at["roll"]),
        "spine": _about_x(at["spine"]),
        "chest": _about_x(at["spine"] / 2),
    }
    for side, sign in _SIDES:
        turns |= {
            f"{side}hip": _about_x(at["hip"]),
            f"{side}knee": _about_x(at["knee"]),
            f"{side}shoulder": _arm(at["shoulder"], 75.0, sign),
            f"{side}elbow": _elbow(at["elbow"], sign),
        }
    return _take("keyed_lie", turns, np.stack([0 * times_s, at["back_m"], 0 * times_s], axis=1))


def _stairs() -> Take:
    """Up six steps and down six, one foot on each, the feet planted while they carry."""
    times_s = _times(_STEPS * _STEP_S)
    thigh, shank = _length("knee"), _length("ankle")
    ankles = {}
    for side, sign in _SIDES:
        # Each foot leaves every second step: so many steps it has done, the last in part.
        done = times_s / (2 * _STEP_S) + (0.5 if sign > 0 else 0.0)
        share = np.clip(2 * (done % 1.0), 0.0, 1.0)
        eased = share * share * (3 - 2 * share)
        place = 2 * (np.floor(done) + eased) - (1.0 if sign > 0 else 0.0)
        level = _RISE_M * np.clip(np.minimum(place, _STEPS - place), 0, None)
        clear = 0.12 * np.sin(np.pi * share) ** 2
        ankles[side] = np.stack([-_STEP_M * place, level + clear - _BODY.heel_m[2]], axis=1)
    middle = (ankles["left_"] + ankles["right_"]) / 2
    root = np.stack([0 * times_s, middle[:, 0], middle[:, 1].min() + 0 * times_s], axis=1)
    low = np.minimum(ankles["left_"][:, 1], ankles["right_"][:, 1])
    # Over the lower foot, as far up as its leg reaches, without the feet's own haste.
    root[:, 2] = _calm(low) + 0.93 * (thigh + shank)
    turns = {"spine": _about_x(4.0 + 0 * times_s)}
    for side, sign in _SIDES:
        back, up = (ankles[side] - root[:, 1:]).T
        reach = np.clip(np.hypot(back, up), abs(thigh - shank) + 0.01, 0.999 * (thigh + shank))
        bend = 180 - np.degrees(np.arccos((thigh**2 + shank**2 - reach**2) / (2 * thigh * shank)))
        ahead = np.degrees(np.arccos((thigh**2 + reach**2 - shank**2) / (2 * thigh * reach)))
        hip = np.degrees(np.arctan2(back, -up)) - ahead
        swing = 18.0 * np.sin(np.pi * times_s / _STEP_S) * sign
        turns |= {
            f"{side}hip": _about_x(hip),
            f"{side}knee": _about_x(bend),
            f"{side}ankle": _about_x(-hip - bend),
            f"{side}shoulder": _arm(swing, 78.0, sign),
            f"{side}elbow": _elbow(25.0 + 0 * times_s, sign),
        }
    return _take("keyed_stairs", turns, root, grounded=False)


def _take(name: str, turns: Mapping[str, Rotation], root_m: FloatArray, *, grounded: bool = True) -> Take:
    """Return the body points of keyed rotations; `grounded`: whatever is lowest lies on the floor."""
    local = np.tile([1.0, 0.0, 0.0, 0.0], (len(root_m), len(SKELETON), 1))
    for joint, turn in turns.items():
        local[:, SKELETON.index(joint)] = turn.as_quat(scalar_first=True)
    joints = joint_positions(local, root_m, _BODY.rest_offsets_m, SKELETON.parents)
    recording = upright_recording(
        SKELETON.joints, SKELETON.parents, joints, global_rotations(local, SKELETON.parents), RATE_HZ
    )
    points = body_points(recording)
    if grounded:
        points[..., 1] -= points[..., 1].min(axis=1, keepdims=True)
    return Take(name, "keyed", points.astype(np.float32))


def _times(seconds: float) -> FloatArray:
    return np.arange(round(seconds * RATE_HZ)) / RATE_HZ


def _pace(cycle: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return where a limb is, in strides ahead of the body, and 0..1 how far it is off the floor."""
    phase = cycle % 1.0
    stance, share = phase < 0.5, np.clip(2 * phase - 1, 0.0, 1.0)
    ahead = np.where(stance, 0.5 - 2 * phase, -0.5 + share * share * (3 - 2 * share))
    return ahead, np.where(stance, 0.0, np.sin(np.pi * share))


def _swung_deg(strides: FloatArray, length_m: float) -> FloatArray:
    """Return how far back a hanging limb of a length swings for its end to be so far ahead."""
    return np.asarray(-np.degrees(np.arcsin(np.clip(strides * _STRIDE_M / length_m, -1, 1))))


def _length(joint: str) -> float:
    return float(np.linalg.norm(_BODY.rest_offsets_m[SKELETON.index(f"left_{joint}")]))


def _calm(values: FloatArray) -> FloatArray:
    width = round(2 * _STEP_S * RATE_HZ)
    padded = np.pad(values, (width // 2, width - width // 2 - 1), mode="edge")
    return np.convolve(padded, np.ones(width) / width, mode="valid")


def _arm(swing_deg: FloatArray, down_deg: float, sign: float) -> Rotation:
    """From the T-pose down to the side, then back by `swing_deg`."""
    lowered = Rotation.from_euler("y", sign * down_deg, degrees=True)
    return _about_x(swing_deg) * lowered


def _elbow(bend_deg: FloatArray, sign: float) -> Rotation:
    return _about_z(-sign * bend_deg)


def _about_x(angles_deg: FloatArray) -> Rotation:
    return Rotation.from_rotvec(np.outer(angles_deg, [1.0, 0.0, 0.0]), degrees=True)


def _about_z(angles_deg: FloatArray) -> Rotation:
    return Rotation.from_rotvec(np.outer(angles_deg, [0.0, 0.0, 1.0]), degrees=True)
