from __future__ import annotations

import pytest
from pose_shared.skeleton import (
    BLAZEPOSE_33,
    BODY_25,
    COCO_17,
    COCO_18,
    H36M_17,
    HALPE_26,
    HUMANEVA_15,
    JOINT_SETS,
    MPII_16,
    SKELETON,
    JointSet,
    mirrored_name,
)


@pytest.mark.parametrize("joint_set", JOINT_SETS.values(), ids=lambda s: s.name)
def test_a_set_has_the_size_its_name_says_and_no_name_twice(joint_set: JointSet) -> None:
    digits = "".join(c for c in joint_set.name.split("_")[1] if c.isdigit())
    assert len(joint_set) == int(digits) == len(set(joint_set.joints))


@pytest.mark.parametrize("joint_set", JOINT_SETS.values(), ids=lambda s: s.name)
def test_mirroring_twice_changes_nothing(joint_set: JointSet) -> None:
    mirror = joint_set.mirror
    assert [mirror[mirror[i]] for i in range(len(joint_set))] == list(range(len(joint_set)))
    assert all(
        mirror[i] != i for i, name in enumerate(joint_set.joints) if name.startswith(("left", "right"))
    )


@pytest.mark.parametrize(
    ("joint_set", "left", "right"),
    [
        (COCO_17, [1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]),
        (H36M_17, [4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]),
        (MPII_16, [3, 4, 5, 13, 14, 15], [0, 1, 2, 10, 11, 12]),
        (HUMANEVA_15, [2, 3, 4, 8, 9, 10], [5, 6, 7, 11, 12, 13]),
    ],
)
def test_sides_stand_where_the_data_sets_document_them(
    joint_set: JointSet, left: list[int], right: list[int]
) -> None:
    names = joint_set.joints
    assert [i for i, name in enumerate(names) if name.startswith("left_")] == left
    assert [i for i, name in enumerate(names) if name.startswith("right_")] == right


def test_known_places() -> None:
    assert BODY_25.index("pelvis") == 8
    assert BODY_25.joints[19:] == (
        *("left_big_toe", "left_small_toe", "left_heel"),
        *("right_big_toe", "right_small_toe", "right_heel"),
    )
    assert COCO_18.index("neck") == 1
    assert COCO_18.index("left_ankle") == 13
    assert BLAZEPOSE_33.index("left_hip") == 23
    assert BLAZEPOSE_33.index("right_big_toe") == 32
    assert HALPE_26.index("pelvis") == 19


def test_sets_map_by_name_both_ways() -> None:
    there = COCO_17.indices_in(BODY_25.joints)
    back = BODY_25.indices_in(COCO_17.joints)
    assert None not in there
    assert [back[i] for i in there if i is not None] == list(range(17))
    assert back[BODY_25.index("pelvis")] is None


def test_the_skeleton_is_a_symmetric_tree() -> None:
    assert SKELETON.parents[0] == -1
    assert all(0 <= parent < i for i, parent in enumerate(SKELETON.parents) if i)
    for joint, parent in zip(SKELETON.joints, SKELETON.parents, strict=True):
        if parent >= 0:
            other = SKELETON.index(mirrored_name(joint))
            assert SKELETON.joints[SKELETON.parents[other]] == mirrored_name(SKELETON.joints[parent])
    leaves = {joint for joint in SKELETON.joints if not SKELETON.children(joint)}
    assert set(SKELETON.tips_m) == leaves
