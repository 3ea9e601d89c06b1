"""Any skeleton's motion as that of the house skeleton: the way in, `posing` the other way round."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InputError
from pose_shared.skeleton import SKELETON
from scipy.ndimage import uniform_filter1d
from scipy.spatial.transform import Rotation

from pose_server.pipeline.boundary import Camera, FloatArray, Motion
from pose_server.pipeline.kinematics import joint_positions, same_hemisphere
from pose_server.pipeline.quality import contact_points_m
from pose_server.retarget.bone_map import BoneMap
from pose_server.retarget.character import Character, character_of, hinges, limb_directions, roll_of
from pose_server.rigs.recorded import RecordedRig

__all__ = ["motion_of"]

_SIDES = (("left", 1.0), ("right", -1.0))
#: Soles whose contacts a motion is told to have.
_SOLES = ("left_heel", "left_toe", "right_heel", "right_toe")
#: A sole carries where it is slower, and no higher above the ground.
_STILL_M_S, _LOW_M = 0.3, 0.06
_WINDOW_S, _RAMP_S = 0.05, 0.05
#: The lowest soles of so many frames, in percent, stand on the ground.
_GROUND_PERCENT = 5.0
#: Height of the toe's joint below the ankle, in heights of the ankle above the sole; see `pipeline.quality`.
_TOE_UNDER = 0.025 / 0.039
#: Of what a rig lacks, as shares of the leg: how high ankles are at least, hands and heads how long.
_ANKLE, _HAND, _HEAD = 0.04, 0.1, 0.06
#: A joint shows its hinge if so much of its bending is about one axis, and it is bent so far in the mean;
#: what is rolled further is another joint than ours.
_HINGED, _BENT_RAD, _MOST_ROLL_RAD = 0.9, 0.1, np.radians(75.0)
_UP = np.array([0.0, 0.0, 1.0])
_VIEW = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
_AWAY_M = 4.0


def motion_of(recorded: RecordedRig, bones: BoneMap) -> Motion:
    """Return a recording of any mapped rig as a `Motion`, standing on the ground, with its contacts.

    Parameters
    ----------
    recorded
        The rig and how it moves.
    bones
        Which of its bones are which parts of the body.

    Raises
    ------
    InputError
        From `character_of`; ``MOTION_UNREADABLE``: a place or turn in it is no number.

    Notes
    -----
    Joints turn as the bones do, after what brings the rig at rest into a T-pose is taken out; bones of the
    house skeleton have the rig's lengths.  What the rig lacks goes along with what it hangs on.
    """
    character = character_of(recorded.rig, bones)
    if not (np.isfinite(recorded.turns).all() and np.isfinite(recorded.heads).all()):
        raise InputError(
            f"The motion of '{recorded.rig.name[:80]}' holds values that are no numbers; export it again.",
            reason="MOTION_UNREADABLE",
            rig=recorded.rig.name[:80],
        )
    world = _turns(recorded, character)
    places = _rest_places(character)
    offsets = np.array(
        [
            places[name] - places[SKELETON.joints[parent]] if parent >= 0 else np.zeros(3)
            for name, parent in zip(SKELETON.joints, SKELETON.parents, strict=True)
        ]
    )
    _hinged(world)
    local = np.stack(
        [
            world[name] if parent < 0 else np.swapaxes(world[SKELETON.joints[parent]], -1, -2) @ world[name]
            for name, parent in zip(SKELETON.joints, SKELETON.parents, strict=True)
        ],
        axis=1,
    )
    wxyz = Rotation.from_matrix(local.reshape(-1, 3, 3)).as_quat(scalar_first=True)
    wxyz = same_hemisphere(wxyz.reshape(*local.shape[:2], 4))
    hips = [character.at(f"{side}_hip") for side, _ in _SIDES]
    root = recorded.heads[:, hips].mean(axis=1) @ character.from_rig.T * recorded.rig.metres_per_unit
    return _on_ground(_motion(recorded, wxyz, root, offsets))


def _turns(recorded: RecordedRig, character: Character) -> dict[str, FloatArray]:
    """Return (T, 3, 3) of each joint away from the house skeleton's T-pose, in our axes."""
    axes = character.from_rig
    bones = character.bones

    def bone(name: str) -> FloatArray:
        return np.asarray(axes @ recorded.turns[:, character.index[name]] @ axes.T)

    turns: dict[str, FloatArray] = {"pelvis": bone(bones["pelvis"])}
    spine = bones.roles.get("spine", ())
    turns["chest"] = bone(spine[-1]) if spine else turns["pelvis"]
    # As `posing` spreads them: half of the way up the spine's first half turns.
    turns["spine"] = bone(spine[(len(spine) + 1) // 2 - 1]) if len(spine) > 1 else _half(turns)
    neck = bones.roles.get("neck", ())
    turns["neck"] = bone(neck[-1]) if neck else turns["chest"]
    turns["head"] = bone(bones["head"]) if "head" in bones else turns["neck"]
    for side, _ in _SIDES:
        for part, above in (
            ("clavicle", "chest"),
            ("shoulder", f"{side}_clavicle"),
            ("elbow", f"{side}_shoulder"),
            ("wrist", f"{side}_elbow"),
            ("hip", "pelvis"),
            ("knee", f"{side}_hip"),
            ("ankle", f"{side}_knee"),
            ("toe", f"{side}_ankle"),
        ):
            role = f"{side}_{part}"
            if role in bones:
                turns[role] = bone(bones[role]) @ character.t_pose_turns.get(role, np.eye(3)).T
            else:
                turns[role] = turns[above]
        turns[f"{side}_hand"] = turns[f"{side}_wrist"]
    return turns


def _hinged(turns: dict[str, FloatArray]) -> None:
    """Roll the bones of arms and legs so that they bend about the hinges of the house skeleton.

    A rest pose that is straight does not show where a joint's hinge is; the motion does, as the mean of the
    axes about which the joint is bent.
    """
    for side, _ in _SIDES:
        for limb, along in limb_directions(side).items():
            upper, lower = (f"{side}_{part}" for part in limb[:2])
            bends = Rotation.from_matrix(np.swapaxes(turns[upper], 1, 2) @ turns[lower]).as_rotvec()
            total = bends.sum(axis=0)
            total -= (total @ along) * along
            size = np.linalg.norm(bends, axis=1).sum()
            if np.linalg.norm(total) < max(_HINGED * size, _BENT_RAD * len(bends)):
                continue
            roll = roll_of(total, hinges(side)[limb], along)
            if abs(roll) < _MOST_ROLL_RAD:
                back = Rotation.from_rotvec(-roll * along).as_matrix()
                turns[upper], turns[lower] = turns[upper] @ back, turns[lower] @ back


def _half(turns: dict[str, FloatArray]) -> FloatArray:
    """Return the turn half-way between pelvis and chest."""
    pelvis = Rotation.from_matrix(turns["pelvis"])
    way = (pelvis.inv() * Rotation.from_matrix(turns["chest"])).as_rotvec()
    return np.asarray((pelvis * Rotation.from_rotvec(way / 2)).as_matrix())


def _rest_places(character: Character) -> dict[str, FloatArray]:
    """Return (3,) where each joint of the house skeleton is when the rig stands in the T-pose."""
    bones, leg_m = character.bones, character.leg_m
    places = {"pelvis": character.hips_m}

    def rest(name: str) -> FloatArray:
        return np.asarray(character.rest_heads_m[character.index[name]])

    shoulders = [character.head_m(f"{side}_shoulder") for side, _ in _SIDES if f"{side}_shoulder" in bones]
    top = np.mean(shoulders, axis=0) if shoulders else character.hips_m + 0.55 * leg_m * _UP
    spine, neck = bones.roles.get("spine", ()), bones.roles.get("neck", ())
    if len(spine) > 1:
        places["spine"], places["chest"] = rest(spine[(len(spine) + 1) // 2 - 1]), rest(spine[-1])
    else:
        start = rest(spine[0]) if spine else (2 * places["pelvis"] + top) / 3
        places["spine"], places["chest"] = (places["pelvis"] + start) / 2, start
    places["neck"] = rest(neck[0]) if neck else top * (0.0, 1.0, 1.0)
    crown = places["neck"] + _HEAD * leg_m * _UP
    places["head"] = character.head_m("head") if "head" in bones else crown
    for side, out in _SIDES:
        arm, down = np.array([out, 0.0, 0.0]), np.array([0.0, 0.0, -1.0])
        has_arm = f"{side}_shoulder" in bones
        shoulder = character.head_m(f"{side}_shoulder") if has_arm else top + 0.2 * leg_m * arm
        inner = places["chest"] + (shoulder - places["chest"]) * (0.15, 0.5, 0.8)
        clavicle = f"{side}_clavicle"
        places[clavicle] = character.head_m(clavicle) if clavicle in bones else inner
        places[f"{side}_shoulder"] = shoulder
        whole_arm = all(f"{side}_{part}" in bones for part in ("shoulder", "elbow", "wrist"))
        upper, fore = character.limb_m(side, "arm") if whole_arm else (0.33 * leg_m, 0.31 * leg_m)
        places[f"{side}_elbow"] = shoulder + upper * arm
        places[f"{side}_wrist"] = places[f"{side}_elbow"] + fore * arm
        places[f"{side}_hand"] = places[f"{side}_wrist"] + _palm_m(character, side) * arm
        thigh, shin = character.limb_m(side, "leg")
        places[f"{side}_hip"] = character.head_m(f"{side}_hip")
        places[f"{side}_knee"] = places[f"{side}_hip"] + thigh * down
        places[f"{side}_ankle"] = places[f"{side}_knee"] + shin * down
        _, ball = character.sole_m(side)
        ankle = character.head_m(f"{side}_ankle")
        ahead = character.t_pose_turns[f"{side}_ankle"] @ ((ball - ankle) * (1, 1, 0))
        under = _TOE_UNDER * max(float(ankle[2] - ball[2]), _ANKLE * leg_m)
        if f"{side}_toe" in bones:  # of a rig that ends there the sole lies lower
            under = max(under, float(ankle[2] - character.head_m(f"{side}_toe")[2]))
        places[f"{side}_toe"] = places[f"{side}_ankle"] + ahead + under * down
    return places


def _palm_m(character: Character, side: str) -> float:
    """Return how far the knuckles are from the wrist."""
    if f"{side}_wrist" in character.bones:
        wrist = character.at(f"{side}_wrist")
        knuckles = character.rest_heads_m[character.parents == wrist]
        ends = knuckles if len(knuckles) else character.rest_tails_m[[wrist]]
        length = float(np.linalg.norm(ends.mean(axis=0) - character.rest_heads_m[wrist]))
        if length > 1e-3 * character.leg_m:
            return length
    return _HAND * character.leg_m


def _motion(recorded: RecordedRig, wxyz: FloatArray, root_m: FloatArray, offsets_m: FloatArray) -> Motion:
    frames, joints = wxyz.shape[:2]
    places = joint_positions(wxyz, root_m, offsets_m, SKELETON.parents)
    return Motion(
        rate=recorded.rate,
        times_s=np.arange(frames) / float(recorded.rate),
        frames=np.arange(frames),
        joint_names=SKELETON.joints,
        parents=np.array(SKELETON.parents),
        rest_offsets_m=offsets_m,
        local_rotations_wxyz=wxyz,
        root_world_m=root_m,
        joints_world_m=places,
        joints_camera_m=places,
        root_camera_m=root_m,
        confidence=np.ones((frames, joints)),
        contact_names=_SOLES,
        contacts=np.zeros((frames, len(_SOLES))),
        keypoint_names=(),
        keypoints_px=np.zeros((frames, 0, 2)),
        keypoint_confidence=np.zeros((frames, 0)),
        camera=Camera(
            np.array([[1000.0, 0, 500], [0, 1000, 500], [0, 0, 1]]), np.zeros(5), (1000, 1000), "assumed"
        ),
        world_to_camera=np.eye(4),
        reprojection_px=np.full((frames, joints), np.nan),
    )


def _on_ground(motion: Motion) -> Motion:
    """Return the motion with its lowest soles on the ground, its contacts, and a camera in front of it."""
    soles = contact_points_m(motion)
    floor_m = float(np.percentile(soles[..., 2].min(axis=1), _GROUND_PERCENT))
    up = np.array([0.0, 0.0, floor_m])
    soles = soles - up
    contacts = _carrying(soles, float(motion.rate))
    places, root = motion.joints_world_m - up, motion.root_world_m - up
    eye = np.array([*np.median(root[:, :2], axis=0) - (0.0, _AWAY_M), 1.0])
    to_camera = np.eye(4)
    to_camera[:3, :3], to_camera[:3, 3] = _VIEW, -_VIEW @ eye
    return replace(
        motion,
        contacts=contacts,
        joints_world_m=places,
        root_world_m=root,
        joints_camera_m=(places - eye) @ _VIEW.T,
        root_camera_m=(root - eye) @ _VIEW.T,
        world_to_camera=to_camera,
    )


def _carrying(soles_m: FloatArray, rate_hz: float) -> FloatArray:
    """Return (T, 4) 0..1: which soles are still and low; soft at the ends."""
    if len(soles_m) < 2:
        return (soles_m[..., 2] < _LOW_M).astype(np.float64)
    velocity = np.gradient(soles_m, 1 / rate_hz, axis=0)
    window = max(1, round(_WINDOW_S * rate_hz))
    speed = np.linalg.norm(uniform_filter1d(velocity, window, axis=0, mode="nearest"), axis=2)
    carries: NDArray[np.bool_] = (speed < _STILL_M_S) & (soles_m[..., 2] < _LOW_M)
    ramp = 2 * round(_RAMP_S * rate_hz / 2) + 1
    return np.asarray(uniform_filter1d(carries.astype(np.float64), ramp, axis=0, mode="nearest"))
