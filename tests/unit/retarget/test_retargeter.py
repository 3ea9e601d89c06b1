"""A walk on rigs of any build: where it points, where it stands, and keys that say just that."""

from __future__ import annotations

import gc
import time
import tracemalloc
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from made_rig import make_rig, walk
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.kinematics import global_rotations
from pose_server.pipeline.quality import contact_points_m
from pose_server.pipeline.retarget_options import RetargetOptions
from pose_server.retarget.bone_map import BoneMap
from pose_server.retarget.character import character_of
from pose_server.retarget.planting import planted
from pose_server.retarget.posing import Posed, posed
from pose_server.retarget.retargeter import retargeted
from pose_server.retarget.rig_motion import RigMotion
from pose_server.retarget.twist import twisted
from pose_server.retarget.validation import validated
from pose_shared.errors import InputError
from pose_shared.rig import Rig
from scipy.spatial.transform import Rotation

RIGS = {
    "t_pose": {},
    "a_pose": {"arms_deg": 45, "legs_deg": 5},
    "long_legs": {"legs": 1.3, "shin": 1.1},
    "dwarf": {"legs": 0.5, "shin": 0.9, "spine": 1},
    "centimetres_y_up": {"unit": 0.01, "up": "y", "arms_deg": 30},
    "facing_away": {"facing_deg": 180, "spine": 5},
    "facing_askew": {"facing_deg": 40},
    "root_twist_ik": {"root": True, "twist": True, "ik": True, "arms_deg": 20},
}
LIMBS = [
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
]


@pytest.fixture(scope="module")
def source() -> Motion:
    return walk()


def poses(motion: RigMotion) -> dict[str, np.ndarray]:
    """Return (T, 4, 4) where each bone is in the rig: slowly, bone by bone, from the keys."""
    found: dict[str, np.ndarray] = {}
    rests = {bone.name: np.array(bone.rest).reshape(4, 4) for bone in motion.rig.bones}
    for bone in motion.rig.bones:
        own = np.tile(np.eye(4), (len(motion), 1, 1))
        if bone.name in motion.bones:
            i = motion.bones.index(bone.name)
            own[:, :3, :3] = Rotation.from_quat(motion.rotations_wxyz[:, i], scalar_first=True).as_matrix()
            own[:, :3, 3] = motion.locations[:, i]
        parent = found[bone.parent] if bone.parent else np.eye(4)
        base = np.linalg.inv(rests[bone.parent]) @ rests[bone.name] if bone.parent else rests[bone.name]
        found[bone.name] = parent @ base @ own
    return found


