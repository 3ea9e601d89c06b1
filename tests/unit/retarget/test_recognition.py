from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_rig import bone, joint_m, limb_turned, made_rig, moved, numbered, renamed, with_chain
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pose_server.retarget.bone_map import LIMBS, parse_roles
from pose_server.retarget.preset import best_preset, presets
from pose_server.retarget.recognition import recognised
from pose_shared.errors import InputError
from pose_shared.rig import Rig, RigBone
from scipy.spatial.transform import Rotation

#: What the made rig is, by construction.
TRUTH = {
    "pelvis": ("pelvis",),
    "spine": ("spine", "chest"),
    "neck": ("neck",),
    "head": ("head",),
    **{role: (role,) for role in LIMBS},
}


def found_in(rig: Rig, back: dict[str, str] | None = None, **others) -> dict[str, tuple[str, ...]]:
    roles = recognised(rig, **others).bones.roles
    return {role: tuple(back[b] if back else b for b in bones) for role, bones in roles.items()}


@pytest.mark.parametrize("fingers", [True, False])
def test_a_body_is_found_without_names(fingers: bool) -> None:
    rig, back = numbered(made_rig(fingers=fingers))
    found = recognised(rig)
    assert found.found_by == "shape"
    assert found.preset == ""
    assert {r: tuple(back[b] for b in bones) for r, bones in found.bones.roles.items()} == TRUTH


def test_the_house_skeleton_is_a_kind() -> None:
    found = recognised(made_rig())
    assert (found.preset, found.found_by) == ("house", "preset")
    assert found.confidence > 0.95
    assert found.notes == ()


#: The same bones in the words of others; what is not here keeps its name.
_MIXAMO = "{S}Shoulder {S}Arm {S}ForeArm {S}Hand {S}UpLeg {S}Leg {S}Foot {S}ToeBase"
_UNREAL = "clavicle_{s} upperarm_{s} lowerarm_{s} hand_{s} thigh_{s} calf_{s} foot_{s} ball_{s}"
_RIGIFY = "shoulder.{T} upper_arm.{T} forearm.{T} hand.{T} thigh.{T} shin.{T} foot.{T} toe.{T}"
_UNITY = "{S}Shoulder {S}UpperArm {S}LowerArm {S}Hand {S}UpperLeg {S}LowerLeg {S}Foot {S}Toes"
_VROID = (
    "J_Bip_{T}_Shoulder J_Bip_{T}_UpperArm J_Bip_{T}_LowerArm J_Bip_{T}_Hand "
    "J_Bip_{T}_UpperLeg J_Bip_{T}_LowerLeg J_Bip_{T}_Foot J_Bip_{T}_ToeBase"
)
_OTHER = "{T}_Collar {T}_Shoulder {T}_Elbow {T}_Wrist {T}_Hip {T}_Knee {T}_Ankle {T}_Toe"
SAID = {
    "mixamo": (_MIXAMO, "Hips Spine Spine1 Neck Head"),
    "unreal_4": (_UNREAL, "pelvis spine_01 spine_02 neck_01 head"),
    "rigify_metarig": (_RIGIFY, "spine spine.001 spine.002 spine.004 spine.006"),
    "unity": (_UNITY, "Hips Spine Chest Neck Head"),
    "vroid": (_VROID, "J_Bip_C_Hips J_Bip_C_Spine J_Bip_C_Chest J_Bip_C_Neck J_Bip_C_Head"),
    "": (_OTHER, "Root_M Belly Ribs Throat Skull"),
}
PARTS = ("clavicle", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "toe")


def said(key: str, prefix: str = "") -> dict[str, str]:
    limbs, trunk = SAID[key]
    names = dict(zip(("pelvis", "spine", "chest", "neck", "head"), trunk.split(), strict=True))
    for side in ("left", "right"):
        spelt = limbs.format(S=side.capitalize(), s=side[0], T=side[0].upper())
        names |= {f"{side}_{part}": name for part, name in zip(PARTS, spelt.split(), strict=True)}
    return {role: prefix + name for role, name in names.items()}


@pytest.mark.parametrize("prefix", ["", "mixamorig:", "mixamorig12:", "Hero_", "ns:sub:"])
@pytest.mark.parametrize("key", SAID)
def test_kinds_and_general_words_are_known_with_any_prefix(key: str, prefix: str) -> None:
    names = {b.name: prefix + b.name for b in made_rig().bones} | said(key, prefix)
    found = recognised(renamed(made_rig(), names))
    if key:
        assert (
            presets()[found.preset].bones.name == presets()[key].bones.name
            or found.preset == "mpfb_game_engine"
        )
    else:
        assert found.found_by == "names"
    assert found.bones.roles == {r: tuple(names.get(b, b) for b in bones) for r, bones in TRUTH.items()}
    assert found.confidence > 0.9


