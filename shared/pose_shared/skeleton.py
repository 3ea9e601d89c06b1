"""The house skeleton, and the joint sets of every detector and data set we meet.

A joint set is a tuple of names in the order of its arrays.  The same point has the same name
in every set, so going from one set to another is matching names: `JointSet.indices_in`.
Left and right are the person's own.  Sources: the COCO, Halpe and OpenPose documentation,
COCO-WholeBody and Halpe Full-Body,
Human3.6M and HumanEva as VideoPose3D orders them, and MediaPipe's pose landmark model card.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional, Sequence, Tuple

__all__ = [
    "BLAZEPOSE_33",
    "BODY_25",
    "BODY_25B",
    "BODY_31",
    "COCO_17",
    "COCO_18",
    "FULLBODY_136",
    "H36M_17",
    "HALPE_26",
    "HUMANEVA_15",
    "JOINT_SETS",
    "MPII_16",
    "SEEN_27",
    "SKELETON",
    "WHOLEBODY_133",
    "JointSet",
    "Skeleton",
    "mirrored_name",
]


def mirrored_name(name: str) -> str:
    """Return the name of the same joint on the other side of the body."""
    if name.startswith("left_"):
        return "right_" + name[len("left_") :]
    if name.startswith("right_"):
        return "left_" + name[len("right_") :]
    return name


@dataclass(frozen=True)
class JointSet:
    """An ordered set of named points."""

    name: str
    joints: Tuple[str, ...]

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Return the position of a joint; raises ValueError if the set lacks it."""
        return self.joints.index(joint)

    def indices_in(self, other: Sequence[str]) -> Tuple[Optional[int], ...]:
        """Return, for each of our joints, its index in `other`, or None where `other` lacks it."""
        places = {joint: i for i, joint in enumerate(other)}
        return tuple(places.get(joint) for joint in self.joints)

    @property
    def mirror(self) -> Tuple[int, ...]:
        """Index of each joint's counterpart on the other side (its own on the midline)."""
        return tuple(self.joints.index(mirrored_name(joint)) for joint in self.joints)


@dataclass(frozen=True)
class Skeleton:
    """A tree of joints with a T-pose that faces -y, z up, every rest rotation the identity.

    Attributes
    ----------
    joints
        Names; a parent stands before its children.
    parents
        Index of each joint's parent, -1 for the root.
    tips_m
        Rest offset (x, y, z) in metres from each leaf joint to the end of its bone, for hosts and
        formats that draw a bone as a line; a leaf's tip is no joint and carries no data.
    """

    joints: Tuple[str, ...]
    parents: Tuple[int, ...]
    tips_m: Dict[str, Tuple[float, float, float]]

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Return the position of a joint; raises ValueError if there is none of that name."""
        return self.joints.index(joint)

    def children(self, joint: str) -> Tuple[str, ...]:
        """Return the names of the joints right below one."""
        parent = self.joints.index(joint)
        return tuple(name for name, p in zip(self.joints, self.parents) if p == parent)


_TREE = (
    ("pelvis", None),
    ("spine", "pelvis"),
    ("chest", "spine"),
    ("neck", "chest"),
    ("head", "neck"),
    ("left_clavicle", "chest"),
    ("left_shoulder", "left_clavicle"),
    ("left_elbow", "left_shoulder"),
    ("left_wrist", "left_elbow"),
    ("left_hand", "left_wrist"),
    ("right_clavicle", "chest"),
    ("right_shoulder", "right_clavicle"),
    ("right_elbow", "right_shoulder"),
    ("right_wrist", "right_elbow"),
    ("right_hand", "right_wrist"),
    ("left_hip", "pelvis"),
    ("left_knee", "left_hip"),
    ("left_ankle", "left_knee"),
    ("left_toe", "left_ankle"),
    ("right_hip", "pelvis"),
    ("right_knee", "right_hip"),
    ("right_ankle", "right_knee"),
    ("right_toe", "right_ankle"),
)

#: The skeleton that `solve` fits, the add-ons build and `motion.npz` holds.  `head` is the base
#: of the skull, `hand` the knuckle of the middle finger, `toe` the ball of the foot.
SKELETON = Skeleton(
    joints=tuple(name for name, _ in _TREE),
    parents=tuple(-1 if parent is None else [n for n, _ in _TREE].index(parent) for _, parent in _TREE),
    tips_m={
        "head": (0.0, 0.0, 0.19),
        "left_hand": (0.09, 0.0, 0.0),
        "right_hand": (-0.09, 0.0, 0.0),
        "left_toe": (0.0, -0.07, 0.0),
        "right_toe": (0.0, -0.07, 0.0),
    },
)


def _sides(*names: str) -> Tuple[str, ...]:
    """Return left_ and right_ of each name, side by side."""
    return tuple(side + name for name in names for side in ("left_", "right_"))


def _leg(side: str) -> Tuple[str, ...]:
    return (side + "hip", side + "knee", side + "ankle")


def _arm(side: str) -> Tuple[str, ...]:
    return (side + "shoulder", side + "elbow", side + "wrist")


COCO_17 = JointSet(
    "coco_17",
    ("nose", *_sides("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")),
)

COCO_18 = JointSet(
    "coco_18",
    (
        "nose",
        "neck",
        *_arm("right_"),
        *_arm("left_"),
        *_leg("right_"),
        *_leg("left_"),
        *("right_eye", "left_eye", "right_ear", "left_ear"),
    ),
)

BODY_25 = JointSet(
    "body_25",
    (
        *COCO_18.joints[:8],
        "pelvis",
        *COCO_18.joints[8:],
        *("left_big_toe", "left_small_toe", "left_heel"),
        *("right_big_toe", "right_small_toe", "right_heel"),
    ),
)

BODY_25B = JointSet(
    "body_25b",
    (
        *COCO_17.joints,
        *("neck", "head_top"),
        *("left_big_toe", "left_small_toe", "left_heel"),
        *("right_big_toe", "right_small_toe", "right_heel"),
    ),
)

HALPE_26 = JointSet(
    "halpe_26",
    (*COCO_17.joints, "head_top", "neck", "pelvis", *_sides("big_toe", "small_toe", "heel")),
)


def _hand(side: str) -> Tuple[str, ...]:
    """Return the 21 points of a hand as OpenPose orders them, under BlazePose's names for its knuckles."""
    fingers = ("hand_thumb", "index", "middle", "ring", "pinky")
    points = (finger + (f"_{i}" if i else "") for finger in fingers for i in range(4))
    return tuple(side + point for point in ("hand_root", *points))


