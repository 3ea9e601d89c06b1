"""HumanIK: characters, the slots of their definition, locks and sources.

The names and numbers of nodes are those that reference/dcc.md 4.7 gives as agreed between public tables.
Procedures are Maya's own MEL (scripts/others/hik*.mel), in the files that public scripts which run in mayapy
read for them; those of the window are there once it was opened. A definition is locked only with the plug-in
mayaCharacterization loaded and for the current character, else hikCharacterLock does nothing, as those
scripts say of hikDefinitionUtils.mel (canLockCharacterization). The stance is of
CommandsPython/characterize.html, "T-stance": the character faces +Z, its arms lie along X and
its legs along Y. Maya's solver is not modelled.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import evaluation, names, node_types
from .command import Call, command
from .node import Node
from .node_types import Attribute

if TYPE_CHECKING:
    from .maya import Maya
    from .scene import Scene

_FIRST = (
    *(
        "Reference",
        "Hips",
        "LeftUpLeg",
        "LeftLeg",
        "LeftFoot",
        "RightUpLeg",
        "RightLeg",
        "RightFoot",
        "Spine",
    ),
    *("LeftArm", "LeftForeArm", "LeftHand", "RightArm", "RightForeArm", "RightHand", "Head"),
    *("LeftToeBase", "RightToeBase", "LeftShoulder", "RightShoulder", "Neck"),
)
IDS: dict[str, int] = {name: number for number, name in enumerate(_FIRST)}
IDS |= {f"Spine{i}": 22 + i for i in range(1, 10)}
IDS |= {f"Neck{i}": 31 + i for i in range(1, 10)}
for _start, _side in ((50, "Left"), (74, "Right")):
    for _f, _finger in enumerate(("Thumb", "Index", "Middle", "Ring", "Pinky")):
        IDS |= {f"{_side}Hand{_finger}{i}": _start + 4 * _f + i - 1 for i in range(1, 5)}
for _start, _side in ((147, "Left"), (153, "Right")):
    IDS |= {
        f"{_side}InHand{finger}": _start + i for i, finger in enumerate(("Index", "Middle", "Ring", "Pinky"))
    }
NAMES = {number: name for name, number in IDS.items()}

#: The fifteen bones that a definition must have (green in the definition window; no page was found to name).
REQUIRED = tuple(_FIRST[1:16])

#: Which file of Maya's has which procedure: hosts must source the file first where the window was never
#: opened.
SCRIPTS: dict[str, tuple[str, ...]] = {
    "hikGlobalUtils.mel": ("hikGetCurrentCharacter", "hikSetCurrentCharacter"),
    "hikCharacterControlsUtils.mel": ("hikUpdateCharacterList", "hikUpdateSourceList"),
    "hikDefinitionUtils.mel": (
        "hikCreateCharacter",
        "hikSetCharacterObject",
        "hikCharacterLock",
        "hikToggleLockDefinition",
        "hikIsDefinitionLocked",
    ),
    # Read when the window is opened.
    "hikDefinitionUI.mel": ("hikUpdateDefinitionUI",),
    "hikInputSourceUtils.mel": ("hikSetCharacterInput", "hikEnableCharacter"),
    "hikControlRigOperations.mel": (),
    "hikCharacterControlsUI.mel": (),
    "hikDefinitionOperations.mel": (),
    "hikInputSourceOperations.mel": (),
}


def _slots() -> dict[str, Attribute]:
    table = node_types.parse_table("InputCharacterizationLock InputCharacterizationLock bool 0 -")
    for name in IDS:
        table[name] = Attribute(name, name, "message", None)
    table["propertyState"] = Attribute("propertyState", "propertyState", "message", None)
    table["InputCharacterDefinition"] = Attribute(
        "InputCharacterDefinition", "InputCharacterDefinition", "message", None
    )
    table["OutputCharacterDefinition"] = Attribute(
        "OutputCharacterDefinition", "OutputCharacterDefinition", "message", None
    )
    return table


TYPES = ("HIKCharacterNode", "HIKProperty2State", "HIKRetargeterNode")


def register() -> None:
    """The types that the plug-in brings."""
    node_types.PLUGIN_TYPES["HIKCharacterNode"] = ("HIKCharacterNode", _slots())
    node_types.PLUGIN_TYPES["HIKProperty2State"] = ("HIKProperty2State", node_types.parse_table(""))
    node_types.PLUGIN_TYPES["HIKRetargeterNode"] = (
        "HIKRetargeterNode",
        node_types.parse_table(
            "InputCharacterDefinitionSrc isrc message - -\nInputCharacterDefinitionDst idst message - -"
        ),
    )


def unregister() -> None:
    for kind in TYPES:
        node_types.PLUGIN_TYPES.pop(kind, None)


@command("hikGetNodeIdFromName", arity=(1, 1), undoable=False, own_flags={})
def hik_get_node_id_from_name(call: Call) -> int:
    """-1 for a name that HumanIK does not have."""
    return IDS.get(call.objects()[0], -1)


@command("GetHIKNodeName", arity=(1, 1), undoable=False, own_flags={})
def get_hik_node_name(call: Call) -> str:
    number = call.args[0]
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError("GetHIKNodeName: an id is to be given")
    return NAMES.get(number, "")


# Procedures. Their sources are read when the host says source, and none exists before.


def known(maya: Maya, name: str) -> bool:
    """Whether a procedure can be called: plug-in loaded and file sourced."""
    if name not in PROCEDURES or "mayaHIK" not in maya.plugins:
        return False
    return any(name in SCRIPTS[script] for script in maya.mel_sourced if script in SCRIPTS)


def typed(name: str, words: list[Any]) -> list[Any]:
    """Arguments as MEL's procedures take them; raises for a wrong number or type."""
    wanted = _SIGNATURES[name]
    if len(words) != len(wanted):
        raise RuntimeError(
            f"Error occurred during execution of MEL script\nWrong number of arguments on call to {name}."
        )
    for word, kind in zip(words, wanted, strict=True):
        if not isinstance(word, kind):
            raise RuntimeError(
                f"Error occurred during execution of MEL script\nInvalid use of {word!r} in {name}."
            )
    return words


