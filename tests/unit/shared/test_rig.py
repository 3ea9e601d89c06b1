"""A rig's description: what comes back from its text, and what is no rig."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pose_shared.errors import InputError
from pose_shared.rig import IkChain, Rig, RigBone, Switch, parse_rig

HERE = (1.0, 0.0, 0.0, 0.5, 0.0, 1.0, 0.0, 2.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0, 0.0, 1.0)


def bone(name: str, parent: str = "", **fields: Any) -> RigBone:
    return RigBone(name, parent, **{"rest": HERE, **fields})


RIG = Rig(
    "Ann",
    (
        bone("hips", keys=("location", "rotation")),
        bone("thigh", "hips", tail=(0.5, 2.0, -2.0), rotation="XYZ"),
        bone("shin", "thigh"),
        bone("foot", "shin"),
        bone("foot_ik", keys=("location", "rotation")),
        bone("knee_ik", keys=("location",)),
    ),
    (IkChain("thigh", "shin", "foot", "foot_ik", "knee_ik", Switch("foot_ik", "IK_FK", 0.0, 1.0)),),
    0.01,
    "y",
)


def test_a_rig_comes_back_from_its_text() -> None:
    assert parse_rig(RIG.to_json()) == RIG
    assert RIG.bone("thigh").head == (0.5, 2.0, -1.0)
    with pytest.raises(KeyError):
        RIG.bone("wing")


def test_bones_may_stand_in_any_order() -> None:
    content = json.loads(RIG.to_json())
    content["bones"].reverse()
    names = [one.name for one in parse_rig(json.dumps(content)).bones]
    assert sorted(names) == sorted(one.name for one in RIG.bones)
    assert names.index("hips") < names.index("thigh") < names.index("shin") < names.index("foot")


def without(*path: Any, value: Any = None) -> str:
    content = json.loads(RIG.to_json())
    place = content
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    ("text", "reason", "sentence"),
    [
        ("", "RIG_UNREADABLE", "not JSON"),
        ("[" * 100_000, "RIG_UNREADABLE", "not JSON"),
        ("{}", "RIG_UNREADABLE", 'lacks "format"'),
        (without("version", value=9), "RIG_UNREADABLE", "is of version 9"),
        (without("bones"), "RIG_UNREADABLE", "'bones' is missing"),
        (without("bones", value=7), "RIG_UNREADABLE", "another kind"),
        (without("bones", 0, "rest"), "RIG_UNREADABLE", "'rest' is missing"),
        (without("bones", 0, "rest", value="x"), "RIG_UNREADABLE", "another kind"),
        (without("bones", 0, "rest", value=[1.0]), "RIG_INVALID", "not 16 numbers"),
        (without("bones", 0, "rest", 3, value=float("nan")), "RIG_INVALID", "not 16 numbers"),
        (without("bones", 0, "rest", 0, value=2.0), "RIG_INVALID", "scaled, sheared or mirrored"),
        (without("bones", 0, "rest", 0, value=-1.0), "RIG_INVALID", "scaled, sheared or mirrored"),
        (without("bones", 5, "name", value="thigh"), "RIG_INVALID", "two bones are called"),
        (without("bones", 5, "name", value="x" * 999), "RIG_INVALID", "too long"),
        (without("bones", 1, "parent", value="tail"), "RIG_INVALID", "'tail', is no bone of it"),
        (without("bones", 0, "parent", value="foot"), "RIG_INVALID", "among its own ancestors"),
        (without("bones", 0, "parent", value="hips"), "RIG_INVALID", "among its own ancestors"),
        (without("bones", 0, "rotation", value="XYX"), "RIG_INVALID", "turns by 'XYX'"),
        (without("bones", 0, "keys", value=["scale"]), "RIG_INVALID", "keys other than"),
        (without("bones", value=[]), "RIG_INVALID", "no bones"),
        (without("chains", 0, "target", value="hand"), "RIG_INVALID", "an IK chain names 'hand'"),
        (without("up", value="x"), "RIG_INVALID", "up axis"),
        (without("metres_per_unit", value=0.0), "RIG_INVALID", "unit"),
        (without("metres_per_unit", value=float("inf")), "RIG_INVALID", "unit"),
    ],
)
def test_what_is_no_rig_is_one_sentence(text: str, reason: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        parse_rig(text, "ann.json")
    assert caught.value.reason == reason
    assert caught.value.message.count(". ") == 0 and len(caught.value.message) < 400


def test_a_rig_that_is_too_large_is_refused() -> None:
    bones = tuple(bone(f"b{i}", f"b{i - 1}" if i else "") for i in range(10_001))
    with pytest.raises(InputError, match="10001 bones"):
        Rig("long", bones)
    assert len(parse_rig(Rig("deep", bones[:10_000]).to_json()).bones) == 10_000


DATA = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@settings(max_examples=200, deadline=None)
@given(st.text() | DATA)
def test_anything_at_all_is_a_rig_or_one_sentence(content: Any) -> None:
    bones = {**json.loads(RIG.to_json()), "bones": content}
    text = content if isinstance(content, str) else json.dumps(bones)
    with pytest.raises(InputError):
        parse_rig(text)
