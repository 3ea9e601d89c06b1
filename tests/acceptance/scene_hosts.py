"""Hosts that take a clip in, each by its own means, and say in one way what stands in their scene then."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import inside_maya
import ma_reader
import numpy as np
import pytest
from blender_hosts import BlenderHost
from dancers import Dancer
from double import units
from fake_pose_server import FakeServer
from pose_server.export.formats import write_motion
from pose_server.pipeline.file_options import FileOptions
from pose_server.pipeline.plate import Plate
from pose_shared.skeleton import SKELETON

__all__ = ["BlenderScene", "Imported", "MayaAscii", "MayaProcess", "MayaScene", "SceneHost", "ScenePerson"]

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
    """The add-on in the double of Maya that runs in this process, by the call that scripts use."""

    def __init__(self, up: str) -> None:
        self._up = up

    def imported(self, server: FakeServer, clip: Path, folder: Path) -> Imported:
        given = {"film": str(clip), "server": server.address, "joints": SKELETON.joints}
        return _of_maya(inside_maya.report(given), self._up)


class MayaProcess:
    """The same in a Maya of its own: a studio's mayapy, or the double's."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], up: str, unit: str) -> None:
        self._command, self._environment, self._up, self._unit = command, environment, up, unit

    def imported(self, server: FakeServer, clip: Path, folder: Path) -> Imported:
        given = {"film": str(clip), "server": server.address, "joints": SKELETON.joints}
        given |= {"up": self._up, "unit": self._unit, "result": str(folder / "result.json")}
        arguments = folder / "arguments.json"
        arguments.write_text(json.dumps(given))
        done = subprocess.run(
            [*self._command, inside_maya.__file__, str(arguments)],
            env={**os.environ, **self._environment},
            capture_output=True,
            text=True,
            timeout=280,
        )
        if not Path(str(given["result"])).exists():
            pytest.fail(f"{self._command[0]}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        return _of_maya(json.loads(Path(str(given["result"])).read_text()), self._up)


def _of_maya(report: dict[str, Any], up: str) -> Imported:
    people = [
        ScenePerson(
            frames=tuple(person["frames"]),
            joints_m=_room(np.array(person["places_cm"]) / _CM, up),
            parents={name: parent.replace("person", "") for name, parent in person["parents"].items()},
            contacts={
                name.removeprefix("contact_"): np.array(values) for name, values in person["contacts"].items()
            },
        )
        for person in report["people"]
    ]
    return Imported(people, report["left_after_undo"])


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