def test_case_and_separators_do_not_matter() -> None:
    names = {role: name.upper().replace("_", "-") for role, name in said("unreal_4").items()}
    found = recognised(renamed(made_rig(), names))
    assert found.found_by == "preset"
    assert found.bones["left_knee"] == "CALF-L"


def test_every_kind_is_told_from_the_others_by_its_own_bones() -> None:
    for key, preset in presets().items():
        flat = [name for bones in preset.bones.roles.values() for name in bones]
        controls = [name for chain in preset.chains for name in chain.bones]
        rig = Rig(
            key, tuple(bone(name, "", (0, 0, i)) for i, name in enumerate(dict.fromkeys(flat + controls)))
        )

        best = best_preset(rig)
        assert best is not None
        assert best[0].key == key
        assert best[1].roles == preset.bones.roles
        assert best[0].chains_in(rig) == preset.chains


EXTRAS = {
    "tail": lambda rig: with_chain(rig, "x", "pelvis", (0, 0.08, 1.0), (0, 0.1, -0.06), 6),
    "braids": lambda rig: with_chain(
        with_chain(rig, "x", "head", (0.07, 0.08, 1.7), (0, 0.01, -0.1), 6),
        "y", "head", (-0.07, 0.08, 1.7), (0, 0.01, -0.1), 6,
    ),
    "wings": lambda rig: with_chain(
        with_chain(rig, "x", "chest", (0.06, 0.1, 1.4), (0.3, 0.1, 0.15), 4),
        "y", "chest", (-0.06, 0.1, 1.4), (-0.3, 0.1, 0.15), 4,
    ),
    "skirt": lambda rig: with_chain(
        with_chain(rig, "x", "pelvis", (0.15, 0, 0.95), (0.03, 0, -0.15), 4),
        "y", "pelvis", (-0.15, 0, 0.95), (-0.03, 0, -0.15), 4,
    ),
    "sword": lambda rig: with_chain(rig, "x", "right_wrist", (-0.83, -0.05, 1.41), (0, -0.5, 0), 2),
    "breasts": lambda rig: with_chain(
        with_chain(rig, "x", "chest", (0.08, -0.08, 1.3), (0, 0, 0), 1),
        "y", "chest", (-0.08, -0.08, 1.3), (0, 0, 0), 1,
    ),
    "top of the head": lambda rig: with_chain(rig, "x", "head", (0, -0.01, 1.76), (0, 0, 0), 1),
    "IK targets": lambda rig: with_chain(
        with_chain(rig, "x", "", (0.09, 0, 0.08), (0, -0.05, 0), 2),
        "y", "", (-0.09, 0, 0.08), (0, -0.05, 0), 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("extra", EXTRAS)
def test_what_hangs_on_a_body_is_no_part_of_it(extra: str) -> None:
    rig, back = numbered(EXTRAS[extra](made_rig()))
    assert found_in(rig, back) == TRUTH


@pytest.mark.parametrize("inline", [True, False])
def test_twist_bones_are_found_along_the_limbs(inline: bool) -> None:
    rig = made_rig()
    truth = dict(TRUTH)
    for side in ("left", "right"):
        for start, end in (("shoulder", "elbow"), ("knee", "ankle")):
            name = f"{side}_{start}_twist"
            middle = (joint_m(f"{side}_{start}") + joint_m(f"{side}_{end}")) / 2
            bones = [
                replace(b, parent=name) if inline and b.name == f"{side}_{end}" else b for b in rig.bones
            ]
            at = next(i for i, b in enumerate(bones) if b.name == f"{side}_{start}") + 1
            bones.insert(at, bone(name, f"{side}_{start}", middle))
            rig = replace(rig, bones=tuple(bones))
            truth[name] = (name,)
    rig, back = numbered(rig)
    assert found_in(rig, back) == truth


def test_a_root_on_the_ground_is_found() -> None:
    rig = made_rig()
    bones = (bone("floor", "", (0, 0, 0)), *(replace(b, parent=b.parent or "floor") for b in rig.bones))
    assert found_in(replace(rig, bones=bones))["root"] == ("floor",)


@settings(max_examples=30, deadline=None)
@given(
    st.floats(-70, 60),
    st.floats(0, 60),
    st.floats(0, 20),
    st.floats(0, 360),
    st.floats(0.1, 200),
    st.booleans(),
)
def test_pose_heading_size_and_up_axis_do_not_matter(
    arms: float, elbows: float, spread: float, heading: float, scale: float, y_up: bool
) -> None:
    rig = made_rig()
    for side, out in (("left", 1), ("right", -1)):
        turned = (
            (f"{side}_shoulder", "y", arms),
            (f"{side}_elbow", "z", -elbows),
            (f"{side}_hip", "y", -spread),
        )
        for name, axis, angle in turned:
            rig = limb_turned(rig, name, Rotation.from_euler(axis, out * angle, degrees=True).as_matrix())
    rig = moved(rig, Rotation.from_euler("z", heading, degrees=True).as_matrix() * scale)
    if y_up:
        rig = moved(rig, np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]), up="y")
    rig, back = numbered(replace(rig, metres_per_unit=1 / scale))
    assert found_in(rig, back) == TRUTH


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
@example(3728)  # whose hips and clavicles alone say wrongly where its middle is
def test_a_rig_that_is_not_quite_even_is_known(seed: int) -> None:
    rng = random.Random(seed)
    bones = tuple(
        bone(b.name, b.parent, np.array(b.head) + [rng.gauss(0, 0.004) for _ in range(3)])
        for b in made_rig().bones
    )
    rig, back = numbered(Rig("uneven", bones))
    assert found_in(rig, back) == TRUTH