def _character(scene: Scene, name: str) -> Node:
    node = names.one(scene, name)
    if node.kind != "HIKCharacterNode":
        raise RuntimeError(f"'{name}' is no HumanIK character.")
    return node


def create_character(maya: Maya, name: str) -> str:
    from .commands.nodes import split_name

    scene = maya.scene
    space, bare = split_name(scene, name, make=True)
    node = scene.create("HIKCharacterNode", bare, None, space)
    state = scene.create("HIKProperty2State", "HIKproperties1", None, space)
    scene.connect((state, "message"), (node, "propertyState"))
    maya.mel_globals["gHIKCurrentCharacter"] = node.full
    return node.full


def set_character_object(maya: Maya, joint: str, character: str, number: int, lock: int) -> None:
    """Put an object into a slot; an empty name empties it."""
    scene, node = maya.scene, _character(maya.scene, character)
    if number not in NAMES:
        raise RuntimeError(f"hikSetCharacterObject: there is no node {number}.")
    if is_locked(scene, node):
        raise RuntimeError(f"hikSetCharacterObject: '{character}' is locked.")
    slot = (node, NAMES[number])
    if slot in scene.inputs:
        scene.disconnect(scene.inputs[slot], slot)
    if not joint:
        return
    bone = names.one(scene, joint)
    if not bone.is_transform:
        raise RuntimeError(f"hikSetCharacterObject: '{joint}' is no transform.")
    if bone.attribute("Character") is None:
        scene.add_attribute(bone, Attribute("Character", "ch", "message", None, dynamic=True, storable=False))
    scene.connect((bone, "Character"), slot)


def is_locked(scene: Scene, node: Node) -> bool:
    return bool(evaluation.value(scene, node, "InputCharacterizationLock", scene.moment))


def bones(scene: Scene, node: Node) -> dict[str, Node]:
    """What stands in the slots of a character."""
    return {path: source[0] for (at, path), source in scene.inputs.items() if at is node and path in IDS}


def lock(maya: Maya, character: str, on: int, save_stance: int) -> None:
    """Locking takes the present pose for the stance, and is refused where a bone is missing or it is no T."""
    scene, node = maya.scene, _character(maya.scene, character)
    if "mayaCharacterization" not in maya.plugins or current(maya) != node.full:
        return
    if on:
        held = bones(scene, node)
        missing = [name for name in REQUIRED if name not in held]
        if missing:
            raise RuntimeError(f"hikCharacterLock: required bones are not set: {', '.join(missing)}")
        wrong = stance_faults(scene, held)
        if wrong:
            raise RuntimeError(f"hikCharacterLock: the character is not in T-stance: {'; '.join(wrong)}")
    scene.set_value(node, "InputCharacterizationLock", bool(on))


