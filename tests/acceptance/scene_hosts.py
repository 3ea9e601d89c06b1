"""Hosts that take a clip in, each by its own means, and say in one way what stands in their scene then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import ma_reader
import numpy as np
from blender_hosts import BlenderHost
from dancers import Dancer
from double import units
from fake_pose_server import FakeServer
from pose_server.export.formats import write_motion
from pose_server.pipeline.file_options import FileOptions
from pose_server.pipeline.plate import Plate
from pose_shared.skeleton import SKELETON

__all__ = ["BlenderScene", "MayaAscii", "MayaScene", "SceneHost", "ScenePerson"]

_CM = 100.0


@dataclass(frozen=True)
class ScenePerson:
    """Somebody in a scene, frame by frame."""

    frames: tuple[float, ...]
    """Of the scene, in which the person has keys; the clip's first frame lies on the first one asked for."""
    joints_m: np.ndarray
    """(T, J, 3) in the room: z up, metres."""
    parents: dict[str, str]
    """Of each joint; of the first one empty."""
    contacts: dict[str, np.ndarray]
    """(T,) by point."""


@dataclass(frozen=True)
class Imported:
    """What an import made, and whether one undo takes it away."""

    people: Sequence[ScenePerson]
    left_after_undo: Sequence[str]


class SceneHost(Protocol):
    def imported(self, server: FakeServer, clip: Path, folder: Path) -> Imported:
        """Import everybody at the clip's own rate, its first frame on frame 1; undo it where that can be."""


class BlenderScene:
    """The built add-on in a real Blender, by its operator."""

    def __init__(self, blender: BlenderHost) -> None:
        self._blender = blender

    def imported(self, server: FakeServer, clip: Path, folder: Path) -> Imported:
        given = {"filepath": str(clip), "server": server.address}
        result = self._blender.run("import_video", folder, **{"import": given})
        people = [self._person(person) for person in result["people"]]
        return Imported(people, [name for names in result["left after undo"].values() for name in names])

    @staticmethod
    def _person(person: dict[str, Any]) -> ScenePerson:
        return ScenePerson(
            frames=tuple(person["frames"]),
            joints_m=np.array([[places[name] for name in SKELETON.joints] for _, places in person["joints"]]),
            parents={name: parent or "" for name, parent in person["parents"].items()},
            contacts={
                key.removeprefix("contact ").replace(" ", "_"): np.array(
                    [values[key] for values in person["contacts"]]
                )
                for key in person["contacts"][0]
            },
        )


class MayaScene:
    """The add-on in the double of Maya, by the call that scripts use."""

    def __init__(self, addon: Callable[[str], ModuleType], up: str) -> None:
        self._addon, self._up = addon, up

    def imported(self, server: FakeServer, clip: Path, folder: Path) -> Imported:
        from maya import cmds

        before = set(cmds.ls(long=True))
        self._addon("commands").import_video(str(clip), server=server.address, scene_frame=1)
        made = set(cmds.ls(long=True)) - before
        tops = sorted(name for name in made if name.endswith(":person"))
        people = [self._person(cmds, top) for top in tops]
        cmds.undo()
        return Imported(people, sorted(set(cmds.ls(long=True)) - before))

    def _person(self, cmds: Any, top: str) -> ScenePerson:
        from maya.api import OpenMaya as om

        space = top.rpartition("|")[2].rpartition(":")[0]
        frames = tuple(cmds.keyframe(f"{space}:pelvis", attribute="rotateX", query=True, timeChange=True))
        contacts = [name for name in cmds.listAttr(top, userDefined=True) if name.startswith("contact_")]
        selection = om.MSelectionList()
        for name in SKELETON.joints:
            selection.add(f"{space}:{name}")
        paths = [selection.getDagPath(index) for index in range(len(SKELETON))]
        joints, values = [], []
        for frame in frames:
            cmds.currentTime(frame)
            matrices = [path.inclusiveMatrix() for path in paths]
            joints.append([[m.getElement(3, column) for column in range(3)] for m in matrices])
            values.append([cmds.getAttr(f"{top}.{name}") for name in contacts])
        parents = {}
        for name in SKELETON.joints:
            (parent,) = cmds.listRelatives(f"{space}:{name}", parent=True)
            parents[name] = parent.rpartition(":")[2].replace("person", "")
        return ScenePerson(
            frames=frames,
            joints_m=_room(np.array(joints) / _CM, self._up),
            parents=parents,
            contacts={
                name.removeprefix("contact_"): np.array(values)[:, i] for i, name in enumerate(contacts)
            },
        )


class MayaAscii:
    """The file that needs no Maya, read by a parser that shares nothing with its writer."""

    def __init__(self, up: str) -> None:
        self._up = up

    def imported(self, server: FakeServer, clip: Path, folder: Path) -> Imported:
        people = []
        for number, dancer in enumerate(server.dancers, 1):
            place = folder / f"person_{number:02d}"
            place.mkdir()
            people.append(self._person(dancer, clip, place))
        return Imported(people, ())

    def _person(self, dancer: Dancer, clip: Path, folder: Path) -> ScenePerson:
        rate = dancer.source_rate
        options = FileOptions(up=self._up)
        motion = dancer.motion()
        write_motion(folder, motion, ["ma"], name=folder.name, options=options, plate=Plate.of(clip, rate))
        file = ma_reader.read((folder / "motion.ma").read_text())
        space = f"dance_{folder.name}"
        nodes = [file.find(f"{space}:{name}") for name in SKELETON.joints]
        curve = file.find(f"{space}:pelvis_rotateX")
        times_s = [tick / units.TICKS for tick in file.keys(curve).ticks]
        places_cm = [[file.position_cm(node, time) for node in nodes] for time in times_s]
        top = file.find(f"{space}:person")
        contacts = [name for name in top.added if name.startswith("contact_")]
        return ScenePerson(
            # Frames of the file are counted from 0.
            frames=tuple(float(time * rate) + 1 for time in times_s),
            joints_m=_room(np.array(places_cm) / _CM, self._up),
            parents={
                name: node.parent.name.rpartition(":")[2].replace("person", "") if node.parent else ""
                for name, node in zip(SKELETON.joints, nodes, strict=True)
            },
            contacts={
                name.removeprefix("contact_"): np.array([file.value(top, name, time) for time in times_s])
                for name in contacts
            },
        )


def _room(places: np.ndarray, up: str) -> np.ndarray:
    """Places in a world of an axis that points up, with z up."""
    if up == "z":
        return places
    return np.stack([places[..., 0], -places[..., 2], places[..., 1]], axis=-1)