_FACE_68 = tuple(f"face_{i}" for i in range(68))

WHOLEBODY_133 = JointSet(
    "wholebody_133",
    (
        *COCO_17.joints,
        *("left_big_toe", "left_small_toe", "left_heel"),
        *("right_big_toe", "right_small_toe", "right_heel"),
        *_FACE_68,
        *_hand("left_"),
        *_hand("right_"),
    ),
)

FULLBODY_136 = JointSet("fullbody_136", (*HALPE_26.joints, *_FACE_68, *_hand("left_"), *_hand("right_")))

H36M_17 = JointSet(
    "h36m_17",
    (
        "pelvis",
        *_leg("right_"),
        *_leg("left_"),
        *("spine", "neck", "nose", "head_top"),
        *_arm("left_"),
        *_arm("right_"),
    ),
)

HUMANEVA_15 = JointSet(
    "humaneva_15",
    ("pelvis", "neck", *_arm("left_"), *_arm("right_"), *_leg("left_"), *_leg("right_"), "head_top"),
)

MPII_16 = JointSet(
    "mpii_16",
    (
        *reversed(_leg("right_")),
        *_leg("left_"),
        *("pelvis", "neck", "upper_neck", "head_top"),
        *reversed(_arm("right_")),
        *_arm("left_"),
    ),
)

BLAZEPOSE_33 = JointSet(
    "blazepose_33",
    (
        "nose",
        *("left_eye_inner", "left_eye", "left_eye_outer"),
        *("right_eye_inner", "right_eye", "right_eye_outer"),
        *_sides("ear", "mouth", "shoulder", "elbow", "wrist", "pinky", "index", "thumb"),
        *_sides("hip", "knee", "ankle", "heel", "big_toe"),
    ),
)

#: The points of all detectors that the house lifter looks at,
SEEN_27 = JointSet("seen_27", (*COCO_17.joints, *_sides("big_toe", "small_toe", "heel", "index", "pinky")))

#: and what it answers: these and, inside the body, where bones of the house skeleton begin.
BODY_31 = JointSet("body_31", (*SEEN_27.joints, "spine", "chest", "neck", "head"))

JOINT_SETS: Dict[str, JointSet] = {
    joint_set.name: joint_set
    for joint_set in (
        BLAZEPOSE_33,
        BODY_25,
        BODY_25B,
        COCO_17,
        COCO_18,
        FULLBODY_136,
        H36M_17,
        HALPE_26,
        HUMANEVA_15,
        MPII_16,
        WHOLEBODY_133,
    )
}
