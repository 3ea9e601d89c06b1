"""The shelf, and taking the add-on out of Maya again."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import List

from maya import cmds, mel

__all__ = ["add", "refresh", "uninstall"]

_SHELF = "PoseFromVideo"
_MODULE = Path(__file__).resolve().parents[3]
_ICON = _MODULE / "icons" / "pose_from_video.png"
_BUTTONS = (
    (
        "Import",
        "Import Pose from Video: turn the people in a video into keyed joints",
        "from pose_from_video import dock\ndock.show()",
    ),
    (
        "Refine",
        "Refine: solve an imported clip again",
        "from pose_from_video import dock\ndock.show('refine')",
    ),
    (
        "Retarget",
        "Retarget: put an imported motion onto a character",
        "from pose_from_video import dock\ndock.show('character')",
    ),
)
_UNINSTALL = (
    "from pose_from_video import dock\n"
    "from pose_from_video.host import shelf\n"
    "from maya import utils\n"
    "dock.close()\n"
    # The button that is pressed goes with the shelf.
    "utils.executeDeferred(shelf.uninstall)"
)


def add() -> None:
    """Add the shelf, in place of one that is there, and save it."""
    shelf = f"{mel.eval('$tmp = $gShelfTopLevel')}|{_SHELF}"
    if cmds.shelfLayout(_SHELF, exists=True):
        _clear(shelf)
    else:
        # Maya's own procedure, so that its list of shelves stays in order; it brings back buttons of a
        # shelf of that name that was saved.
        mel.eval(f'addNewShelfTab "{_SHELF}"')
        _clear(shelf)
    for label, annotation, command in _BUTTONS:
        button = cmds.shelfButton(
            parent=shelf,
            label=label,
            annotation=annotation,
            image1=_ICON.as_posix(),
            imageOverlayLabel=label[:3],
            command=command,
            sourceType="python",
            menuItem=[("Uninstall Pose from Video", _UNINSTALL)],
        )
        # Which of the items are Python: some Mayas want to be told when the items are there.
        cmds.shelfButton(button, edit=True, menuItemPython=[0])
    mel.eval("saveAllShelves $gShelfTopLevel")


def _clear(shelf: str) -> None:
    for button in cmds.shelfLayout(_SHELF, query=True, childArray=True) or []:
        cmds.deleteUI(f"{shelf}|{button}", control=True)


def refresh() -> None:
    """Add the shelf where there is none, as after copying the folder by hand."""
    if not cmds.shelfLayout(_SHELF, exists=True):
        add()


def uninstall() -> List[str]:
    """Take the add-on out of Maya; return sentences about it.

    What was imported stays in its scenes, which need nothing of the add-on.
    """
    if cmds.shelfLayout(_SHELF, exists=True):
        cmds.deleteUI(_SHELF, layout=True)
        mel.eval("saveAllShelves $gShelfTopLevel")
    saved = Path(cmds.internalVar(userShelfDir=True)) / f"shelf_{_SHELF}.mel"
    with contextlib.suppress(OSError):
        saved.unlink()
    said = ["Pose from Video was removed."]
    definition = _MODULE.parent / "pose_from_video.mod"
    with contextlib.suppress(FileNotFoundError):
        definition.unlink()
    # With what updates have left, as it was in use.
    for folder in (_MODULE, *sorted(_MODULE.parent.glob("pose_from_video-*"))):
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            said.append(f"'{folder}' is still in use; delete it when Maya is closed.")
    cmds.warning(" ".join(said))
    return said