def test_exchanged_names_are_put_right_and_named() -> None:
    other = {"left": "right", "right": "left"}
    names = {
        b.name: f"{other[b.name.split('_')[0]]}_{b.name.split('_', 1)[1]}"
        for b in made_rig().bones
        if "_" in b.name
    }
    found = recognised(renamed(made_rig(), names))
    assert found.bones["left_knee"] == "right_knee"
    assert found.bones["left_elbow"] == "right_elbow"
    assert any("on its right" in note for note in found.notes)
    assert found.confidence < 0.9


def test_names_that_the_rest_pose_speaks_against_give_way() -> None:
    # Every bone is called by the joint at its end, as in drawings of keypoints.
    shifted = {"hip": "pelvis_side", "knee": "hip", "ankle": "knee", "toe": "ankle"}
    names = {f"{s}_{part}": f"{s}_{name}" for s in ("left", "right") for part, name in shifted.items()}
    found = recognised(renamed(made_rig(), names))
    assert found.found_by == "shape"
    assert found.bones["left_knee"] == "left_hip"
    assert any("stand" in note for note in found.notes)


def test_what_the_user_knows_is_kept_and_the_rest_found_around_it() -> None:
    rig, back = numbered(made_rig())
    forth = {old: new for new, old in back.items()}
    text = json.dumps(
        {"format": "pose-bone-map", "version": 1, "roles": {"head": forth["neck"], "left_toe": []}}
    )
    roles = found_in(rig, back, known=parse_roles(text)[1])
    assert roles["head"] == ("neck",)
    assert "neck" not in roles
    assert "left_toe" not in roles
    assert roles["right_toe"] == ("right_toe",)


def test_a_rig_that_nobody_knows_is_mapped_from_its_legs() -> None:
    lying, back = numbered(moved(made_rig(), Rotation.from_euler("x", 90, degrees=True).as_matrix()))
    with pytest.raises(InputError) as error:
        recognised(lying)
    assert error.value.reason == "RIG_UNKNOWN"
    forth = {old: new for new, old in back.items()}
    legs = [
        f"{s}_{p}" for s in ("left", "right") for p in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
    ]
    known = {role: (forth[role],) for role in legs}
    roles = found_in(lying, back, known=known)
    assert roles["pelvis"] == ("pelvis",)
    assert roles["spine"] == ("spine", "chest")


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"third_arm": ("a",)}, "BONE_MAP_INVALID"),
        ({"head": ("nobody",)}, "BONE_MISSING"),
        ({"head": ("neck",), "pelvis": ("neck",)}, "BONE_MAP_INVALID"),
        ({"head": ("neck", "head")}, "BONE_MAP_INVALID"),
        ({"left_hip": ()}, "BONE_MAP_INVALID"),
    ],
)
def test_corrections_that_cannot_be_are_one_sentence(known: dict, reason: str) -> None:
    with pytest.raises(InputError) as error:
        recognised(made_rig(), known)
    assert error.value.reason == reason
    assert "\n" not in str(error.value)


def one_below_the_other(count: int) -> list[RigBone]:
    return [bone(f"b{i}", f"b{i - 1}" if i else "", (0, 0, i * 0.001)) for i in range(count)]


def all_on_one(count: int) -> list[RigBone]:
    points = [(np.sin(i * 7.1), np.cos(i * 3.3), np.sin(i) + 1) for i in range(count)]
    return [bone(f"b{i}", "b0" if i else "", point) for i, point in enumerate(points)]


