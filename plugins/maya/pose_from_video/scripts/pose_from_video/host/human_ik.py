"""Persons as HumanIK characters, and characters that are moved by them.

HumanIK is two plug-ins with scripts in MEL, which Maya reads when its window is first opened: here they are
read before. Parts of the body have numbers, which published tables disagree about: Maya is asked.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Dict, Mapping, Set

from maya import cmds, mel
from pose_shared.errors import ConflictError, InputError

from .undo_step import UndoStep

__all__ = ["add_character", "drive", "is_locked", "ready_human_ik"]

#: Without the second one a definition stays unlocked, and nothing says so.
_PLUG_INS = ("mayaHIK", "mayaCharacterization")
_SCRIPTS = (
    "hikGlobalUtils.mel",
    "hikCharacterControlsUI.mel",
    "hikCharacterControlsUtils.mel",
    "hikDefinitionUtils.mel",
    "hikDefinitionOperations.mel",
    "hikInputSourceUtils.mel",
)
_PROCEDURES = (
    "hikCreateCharacter",
    "hikSetCharacterObject",
    "hikSetCurrentCharacter",
    "hikCharacterLock",
    "hikSetCharacterInput",
)
#: By these it is known what locking asks about the current character.
_BONE_UPDATES = ("hikDefinitionUpdateCharacterLists", "hikDefinitionUpdateBones")
_WINDOW_UPDATE = "hikUpdateDefinitionUI"


def ready_human_ik() -> bool:
    """Load HumanIK; return whether there is any. Not to be done within an undo step."""
    try:
        for plug_in in _PLUG_INS:
            cmds.loadPlugin(plug_in, quiet=True)
    except RuntimeError:
        return False
    if not all(map(_exists, _PROCEDURES)):
        for script in _SCRIPTS:
            # Which procedure is where differs between Mayas; what counts is that all are there in the end.
            with suppress(RuntimeError):
                mel.eval(f'source "{script}"')
    return all(map(_exists, _PROCEDURES))


def add_character(step: UndoStep, name: str, joints: Mapping[str, str]) -> str:
    """Add a locked character, ready to be a source; its joints must stand in their T-pose.

    Parameters
    ----------
    step
        Knows how to take it back, with the nodes that HumanIK makes beside it.
    name
        For the character.
    joints
        Paths by HumanIK's names.

    Returns
    -------
    str
        What it is called.

    Raises
    ------
    ConflictError
        HumanIK refuses the joints (``HUMAN_IK_REFUSES``); there is no character.
    """
    before = set(cmds.ls(uuid=True))
    step.take_back_by(partial(_delete_others, before))
    try:
        character = str(mel.eval(f"hikCreateCharacter({_quoted(name)})"))
        for body_part, number in _numbers(joints).items():
            mel.eval(
                f"hikSetCharacterObject({_quoted(joints[body_part])}, {_quoted(character)}, {number}, 0)"
            )
        # Whether it may be locked is asked of the current character.
        mel.eval(f"hikSetCurrentCharacter({_quoted(character)})")
        for update in _BONE_UPDATES:
            _update(update)
        mel.eval(f"hikCharacterLock({_quoted(character)}, 1, 1)")
        _update(_WINDOW_UPDATE)
        if not is_locked(character):
            raise RuntimeError("the definition stays unlocked")
    except RuntimeError as error:
        _delete_others(before)
        raise ConflictError(
            f"HumanIK does not take '{name}': {str(error).strip().rstrip('.')}; "
            "characterise it by hand, or retarget without HumanIK.",
            reason="HUMAN_IK_REFUSES",
        ) from error
    return character


def _delete_others(known: Set[str]) -> None:
    """Delete what HumanIK has made, told by UUID, because names change when others take them."""
    for uuid in cmds.ls(uuid=True):
        # What stood below something is gone with it.
        if uuid not in known and cmds.ls(uuid):
            cmds.delete(cmds.ls(uuid))


def is_locked(character: str) -> bool:
    """Return whether a character is characterised."""
    return bool(cmds.getAttr(f"{character}.InputCharacterizationLock"))


def drive(character: str, source: str) -> None:
    """Let a character move as another does, through Maya's own solver.

    Raises
    ------
    InputError
        The character is not locked (``HUMAN_IK_UNLOCKED``).
    """
    if not is_locked(character):
        raise InputError(
            f"The definition of '{character}' is not locked; lock it in the HumanIK window, and try again.",
            reason="HUMAN_IK_UNLOCKED",
            character=character,
        )
    mel.eval(f"hikSetCurrentCharacter({_quoted(character)})")
    mel.eval(f"hikSetCharacterInput({_quoted(character)}, {_quoted(source)})")
    _update(_WINDOW_UPDATE)


def _numbers(joints: Mapping[str, str]) -> Dict[str, int]:
    """Return HumanIK's number of each body part, checked by asking back."""
    numbers = {}
    for body_part in joints:
        number = int(cmds.hikGetNodeIdFromName(body_part))
        if number < 0 or cmds.GetHIKNodeName(number) != body_part:
            raise RuntimeError(f"this HumanIK has no {body_part}")
        numbers[body_part] = number
    return numbers


def _exists(procedure: str) -> bool:
    return bool(mel.eval(f'exists "{procedure}"'))


def _update(procedure: str) -> None:
    """Let the window show what is; it may never have been opened, or be closed."""
    if _exists(procedure):
        with suppress(RuntimeError):
            mel.eval(f"{procedure}()")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
