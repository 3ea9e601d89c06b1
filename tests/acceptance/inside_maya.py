"""Imports a clip by the call that scripts use, within Maya, and says what stands in the scene then.

``mayapy inside_maya.py ARGUMENTS.json``; needs nothing but Maya and the add-on: tests/maya/run_in_maya.py.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def report(given: dict[str, Any]) -> dict[str, Any]:
    """Import ``film`` from ``server`` with its first frame on frame 1, look at everybody, and undo it."""
    from maya import cmds
    from pose_from_video import commands

    before = set(cmds.ls(long=True))
    commands.import_video(given["film"], server=given["server"], scene_frame=1)
    made = set(cmds.ls(long=True)) - before
    people = [_person(top, given["joints"]) for top in sorted(made) if top.endswith(":person")]
    cmds.undo()
    return {"people": people, "left_after_undo": sorted(set(cmds.ls(long=True)) - before)}


def _person(top: str, names: list[str]) -> dict[str, Any]:
    from maya import cmds
    from maya.api import OpenMaya as om

    space = top.rpartition("|")[2].rpartition(":")[0]
    frames = cmds.keyframe(f"{space}:pelvis", attribute="rotateX", query=True, timeChange=True)
    contacts = [name for name in cmds.listAttr(top, userDefined=True) if name.startswith("contact_")]
    selection = om.MSelectionList()
    for name in names:
        selection.add(f"{space}:{name}")
    paths = [selection.getDagPath(index) for index in range(len(names))]
    places, values = [], []
    for frame in frames:
        cmds.currentTime(frame)
        matrices = [path.inclusiveMatrix() for path in paths]
        places.append([[matrix.getElement(3, column) for column in range(3)] for matrix in matrices])
        values.append([cmds.getAttr(f"{top}.{name}") for name in contacts])
    parents = {name: cmds.listRelatives(f"{space}:{name}", parent=True)[0] for name in names}
    return {
        "frames": frames,
        "places_cm": places,
        "parents": {name: parent.rpartition(":")[2] for name, parent in parents.items()},
        "contacts": {name: [row[i] for row in values] for i, name in enumerate(contacts)},
    }


def main() -> None:
    """Do it in a Maya of its own, and write the report where the arguments say."""
    with open(sys.argv[1], encoding="utf-8") as file:
        given = json.load(file)
    import maya.standalone

    maya.standalone.initialize(name="python")
    from maya import cmds

    cmds.upAxis(axis=given["up"])
    cmds.currentUnit(linear=given["unit"])
    result = report(given)
    with open(given["result"], "w", encoding="utf-8") as file:
        json.dump(result, file)
    maya.standalone.uninitialize()


if __name__ == "__main__":
    main()
