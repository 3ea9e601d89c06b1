from __future__ import annotations

import json
from dataclasses import replace

from drawn_rig import bone, made_rig, moved, renamed, with_chain
from pose_server.retarget.bone_map import ROLES, BoneMap
from pose_server.retarget.recognition import recognised
from pose_server.retarget.validation import Validation, validated
from pose_shared.skeleton import mirrored_name
from scipy.spatial.transform import Rotation

GOOD = recognised(made_rig(fingers=False)).bones


def codes(validation: Validation) -> set[str]:
    return {fault.code for fault in validation.faults}


def with_roles(**roles: tuple[str, ...]) -> BoneMap:
    kept = {role: bones for role, bones in GOOD.roles.items() if role not in roles}
    return BoneMap(kept | {role: bones for role, bones in roles.items() if bones})


def test_a_good_map_lists_what_it_has_and_lacks() -> None:
    rig = with_chain(made_rig(fingers=False), "tail", "pelvis", (0, 0.1, 1), (0, 0.1, 0), 2)
    validation = validated(rig, GOOD)
    assert validation.faults == ()
    assert validation.usable
    assert validation.extra == ("tail_0", "tail_1")
    assert set(validation.missing) == {"root", *(role for role in ROLES if role.endswith("_twist"))}
    assert validation.mapped["left_knee"] == ("left_knee",)
    assert set(validation.mapped) | set(validation.missing) == set(ROLES)


def test_it_is_plain_values_for_reports() -> None:
    content = validated(made_rig(), with_roles(head=("nobody",))).to_dict()
    assert json.loads(json.dumps(content)) == content
    assert content["faults"][0]["code"] == "BONE_MISSING"
    assert content["usable"] is False


def test_a_bone_that_the_rig_lacks() -> None:
    validation = validated(made_rig(), with_roles(head=("nobody",), left_toe=("no one",)))
    assert {fault.bones for fault in validation.faults} == {("nobody",), ("no one",)}
    assert not validation.usable


def test_a_role_carried_by_what_it_should_carry() -> None:
    validation = validated(made_rig(), with_roles(left_hip=("left_knee",), left_knee=("left_hip",)))
    assert {"OUT_OF_ORDER", "NOT_STANDING"} <= codes(validation)
    assert any("'left_hip' carries the left hip 'left_knee'" in fault.sentence for fault in validation.faults)


def test_a_leg_that_hangs_on_nothing() -> None:
    rig = made_rig()
    bones = tuple(replace(b, parent="" if b.name == "left_hip" else b.parent) for b in rig.bones)
    faults = validated(replace(rig, bones=bones), GOOD).faults
    assert [(fault.code, fault.bones) for fault in faults] == [("NOT_CARRIED", ("pelvis", "left_hip"))]


def test_a_chain_out_of_order() -> None:
    faults = validated(made_rig(), with_roles(spine=("chest", "spine"))).faults
    assert ("OUT_OF_ORDER", ("chest", "spine")) in [(fault.code, fault.bones) for fault in faults]


def test_a_bone_that_takes_no_keys() -> None:
    rig = made_rig()
    bones = tuple(replace(b, keys=("location",) if b.name == "head" else b.keys) for b in rig.bones)
    faults = validated(replace(rig, bones=bones), GOOD).faults
    assert [(fault.code, fault.bones) for fault in faults] == [("NOT_KEYABLE", ("head",))]


def test_left_and_right_exchanged() -> None:
    swapped = BoneMap(
        {
            r.replace("left", "?").replace("right", "left").replace("?", "right"): b
            for r, b in GOOD.roles.items()
        }
    )
    assert codes(validated(made_rig(), swapped)) == {"SIDES_EXCHANGED"}
    parts = ("clavicle", "shoulder", "elbow", "wrist")
    arms = [f"{side}_{part}" for side in ("left", "right") for part in parts]
    crossed = with_roles(**{role: (mirrored_name(role),) for role in arms})
    assert codes(validated(made_rig(), crossed)) == {"SIDES_EXCHANGED"}
    # Whichever way the whole rig looks, nothing is exchanged.
    turned = moved(made_rig(), Rotation.from_euler("z", 180, degrees=True).as_matrix())
    assert validated(turned, GOOD).faults == ()


def test_a_rest_pose_that_lies() -> None:
    lying = moved(made_rig(), Rotation.from_euler("x", -90, degrees=True).as_matrix())
    assert "NOT_STANDING" in codes(validated(lying, GOOD))


def test_a_joint_mistaken_for_its_neighbour() -> None:
    assert codes(
        validated(made_rig(), with_roles(left_ankle=("left_toe",), left_toe=(), left_knee=("left_ankle",)))
    ) == {"UNLIKELY"}


def test_every_fault_is_one_sentence_with_the_bone_in_it() -> None:
    long = "x" * 200
    rig = renamed(made_rig(), {"head": long})
    bones = tuple(replace(b, keys=()) for b in rig.bones)
    bad = BoneMap({**GOOD.roles, "head": (long,), "spine": ("chest", "spine")})
    for fault in validated(replace(rig, bones=bones), bad).faults:
        assert fault.sentence.endswith(".")
        assert "\n" not in fault.sentence
        assert len(fault.sentence) < 400
        assert fault.bones[0][:80] in fault.sentence


def test_ten_thousand_bones_are_looked_at_at_once() -> None:
    rig = made_rig()
    above = ["head", *(f"b{i}" for i in range(9000))]
    deep = [bone(above[i + 1], above[i], (0, 0, 1.6 + i * 1e-5)) for i in range(9000)]
    rig = replace(rig, bones=(*rig.bones, *deep))
    assert validated(rig, GOOD).faults == ()
