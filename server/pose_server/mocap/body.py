"""The points of the body that detectors see, on the skeletons of motion files.

Motion files hold centres of rotation; detectors mark noses, heels and knuckles.  Each skeleton kind
has a table that says where a point hangs: at a joint or between two, turned with a joint, at
an offset in the rest pose (a T-pose that faces +z with y up, the left arm along +x).  Offsets
not given by the files come from adult anthropometry and are the same for everybody; training
varies them per clip.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pose_shared.errors import InputError
from pose_shared.skeleton import BODY_31, mirrored_name

from pose_server.mocap.recording import Recording
from pose_server.pipeline.boundary import FloatArray

__all__ = ["body_points", "skeleton_kind"]

_Vector = tuple[float, float, float]


@dataclass(frozen=True)
class _Anchor:
    """A place on a skeleton: from `at` a `share` of the way `to` another joint, then an offset."""

    at: str
    offset_m: _Vector = (0.0, 0.0, 0.0)
    turn: str | None = None
    to: str | None = None
    share: float = 0.0


def _both(left: Mapping[str, _Anchor], sides: tuple[str, str]) -> dict[str, _Anchor]:
    """Return anchors of both sides from those of the left."""

    def other(name: str | None) -> str | None:
        if name is None or not name.startswith(sides[0]):
            return name
        return sides[1] + name.removeprefix(sides[0])

    anchors = {}
    for point, anchor in left.items():
        anchors[point] = anchor
        x, y, z = anchor.offset_m
        anchors[mirrored_name(point)] = _Anchor(
            other(anchor.at) or "", (-x, y, z), other(anchor.turn), other(anchor.to), anchor.share
        )
    return anchors


def _face(base: str, turn: str, top: str | None) -> dict[str, _Anchor]:
    """Return the face above the base of the skull: `top` is about level with the eyes."""
    lift = {"nose": 0.75, "eye": 1.05, "ear": 0.9}
    places = {"nose": (0.0, 0.0, 0.115), "eye": (0.032, 0.0, 0.09), "ear": (0.075, 0.0, 0.005)}
    anchors = {}
    for point, (x, y, z) in places.items():
        height = 0.0 if top else lift[point] * 0.1
        anchor = _Anchor(base, (x, y + height, z), turn, top, lift[point] if top else 0.0)
        anchors[point if point == "nose" else f"left_{point}"] = anchor
    return anchors


def _sided(face: dict[str, _Anchor], left: dict[str, _Anchor], sides: tuple[str, str]) -> dict[str, _Anchor]:
    nose = {"nose": face["nose"]}
    return nose | _both({k: v for k, v in face.items() if k != "nose"} | left, sides)


_HEEL, _SMALL_TOE = (0.0, -0.05, -0.05), (0.04, 0.0, 0.025)
_INDEX, _PINKY = (0.005, 0.0, 0.03), (-0.01, 0.0, -0.035)

_ACCLAIM = {
    **_sided(
        _face("upperneck", "head", "head"),
        {
            "left_shoulder": _Anchor("lclavicle"),
            "left_elbow": _Anchor("lhumerus"),
            # The hand flexes near the end of this bone, not of the radius, whose forearm is 18 cm short.
            "left_wrist": _Anchor("lradius", to="lwrist", share=0.65),
            "left_index": _Anchor("lhand", _INDEX, "lhand"),
            "left_pinky": _Anchor("lhand", _PINKY, "lhand"),
            "left_hip": _Anchor("lhipjoint"),
            "left_knee": _Anchor("lfemur"),
            "left_ankle": _Anchor("ltibia"),
            "left_heel": _Anchor("ltibia", _HEEL, "lfoot"),
            "left_big_toe": _Anchor("ltoes", (-0.015, 0.0, -0.01), "lfoot"),
            "left_small_toe": _Anchor("lfoot", _SMALL_TOE, "lfoot"),
        },
        ("l", "r"),
    ),
    "spine": _Anchor("lowerback"),
    "chest": _Anchor("upperback"),
    "neck": _Anchor("thorax"),
    "head": _Anchor("upperneck"),
}

_MOTION_BUILDER = {
    **_sided(
        _face("Head", "Head", "Head_end"),
        {
            "left_shoulder": _Anchor("LeftArm"),
            "left_elbow": _Anchor("LeftForeArm"),
            "left_wrist": _Anchor("LeftHand", (0.065, 0.0, 0.0), "LeftForeArm"),
            "left_index": _Anchor("LeftHand", (0.15, 0.0, 0.03), "LeftHand"),
            "left_pinky": _Anchor("LeftHand", (0.135, 0.0, -0.035), "LeftHand"),
            "left_hip": _Anchor("LeftUpLeg"),
            "left_knee": _Anchor("LeftLeg"),
            "left_ankle": _Anchor("LeftFoot"),
            "left_heel": _Anchor("LeftFoot", _HEEL, "LeftFoot"),
            "left_big_toe": _Anchor("LeftToeBase", (-0.015, 0.0, 0.055), "LeftFoot"),
            "left_small_toe": _Anchor("LeftToeBase", _SMALL_TOE, "LeftFoot"),
        },
        ("Left", "Right"),
    ),
    "spine": _Anchor("Spine"),
    "chest": _Anchor("Spine1"),
    "neck": _Anchor("Neck"),
    "head": _Anchor("Head"),
}

_DAZ = {
    **_sided(
        _face("head", "head", None),
        {
            "left_shoulder": _Anchor("lShldr"),
            "left_elbow": _Anchor("lForeArm"),
            "left_wrist": _Anchor("lHand"),
            "left_index": _Anchor("lIndex1"),
            "left_pinky": _Anchor("lPinky1"),
            "left_hip": _Anchor("lThigh"),
            "left_knee": _Anchor("lShin"),
            "left_ankle": _Anchor("lFoot"),
            "left_heel": _Anchor("lFoot", (0.0, -0.06, -0.045), "lFoot"),
            "left_big_toe": _Anchor("lFoot", (-0.015, -0.065, 0.175), "lFoot"),
            "left_small_toe": _Anchor("lFoot", (0.04, -0.065, 0.14), "lFoot"),
        },
        ("l", "r"),
    ),
    "spine": _Anchor("abdomen"),
    "chest": _Anchor("chest"),
    "neck": _Anchor("neck"),
    "head": _Anchor("head", (0.0, 0.02, 0.0), "head"),
}

_HOUSE = {
    **_sided(
        _face("head", "head", None),
        {
            "left_shoulder": _Anchor("left_shoulder"),
            "left_elbow": _Anchor("left_elbow"),
            "left_wrist": _Anchor("left_wrist"),
            "left_index": _Anchor("left_hand", _INDEX, "left_hand"),
            "left_pinky": _Anchor("left_hand", _PINKY, "left_hand"),
            "left_hip": _Anchor("left_hip"),
            "left_knee": _Anchor("left_knee"),
            "left_ankle": _Anchor("left_ankle"),
            "left_heel": _Anchor("left_ankle", (0.0, -0.06, -0.045), "left_ankle"),
            "left_big_toe": _Anchor("left_toe", (-0.015, 0.0, 0.055), "left_ankle"),
            "left_small_toe": _Anchor("left_toe", _SMALL_TOE, "left_ankle"),
        },
        ("left", "right"),
    ),
    **{name: _Anchor(name) for name in ("spine", "chest", "neck", "head")},
}

_KINDS = {"acclaim": _ACCLAIM, "motionbuilder": _MOTION_BUILDER, "daz": _DAZ, "house": _HOUSE}


def skeleton_kind(recording: Recording) -> str:
    """Return which of the known skeletons a recording has.

    Raises
    ------
    InputError
        ``SKELETON_UNKNOWN``: none of them.
    """
    have = set(recording.names)
    for kind, anchors in _KINDS.items():
        if {
            name for anchor in anchors.values() for name in (anchor.at, anchor.turn, anchor.to) if name
        } <= have:
            return kind
    raise InputError(
        f"The skeleton with the joints {', '.join(recording.names[:6])}, … is of no known kind; "
        f"give one of {', '.join(_KINDS)}.",
        reason="SKELETON_UNKNOWN",
    )


def body_points(recording: Recording) -> FloatArray:
    """Return (T, 31, 3) metres of `BODY_31`, in the recording's axes.

    Raises
    ------
    InputError
        ``SKELETON_UNKNOWN``.
    """
    anchors = _KINDS[skeleton_kind(recording)]
    points = np.empty((len(recording), len(BODY_31), 3))
    for column, name in enumerate(BODY_31.joints):
        anchor = anchors[name]
        place = recording.points_m[:, recording.index(anchor.at)]
        if anchor.to:
            place = place + anchor.share * (recording.points_m[:, recording.index(anchor.to)] - place)
        if anchor.turn:
            place = place + recording.turns[:, recording.index(anchor.turn)] @ np.array(anchor.offset_m)
        points[:, column] = place
    return points
