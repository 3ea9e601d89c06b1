"""A rig in its T-pose: where its bones point, and about what its elbows and knees bend."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_rig import make_rig
from pose_server.retarget.bone_map import BoneMap
from pose_server.retarget.character import Character, character_of
from pose_shared.rig import Rig
from scipy.spatial.transform import Rotation

HINGES = {"left_elbow": (0, 0, -1), "right_elbow": (0, 0, 1), "left_knee": (1, 0, 0), "right_knee": (1, 0, 0)}
LIMBS = {"elbow": ("shoulder", "elbow", "wrist"), "knee": ("hip", "knee", "ankle")}


def bent(rig: Rig, bones: BoneMap, bends: dict[str, tuple[float, float, float]]) -> Rig:
    """Return the rig with some joints of its limbs elsewhere at rest, by metres."""
    moved = {bones[role]: offset for role, offset in bends.items()}
    found = []
    for bone in rig.bones:
        rest = np.array(bone.rest).reshape(4, 4)
        rest[:3, 3] += moved.get(bone.name, (0, 0, 0))
        found.append(replace(bone, rest=tuple(rest.ravel().tolist())))
    return replace(rig, bones=tuple(found))


def hinge(character: Character, side: str, joint: str) -> np.ndarray:
    """Return (3,) about which a joint is bent at rest, brought into the T-pose."""
    a, b, c = (character.head_m(f"{side}_{part}") for part in LIMBS[joint])
    axis = np.cross(b - a, c - b)
    return np.asarray(character.t_pose_turns[f"{side}_{LIMBS[joint][1]}"] @ axis / np.linalg.norm(axis))


@pytest.mark.parametrize("aside", [0.0, 0.02, -0.02])
def test_bent_limbs_have_their_hinges_where_the_house_skeleton_has_them(aside: float) -> None:
    rig, bones = make_rig(arms_deg=40)
    bends = {}
    for side, out in (("left", 1.0), ("right", -1.0)):
        bends[f"{side}_elbow"] = (0.0, 0.05, aside)
        bends[f"{side}_knee"] = (out * aside, -0.05, 0.0)
    character = character_of(bent(rig, bones, bends), bones)
    for name, wanted in HINGES.items():
        side, joint = name.split("_")
        np.testing.assert_allclose(hinge(character, side, joint), wanted, atol=1e-6)
        for role in LIMBS[joint][:2]:
            own = character.t_pose_turns[f"{side}_{role}"]
            along = {"shoulder": (1, 0, 0), "elbow": (1, 0, 0)}.get(role, (0, 0, -1))
            end = LIMBS[joint][LIMBS[joint].index(role) + 1]
            way = character.head_m(f"{side}_{end}") - character.head_m(f"{side}_{role}")
            sign = -1.0 if side == "right" and joint == "elbow" else 1.0
            np.testing.assert_allclose(own @ way / np.linalg.norm(way), sign * np.array(along), atol=1e-9)


@pytest.mark.parametrize("ahead_m", [0.004, -0.05])
def test_a_straight_limb_and_one_that_bends_the_other_way_keep_their_roll(ahead_m: float) -> None:
    """4 mm say nothing of a hinge, and a knee that bends backwards at rest is no hinge of ours."""
    rig, bones = make_rig()
    character = character_of(bent(rig, bones, {"left_knee": (0.0, -ahead_m, 0.0)}), bones)
    for role in ("left_hip", "left_knee"):
        np.testing.assert_allclose(character.t_pose_turns[role], character.limb_swings[role])


def test_hands_do_not_turn_with_the_hinge() -> None:
    rig, bones = make_rig(arms_deg=40)
    character = character_of(bent(rig, bones, {"left_elbow": (0.0, 0.05, 0.02)}), bones)
    swing, turn = character.limb_swings["left_elbow"], character.t_pose_turns["left_elbow"]
    assert Rotation.from_matrix(turn @ swing.T).magnitude() > 0.1
    np.testing.assert_allclose(character.t_pose_turns["left_wrist"], swing)
