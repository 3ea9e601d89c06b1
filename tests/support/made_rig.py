"""Rigs that nobody drew, and a walk for them: built in any pose, unit, facing and number of bones."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from made_motion import make_motion
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.kinematics import joint_positions
from pose_server.retarget.bone_map import BoneMap
from pose_shared.rig import IkChain, Rig, RigBone, Switch
from pose_shared.skeleton import SKELETON
from scipy.spatial.transform import Rotation

#: The house skeleton of a person of 1.75 m, left half and middle; metres from the parent.
_OFFSETS = {
    "pelvis": (0.0, 0.0, 0.0),
    "spine": (0.0, 0.0, 0.1),
    "chest": (0.0, 0.0, 0.2),
    "neck": (0.0, 0.02, 0.22),
    "head": (0.0, -0.01, 0.1),
    "clavicle": (0.03, 0.0, 0.18),
    "shoulder": (0.14, 0.0, 0.0),
    "elbow": (0.28, 0.0, 0.0),
    "wrist": (0.26, 0.0, 0.0),
    "hand": (0.09, 0.0, 0.0),
    "hip": (0.09, 0.0, -0.02),
    "knee": (0.0, 0.0, -0.43),
    "ankle": (0.0, 0.0, -0.42),
    "toe": (0.0, -0.117, -0.044),
}
_HEAD_TAIL = (0.0, 0.0, 0.19)


def offsets() -> np.ndarray:
    """Return (J, 3) rest offsets of the house skeleton."""
    rows = []
    for joint in SKELETON.joints:
        side, _, part = joint.partition("_")
        x, y, z = _OFFSETS[part or side]
        rows.append((-x if side == "right" else x, y, z))
    return np.array(rows)


def walk(frames: int = 120, rate: Fraction = Fraction(30), speed_m_s: float = 0.9) -> Motion:
    """Somebody who walks along -y, swings arms and bends everything, feet flat while they carry.

    Its feet stand still in contact to the millimetre: legs are bent so that ankles are where they should be.
    """
    times = np.arange(frames) / float(rate)
    rest = offsets()
    names = list(SKELETON.joints)
    step_s = 0.55
    contacts = np.zeros((frames, 4), np.float32)
    local = np.zeros((frames, len(names), 4))
    local[..., 0] = 1.0
    root = np.zeros((frames, 3))
    root[:, 1] = -speed_m_s * times
    root[:, 2] = 0.86 + 0.01 * np.cos(4 * np.pi * times / (2 * step_s))

    def turn(joint: str, axis: tuple[float, float, float], angle: np.ndarray) -> None:
        part = Rotation.from_rotvec(np.outer(angle, axis)).as_quat(scalar_first=True)
        local[:, names.index(joint)] = part

    turn("pelvis", (0, 0, 1), 0.12 * np.sin(np.pi * times / step_s))
    turn("spine", (0, 1, 0), 0.1 * np.sin(np.pi * times / step_s))
    turn("chest", (0.5, 0, 1), -0.2 * np.sin(np.pi * times / step_s))
    turn("head", (1, 0, 0), 0.2 * np.sin(2 * times))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        phase = np.pi * times / step_s + (0 if side == "left" else np.pi)
        turn(f"{side}_shoulder", (0.9 * np.sin(0.3), sign * 1.2, 0.4 * sign), 1 + 0.3 * np.sin(phase))
        turn(f"{side}_elbow", (0, 0, -sign), 0.5 + 0.4 * np.sin(phase))
        turn(f"{side}_wrist", (1, 0, 0), 0.5 * np.sin(1.3 * times))
        hip, knee, ankle = (names.index(f"{side}_{part}") for part in ("hip", "knee", "ankle"))
        cycle = (times / (2 * step_s) + (0 if side == "left" else 0.5)) % 1
        stands = cycle < 0.55
        place = np.floor(times / (2 * step_s) + (0 if side == "left" else 0.5))
        pelvis = Rotation.from_quat(local[:, 0], scalar_first=True)
        hips = root + pelvis.apply(rest[hip])
        # Where the ankle stands, and how it gets from there to the next place.
        stride = 2 * step_s * speed_m_s
        shift = (0 if side == "left" else 0.5) * stride
        stand_y = -(place * stride - shift) - 0.275 * stride
        swing = np.clip((cycle - 0.55) / 0.45, 0, 1)
        ease = swing**2 * (3 - 2 * swing)
        goal = np.stack(
            [np.full(frames, sign * 0.09), stand_y - stride * ease, 0.0686 + 0.12 * np.sin(np.pi * swing)],
            axis=1,
        )
        for frame in range(frames):
            _stand(local[frame], hip, knee, ankle, goal[frame] - hips[frame], pelvis[frame])
        contacts[:, 0 if side == "left" else 2] = stands
        contacts[:, 1 if side == "left" else 3] = stands
    world = joint_positions(local, root, rest, SKELETON.parents)
    base = make_motion()
    joints = len(names)
    return replace(
        base,
        rate=rate,
        times_s=times,
        frames=np.arange(frames),
        rest_offsets_m=rest.astype(np.float32),
        local_rotations_wxyz=local.astype(np.float32),
        root_world_m=root.astype(np.float32),
        joints_world_m=world.astype(np.float32),
        joints_camera_m=world.astype(np.float32),
        root_camera_m=root.astype(np.float32),
        confidence=np.ones((frames, joints), np.float32),
        contact_names=("left_heel", "left_toe", "right_heel", "right_toe"),
        contacts=contacts,
        keypoints_px=np.zeros((frames, 1, 2), np.float32),
        keypoint_confidence=np.zeros((frames, 1), np.float32),
        reprojection_px=np.zeros((frames, joints), np.float32),
    )


def _stand(local: np.ndarray, hip: int, knee: int, ankle: int, reach: np.ndarray, pelvis: Rotation) -> None:
    """Bend one leg so that the ankle is `reach` from the hip, and turn the foot flat."""
    upper, lower = 0.43, 0.42
    far = min(np.linalg.norm(reach), 0.9999 * (upper + lower))
    bend = np.arccos(np.clip((upper**2 + lower**2 - far**2) / (2 * upper * lower), -1, 1))
    lift = np.arccos(np.clip((upper**2 + far**2 - lower**2) / (2 * upper * far), -1, 1))
    to, _ = Rotation.align_vectors(
        [reach / np.linalg.norm(reach), [1, 0, 0]], [[0, 0, -1], [1, 0, 0]], weights=[1e6, 1]
    )
    thigh = to * Rotation.from_rotvec([-lift, 0, 0])
    shin = Rotation.from_rotvec([np.pi - bend, 0, 0])
    local[hip] = (pelvis.inv() * thigh).as_quat(scalar_first=True)
    local[knee] = shin.as_quat(scalar_first=True)
    local[ankle] = (thigh * shin).inv().as_quat(scalar_first=True)


def make_rig(
    *,
    arms_deg: float = 0.0,
    legs_deg: float = 0.0,
    legs: float = 1.0,
    shin: float = 1.0,
    unit: float = 1.0,
    up: str = "z",
    facing_deg: float = 0.0,
    spine: int = 3,
    root: bool = False,
    twist: bool = False,
    ik: bool = False,
    seed: int = 0,
) -> tuple[Rig, BoneMap]:
    """Return a rig with bones that are turned about themselves any way, and its map.

    Parameters
    ----------
    arms_deg, legs_deg
        How far arms hang, and legs are spread, in its rest pose.
    legs, shin
        Length of the legs, and of shins beside thighs, as shares of the source's.
    unit, up, facing_deg
        Metres per unit, the axis that is up, and where it looks: 0 along -y.
    spine
        Bones from the pelvis to the neck.
    """
    rng = np.random.default_rng(seed)
    rest = offsets()
    names = list(SKELETON.joints)
    heads = np.zeros((len(names), 3))
    for joint, parent in enumerate(SKELETON.parents):
        name = names[joint]
        offset = rest[joint].copy()
        sign = -1.0 if name.startswith("right") else 1.0
        if name.endswith(("elbow", "wrist", "hand")):
            offset = Rotation.from_rotvec([0, sign * np.radians(arms_deg), 0]).apply(offset)
        if name.endswith(("knee", "ankle")):
            offset = offset * legs * (shin if name.endswith("ankle") else 2 - shin)
            offset = Rotation.from_rotvec([0, -sign * np.radians(legs_deg), 0]).apply(offset)
        heads[joint] = heads[parent] + offset if parent >= 0 else offset
    heads[:, 2] -= heads[:, 2].min() - 0.02
    bones: list[tuple[str, str, np.ndarray]] = []
    roles: dict[str, tuple[str, ...]] = {}
    renamed = {name: f"B_{name}" for name in names}
    if root:
        bones.append(("ground", "", np.zeros(3)))
        roles["root"] = ("ground",)
    bones.append((renamed["pelvis"], "ground" if root else "", heads[0]))
    roles["pelvis"] = (renamed["pelvis"],)
    neck = heads[names.index("neck")]
    chain = []
    for nth in range(spine):
        chain.append(f"back_{nth}")
        share = (nth + 0.3) / spine
        bones.append(
            (chain[-1], chain[-2] if nth else renamed["pelvis"], heads[0] + share * (neck - heads[0]))
        )
    roles["spine"] = tuple(chain)
    renamed |= {"spine": chain[-1], "chest": chain[-1]}
    for joint, name in enumerate(names):
        if name in ("pelvis", "spine", "chest") or name.endswith("hand"):
            continue
        bones.append((renamed[name], renamed[names[SKELETON.parents[joint]]], heads[joint]))
        roles[name] = (renamed[name],)
    if twist:
        for side in ("left", "right"):
            for part, end in (("shoulder", "elbow"), ("elbow", "wrist")):
                a, b = heads[names.index(f"{side}_{part}")], heads[names.index(f"{side}_{end}")]
                rolls = tuple(f"roll_{side}_{part}_{i}" for i in range(2))
                bones += [
                    (roll, renamed[f"{side}_{part}"], a + (b - a) * (i / 2)) for i, roll in enumerate(rolls)
                ]
                roles[f"{side}_{part}_twist"] = rolls
    chains = []
    if ik:
        for side in ("left", "right"):
            ankle, knee = heads[names.index(f"{side}_ankle")], heads[names.index(f"{side}_knee")]
            bones += [(f"foot_ik_{side}", "", ankle), (f"pole_{side}", "", knee - np.array([0, 0.5, 0]))]
            legs_of = [renamed[f"{side}_{part}"] for part in ("hip", "knee", "ankle")]
            switch = Switch(f"foot_ik_{side}", "IK_FK", 0.0, 1.0)
            chains.append(IkChain(*legs_of, f"foot_ik_{side}", f"pole_{side}", switch))
    away = Rotation.from_euler("z", facing_deg, degrees=True)
    upright = np.eye(3) if up == "z" else np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])
    moving = {"ground", renamed["pelvis"], *(bone for bone, *_ in bones if "_ik_" in bone or "pole" in bone)}
    described = []
    for name, parent, head in bones:
        matrix = np.eye(4)
        matrix[:3, :3] = upright @ (away * Rotation.random(random_state=rng.integers(1 << 30))).as_matrix()
        matrix[:3, 3] = upright @ away.apply(head) / unit
        keys = ("location", "rotation") if name in moving else ("rotation",)
        described.append(RigBone(name, parent, tuple(matrix.ravel().tolist()), keys=keys))
    return Rig("made", tuple(described), tuple(chains), unit, up), BoneMap(roles)
