"""Which bones are which parts, as a file that users share."""

from __future__ import annotations

import json
from typing import Any

import pytest
from made_rig import make_rig
from pose_server.retarget.bone_map import NEEDED, BoneMap, parse_bone_map
from pose_shared.errors import InputError

_, MAP = make_rig(root=True, twist=True)


def test_a_map_comes_back_from_its_text() -> None:
    assert parse_bone_map(MAP.to_json()) == MAP
    assert MAP["pelvis"] == "B_pelvis" and "root" in MAP and "left_hand" not in MAP.roles
    with pytest.raises(KeyError):
        BoneMap({role: MAP.roles[role] for role in NEEDED})["head"]


def changed(**roles: Any) -> str:
    content = json.loads(MAP.to_json())
    content["roles"] |= roles
    content["roles"] = {role: bones for role, bones in content["roles"].items() if bones != "gone"}
    return json.dumps(content)


@pytest.mark.parametrize(
    ("text", "reason", "sentence"),
    [
        ("", "BONE_MAP_UNREADABLE", "no map of bones"),
        ("[" * 100_000, "BONE_MAP_UNREADABLE", "no map of bones"),
        ("[]", "BONE_MAP_UNREADABLE", "no map of bones"),
        ('{"format": "pose-bone-map", "version": 2, "roles": {}}', "BONE_MAP_UNREADABLE", "no map of bones"),
        (changed(head=7), "BONE_MAP_UNREADABLE", "no map of bones"),
        (changed(head=""), "BONE_MAP_UNREADABLE", "no map of bones"),
        (changed(spine=[7]), "BONE_MAP_UNREADABLE", "no map of bones"),
        (changed(tail="t"), "BONE_MAP_INVALID", "no part 'tail'"),
        (changed(head=["a", "b"]), "BONE_MAP_INVALID", "has 2 bones, and takes one"),
        (changed(head="B_pelvis"), "BONE_MAP_INVALID", "is both pelvis and head"),
        (changed(left_knee="gone"), "BONE_MAP_INVALID", "which bone is left knee"),
    ],
)
def test_what_maps_no_body_is_one_sentence(text: str, reason: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        parse_bone_map(text, "mine.json")
    assert caught.value.reason == reason


def test_what_a_rig_lacks_is_named() -> None:
    rig, _ = make_rig(twist=True)
    assert MAP.missing_in(rig) == ["ground"]