def in_one_place(count: int) -> list[RigBone]:
    return [bone(f"b{i}", "b0" if i else "", (0, 0, 0)) for i in range(count)]


def a_leg_of_thighs(count: int) -> list[RigBone]:
    names = [f"{('thigh', 'shin', 'foot')[3 * i // count]}{i}.L" for i in range(count)]
    points = [(0.1, 0, 1 - i / count) for i in range(count)]
    return [bone(name, names[i - 1] if i else "", points[i]) for i, name in enumerate(names)]


HOSTILE = (one_below_the_other, all_on_one, in_one_place, a_leg_of_thighs)


@pytest.mark.parametrize("kind", HOSTILE)
def test_ten_thousand_bones_without_a_body_are_refused_soon(kind: Callable[[int], list[RigBone]]) -> None:
    rig = Rig("hostile", tuple(kind(10_000)))
    start = time.perf_counter()
    with pytest.raises(InputError) as error:
        recognised(rig)
    assert error.value.reason == "RIG_UNKNOWN"
    assert time.perf_counter() - start < 20


@pytest.mark.parametrize(
    "points",
    [
        [(0, 0, 0)],
        [(0, 0, 0), (1e-30, 0, 0), (-1e-30, 0, 0)],
        [(0, 0, 1e300), (1e300, 0, 0), (-1e300, 0, 0)],
    ],
)
def test_rigs_of_no_size_or_any_are_refused(points: list) -> None:
    rig = Rig("odd", tuple(bone(f"b{i}", "b0" if i else "", point) for i, point in enumerate(points)))
    with pytest.raises(InputError):
        recognised(rig)


def real_rigs(folder: Path) -> dict[str, Rig]:
    """The rigs of MPFB beside the checkout; glTF files are read by the reader's own tests."""
    rigs = {}
    for file in sorted(folder.glob("*.json")):
        content = json.loads(file.read_text("utf-8"))
        content = content.get("bones", content)
        below: dict[str, list[str]] = {}
        for name, fields in content.items():
            below.setdefault(fields["parent"], []).append(name)
        bones, waiting = [], list(below[""])
        while waiting:
            name = waiting.pop()
            fields = content[name]
            tail = tuple(fields["tail"]["default_position"])
            bones.append(bone(name, fields["parent"], fields["head"]["default_position"], tail=tail))
            waiting += below.get(name, [])
        rigs[file.stem.removeprefix("rig.")] = Rig(file.stem, tuple(bones))
    return rigs


#: Knee, toe and elbow of the left side, pelvis and head, read off the files by hand.
_HIK = ("LeftLeg", "LeftToeBase", "LeftForeArm", "Hips", "Head")
REAL = {
    "cmu_mb": ("cmu", "LeftLeg", "LeftToeBase", "LeftForeArm", "Hips", "Head"),
    "default": ("mpfb_default", "lowerleg01.L", "toe1-1.L", "lowerarm01.L", "root", "head"),
    "default_no_toes": ("mpfb_default", "lowerleg01.L", "toe1-1.L", "lowerarm01.L", "root", "head"),
    "game_engine": ("mpfb_game_engine", "calf_l", "ball_l", "lowerarm_l", "pelvis", "head"),
    "game_engine_with_breast": ("mpfb_game_engine", "calf_l", "ball_l", "lowerarm_l", "pelvis", "head"),
    "mixamo": ("mixamo", *(f"mixamorig:{name}" for name in _HIK)),
    "mixamo_unity": ("mixamo", *(f"mixamorig:{name}" for name in _HIK)),
    "openpose": ("mpfb_openpose", "LAnkle", None, "LWrist", "MidHip", "Neck"),
}


@pytest.mark.reference
@pytest.mark.parametrize("name", REAL)
def test_real_rigs_are_known_by_name_and_without(name: str, reference_data: Path) -> None:
    rig = real_rigs(reference_data / "rigs" / "mpfb2_standard")[name]
    kind, knee, toe, elbow, pelvis, head = REAL[name]
    found = recognised(rig)
    assert found.preset == kind
    assert (found.bones["left_knee"], found.bones["left_elbow"]) == (knee, elbow)
    assert (found.bones["pelvis"], found.bones["head"]) == (pelvis, head)
    assert found.bones.roles.get("left_toe", (None,))[0] == toe
    nameless, back = numbered(rig)
    roles = found_in(nameless, back)
    for role in ("pelvis", "head", "spine", *LIMBS):
        assert roles.get(role) == found.bones.roles.get(role), role