def angles_deg(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def soles(pose: Posed) -> dict[str, np.ndarray]:
    found = {}
    for side in ("left", "right"):
        heel, ball = pose.character.sole_m(side)
        foot = pose.column(f"{side}_ankle")
        found[f"{side}_heel"], found[f"{side}_toe"] = pose.point_m(foot, heel), pose.point_m(foot, ball)
    return found


def test_the_made_walk_stands(source: Motion) -> None:
    points = contact_points_m(source)
    held = (source.contacts[1:] > 0.5) & (source.contacts[:-1] > 0.5)
    assert held.mean() > 0.4
    assert np.linalg.norm(np.diff(points, axis=0), axis=2)[held].max() < 1e-3
    assert abs(points[..., 2][source.contacts > 0.5]).max() < 2e-3


@pytest.mark.parametrize("kind", RIGS)
def test_keys_put_every_limb_where_the_source_points(source: Motion, kind: str) -> None:
    rig, bones = make_rig(**RIGS[kind])
    motion = retargeted(source, rig, bones, RetargetOptions(relock=()))
    character = character_of(rig, bones)
    where = poses(motion)
    for start, end in LIMBS:
        a, b = (source.joints_world_m[:, list(source.joint_names).index(name)] for name in (start, end))
        c, d = (where[bones[name]][:, :3, 3] @ character.from_rig.T for name in (start, end))
        assert angles_deg(b - a, d - c).max() < 0.05, f"{start} of {kind}"


@pytest.mark.parametrize("kind", RIGS)
def test_feet_stand_on_the_characters_own_legs(source: Motion, kind: str) -> None:
    rig, bones = make_rig(**RIGS[kind])
    pose = planted(posed(source, character_of(rig, bones)), source)
    for column, name in enumerate(source.contact_names):
        way = soles(pose)[name]
        held = source.contacts[:, column] > 0.5
        both = held[1:] & held[:-1]
        steps = np.linalg.norm(np.diff(way, axis=0), axis=1)[both]
        assert steps.mean() < 1e-3 and steps.max() < 5e-3
        assert way[:, 2].min() > pose.character.ground_m - 5e-3
        assert abs(way[held, 2] - pose.character.ground_m).max() < 5e-3


@pytest.mark.parametrize("kind", RIGS)
def test_knees_keep_their_plane_and_nothing_jumps(source: Motion, kind: str) -> None:
    rig, bones = make_rig(**RIGS[kind])
    before = posed(source, character_of(rig, bones))
    after = planted(before, source)
    turns = global_rotations(source.local_rotations_wxyz.astype(float), source.parents.tolist())
    fastest = np.degrees(
        Rotation.from_matrix((np.swapaxes(turns[:-1], 2, 3) @ turns[1:]).reshape(-1, 3, 3)).magnitude().max()
    )
    steps = np.swapaxes(after.turns[:-1], 2, 3) @ after.turns[1:]
    assert np.degrees(Rotation.from_matrix(steps.reshape(-1, 3, 3)).magnitude().max()) < fastest + 0.05
    for side in ("left", "right"):
        hip, knee, ankle = (after.heads_m[:, after.column(f"{side}_{p}")] for p in ("hip", "knee", "ankle"))
        bend = np.cross(knee - hip, ankle - knee)
        was = [before.heads_m[:, before.column(f"{side}_{p}")] for p in ("hip", "knee", "ankle")]
        bent = np.cross(was[1] - was[0], was[2] - was[1])
        clear = np.linalg.norm(bent, axis=1) > 0.02 * after.character.leg_m**2
        assert angles_deg(bend[clear], bent[clear]).max() < 10


def test_the_stride_grows_with_the_legs(source: Motion) -> None:
    for legs in (0.5, 1.0, 1.4):
        rig, bones = make_rig(legs=legs)
        pose = posed(source, character_of(rig, bones))
        way = pose.heads_m[-1, pose.column("pelvis")] - pose.heads_m[0, pose.column("pelvis")]
        own = source.root_world_m[-1] - source.root_world_m[0]
        np.testing.assert_allclose(way[:2], legs * own[:2], atol=0.01)


def test_a_root_bone_carries_the_way_and_changes_nothing_else(source: Motion) -> None:
    rig, bones = make_rig(root=True)
    on_root = retargeted(source, rig, bones)
    on_hips = retargeted(source, rig, bones, RetargetOptions(root_motion="hips"))
    a, b = poses(on_root), poses(on_hips)
    for bone in rig.bones:
        if bone.name != "ground":
            np.testing.assert_allclose(a[bone.name], b[bone.name], atol=1e-9)
    ground = on_root.bones.index("ground")
    assert np.ptp(a["ground"][:, 1, 3]) > 3 and abs(a["ground"][:, 2, 3]).max() < 1e-9
    assert on_root.moves[ground] and not on_hips.moves[on_hips.bones.index("ground")]
    assert np.ptp(on_hips.locations[:, on_hips.bones.index("B_pelvis")], axis=0).max() > 2


def test_in_place_the_character_stays(source: Motion) -> None:
    rig, bones = make_rig()
    where = poses(retargeted(source, rig, bones, RetargetOptions(in_place=True)))["B_pelvis"][:, :3, 3]
    rest = np.array(rig.bone("B_pelvis").rest).reshape(4, 4)[:3, 3]
    np.testing.assert_allclose(where[:, :2], np.broadcast_to(rest[:2], (len(where), 2)), atol=1e-9)
    assert np.ptp(where[:, 2]) > 0.01


def test_ik_controls_are_where_fk_puts_the_limb(source: Motion) -> None:
    rig, bones = make_rig(ik=True, arms_deg=30)
    motion = retargeted(source, rig, bones)
    where = poses(motion)
    for side in ("left", "right"):
        foot, control = where[bones[f"{side}_ankle"]], where[f"foot_ik_{side}"]
        np.testing.assert_allclose(control[:, :3, 3], foot[:, :3, 3], atol=1e-9)
        rests = [
            np.array(rig.bone(name).rest).reshape(4, 4)[:3, :3]
            for name in (bones[f"{side}_ankle"], f"foot_ik_{side}")
        ]
        turned = [foot[:, :3, :3] @ rests[0].T, control[:, :3, :3] @ rests[1].T]
        np.testing.assert_allclose(turned[0], turned[1], atol=1e-9)
        hip, knee, pole = (
            where[name][:, :3, 3] for name in (bones[f"{side}_hip"], bones[f"{side}_knee"], f"pole_{side}")
        )
        # The pole lies in the plane of the leg, on the side of the knee.
        normal = np.cross(knee - hip, foot[:, :3, 3] - hip)
        bent = np.linalg.norm(normal, axis=1) > 0.02
        off = np.abs(((pole - hip) * normal).sum(axis=1))[bent] / np.linalg.norm(normal, axis=1)[bent]
        assert bent.any() and off.max() < 0.06
        ahead = knee - (hip + foot[:, :3, 3]) / 2
        assert (((pole - knee) * ahead).sum(axis=1)[bent] > 0).all()
    assert sorted(motion.switches.values()) == [0.0, 0.0]


def test_twist_bones_take_their_part_of_the_roll(source: Motion) -> None:
    rig, bones = make_rig(twist=True)
    where = poses(retargeted(source, rig, bones))
    rests = {bone.name: np.array(bone.rest).reshape(4, 4)[:3, :3] for bone in rig.bones}
    turned = {name: pose[:, :3, :3] @ rests[name].T for name, pose in where.items()}
    forearm, hand = turned[bones["left_elbow"]], turned[bones["left_wrist"]]
    rolled = Rotation.from_matrix(np.swapaxes(forearm, 1, 2) @ hand).as_rotvec()[:, 0]
    assert np.ptp(rolled) > 0.3
    for nth, share in ((0, 0.0), (1, 0.5)):
        part = turned[f"roll_left_elbow_{nth}"]
        own = Rotation.from_matrix(np.swapaxes(forearm, 1, 2) @ part).as_rotvec()
        np.testing.assert_allclose(own[:, 0], share * rolled, atol=1e-6)
        np.testing.assert_allclose(own[:, 1:], 0, atol=1e-6)


def test_quaternions_stay_in_one_hemisphere(source: Motion) -> None:
    rig, bones = make_rig(root=True, twist=True, ik=True)
    motion = retargeted(source, rig, bones)
    dots = (motion.rotations_wxyz[1:] * motion.rotations_wxyz[:-1]).sum(axis=2)
    assert (dots > 0).all()
    np.testing.assert_allclose(np.linalg.norm(motion.rotations_wxyz, axis=2), 1, atol=1e-9)


def test_ten_thousand_frames_on_a_large_rig_take_no_time() -> None:
    motion = walk(100)
    times = 100
    longer = {
        name: np.concatenate([value] * times)
        for name, value in vars(motion).items()
        if isinstance(value, np.ndarray) and len(value) == 100 and name not in ("frames", "times_s")
    }
    motion = replace(motion, **longer, frames=np.arange(10_000), times_s=np.arange(10_000) / 30)
    rig, bones = make_rig(ik=True)
    extra = tuple(replace(rig.bones[-1], name=f"extra_{i}", parent=rig.bones[0].name) for i in range(700))
    rig = replace(rig, bones=rig.bones + extra)
    start = time.process_time()
    assert len(retargeted(motion, rig, bones)) == 10_000
    assert time.process_time() - start < 4  # 2 asked on a quiet core; this one may be shared


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_few_frames_are_enough(frames: int) -> None:
    rig, bones = make_rig(root=True, twist=True, ik=True)
    motion = retargeted(walk(frames), rig, bones, RetargetOptions(relock=("legs", "arms")))
    assert len(motion) == frames and np.isfinite(motion.rotations_wxyz).all()


def test_a_map_of_another_rig_is_refused(source: Motion) -> None:
    rig, bones = make_rig()
    wrong = BoneMap({**bones.roles, "head": ("Kopf",)})
    with pytest.raises(InputError, match="lacks the bone 'Kopf'") as caught:
        retargeted(source, rig, wrong)
    assert caught.value.reason == "BONE_MISSING"


def test_legs_without_length_are_refused(source: Motion) -> None:
    rig, bones = make_rig()
    flat = Rig(
        "flat",
        tuple(type(b)(b.name, b.parent, (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)) for b in rig.bones),
    )
    with pytest.raises(InputError, match="its legs have no length") as caught:
        retargeted(source, flat, bones)
    assert caught.value.reason == "RIG_SHAPELESS"


def test_another_rate_is_kept() -> None:
    rig, bones = make_rig()
    motion = retargeted(walk(60, Fraction(30000, 1001)), rig, bones)
    assert motion.rate == Fraction(30000, 1001)


def bend_rad(where: dict[str, np.ndarray], names: list[str]) -> np.ndarray:
    a, b, c = (where[name][:, :3, 3] for name in names)
    return np.radians(angles_deg(b - a, c - b))


@pytest.mark.parametrize("kind", RIGS)
def test_knees_leave_their_limits_by_no_more_than_the_source(source: Motion, kind: str) -> None:
    """Knees neither bend backwards nor are straighter than they were, but by what is straight to the eye."""
    rig, bones = make_rig(**RIGS[kind])
    loose = poses(retargeted(source, rig, bones, RetargetOptions(relock=())))
    held = poses(retargeted(source, rig, bones))
    for side in ("left", "right"):
        names = [bones[f"{side}_{part}"] for part in ("hip", "knee", "ankle")]
        least = min(bend_rad(loose, names).min(), np.arccos(2 * 0.995**2 - 1))
        assert bend_rad(held, names).min() > least - np.radians(1)
        turn = character_of(rig, bones).from_rig
        for where in (loose, held):
            a, b, c = (where[name][:, :3, 3] @ turn.T for name in names)
            # About the hinge that the thigh carries along: x in its T-pose.
            own = where[names[0]][:, :3, :3] @ np.array(rig.bone(names[0]).rest).reshape(4, 4)[:3, :3].T
            hinge = turn @ own @ turn.T @ np.linalg.inv(character_of(rig, bones).t_pose_turns[f"{side}_hip"])
            assert (np.cross(b - a, c - b) * hinge[:, :, 0]).sum(axis=1).min() > -1e-4


@pytest.mark.parametrize("kind", RIGS)
def test_held_legs_bend_about_their_own_hinge(source: Motion, kind: str) -> None:
    """So that IK, which knows no other plane, turns them as FK does: across both bones is the hinge."""
    rig, bones = make_rig(**RIGS[kind])
    pose = planted(posed(source, character_of(rig, bones)), source)
    for side in ("left", "right"):
        hip, knee, ankle = (pose.heads_m[:, pose.column(f"{side}_{p}")] for p in ("hip", "knee", "ankle"))
        for role in (f"{side}_hip", f"{side}_knee"):
            still = np.linalg.inv(pose.character.t_pose_turns[role])
            hinge = (pose.turns[:, pose.column(role)] @ still)[:, :, 0]
            plane = np.cross(knee - hip, ankle - knee)
            bent = np.linalg.norm(plane, axis=1) > 0.05 * pose.character.leg_m**2
            assert bent.any()
            assert angles_deg(plane[bent], hinge[bent]).max() < 0.1


def test_hands_are_held_on_request(source: Motion) -> None:
    """A hand that rests on something for a second, on arms of another length."""
    names = ("left_hand", *source.contact_names)
    held = np.zeros((len(source), 1), np.float32)
    held[40:70] = 1.0
    # The hand stays where it is by its arm's own turns: hips and chest stand still meanwhile.
    still = {
        name: np.concatenate([value[:40], np.repeat(value[40:41], 30, axis=0), value[70:]])
        for name, value in vars(source).items()
        if isinstance(value, np.ndarray) and len(value) == len(source) and name not in ("frames", "times_s")
    }
    motion = replace(source, **still)
    moving = motion.local_rotations_wxyz.copy()
    chest = motion.joint_names.index("chest")
    sway = Rotation.from_euler("z", 3 * np.sin(np.arange(30) / 5)[:, None], degrees=True)
    moving[40:70, chest] = (sway * Rotation.from_quat(moving[40, chest], scalar_first=True)).as_quat(
        scalar_first=True
    )
    contacts = np.concatenate([held, motion.contacts], axis=1)
    motion = replace(motion, local_rotations_wxyz=moving, contacts=contacts, contact_names=names)
    rig, bones = make_rig(arms_deg=30)
    slides = {}
    for relock in (("legs",), ("legs", "arms")):
        where = poses(retargeted(motion, rig, bones, RetargetOptions(relock=relock)))
        way = where[bones["left_wrist"]][42:68, :3, 3]
        slides[relock] = np.linalg.norm(np.diff(way, axis=0), axis=1).mean()
    assert slides[("legs",)] > 2e-3
    assert slides[("legs", "arms")] < 1e-3


@pytest.mark.parametrize("spine", [1, 2, 3, 6])
def test_a_bend_is_spread_over_the_spine_that_the_rig_has(source: Motion, spine: int) -> None:
    """The top is turned as the source's chest, and what is below it by equal parts, the pelvis as itself."""
    rig, bones = make_rig(spine=spine)
    pose = posed(source, character_of(rig, bones))
    joints = list(source.joint_names)
    world = global_rotations(source.local_rotations_wxyz.astype(float), source.parents.tolist())
    top = pose.turns[:, pose.column("spine", spine - 1)]
    np.testing.assert_allclose(top, world[:, joints.index("chest")], atol=1e-9)
    np.testing.assert_allclose(pose.turns[:, pose.column("pelvis")], world[:, 0], atol=1e-9)
    half = [world[:, joints.index(name)] for name in ("pelvis", "spine", "chest")]
    most = max(Rotation.from_matrix(np.swapaxes(a, 1, 2) @ b).magnitude().max() for a, b in pairwise(half))
    below = pose.turns[:, pose.column("pelvis")]
    for nth in range(spine):
        own = pose.turns[:, pose.column("spine", nth)]
        part = Rotation.from_matrix(np.swapaxes(below, 1, 2) @ own).magnitude()
        assert part.max() < 2 / spine * most + 1e-6
        below = own


def test_shoulders_are_not_lifted_by_another_rest_pose(source: Motion) -> None:
    """A rig that rests with hanging arms has its shoulders where one in a T-pose has them."""
    found = []
    for arms_deg in (0.0, 45.0, 80.0):
        rig, bones = make_rig(arms_deg=arms_deg)
        where = poses(retargeted(source, rig, bones))
        found.append(where[bones["left_shoulder"]][:, :3, 3] - where[bones["pelvis"]][:, :3, 3])
    np.testing.assert_allclose(found[1], found[0], atol=1e-9)
    np.testing.assert_allclose(found[2], found[0], atol=1e-9)


def test_nothing_is_twisted_at_rest() -> None:
    """A rig that stands as it rests has its twist bones at rest, however far that is from a T-pose."""
    rig, bones = make_rig(twist=True, arms_deg=50)
    character = character_of(rig, bones)
    motion = walk(3)
    pose = posed(motion, character)
    turns = np.broadcast_to(np.eye(3), pose.turns.shape)
    twist = twisted(replace(pose, turns=turns))
    for name in bones.roles["left_shoulder_twist"] + bones.roles["left_elbow_twist"]:
        column = int(np.flatnonzero(twist.mapped == character.index[name])[0])
        np.testing.assert_allclose(twist.turns[:, column], turns[:, 0], atol=1e-9)


def test_what_carries_a_leg_beside_the_pelvis_goes_along(source: Motion) -> None:
    """A rig whose hips are roots of their own, as OpenPose's has them, moves as one whose pelvis has legs."""
    rig, bones = make_rig()
    hips = [bones[f"{side}_hip"] for side in ("left", "right")]
    apart = []
    for bone in rig.bones:
        if bone.name in hips:
            carrier = replace(
                rig.bone(bones["pelvis"]), name=f"{bone.name}_carrier", keys=("location", "rotation")
            )
            apart += [carrier, replace(bone, parent=carrier.name)]
        else:
            apart.append(bone)
    other = replace(rig, bones=tuple(apart))
    assert not [fault for fault in validated(other, bones).faults if fault.code == "NOT_CARRIED"]
    one, two = poses(retargeted(source, rig, bones)), poses(retargeted(source, other, bones))
    for name in one:
        np.testing.assert_allclose(two[name], one[name], atol=1e-9)
    still = tuple(replace(bone, keys=("rotation",)) for bone in apart)
    faults = validated(replace(other, bones=still), bones).faults
    assert [fault.code for fault in faults] == ["NOT_CARRIED", "NOT_CARRIED"]


def test_memory_stays_flat(source: Motion) -> None:
    """What one motion took is given back before the next, without waiting for the collector of cycles."""
    rig, bones = make_rig(ik=True, twist=True)
    retargeted(source, rig, bones)
    gc.disable()
    tracemalloc.start()
    try:
        retargeted(source, rig, bones)
        first = tracemalloc.get_traced_memory()[0]
        for _ in range(3):
            retargeted(source, rig, bones)
        assert tracemalloc.get_traced_memory()[0] - first < 200_000
    finally:
        tracemalloc.stop()
        gc.enable()