#: Bones, and the direction from each to the next: (right of the character is -X; up is Y), for y up.
_LIMBS = (
    ("LeftArm", "LeftForeArm", (1, 0, 0)),
    ("LeftForeArm", "LeftHand", (1, 0, 0)),
    ("RightArm", "RightForeArm", (-1, 0, 0)),
    ("RightForeArm", "RightHand", (-1, 0, 0)),
    ("LeftUpLeg", "LeftLeg", (0, -1, 0)),
    ("LeftLeg", "LeftFoot", (0, -1, 0)),
    ("RightUpLeg", "RightLeg", (0, -1, 0)),
    ("RightLeg", "RightFoot", (0, -1, 0)),
)
#: How far a limb may lie off, in degrees. Maya draws no line that a page gives: it warns and goes on.
STANCE_TOLERANCE_DEG = 15.0


def stance_faults(scene: Scene, held: dict[str, Node]) -> list[str]:
    """Limbs that do not lie as in a T-stance."""
    faults = []
    for upper, lower, wanted in _LIMBS:
        ends = [evaluation.world(scene, held[name], scene.moment)[12:15] for name in (upper, lower)]
        along = [b - a for a, b in zip(*ends, strict=True)]
        if scene.up_axis == "z":
            along = [along[0], along[2], -along[1]]
        length = math.sqrt(sum(v * v for v in along))
        if length < 1e-9:
            faults.append(f"{upper} has no length")
            continue
        cosine = sum(a * b for a, b in zip(along, wanted, strict=True)) / length
        if cosine < math.cos(math.radians(STANCE_TOLERANCE_DEG)):
            faults.append(f"{upper} is {math.degrees(math.acos(max(-1.0, cosine))):.0f} degrees off")
    return faults


def toggle_lock(maya: Maya) -> None:
    character = maya.mel_globals.get("gHIKCurrentCharacter", "")
    if not character:
        raise RuntimeError("hikToggleLockDefinition: there is no current character.")
    node = _character(maya.scene, character)
    lock(maya, character, 0 if is_locked(maya.scene, node) else 1, 1)


def set_current(maya: Maya, character: str) -> None:
    _character(maya.scene, character)
    maya.mel_globals["gHIKCurrentCharacter"] = character


def current(maya: Maya) -> str:
    return str(maya.mel_globals.get("gHIKCurrentCharacter", ""))


def set_input(maya: Maya, destination: str, source: str) -> None:
    """Both must be locked; a retargeter stands between them."""
    scene = maya.scene
    there, here = _character(scene, destination), _character(scene, source)
    for node in (there, here):
        if not is_locked(scene, node):
            raise RuntimeError(f"hikSetCharacterInput: '{node.full}' is not locked.")
    if there is here:
        raise RuntimeError("hikSetCharacterInput: a character cannot be its own source.")
    for place in list(scene.outputs.get((there, "OutputCharacterDefinition"), [])):
        from .commands.nodes import delete_nodes

        delete_nodes(scene, [place[0]])
    retargeter = scene.create("HIKRetargeterNode", "HIKRetargeterNode1", None, there.namespace)
    scene.connect((here, "OutputCharacterDefinition"), (retargeter, "InputCharacterDefinitionSrc"))
    scene.connect((there, "OutputCharacterDefinition"), (retargeter, "InputCharacterDefinitionDst"))


def source_of_character(scene: Scene, character: str) -> str:
    """The source of a character, for tests; empty where it has none."""
    node = _character(scene, character)
    for place in scene.outputs.get((node, "OutputCharacterDefinition"), []):
        if place[1] == "InputCharacterDefinitionDst":
            found = scene.inputs.get((place[0], "InputCharacterDefinitionSrc"))
            return found[0].full if found else ""
    return ""


def _nothing(maya: Maya) -> None:
    """Redraws the window, where there is one."""


PROCEDURES: dict[str, Callable[..., Any]] = {
    "hikCreateCharacter": create_character,
    "hikSetCharacterObject": set_character_object,
    "hikCharacterLock": lock,
    "hikToggleLockDefinition": toggle_lock,
    "hikUpdateDefinitionUI": _nothing,
    "hikUpdateCharacterList": _nothing,
    "hikUpdateSourceList": _nothing,
    "hikSetCurrentCharacter": set_current,
    "hikGetCurrentCharacter": current,
    "hikSetCharacterInput": set_input,
    "hikIsDefinitionLocked": lambda maya, name: int(is_locked(maya.scene, _character(maya.scene, name))),
}
_SIGNATURES: dict[str, tuple[type, ...]] = {
    "hikCreateCharacter": (str,),
    "hikSetCharacterObject": (str, str, int, int),
    "hikCharacterLock": (str, int, int),
    "hikToggleLockDefinition": (),
    "hikUpdateDefinitionUI": (),
    "hikUpdateCharacterList": (),
    "hikUpdateSourceList": (),
    "hikSetCurrentCharacter": (str,),
    "hikGetCurrentCharacter": (),
    "hikSetCharacterInput": (str, str),
    "hikIsDefinitionLocked": (str,),
}
